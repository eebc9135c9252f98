//! Which requests go wrong, and how.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::watch;

use super::call::Call;

type Concerns = Box<dyn Fn(&Call) -> bool + Send + Sync>;

/// What happens to a request in place of the usual.
#[derive(Clone, Debug)]
pub struct Fault {
    pub(super) applies: Applies,
    pub(super) reply: Reply,
    /// JSON pointers of what is dropped from the body on the way in.
    pub(super) prunes: Vec<&'static str>,
}

/// Whether the API server gets the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Applies {
    Never,
    Now,
    /// Once the rule is lifted, whoever still waits for it.
    Late,
}

/// What the client gets.
#[derive(Clone, Debug)]
pub enum Reply {
    /// What the API server answers.
    Own,
    /// A Kubernetes Status of that HTTP code.
    Code(u16),
    /// The same, with that `Retry-After` in seconds.
    CodeAfter(u16, u32),
    /// The end of the connection without a byte.
    Closed,
    /// Nothing, for as long as it waits.
    Silence,
}

impl Fault {
    /// The client gets that, and the API server nothing.
    pub fn reply(reply: Reply) -> Self {
        Self {
            applies: Applies::Never,
            reply,
            prunes: Vec::new(),
        }
    }

    /// The API server gets the request first.
    pub fn applied(mut self) -> Self {
        self.applies = Applies::Now;
        self
    }

    /// The API server gets the request when the rule is lifted.
    pub fn applied_late(mut self) -> Self {
        self.applies = Applies::Late;
        self
    }

    /// An installed CRD that doesn't know that field, given as a JSON pointer.
    pub fn prune(pointer: &'static str) -> Self {
        let mut fault = Self::reply(Reply::Own).applied();
        fault.prunes.push(pointer);
        fault
    }
}

/// A fault, and the requests that meet it.
pub struct Rule {
    concerns: Concerns,
    times: Option<u32>,
    fault: Fault,
}

impl Rule {
    /// For every request of which `concerns` is true, until it is lifted.
    pub fn new(fault: Fault, concerns: impl Fn(&Call) -> bool + Send + Sync + 'static) -> Self {
        Self {
            concerns: Box::new(concerns),
            times: None,
            fault,
        }
    }

    /// Only for the next `times` of them.
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }
}

/// A rule in force.
pub struct Armed {
    rule: Rule,
    hits: AtomicU32,
    lifted: watch::Sender<bool>,
}

impl fmt::Debug for Armed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}, {} hits", self.rule.fault, self.hits())
    }
}

impl Armed {
    pub(super) fn new(rule: Rule) -> Arc<Self> {
        Arc::new(Self {
            rule,
            hits: AtomicU32::new(0),
            lifted: watch::Sender::new(false),
        })
    }

    /// How many requests met it.
    pub fn hits(&self) -> u32 {
        self.hits.load(Ordering::SeqCst)
    }

    /// Ends the rule; requests that it held back are sent to the API server.
    pub fn lift(&self) {
        self.lifted.send_replace(true);
    }

    /// The fault, if it is for this request; counted then.
    pub(super) fn meets(&self, call: &Call) -> Option<Fault> {
        let spent = self.rule.times.is_some_and(|times| self.hits() >= times);
        if spent || *self.lifted.borrow() || !(self.rule.concerns)(call) {
            return None;
        }
        self.hits.fetch_add(1, Ordering::SeqCst);
        Some(self.rule.fault.clone())
    }

    pub(super) async fn until_lifted(&self) {
        // The sender lives as long as we do.
        let _ = self.lifted.subscribe().wait_for(|lifted| *lifted).await;
    }
}
