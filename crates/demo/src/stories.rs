//! The stories: one per manifest in deploy/samples, each with the end it must come to and what it teaches.

use index_restore_operator::api::Reason;

/// A manifest that is applied, and how it must end.
#[derive(Debug, Clone, Copy)]
pub struct Story {
    /// The name of the IndexRestore; its file is `deploy/samples/NAME.yaml`.
    pub name: &'static str,
    pub manifest: &'static str,
    /// The reason of the Ready condition at the end.
    pub end: Reason,
    pub lesson: &'static str,
}

macro_rules! story {
    ($name:literal, $end:ident, $lesson:literal) => {
        Story {
            name: $name,
            manifest: include_str!(concat!("../../../deploy/samples/", $name, ".yaml")),
            end: Reason::$end,
            lesson: $lesson,
        }
    };
}

/// The first one, whose operator is killed.
pub const PLAIN: Story = story!(
    "plain",
    Restored,
    "One manifest became one index, with the tags of its backup, although the operator died half-way."
);

pub const TAGS_AND_PROTECTION: Story = story!(
    "tags-and-protection",
    Restored,
    "Tags in the manifest replace those of the backup, and deletion protection is on because it was asked for."
);

pub const LATE_SECRET: Story = story!(
    "late-secret",
    Restored,
    "The restore waited for its Secret and went on by itself; nobody had to apply anything again."
);

pub const MISSING_BACKUP: Story = story!(
    "missing-backup",
    BackupNotFound,
    "A mistake that retrying can't heal is reported with what to correct, and the manifest may be edited."
);

pub const TAKEN_NAME: Story = story!(
    "taken-name",
    IndexAlreadyExists,
    "An index that did not come from this backup is never taken over, changed or deleted."
);

/// In the order in which they are applied.
pub const ALL: [Story; 5] = [
    PLAIN,
    TAGS_AND_PROTECTION,
    LATE_SECRET,
    MISSING_BACKUP,
    TAKEN_NAME,
];

/// Never stored, so it has no end.
pub const REFUSED: &str = include_str!("../../../deploy/samples/refused.yaml");

/// The Secret of the samples, with that API key.
pub fn secret(api_key: &str) -> String {
    include_str!("../../../deploy/samples/secret.yaml").replace(PLACEHOLDER, api_key)
}

const PLACEHOLDER: &str = "your-pinecone-api-key";

/// What the sample late-secret waits for.
pub fn late_secret(api_key: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Secret, metadata: {{name: pinecone-from-vault}}, \
         stringData: {{token: {api_key}}}}}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stories_are_told_of_the_resources_in_their_files() {
        for story in ALL {
            let name = format!("\n  name: {}\n", story.name);
            assert!(story.manifest.contains(&name), "{}", story.name);
        }
        assert!(REFUSED.contains("\n  name: refused\n"));
    }

    #[test]
    fn secrets_hold_the_key() {
        assert!(secret("k1").contains("\n  api-key: k1\n"));
        assert!(late_secret("k1").contains("token: k1"));
        assert!(LATE_SECRET.manifest.contains("key: token"));
    }
}
