//! The reason and the message of a status.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::Reason;
use crate::api::conditions::{self, ConditionStates, Texts, Truth, find};

/// The reason of the conditions and the message of `Ready`. The text says what is true, why, and what
/// happens or what to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusMessage {
    /// Reason of the conditions, and of the event that announces it.
    pub reason: Reason,
    /// Message of `Ready`; cut to [`conditions::MAX_MESSAGE`] characters when written.
    pub text: String,
}

impl StatusMessage {
    /// Returns a message of this reason. The text is not checked or cut.
    pub fn new(reason: Reason, text: impl Into<String>) -> Self {
        Self {
            reason,
            text: text.into(),
        }
    }

    /// Returns what the Ready condition says; `None` where its reason is not a [`Reason`].
    pub fn shown(conditions: &[Condition]) -> Option<Self> {
        let ready = find(conditions, "Ready")?;
        Some(Self::new(Reason::shown(conditions)?, &ready.message))
    }

    /// Returns the conditions that say this; they replace `before`.
    ///
    /// `succeeded` says that the restore was complete and its index ready at some time, which stays
    /// true whatever happens to the index later.
    pub fn conditions(
        &self,
        succeeded: bool,
        generation: i64,
        before: &[Condition],
        now: Timestamp,
    ) -> Vec<Condition> {
        let states = self.reason.condition_states();
        let states = match succeeded {
            true => ConditionStates {
                succeeded: Truth::True,
                ..states
            },
            false => states,
        };
        let texts = Texts {
            reason: self.reason.as_str(),
            message: &self.text,
            summary: self.reason.summary(),
        };
        conditions::conditions(texts, states, generation, before, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn types(conditions: &[Condition]) -> Vec<(&str, &str)> {
        conditions
            .iter()
            .map(|c| (c.type_.as_str(), c.status.as_str()))
            .collect()
    }

    #[test]
    fn reconciling_and_stalled_are_never_both_present_nor_false() {
        for reason in Reason::ALL {
            for succeeded in [false, true] {
                let all = StatusMessage::new(reason, "m").conditions(succeeded, 1, &[], at(0));
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
        let pending = StatusMessage::new(Reason::Pending, "m").conditions(false, 1, &[], at(10));
        let confirming = StatusMessage::new(Reason::ConfirmingSubmission, "n");
        let same = confirming.conditions(false, 1, &pending, at(20));
        assert_eq!(find(&same, "Ready").unwrap().last_transition_time.0, at(10));
        let restored = StatusMessage::new(Reason::Restored, "done");
        let done = restored.conditions(false, 1, &same, at(30));
        assert_eq!(find(&done, "Ready").unwrap().last_transition_time.0, at(30));
        assert_eq!(types(&done), [("Ready", "True"), ("Succeeded", "True")]);
    }

    #[test]
    fn succeeded_stays_true_once_the_restore_succeeded() {
        let deleted = StatusMessage::new(Reason::IndexDeleted, "gone");
        let all = deleted.conditions(true, 1, &[], at(0));
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
    fn succeeded_keeps_the_reason_of_its_last_transition() {
        let restored = StatusMessage::new(Reason::Restored, "done").conditions(true, 1, &[], at(0));
        let deleted = StatusMessage::new(Reason::IndexDeleted, "gone, and what to do");
        let all = deleted.conditions(true, 2, &restored, at(9));
        let said: Vec<_> = all
            .iter()
            .map(|c| (c.reason.as_str(), c.message.as_str()))
            .collect();
        assert_eq!(
            said,
            [
                ("IndexDeleted", "gone, and what to do"),
                ("IndexDeleted", Reason::IndexDeleted.summary()),
                ("Restored", "The restore was complete and its index ready."),
            ]
        );
        assert_eq!(
            find(&all, "Succeeded").unwrap().observed_generation,
            Some(2)
        );
    }

    #[test]
    fn reasons_are_spelled_the_same_everywhere() {
        for reason in Reason::ALL {
            let json = serde_json::to_value(reason).unwrap();
            assert_eq!(json, reason.as_str());
        }
    }
}
