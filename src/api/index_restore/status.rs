use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Reason;
use crate::api::conditions::without_request_ids;

/// What the operator saw. It alone writes here.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct IndexRestoreStatus {
    /// The generation of the spec that this status speaks of; -1 until the operator saw the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// The claim under which the restore was submitted. It is written before anything is sent to
    /// Pinecone, and it is what makes a second submission impossible. Do not edit it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submission: Option<Submission>,

    /// ID of Pinecone's restore job. Absent where an adopted index names its backup and no restore
    /// job of it is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore_job_id: Option<String>,

    /// ID of the restored index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index_id: Option<String>,

    /// Host that serves the index; set once the restore is complete and the index ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index_host: Option<String>,

    /// The restore job as Pinecone reports it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restore: Option<RestoreStatus>,

    /// When Pinecone last confirmed what this status says of the restored index. Written when the
    /// restore is complete, when checks begin to fail or succeed again, and once a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_confirmed_time: Option<Time>,

    /// Since when checks of the restored index fail; absent while they succeed. The message of the
    /// conditions says why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unconfirmed_since: Option<Time>,

    /// The value of the annotation restore.pinecone.io/requestedAt that was last acted on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_handled_request: Option<String>,

    /// Ready, Reconciling, Stalled and Succeeded. Reconciling and Stalled are there only while True.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,
}

impl IndexRestoreStatus {
    /// Whether both statuses are equal apart from the request IDs in messages.
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

/// One claim of the right to submit the restore, and what came of it.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Submission {
    /// UID of the object that the claim was made for. A claim with another UID was copied here from
    /// elsewhere and counts for nothing.
    pub uid: String,

    /// 1 for the first attempt, and one more for each that was abandoned after its outcome stayed unknown.
    #[schemars(range(min = 1))]
    pub attempt: i32,

    /// Random mark of the process that made the claim, by which it knows its own.
    pub nonce: String,

    /// When the first attempt with an outcome that is not known to be "nothing" was made, by
    /// Pinecone's clock.
    pub start_time: Time,

    /// Until when Pinecone was observed after the request could have been sent, without a gap longer
    /// than the operator's --max-observation-gap, by Pinecone's clock. Only while there is no longer
    /// gap does the operator submit again by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_observed_time: Option<Time>,

    /// Whether an index of that name was seen while the outcome was not known. If it is gone later, somebody
    /// may have deleted what this submission created, and the operator never submits again by itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub index_seen: bool,

    /// Generation of the spec that was submitted.
    pub generation: i64,

    /// Backup that was asked for.
    pub backup_id: String,

    /// Index name that was asked for.
    pub index_name: String,

    /// What is known of the submission.
    pub outcome: SubmissionOutcome,

    /// Why Pinecone refused, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

impl Submission {
    /// Until when the status says that Pinecone was observed without too long a gap.
    pub fn observed_until(&self) -> Timestamp {
        let recorded = self.last_observed_time.as_ref();
        recorded.unwrap_or(&self.start_time).0
    }
}

/// What is known of a submission.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SubmissionOutcome {
    /// Made; whether Pinecone accepted a restore is not known yet.
    Open,
    /// Pinecone answered that the index name is taken; by whom is being found out.
    Taken,
    /// Pinecone accepted the restore; its IDs are recorded.
    Accepted,
    /// An earlier restore of the same backup to the same name is recorded as the result.
    Adopted,
    /// Pinecone refused; nothing was created.
    Refused,
    /// The request was never sent; nothing was created.
    Unsent,
    /// No trace of it was found for so long that it is taken not to have arrived; another attempt follows.
    Abandoned,
}

/// The restore job as Pinecone reports it, nothing added.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Debug, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct RestoreStatus {
    /// Pending, Completed, Failed or Cancelled; other values are passed on as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,

    /// Percent done, 0 to 100. Pinecone gives it only at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent_complete: Option<i32>,

    /// When the restore job was created, by Pinecone's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Time>,

    /// When the restore job ended, by Pinecone's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completion_time: Option<Time>,
}
