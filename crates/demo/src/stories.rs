//! The stories: a manifest in deploy/samples, its expected final reason, and what it shows.

use index_restore_operator::api::Reason;

/// A manifest, and its expected result.
#[derive(Debug, Clone, Copy)]
pub struct Story {
    /// The name of the IndexRestore; its file is `deploy/samples/NAME.yaml`.
    pub name: &'static str,
    pub manifest: &'static str,
    /// The final reason of the condition Ready.
    pub end: Reason,
    /// What the story shows.
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

/// The operator is killed during this story.
pub const PLAIN: Story = story!(
    "plain",
    Restored,
    "one index was restored, with the tags of its backup, although the operator was killed during the restore."
);

pub const TAGS_AND_PROTECTION: Story = story!(
    "tags-and-protection",
    Restored,
    "the tags in the manifest replaced the tags of the backup, and deletion protection is enabled."
);

pub const LATE_SECRET: Story = story!(
    "late-secret",
    Restored,
    "the restore waited for its Secret, then continued automatically."
);

pub const MISSING_BACKUP: Story = story!(
    "missing-backup",
    BackupNotFound,
    "the backup does not exist. The status says what to correct; the manifest can be edited."
);

pub const TAKEN_NAME: Story = story!(
    "taken-name",
    IndexAlreadyExists,
    "an index with this name exists. The operator adopts only an index that provably came from this backup, and does not \
     change or delete any other."
);

/// All stories, in the order in which they are applied.
pub const ALL: [Story; 5] = [
    PLAIN,
    TAGS_AND_PROTECTION,
    LATE_SECRET,
    MISSING_BACKUP,
    TAKEN_NAME,
];

/// A manifest that the API server rejects.
pub const REFUSED: &str = include_str!("../../../deploy/samples/refused.yaml");

/// Returns the Secret of the samples with this API key.
pub fn secret(api_key: &str) -> String {
    include_str!("../../../deploy/samples/secret.yaml").replace(PLACEHOLDER, api_key)
}

const PLACEHOLDER: &str = "your-pinecone-api-key";

/// Returns the Secret that the sample late-secret waits for.
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
    fn stories_have_the_names_in_their_manifests() {
        for story in ALL {
            let name = format!("\n  name: {}\n", story.name);
            assert!(story.manifest.contains(&name), "{}", story.name);
        }
        assert!(REFUSED.contains("\n  name: refused\n"));
    }

    #[test]
    fn secrets_have_the_api_key() {
        assert!(secret("k1").contains("\n  api-key: k1\n"));
        assert!(late_secret("k1").contains("token: k1"));
        assert!(LATE_SECRET.manifest.contains("key: token"));
    }
}
