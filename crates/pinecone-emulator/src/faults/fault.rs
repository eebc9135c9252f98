//! Faults that can be injected.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::api::call::Call;
use crate::api::route::Route;
use crate::faults::status::StatusAnswer;

/// A misbehaviour, and the requests that meet it. Several faults may meet one request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The operation that is affected.
    pub route: Route,
    /// How many requests meet it; `None`: all, until it is cleared.
    #[serde(default)]
    pub times: Option<u32>,
    /// How many matching requests are spared first.
    #[serde(default)]
    pub after: u32,
    /// Only requests whose path or body contains this text, such as an index name; `None`: all.
    #[serde(default)]
    pub mentions: Option<String>,
    /// Only requests with a key of this project; `None`: all.
    #[serde(default)]
    pub project: Option<String>,
    /// What happens.
    pub kind: FaultKind,
}

impl Fault {
    /// A fault for every request of `route`, until it is cleared.
    pub fn new(route: Route, kind: FaultKind) -> Self {
        Self {
            route,
            times: None,
            after: 0,
            mentions: None,
            project: None,
            kind,
        }
    }

    /// Only the next `times` matching requests.
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Spares the first `after` matching requests.
    pub fn after(mut self, after: u32) -> Self {
        self.after = after;
        self
    }

    /// Only requests whose path or body contains `text`.
    pub fn mentioning(mut self, text: impl Into<String>) -> Self {
        self.mentions = Some(text.into());
        self
    }

    /// Only requests with a key of `project`.
    pub fn in_project(mut self, project: impl Into<String>) -> Self {
        self.project = Some(project.into());
        self
    }

    pub(crate) fn matches(&self, call: &Call, project: Option<&str>) -> bool {
        let route = call.route();
        let is_there = self.project.is_none() || self.project.as_deref() == project;
        is_there
            && (self.route == Route::Any || self.route == route)
            && self.kind.concerns(route)
            && self
                .mentions
                .as_deref()
                .is_none_or(|text| call.mentions(text))
    }
}

/// What goes wrong. Durations are whole milliseconds in JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The effect happens, then the connection is closed without a byte.
    LoseAnswer,
    /// The effect happens, then the connection is reset (RST) without a byte.
    ResetAnswer,
    /// The connection is closed without a byte and without effect.
    DropBefore,
    /// The connection is reset (RST) without a byte and without effect.
    ResetBefore,
    /// A wait before the effect. The effect comes even if the client has hung up by then.
    Delay(#[serde(with = "millis")] Duration),
    /// A wait between the effect and the answer.
    DelayAnswer(#[serde(with = "millis")] Duration),
    /// Another answer, instead of the effect or after it.
    Status(StatusAnswer),
    /// These headers too, such as `x-request-id`, whatever is answered.
    Headers(BTreeMap<String, String>),
    /// Half of the promised body, then the end of the connection.
    TruncatedBody,
    /// The right status and content type, with HTML for a body.
    GarbageBody,
    /// The body in small pieces, spread over this time.
    SlowBody(#[serde(with = "millis")] Duration),
    /// The right JSON, with 10 MB of padding in an unknown field (in the first row of an array).
    HugeBody,
    /// create-index answers 202 with `{}`.
    MissingIds,
    /// Rows younger than this are not in the list.
    ListLag(#[serde(with = "millis")] Duration),
    /// These rows (by ID or index name) are not in the list; `None`: no row is.
    ListDrop(Option<Vec<String>>),
    /// Each further page begins with the last row of the page before.
    ListRepeat,
    /// Every page answers the same token for the next.
    ListStuckToken,
    /// The first page says that it is the last.
    ListEndsEarly,
    /// Restore jobs have `created_at: null`.
    NullCreatedAt,
    /// A spurious 404 for a restore job that exists.
    JobNotFound,
    /// The index of this create is ready at once, before its job completes.
    IndexReadyEarly,
    /// The index of this create gets ready only this long after its job completed.
    IndexNotReadyAfter(#[serde(with = "millis")] Duration),
    /// The job of this create ends `Failed`.
    JobFails,
    /// The job of this create ends `Cancelled`.
    JobCancelled,
    /// The index of this create ends `InitializationFailed` while its job stays `Pending`.
    IndexInitializationFailed,
}

impl FaultKind {
    /// Another answer with Pinecone's kind of JSON error, instead of the effect.
    pub fn status(status: u16) -> Self {
        Self::Status(StatusAnswer::new(status))
    }

    /// Whether a request of `route` can meet this at all.
    fn concerns(&self, route: Route) -> bool {
        match self {
            Self::ListLag(_) | Self::ListDrop(_) => route.is_list(),
            Self::ListRepeat | Self::ListStuckToken | Self::ListEndsEarly => route.is_paged(),
            Self::NullCreatedAt => {
                matches!(route, Route::ListRestoreJobs | Route::DescribeRestoreJob)
            }
            Self::JobNotFound => route == Route::DescribeRestoreJob,
            Self::MissingIds
            | Self::IndexReadyEarly
            | Self::IndexNotReadyAfter(_)
            | Self::JobFails
            | Self::JobCancelled
            | Self::IndexInitializationFailed => route == Route::CreateIndexFromBackup,
            _ => true,
        }
    }
}

mod millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        value: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(value.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::faults::status::RetryAfter;

    #[test]
    fn faults_read_as_the_readme_writes_them() {
        let fault: Fault = serde_json::from_value(serde_json::json!({
            "route": "create_index_from_backup", "times": 1,
            "kind": {"status": {"status": 429, "retry_after": {"seconds": 2}, "after_effect": true}}
        }))
        .unwrap();
        let answer = StatusAnswer::new(429)
            .retry_after(RetryAfter::Seconds(2))
            .after_effect();
        let expected = Fault::new(Route::CreateIndexFromBackup, FaultKind::Status(answer)).times(1);
        assert_eq!(fault, expected);

        let slow = serde_json::json!({"route": "any", "kind": {"slow_body": 1500}});
        let fault: Fault = serde_json::from_value(slow).unwrap();
        assert_eq!(fault.kind, FaultKind::SlowBody(Duration::from_millis(1500)));
    }

    #[test]
    fn a_fault_meets_only_what_it_concerns() {
        let list = Call::new("GET", "/indexes", None, Bytes::new());
        let create = Call::new(
            "POST",
            "/backups/b/create-index",
            None,
            Bytes::from(r#"{"name":"books"}"#),
        );
        assert!(Fault::new(Route::Any, FaultKind::ListDrop(None)).matches(&list, None));
        assert!(!Fault::new(Route::Any, FaultKind::ListRepeat).matches(&list, None));
        assert!(!Fault::new(Route::Any, FaultKind::ListDrop(None)).matches(&create, None));
        assert!(
            Fault::new(Route::Any, FaultKind::JobFails)
                .mentioning("books")
                .matches(&create, None)
        );
        assert!(
            !Fault::new(Route::Any, FaultKind::JobFails)
                .mentioning("films")
                .matches(&create, None)
        );
        let there = Fault::new(Route::Any, FaultKind::JobFails).in_project("p");
        assert!(there.matches(&create, Some("p")));
        assert!(!there.matches(&create, Some("q")) && !there.matches(&create, None));
    }
}
