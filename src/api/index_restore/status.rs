use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Reason, StatusMessage};
use crate::api::conditions::without_request_ids;

/// The observed state. Only the operator writes it.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct IndexRestoreStatus {
    /// Generation of the spec that this status describes; -1 until the operator has observed the
    /// object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// The claim under which the restore was submitted. The operator writes it before it sends the
    /// create request, and it prevents a second one. Do not edit it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submission: Option<Submission>,

    /// ID of Pinecone's restore job. Absent if the index names its backup and Pinecone shows no restore
    /// job for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore_job_id: Option<String>,

    /// ID of the restored index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index_id: Option<String>,

    /// Host that serves the index; set once the restore is complete and the index is ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index_host: Option<String>,

    /// The restore job as Pinecone reports it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore: Option<RestoreStatus>,

    /// When Pinecone last confirmed what this status says of the restored index. Written when the
    /// restore is complete, when checks begin to fail or succeed again, and once a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_confirmed_time: Option<Time>,

    /// Since when checks of the restored index have failed; absent while they succeed. The message of
    /// the conditions has the cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unconfirmed_since: Option<Time>,

    /// The last value of the annotation restore.pinecone.io/requestedAt that the operator acted on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_request: Option<String>,

    /// Ready, Reconciling, Stalled and Succeeded. Reconciling and Stalled are present only while True.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
}

/// What the conditions of a new object say.
const UNOBSERVED: &str = "The operator has not started this restore yet: either it waits for other restores that use the same API key, or no operator watches this namespace.";

impl IndexRestoreStatus {
    /// Returns the status of a new object, which the API server sets. Its conditions name no generation
    /// and, as those of new objects of the Gateway API do, the beginning of 1970 as their time.
    pub fn unobserved() -> Self {
        let message = StatusMessage::new(Reason::Pending, UNOBSERVED);
        let mut conditions = message.conditions(false, -1, &[], Timestamp::UNIX_EPOCH);
        for condition in &mut conditions {
            condition.observed_generation = None;
        }
        Self {
            observed_generation: Some(-1),
            conditions,
            ..Self::default()
        }
    }

    /// Whether no operator has written it.
    pub fn is_unobserved(&self) -> bool {
        self.observed_generation.is_none_or(|observed| observed < 0)
    }

    /// Returns whether both statuses are equal apart from the request IDs in messages.
    pub fn says_the_same(&self, other: &Self) -> bool {
        let bare = |status: &Self| {
            let mut status = status.clone();
            for condition in &mut status.conditions {
                condition.message = without_request_ids(&condition.message);
            }
            status
        };
        bare(self) == bare(other)
    }
}

/// A claim of the right to submit the restore, and its outcome.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Submission {
    /// UID of the object that the claim was made for. The operator ignores a claim with another UID,
    /// which was copied from another object.
    pub uid: String,

    /// Number of the attempt: 1 for the first, raised by one after each attempt of unknown outcome that
    /// was abandoned.
    #[schemars(range(min = 1))]
    pub attempt: i32,

    /// Random value by which the process that made the claim recognizes it.
    pub nonce: String,

    /// When the first attempt that may have had an effect was made, by Pinecone's clock.
    pub start_time: Time,

    /// Until when Pinecone was observed since the claim without a gap longer than the operator's
    /// --max-observation-gap, by Pinecone's clock. After a longer gap the operator does not submit
    /// again automatically.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_observed_time: Option<Time>,

    /// Whether an index of that name was observed while the outcome was not known. If it is gone later,
    /// it may have been created by this submission and deleted, and the operator does not submit again
    /// automatically.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub index_seen: bool,

    /// Generation of the spec that was submitted.
    pub generation: i64,

    /// Backup in the create request.
    pub backup_id: String,

    /// Index name in the create request.
    pub index_name: String,

    /// What is known of the outcome.
    pub outcome: SubmissionOutcome,

    /// Why Pinecone refused the request, if it did. A word that only another version of the operator
    /// knows is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Submission {
    /// Returns until when Pinecone was observed without too long a gap, as the status records it.
    pub fn observed_until(&self) -> Timestamp {
        let recorded = self.last_observed_time.as_ref();
        recorded.unwrap_or(&self.start_time).0
    }
}

/// What is known of the outcome of a submission.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SubmissionOutcome {
    /// The claim is made; whether Pinecone accepted the restore is not known yet.
    Open,
    /// Pinecone answered that the index name is taken; the operator determines the origin of the index.
    Taken,
    /// Pinecone accepted the restore; its IDs are recorded.
    Accepted,
    /// An existing index that was restored from the same backup is recorded as the result.
    Adopted,
    /// Pinecone refused the request; nothing was created.
    Refused,
    /// The request was never sent; nothing was created.
    Unsent,
    /// The submission left no trace for the whole confirm patience; another attempt follows.
    Abandoned,
}

/// The restore job as Pinecone reports it.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct RestoreStatus {
    /// Pinecone's state of the job: Pending, Completed, Failed, Cancelled or another value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,

    /// Completed percentage, 0 to 100. Pinecone reports it only at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent_complete: Option<i32>,

    /// When the restore job was created, by Pinecone's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Time>,

    /// When the restore job ended, by Pinecone's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completion_time: Option<Time>,

    /// How long the restore job took, in whole seconds, such as 1h5m20s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<String>,
}
