//! What travels between the operator and Pinecone, translated to and from
//! [`model`](super::model). Answers are parsed leniently: only what a restore
//! needs, and enumerations as open strings, as Pinecone declares them.
//!
//! The versions differ in the shape of an index alone, as far as a restore is
//! concerned.

mod v2025_10;
mod v2026_07;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::failure::Failure;
use super::model::{self, BackupState, JobState};
use super::reply::Reply;
use super::untrusted::{identifier, optional_identifier};
use super::version::ApiVersion;

/// `GET /indexes/{name}`
pub(super) fn index(reply: &Reply, version: ApiVersion) -> Result<model::Index, Failure> {
    match version {
        ApiVersion::V2025_10 | ApiVersion::V2026_04 => {
            reply.json::<v2025_10::Index>().map(Into::into)
        }
        ApiVersion::V2026_07 => reply.json::<v2026_07::Index>().map(Into::into),
    }
}

/// `GET /indexes`
pub(super) fn indexes(reply: &Reply, version: ApiVersion) -> Result<Vec<model::Index>, Failure> {
    match version {
        ApiVersion::V2025_10 | ApiVersion::V2026_04 => {
            reply.json::<IndexList<v2025_10::Index>>().map(Into::into)
        }
        ApiVersion::V2026_07 => reply.json::<IndexList<v2026_07::Index>>().map(Into::into),
    }
}

#[derive(Debug, Deserialize)]
struct IndexList<T> {
    indexes: Vec<T>,
}

impl<T: Into<model::Index>> From<IndexList<T>> for Vec<model::Index> {
    fn from(list: IndexList<T>) -> Self {
        list.indexes.into_iter().map(Into::into).collect()
    }
}

#[derive(Debug, Deserialize)]
struct IndexStatus {
    ready: bool,
    state: String,
}

/// Body of `POST /backups/{id}/create-index`. Options that were not given are
/// not sent: a `tags` that is present replaces the backup's tags.
#[derive(Debug, Serialize)]
pub(super) struct CreateIndexFromBackup<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<&'a BTreeMap<String, String>>,
    deletion_protection: &'static str,
}

impl<'a> From<&'a model::CreateIndex> for CreateIndexFromBackup<'a> {
    fn from(wanted: &'a model::CreateIndex) -> Self {
        Self {
            name: &wanted.name,
            tags: wanted.tags.as_ref(),
            deletion_protection: match wanted.is_protected {
                true => PROTECTED,
                false => "disabled",
            },
        }
    }
}

const PROTECTED: &str = "enabled";

/// The answer 202 to it.
#[derive(Debug, Deserialize)]
pub(super) struct Created {
    #[serde(deserialize_with = "identifier")]
    pub restore_job_id: String,
    #[serde(deserialize_with = "identifier")]
    pub index_id: String,
}

/// `GET /backups/{id}`
#[derive(Debug, Deserialize)]
pub(super) struct Backup {
    #[serde(deserialize_with = "identifier")]
    backup_id: String,
    status: String,
}

impl From<Backup> for model::Backup {
    fn from(backup: Backup) -> Self {
        Self {
            backup_id: backup.backup_id,
            state: BackupState::parse(&backup.status),
            word: backup.status,
        }
    }
}

/// `GET /restore-jobs/{id}`, or one row of `GET /restore-jobs`
#[derive(Debug, Deserialize)]
pub(super) struct RestoreJob {
    #[serde(deserialize_with = "identifier")]
    restore_job_id: String,
    #[serde(deserialize_with = "identifier")]
    backup_id: String,
    #[serde(deserialize_with = "identifier")]
    target_index_name: String,
    #[serde(deserialize_with = "identifier")]
    target_index_id: String,
    status: String,
    #[serde(default)]
    created_at: Option<Timestamp>,
    #[serde(default)]
    completed_at: Option<Timestamp>,
    #[serde(default)]
    percent_complete: Option<f64>,
}

