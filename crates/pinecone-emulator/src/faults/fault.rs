//! Faults that can be injected.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::api::call::Call;
use crate::api::route::Route;
use crate::faults::status::StatusAnswer;

/// A fault, and which requests it affects. Several faults may affect one request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The operation that is affected.
    pub route: Route,
    /// The number of requests that it affects; `None`: all, until it is cleared.
    #[serde(default)]
    pub times: Option<u32>,
    /// The number of matching requests that it skips first.
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

    /// Affects only the next `times` matching requests.
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Skips the first `after` matching requests.
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
        let in_project = self.project.is_none() || self.project.as_deref() == project;
        in_project
            && (self.route == Route::Any || self.route == route)
            && self.kind.concerns(route)
            && self
                .mentions
                .as_deref()
                .is_none_or(|text| call.mentions(text))
    }
}

/// What a fault does. Durations are whole milliseconds in JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The request takes effect, then the connection is closed without an answer.
    LoseAnswer,
    /// The request takes effect, then the connection is reset (RST) without an answer.
    ResetAnswer,
    /// The connection is closed without an effect or an answer.
    DropBefore,
    /// The connection is reset (RST) without an effect or an answer.
    ResetBefore,
    /// Waits before the effect. The request takes effect even if the client has disconnected by then.
    Delay(#[serde(with = "millis")] Duration),
    /// Waits between the effect and the answer.
    DelayAnswer(#[serde(with = "millis")] Duration),
    /// Sends another answer, instead of the effect or after it.
    Status(StatusAnswer),
    /// Adds these headers to the answer, such as `x-request-id`.
    Headers(BTreeMap<String, String>),
    /// Sends half of the body, then closes the connection.
    TruncatedBody,
    /// Sends HTML as the body, with the right status and content type.
    GarbageBody,
    /// Sends the body in small pieces over this time.
    SlowBody(#[serde(with = "millis")] Duration),
    /// Adds 10 MB of padding to the JSON, in an unknown field.
    HugeBody,
    /// create-index returns a 202 with `{}`.
    MissingIds,
    /// The list omits rows younger than this.
    ListLag(#[serde(with = "millis")] Duration),
    /// The list omits these rows (by ID or index name); `None`: all rows.
    ListDrop(Option<Vec<String>>),
    /// Each further page begins with the last row of the previous page.
    ListRepeat,
    /// Every page has the same token for the next page.
    ListStuckToken,
    /// The first page has no token, as if it were the last.
    ListEndsEarly,
    /// Restore jobs have `created_at: null`.
    NullCreatedAt,
    /// Describing a restore job that exists returns a 404.
    JobNotFound,
    /// The index of this create is ready immediately, before its job completes.
    IndexReadyEarly,
    /// The index of this create becomes ready this long after its job completed.
    IndexNotReadyAfter(#[serde(with = "millis")] Duration),
    /// The job of this create ends `Failed`.
    JobFails,
    /// The job of this create ends `Cancelled`.
    JobCancelled,
    /// The index of this create ends `InitializationFailed` while its job stays `Pending`.
    IndexInitializationFailed,
}

impl FaultKind {
    /// A fault that returns this status and a JSON error that fits it, instead of the effect.
    pub fn status(status: u16) -> Self {
        Self::Status(StatusAnswer::new(status))
    }

    /// Whether this can affect a request of `route`.
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
    fn parses_faults_as_in_the_readme() {
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
    fn a_fault_affects_only_requests_that_match() {
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
