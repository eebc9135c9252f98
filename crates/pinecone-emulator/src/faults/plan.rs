//! What the faults that affect a request do to it.

use std::time::Duration;

use crate::api::call::Call;
use crate::faults::fault::FaultKind;
use crate::faults::injected::InjectedFault;
use crate::faults::status::StatusAnswer;
use crate::model::job::JobOutcome;

/// Everything that faults do to one request.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Plan {
    pub delay: Duration,
    pub instead: Option<Instead>,
    pub restore: RestoreFaults,
    pub reads: ReadFaults,
    pub delay_answer: Duration,
    pub answer: Option<AnswerFault>,
    /// Headers that are added to every answer.
    pub headers: Vec<(String, String)>,
}

/// What happens instead of handling the request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Instead {
    Close(Disconnect),
    Answer(StatusAnswer),
}

/// What happens to the answer of the service.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum AnswerFault {
    Close(Disconnect),
    Answer(StatusAnswer),
    Truncated,
    Garbage,
    Slow(Duration),
    Huge,
    MissingIds,
}

/// How a connection ends without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disconnect {
    Fin,
    Reset,
}

/// What happens to the index and the job of a create.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RestoreFaults {
    pub outcome: JobOutcome,
    pub ready_early: bool,
    pub ready_lag: Duration,
    pub index_fails: bool,
}

impl Default for RestoreFaults {
    fn default() -> Self {
        Self {
            outcome: JobOutcome::Completed,
            ready_early: false,
            ready_lag: Duration::ZERO,
            index_fails: false,
        }
    }
}

/// What lists and restore jobs hide or show wrongly.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct ReadFaults {
    pub list_lag: Duration,
    pub list_drop_all: bool,
    pub list_dropped: Vec<String>,
    pub list_repeat: bool,
    pub list_stuck_token: bool,
    pub list_ends_early: bool,
    pub null_created_at: bool,
    pub job_not_found: bool,
}

impl Plan {
    /// Returns the plan for `call` with an API key of `project`. Of two faults that exclude each other, the one injected first takes
    /// precedence.
    pub(crate) fn of(faults: &mut [InjectedFault], call: &Call, project: Option<&str>) -> Self {
        let mut plan = Self::default();
        for injected in faults {
            if injected.applies_to(call, project) {
                plan.add(&injected.fault.kind);
            }
        }
        plan
    }

    fn add(&mut self, kind: &FaultKind) {
        match kind {
            FaultKind::Delay(by) => self.delay += *by,
            FaultKind::DelayAnswer(by) => self.delay_answer += *by,
            FaultKind::DropBefore => self.replace(Instead::Close(Disconnect::Fin)),
            FaultKind::ResetBefore => self.replace(Instead::Close(Disconnect::Reset)),
            FaultKind::Status(answer) if answer.after_effect => {
                self.change_answer(AnswerFault::Answer(answer.clone()))
            }
            FaultKind::Status(answer) => self.replace(Instead::Answer(answer.clone())),
            FaultKind::LoseAnswer => self.change_answer(AnswerFault::Close(Disconnect::Fin)),
            FaultKind::ResetAnswer => self.change_answer(AnswerFault::Close(Disconnect::Reset)),
            FaultKind::TruncatedBody => self.change_answer(AnswerFault::Truncated),
            FaultKind::GarbageBody => self.change_answer(AnswerFault::Garbage),
            FaultKind::SlowBody(over) => self.change_answer(AnswerFault::Slow(*over)),
            FaultKind::HugeBody => self.change_answer(AnswerFault::Huge),
            FaultKind::MissingIds => self.change_answer(AnswerFault::MissingIds),
            FaultKind::IndexReadyEarly => self.restore.ready_early = true,
            FaultKind::IndexNotReadyAfter(lag) => self.restore.ready_lag = *lag,
            FaultKind::JobFails => self.restore.outcome = JobOutcome::Failed,
            FaultKind::JobCancelled => self.restore.outcome = JobOutcome::Cancelled,
            FaultKind::IndexInitializationFailed => self.restore.index_fails = true,
            FaultKind::Headers(headers) => self.headers.extend(headers.clone()),
            _ => self.reads.add(kind),
        }
    }

    fn replace(&mut self, instead: Instead) {
        self.instead.get_or_insert(instead);
    }

    fn change_answer(&mut self, fault: AnswerFault) {
        self.answer.get_or_insert(fault);
    }
}

impl ReadFaults {
    fn add(&mut self, kind: &FaultKind) {
        match kind {
            FaultKind::ListLag(lag) => self.list_lag = self.list_lag.max(*lag),
            FaultKind::ListDrop(None) => self.list_drop_all = true,
            FaultKind::ListDrop(Some(rows)) => self.list_dropped.extend(rows.iter().cloned()),
            FaultKind::ListRepeat => self.list_repeat = true,
            FaultKind::ListStuckToken => self.list_stuck_token = true,
            FaultKind::ListEndsEarly => self.list_ends_early = true,
            FaultKind::NullCreatedAt => self.null_created_at = true,
            FaultKind::JobNotFound => self.job_not_found = true,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::api::route::Route;
    use crate::faults::fault::Fault;

    fn injected(fault: Fault) -> InjectedFault {
        InjectedFault {
            id: 1,
            fault,
            matched: 0,
        }
    }

    #[test]
    fn a_fault_skips_the_first_requests_and_stops_after_its_number() {
        let fault = Fault::new(Route::ListIndexes, FaultKind::DropBefore)
            .after(1)
            .times(2);
        let mut faults = [injected(fault)];
        let call = Call::new("GET", "/indexes", None, Bytes::new());
        let hits: Vec<bool> = (0..5)
            .map(|_| Plan::of(&mut faults, &call, None).instead.is_some())
            .collect();
        assert_eq!(hits, [false, true, true, false, false]);
        assert_eq!(faults[0].hits(), 2);
    }

    #[test]
    fn the_first_of_two_exclusive_faults_takes_precedence_and_delays_add_up() {
        let mut faults = [
            injected(Fault::new(Route::Any, FaultKind::LoseAnswer)),
            injected(Fault::new(Route::Any, FaultKind::GarbageBody)),
            injected(Fault::new(
                Route::Any,
                FaultKind::Delay(Duration::from_secs(1)),
            )),
            injected(Fault::new(
                Route::Any,
                FaultKind::Delay(Duration::from_secs(2)),
            )),
        ];
        let call = Call::new("GET", "/indexes", None, Bytes::new());
        let plan = Plan::of(&mut faults, &call, None);
        assert_eq!(plan.answer, Some(AnswerFault::Close(Disconnect::Fin)));
        assert_eq!(plan.delay, Duration::from_secs(3));
    }
}
