//! The version of Pinecone's API that the operators under test speak.

use clap::Args;

const VARIABLE: &str = "INDEX_RESTORE_API_VERSION";
const DEFAULT: &str = "2025-10";

/// The option `--api-version` of a program.
#[derive(Debug, Args)]
pub struct ApiVersion {
    /// Version of Pinecone's API that the operator speaks
    #[arg(
        long = "api-version",
        env = VARIABLE,
        default_value = DEFAULT,
        value_name = "VERSION"
    )]
    pub version: String,
}

impl ApiVersion {
    /// Whether an index names the backup it was restored from.
    pub fn shows_source(&self) -> bool {
        names_source(&self.version)
    }
}

/// The version in a test: 2025-10, unless the environment variable `INDEX_RESTORE_API_VERSION` names another.
pub fn api_version() -> String {
    std::env::var(VARIABLE).unwrap_or_else(|_| DEFAULT.into())
}

/// Whether an index names the backup it was restored from.
pub fn shows_source() -> bool {
    names_source(&api_version())
}

pub(crate) fn names_source(version: &str) -> bool {
    version == "2026-07"
}
