//! API versions 2025-10 and 2026-04.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{IndexStatus, PROTECTED};
use crate::pinecone::model::{self, IndexHealth, SourceBackup};
use crate::pinecone::untrusted::{identifier, optional_identifier};

/// `IndexModel`, as far as a restore needs it.
#[derive(Debug, Deserialize)]
pub(super) struct Index {
    #[serde(deserialize_with = "identifier")]
    name: String,
    #[serde(default, deserialize_with = "optional_identifier")]
    host: Option<String>,
    status: IndexStatus,
    #[serde(default)]
    tags: Option<BTreeMap<String, String>>,
    #[serde(default)]
    deletion_protection: Option<String>,
}

impl From<Index> for model::Index {
    fn from(index: Index) -> Self {
        Self {
            name: index.name,
            host: index.host,
            health: IndexHealth::parse(&index.status.state, index.status.ready),
            word: index.status.state,
            source: SourceBackup::NotShown,
            tags: index.tags.unwrap_or_default().into_iter().collect(),
            is_protected: index.deletion_protection.as_deref() == Some(PROTECTED),
        }
    }
}
