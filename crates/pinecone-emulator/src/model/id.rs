//! IDs in Pinecone's formats.

pub(crate) fn new_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// Returns the seven characters that a project has in the hosts of its indexes, derived from its name.
pub(crate) fn project_id(project: &str) -> String {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    // FNV-1a: the same on every machine and in every release.
    let mut hash = project
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    let mut id = String::new();
    for _ in 0..7 {
        let digit = usize::try_from(hash % 36).unwrap_or(0);
        id.push(char::from(DIGITS[digit]));
        hash /= 36;
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derives_a_project_id_of_seven_characters_from_the_name() {
        let id = project_id("default");
        assert_eq!(id, project_id("default"));
        assert_ne!(id, project_id("other"));
        assert_eq!(id.len(), 7);
        assert!(
            id.bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        );
    }
}
