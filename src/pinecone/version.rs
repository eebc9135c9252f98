use clap::ValueEnum;

/// A version of Pinecone's API that the operator speaks, sent as
/// `X-Pinecone-Api-Version`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
// clap would print doc comments on the variants in `--help`.
#[allow(missing_docs)]
pub enum ApiVersion {
    #[value(name = "2025-10")]
    V2025_10,
    #[value(name = "2026-04")]
    V2026_04,
    #[value(name = "2026-07")]
    V2026_07,
}

impl ApiVersion {
    /// Every supported version, oldest first.
    pub const ALL: [Self; 3] = [Self::V2025_10, Self::V2026_04, Self::V2026_07];

    /// Returns the value of the header, such as `2025-10`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V2025_10 => "2025-10",
            Self::V2026_04 => "2026-04",
            Self::V2026_07 => "2026-07",
        }
    }

    /// Returns whether Pinecone's guaranteed support has ended: it lasts at least twelve months, and
    /// 2025-10 was released in October 2025.
    pub fn is_past_support(self) -> bool {
        self == Self::V2025_10
    }
}

impl std::fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_is_named_as_in_its_flag() {
        for version in ApiVersion::ALL {
            let value = version.to_possible_value().unwrap();
            assert_eq!(value.get_name(), version.to_string());
        }
        assert!(ApiVersion::V2025_10.is_past_support());
        assert!(!ApiVersion::V2026_07.is_past_support());
    }
}
