//! A reason and a message become the four conditions of the status.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use super::reason::{Progress, Reason, Truth};

/// Longest message of a condition, in characters; keeps statuses and
/// `kubectl get -o wide` readable. Kubernetes allows 32,768.
pub const MAX_MESSAGE: usize = 1_024;

/// What is reported: a reason, and a message that says what is true and what
/// to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub reason: Reason,
    pub message: String,
}

impl Finding {
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
        }
    }

    /// What the Ready condition says, if it is one of ours.
    pub fn shown(conditions: &[Condition]) -> Option<Self> {
        let ready = find(conditions, "Ready")?;
        let reason = Reason::ALL
            .into_iter()
            .find(|reason| reason.as_str() == ready.reason)?;
        Some(Self::new(reason, ready.message.clone()))
    }
}

/// The conditions for `finding`, which replace `before`.
///
/// `succeeded` says that the restore was complete and its index ready at some
/// time: that fact stays true whatever became of the index later. A condition
/// that did not change its status keeps its transition time.
pub fn conditions(
    finding: &Finding,
    succeeded: bool,
    generation: i64,
    before: &[Condition],
    now: jiff::Timestamp,
) -> Vec<Condition> {
    let verdict = finding.reason.verdict();
    let progress = match verdict.progress {
        Progress::Reconciling => Some("Reconciling"),
        Progress::Stalled => Some("Stalled"),
        Progress::Settled => None,
    };
    let succeeded = if succeeded {
        Truth::True
    } else {
        verdict.succeeded
    };
    let condition = |type_: &str, status: Truth| Condition {
        type_: type_.into(),
        status: status.as_str().into(),
        reason: finding.reason.as_str().into(),
        message: finding.message.chars().take(MAX_MESSAGE).collect(),
        observed_generation: Some(generation),
        last_transition_time: transition_time(type_, status, before, now),
    };
    [Some(("Ready", verdict.ready))]
        .into_iter()
        .chain([progress.map(|type_| (type_, Truth::True))])
        .chain([Some(("Succeeded", succeeded))])
        .flatten()
        .map(|(type_, status)| condition(type_, status))
        .collect()
}

/// `message` without request IDs, which differ from answer to answer while all
/// else stays the same: they alone are no reason to write a status.
pub fn without_request_ids(message: &str) -> String {
    let mut parts = message.split(", request ID ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let id = part.find(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_'));
        text + id.map_or("", |end| &part[end..])
    })
}

/// The condition of that type, if there is one.
pub fn find<'a>(conditions: &'a [Condition], type_: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == type_)
}

fn transition_time(type_: &str, status: Truth, before: &[Condition], now: jiff::Timestamp) -> Time {
    match find(before, type_) {
        Some(same) if same.status == status.as_str() => same.last_transition_time.clone(),
        // metav1.Time has whole seconds: the API server would cut them off anyway.
        _ => Time(whole_seconds(now)),
    }
}

/// `time` without its fraction of a second, as Kubernetes stores times.
pub fn whole_seconds(time: jiff::Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_second(time.as_second()).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> jiff::Timestamp {
        jiff::Timestamp::from_second(second).unwrap()
    }

    fn types(conditions: &[Condition]) -> Vec<(&str, &str)> {
        conditions
            .iter()
            .map(|c| (c.type_.as_str(), c.status.as_str()))
            .collect()
    }

    #[test]
    fn reconciling_and_stalled_are_never_there_together_nor_false() {
        for reason in Reason::ALL {
            for succeeded in [false, true] {
                let all = conditions(&Finding::new(reason, "m"), succeeded, 1, &[], at(0));
                let progress: Vec<_> = all
                    .iter()
                    .filter(|c| ["Reconciling", "Stalled"].contains(&c.type_.as_str()))
                    .collect();
                assert!(progress.len() <= 1, "{reason:?}");
                assert!(progress.iter().all(|c| c.status == "True"), "{reason:?}");
                let ready = find(&all, "Ready").unwrap();
                assert_eq!(progress.is_empty(), ready.status == "True", "{reason:?}");
            }
        }
    }

    #[test]
    fn transition_time_moves_only_with_the_status() {
        let pending = conditions(&Finding::new(Reason::Pending, "m"), false, 1, &[], at(10));
        let confirming = Finding::new(Reason::ConfirmingSubmission, "n");
        let same = conditions(&confirming, false, 1, &pending, at(20));
        assert_eq!(find(&same, "Ready").unwrap().last_transition_time.0, at(10));
        let restored = Finding::new(Reason::Restored, "done");
        let done = conditions(&restored, false, 1, &same, at(30));
        assert_eq!(find(&done, "Ready").unwrap().last_transition_time.0, at(30));
        assert_eq!(types(&done), [("Ready", "True"), ("Succeeded", "True")]);
    }

    #[test]
    fn a_restore_that_succeeded_once_stays_so() {
        let deleted = Finding::new(Reason::IndexDeleted, "gone");
        let all = conditions(&deleted, true, 1, &[], at(0));
        assert_eq!(
            types(&all),
            [
                ("Ready", "False"),
                ("Stalled", "True"),
                ("Succeeded", "True")
            ]
        );
    }

    #[test]
    fn request_ids_alone_make_no_difference() {
        let told = |id: &str| format!("refused (HTTP 403: full, request ID {id}); it is retried");
        assert_eq!(
            without_request_ids(&told("a-1")),
            without_request_ids(&told("b-2"))
        );
        assert_eq!(
            without_request_ids(&told("a-1")),
            "refused (HTTP 403: full); it is retried"
        );
        assert_eq!(without_request_ids("plain (text)"), "plain (text)");
    }

    #[test]
    fn reasons_are_spelled_the_same_everywhere() {
        for reason in Reason::ALL {
            let json = serde_json::to_value(reason).unwrap();
            assert_eq!(json, reason.as_str());
        }
    }
}
