//! API version 2026-07.

use serde::Deserialize;

use super::v2025_10;
use crate::pinecone::model::{self, SourceBackup};
use crate::pinecone::untrusted::optional_identifier;

/// `IndexModel`, as far as a restore needs it: that of 2025-10, and where the index
/// came from.
#[derive(Debug, Deserialize)]
pub(super) struct Index {
    #[serde(flatten)]
    index: v2025_10::Index,
    /// "The ID of the backup this index was restored from, if any."
    #[serde(default, deserialize_with = "optional_identifier")]
    source_backup_id: Option<String>,
}

impl From<Index> for model::Index {
    fn from(index: Index) -> Self {
        Self {
            source: index
                .source_backup_id
                .map_or(SourceBackup::None, SourceBackup::Id),
            ..index.index.into()
        }
    }
}
