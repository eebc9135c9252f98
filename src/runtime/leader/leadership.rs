//! Whether this process leads.

use std::sync::Arc;

use futures::Stream;
use tokio::sync::watch;

use crate::runtime::clock::BootTime;
use crate::runtime::metrics::LeaderGauge;

/// The state of leadership, shared by everything that acts only while this process leads.
pub struct Leadership {
    state: watch::Sender<State>,
    gauge: LeaderGauge,
}

#[derive(Clone, Copy, Default)]
struct State {
    term: u64,
    until: Option<BootTime>,
}

impl State {
    fn leads(self, now: BootTime) -> bool {
        self.until.is_some_and(|until| now < until)
    }
}

impl Leadership {
    /// Returns a state in which this process does not lead.
    pub fn new(gauge: LeaderGauge) -> Arc<Self> {
        let state = watch::Sender::new(State::default());
        Arc::new(Self { state, gauge })
    }

    /// Leads until the process ends: leader election is disabled.
    pub fn lead_always(&self) {
        self.update(Some(BootTime::NEVER), BootTime::now());
    }

    /// Returns the term in which this process leads, if it does.
    pub fn term(self: &Arc<Self>, now: BootTime) -> Option<Term> {
        let state = *self.state.borrow();
        state.leads(now).then(|| Term {
            leadership: Arc::clone(self),
            number: state.term,
        })
    }

    /// Returns a stream that yields at the beginning of each term.
    pub fn terms(&self) -> impl Stream<Item = ()> + Send + use<> {
        futures::stream::unfold(self.state.subscribe(), |mut state| async move {
            state.changed().await.ok()?;
            Some(((), state))
        })
    }

    /// Leads until then. A leadership that expired in between does not continue: a new term begins.
    pub(crate) fn update(&self, until: Option<BootTime>, now: BootTime) {
        let until = until.filter(|until| now < *until);
        self.state.send_if_modified(|state| {
            let continues = until.is_some() && state.leads(now);
            if state.until.is_some() && !continues {
                tracing::info!(term = state.term, "lost leadership");
            }
            state.until = until;
            let begins = until.is_some() && !continues;
            if begins {
                state.term += 1;
                tracing::info!(term = state.term, "became leader");
            }
            begins
        });
        self.gauge.set(until.is_some());
    }
}

/// A time in which this process led without interruption.
#[derive(Clone)]
pub struct Term {
    leadership: Arc<Leadership>,
    number: u64,
}

impl Term {
    /// Returns whether the term lasts. Call it right before each write: the process may have been
    /// frozen since the last call.
    pub fn lasts(&self, now: BootTime) -> bool {
        let state = *self.leadership.state.borrow();
        state.term == self.number && state.leads(now)
    }

    /// Returns the number of the term; a later term has a higher one.
    pub fn number(&self) -> u64 {
        self.number
    }
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt as _, StreamExt as _};

    use super::*;
    use crate::runtime::leader::simulation::at;

    #[test]
    fn a_term_ends_with_its_deadline_and_lasts_where_it_is_renewed() {
        let leadership = Leadership::new(LeaderGauge::default());
        assert!(leadership.term(at(0)).is_none());
        leadership.update(Some(at(10)), at(0));
        let term = leadership.term(at(9)).unwrap();
        assert!(term.lasts(at(9)) && !term.lasts(at(10)));
        assert!(leadership.term(at(10)).is_none());
        leadership.update(Some(at(12)), at(2));
        assert!(term.lasts(at(11)));
    }

    #[test]
    fn a_term_that_ended_does_not_resume() {
        for end in [None, Some(at(10))] {
            let leadership = Leadership::new(LeaderGauge::default());
            leadership.update(Some(at(10)), at(0));
            let first = leadership.term(at(0)).unwrap();
            leadership.update(end, at(5));
            // The lease was renewed after its deadline, or taken again.
            leadership.update(Some(at(22)), at(12));
            assert!(!first.lasts(at(13)), "{end:?}");
            let second = leadership.term(at(13)).unwrap();
            assert!(second.lasts(at(13)) && second.number() > first.number());
        }
    }

    #[test]
    fn a_renewal_after_its_own_deadline_does_not_lead() {
        let leadership = Leadership::new(LeaderGauge::default());
        leadership.update(Some(at(10)), at(60));
        assert!(leadership.term(at(60)).is_none());
    }

    #[test]
    fn each_new_term_is_announced_and_no_renewal_is() {
        let leadership = Leadership::new(LeaderGauge::default());
        let mut terms = Box::pin(leadership.terms());
        leadership.update(Some(at(10)), at(0));
        assert_eq!(terms.next().now_or_never(), Some(Some(())));
        leadership.update(Some(at(12)), at(2));
        leadership.update(None, at(3));
        assert_eq!(terms.next().now_or_never(), None);
        leadership.update(Some(at(20)), at(10));
        assert_eq!(terms.next().now_or_never(), Some(Some(())));
    }
}
