//! What the faults that meet a request make of it.

use std::time::Duration;

use crate::api::call::Call;
use crate::faults::fault::FaultKind;
use crate::faults::injected::Armed;
use crate::faults::status::StatusAnswer;
use crate::model::job::JobOutcome;

/// Everything that is done to one request.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Plan {
    pub delay: Duration,
    pub instead: Option<Instead>,
    pub fate: Fate,
    pub view: View,
    pub delay_answer: Duration,
    pub ending: Option<Ending>,
    /// Added to the answer, whichever it is.
    pub headers: Vec<(String, String)>,
}

/// What happens in place of the service's work.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Instead {
    Close(Closing),
    Answer(StatusAnswer),
}

/// What happens to the service's answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ending {
    Close(Closing),
    Answer(StatusAnswer),
    Truncated,
    Garbage,
    Slow(Duration),
    Huge,
    MissingIds,
}

/// How a connection ends without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closing {
    Fin,
    Reset,
}

/// What becomes of the index and job that a create makes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fate {
    pub outcome: JobOutcome,
    pub ready_early: bool,
    pub ready_lag: Duration,
    pub index_fails: bool,
}

impl Default for Fate {
    fn default() -> Self {
        Self {
            outcome: JobOutcome::Completed,
            ready_early: false,
            ready_lag: Duration::ZERO,
            index_fails: false,
        }
    }
}

/// How reads are distorted.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct View {
    pub lag: Duration,
    pub drop_all: bool,
    pub dropped: Vec<String>,
    pub repeat: bool,
    pub stuck_token: bool,
    pub ends_early: bool,
    pub null_created_at: bool,
    pub job_not_found: bool,
}

impl Plan {
    /// The plan for `call` with a key of `project`. Where two faults exclude each other, the one injected first wins.
    pub(crate) fn draw(faults: &mut [Armed], call: &Call, project: Option<&str>) -> Self {
        let mut plan = Self::default();
        for armed in faults {
            if armed.meets(call, project) {
                plan.add(&armed.fault.kind);
            }
        }
        plan
    }

    fn add(&mut self, kind: &FaultKind) {
        match kind {
            FaultKind::Delay(by) => self.delay += *by,
            FaultKind::DelayAnswer(by) => self.delay_answer += *by,
            FaultKind::DropBefore => self.replace(Instead::Close(Closing::Fin)),
            FaultKind::ResetBefore => self.replace(Instead::Close(Closing::Reset)),
            FaultKind::Status(answer) if answer.after_effect => {
                self.end(Ending::Answer(answer.clone()))
            }
            FaultKind::Status(answer) => self.replace(Instead::Answer(answer.clone())),
            FaultKind::LoseAnswer => self.end(Ending::Close(Closing::Fin)),
            FaultKind::ResetAnswer => self.end(Ending::Close(Closing::Reset)),
            FaultKind::TruncatedBody => self.end(Ending::Truncated),
            FaultKind::GarbageBody => self.end(Ending::Garbage),
            FaultKind::SlowBody(over) => self.end(Ending::Slow(*over)),
            FaultKind::HugeBody => self.end(Ending::Huge),
            FaultKind::MissingIds => self.end(Ending::MissingIds),
            FaultKind::IndexReadyEarly => self.fate.ready_early = true,
            FaultKind::IndexNotReadyAfter(lag) => self.fate.ready_lag = *lag,
            FaultKind::JobFails => self.fate.outcome = JobOutcome::Failed,
            FaultKind::JobCancelled => self.fate.outcome = JobOutcome::Cancelled,
            FaultKind::IndexInitializationFailed => self.fate.index_fails = true,
            FaultKind::Headers(headers) => self.headers.extend(headers.clone()),
            _ => self.view.add(kind),
        }
    }

    fn replace(&mut self, instead: Instead) {
        self.instead.get_or_insert(instead);
    }

    fn end(&mut self, ending: Ending) {
        self.ending.get_or_insert(ending);
    }
}

impl View {
    fn add(&mut self, kind: &FaultKind) {
        match kind {
            FaultKind::ListLag(lag) => self.lag = self.lag.max(*lag),
            FaultKind::ListDrop(None) => self.drop_all = true,
            FaultKind::ListDrop(Some(rows)) => self.dropped.extend(rows.iter().cloned()),
            FaultKind::ListRepeat => self.repeat = true,
            FaultKind::ListStuckToken => self.stuck_token = true,
            FaultKind::ListEndsEarly => self.ends_early = true,
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

    fn armed(fault: Fault) -> Armed {
        Armed {
            id: 1,
            fault,
            seen: 0,
        }
    }

    #[test]
    fn a_fault_spares_the_first_and_stops_in_time() {
        let fault = Fault::new(Route::ListIndexes, FaultKind::DropBefore)
            .after(1)
            .times(2);
        let mut faults = [armed(fault)];
        let call = Call::new("GET", "/indexes", None, Bytes::new());
        let hits: Vec<bool> = (0..5)
            .map(|_| Plan::draw(&mut faults, &call, None).instead.is_some())
            .collect();
        assert_eq!(hits, [false, true, true, false, false]);
        assert_eq!(faults[0].fired(), 2);
    }

    #[test]
    fn the_first_of_two_exclusive_faults_wins_and_others_add_up() {
        let mut faults = [
            armed(Fault::new(Route::Any, FaultKind::LoseAnswer)),
            armed(Fault::new(Route::Any, FaultKind::GarbageBody)),
            armed(Fault::new(
                Route::Any,
                FaultKind::Delay(Duration::from_secs(1)),
            )),
            armed(Fault::new(
                Route::Any,
                FaultKind::Delay(Duration::from_secs(2)),
            )),
        ];
        let call = Call::new("GET", "/indexes", None, Bytes::new());
        let plan = Plan::draw(&mut faults, &call, None);
        assert_eq!(plan.ending, Some(Ending::Close(Closing::Fin)));
        assert_eq!(plan.delay, Duration::from_secs(3));
    }
}
