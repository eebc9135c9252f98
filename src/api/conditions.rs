//! The conditions of a status, in the form that kstatus expects. Independent of restores.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

/// Longest message of a condition, in characters; keeps statuses and
/// `kubectl get -o wide` readable. Kubernetes allows 32,768.
pub const MAX_MESSAGE: usize = 1_024;

/// The three values of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// The condition holds.
    True,
    /// The condition does not hold.
    False,
    /// Whether it holds is not known yet, or cannot be determined.
    Unknown,
}

impl Truth {
    /// Returns the value as `status` of a condition spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

/// Whether the operator expects to continue automatically.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Working, or waiting for something that recovers automatically.
    Reconciling,
    /// Manual action required. The operator still checks, at a slower rate.
    Stalled,
    /// Nothing left to do.
    Settled,
}

/// The status of each condition: one row of the status table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConditionStates {
    /// Status of `Ready`: whether the index is restored and can be used.
    pub ready: Truth,
    /// Which of `Reconciling` and `Stalled` is present; neither where it is settled.
    pub progress: Progress,
    /// Status of `Succeeded`: whether the restore was complete and its index ready at some time.
    pub succeeded: Truth,
}

/// What the conditions say.
#[derive(Clone, Copy, Debug)]
pub struct Texts<'a> {
    /// Reason of each condition that changes its status, and of `Ready`, `Reconciling` and `Stalled`.
    pub reason: &'a str,
    /// Message of `Ready`: all there is to say.
    pub message: &'a str,
    /// Message of `Reconciling` or `Stalled`: the reason in one short sentence.
    pub summary: &'a str,
}

/// Returns the conditions for what they are to say and its row of the status table; they replace
/// `before`. A condition that did not change its status keeps its transition time, and `Succeeded`
/// also what it said then: it tells how the restore ended, not how the index is.
pub fn conditions(
    texts: Texts<'_>,
    states: ConditionStates,
    generation: i64,
    before: &[Condition],
    now: jiff::Timestamp,
) -> Vec<Condition> {
    let progress = match states.progress {
        Progress::Reconciling => Some("Reconciling"),
        Progress::Stalled => Some("Stalled"),
        Progress::Settled => None,
    };
    let condition = |type_: &str, status: Truth, message: &str| Condition {
        type_: type_.into(),
        status: status.as_str().into(),
        reason: texts.reason.into(),
        message: message.chars().take(MAX_MESSAGE).collect(),
        observed_generation: Some(generation),
        last_transition_time: transition_time(type_, status, before, now),
    };
    let mut succeeded = condition("Succeeded", states.succeeded, success(states.succeeded));
    if let Some(same) = find(before, "Succeeded").filter(|same| same.status == succeeded.status) {
        succeeded.reason.clone_from(&same.reason);
    }
    [Some(condition("Ready", states.ready, texts.message))]
        .into_iter()
        .chain([progress.map(|type_| condition(type_, Truth::True, texts.summary))])
        .chain([Some(succeeded)])
        .flatten()
        .collect()
}

/// Returns the message of `Succeeded`.
fn success(succeeded: Truth) -> &'static str {
    match succeeded {
        Truth::True => "The restore was complete and its index ready.",
        Truth::False => "The restore did not create this index, or did not complete it.",
        Truth::Unknown => "The restore is not complete yet.",
    }
}

/// Returns `message` without request IDs. They differ in each answer, and alone are no reason to write a
/// status.
pub fn without_request_ids(message: &str) -> String {
    let mut parts = message.split(", request ID ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let id = part.find(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_'));
        text + id.map_or("", |end| &part[end..])
    })
}

/// Returns the condition of that type, if there is one.
pub fn find<'a>(conditions: &'a [Condition], type_: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.type_ == type_)
}

fn transition_time(type_: &str, status: Truth, before: &[Condition], now: jiff::Timestamp) -> Time {
    match find(before, type_) {
        Some(same) if same.status == status.as_str() => same.last_transition_time.clone(),
        // metav1.Time has whole seconds: the API server would drop the fraction.
        _ => Time(whole_seconds(now)),
    }
}

/// Returns `time` without its fraction of a second, as Kubernetes stores times.
pub fn whole_seconds(time: jiff::Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_second(time.as_second()).unwrap_or(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_alone_make_no_difference() {
        let message =
            |id: &str| format!("Refused (HTTP 403: full, request ID {id}). Retrying in 2 s.");
        assert_eq!(
            without_request_ids(&message("a-1")),
            without_request_ids(&message("b-2"))
        );
        assert_eq!(
            without_request_ids(&message("a-1")),
            "Refused (HTTP 403: full). Retrying in 2 s."
        );
        assert_eq!(without_request_ids("plain (text)"), "plain (text)");
    }
}