impl From<RestoreJob> for model::RestoreJob {
    fn from(job: RestoreJob) -> Self {
        Self {
            restore_job_id: job.restore_job_id,
            backup_id: job.backup_id,
            target_index_name: job.target_index_name,
            target_index_id: job.target_index_id,
            state: JobState::parse(&job.status),
            word: job.status,
            created_at: job.created_at,
            completed_at: job.completed_at,
            percent_complete: job.percent_complete,
        }
    }
}

/// One page of `GET /restore-jobs`
#[derive(Debug, Deserialize)]
pub(super) struct RestoreJobPage {
    pub data: Vec<RestoreJob>,
    #[serde(default)]
    pub pagination: Option<Pagination>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Pagination {
    #[serde(default, deserialize_with = "optional_identifier")]
    pub next: Option<String>,
}

/// Pinecone's own form of an error.
#[derive(Debug, Deserialize)]
pub(super) struct ErrorResponse {
    pub error: ErrorBody,
}

#[derive(Debug, Deserialize)]
pub(super) struct ErrorBody {
    pub code: String,
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::super::model::{IndexHealth, SourceBackup};
    use super::*;

    const OF_2025_10: &str = r#"{"name": "i", "host": "h", "metric": "cosine", "dimension": 8,
        "status": {"ready": true, "state": "Ready"}, "deletion_protection": "enabled",
        "tags": {"team": "search"}, "spec": {}}"#;
    const OF_2026_07: &str = r#"{"name": "i", "host": "h", "deployment": {}, "schema": {},
        "status": {"ready": true, "state": "Ready"}, "deletion_protection": "disabled",
        "tags": null, "source_backup_id": "b"}"#;

    fn parsed(body: &str, version: ApiVersion) -> model::Index {
        index(&Reply::for_tests(200, body), version).unwrap()
    }

    #[test]
    fn only_2026_07_names_the_backup_of_an_index() {
        for version in [ApiVersion::V2025_10, ApiVersion::V2026_04] {
            let index = parsed(OF_2025_10, version);
            assert_eq!(index.source, SourceBackup::NotShown);
            assert!(index.is_protected && index.health == IndexHealth::Ready);
            assert_eq!(index.tags, [("team".to_owned(), "search".to_owned())]);
            assert_eq!(parsed(OF_2026_07, version).source, SourceBackup::NotShown);
        }
        let index = parsed(OF_2026_07, ApiVersion::V2026_07);
        assert_eq!(index.source, SourceBackup::Id("b".into()));
        assert!(!index.is_protected && index.tags.is_empty());
        let none = parsed(OF_2025_10, ApiVersion::V2026_07);
        assert_eq!(none.source, SourceBackup::None);
    }

    #[test]
    fn a_list_of_indexes_is_parsed_in_each_version() {
        let body = format!(r#"{{"indexes": [{OF_2025_10}, {OF_2026_07}]}}"#);
        for version in ApiVersion::ALL {
            let indexes = indexes(&Reply::for_tests(200, &body), version).unwrap();
            assert_eq!(indexes.len(), 2, "{version}");
        }
    }

    #[test]
    fn a_backup_in_a_state_that_is_new_is_not_ready() {
        let body = r#"{"backup_id": "b", "status": "Archived", "more": 1}"#;
        let backup: Backup = Reply::for_tests(200, body).json().unwrap();
        let backup = model::Backup::from(backup);
        assert_eq!(
            (backup.state, &*backup.word),
            (BackupState::NotReady, "Archived")
        );
    }

    #[test]
    fn options_that_are_not_given_are_not_sent() {
        let mut wanted = model::CreateIndex {
            name: "i".into(),
            tags: None,
            is_protected: false,
        };
        let body = |wanted: &model::CreateIndex| {
            serde_json::to_value(CreateIndexFromBackup::from(wanted)).unwrap()
        };
        let expected = serde_json::json!({"name": "i", "deletion_protection": "disabled"});
        assert_eq!(body(&wanted), expected);
        wanted.is_protected = true;
        wanted.tags = Some([("a".to_owned(), "b".to_owned())].into());
        let expected = serde_json::json!({
            "name": "i", "deletion_protection": "enabled", "tags": {"a": "b"},
        });
        assert_eq!(body(&wanted), expected);
    }
}
