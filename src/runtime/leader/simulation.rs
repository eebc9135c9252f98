//! Two candidates with clocks of their own, a store with compare-and-swap, and
//! requests and answers that are late or lost.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use super::candidate::Candidate;
use super::evaluate::{LeaseAction, LeaseRecord};
use super::{Identity, Timing};
use crate::runtime::clock::BootTime;

pub const TIMING: Timing = Timing {
    lease_duration: Duration::from_secs(15),
    renew_deadline: Duration::from_secs(10),
    retry_period: Duration::from_secs(2),
};

/// That many seconds after boot.
pub fn at(seconds: u64) -> BootTime {
    BootTime::after_boot(Duration::from_secs(seconds))
}

#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// Time passes, in milliseconds; whoever does nothing meanwhile was frozen.
    Sleep(u64),
    /// The candidate sends its next request, unless one is under way.
    Start(usize),
    /// The request takes effect.
    Land(usize),
    /// The answer, if there is one, arrives; else the candidate gives up waiting.
    Answer(usize),
    /// The candidate gives up waiting, and the request is still under way.
    GiveUp(usize),
    Release(usize),
    /// The process is killed, and its pod starts another one.
    Restart(usize),
}

enum StoreRequest {
    Read,
    Write {
        record: LeaseRecord,
        before: u64,
        began: BootTime,
    },
}

enum StoreAnswer {
    Found(Option<LeaseRecord>, u64),
    Written(LeaseRecord, u64, BootTime),
    Conflict,
}

/// The store: version 0 is before the lease's creation.
#[derive(Default)]
struct Store {
    version: u64,
    record: Option<LeaseRecord>,
}

struct Node {
    candidate: Candidate,
    rate: u64,
    offset: u64,
    /// Of the lease as last read or written, where that is known.
    version: Option<u64>,
    request: Option<StoreRequest>,
    answer: Option<StoreAnswer>,
    /// Writes nobody waits for any more.
    adrift: Vec<(LeaseRecord, u64)>,
}

impl Node {
    fn new(pod: &str, rate: u64, offset: u64) -> Self {
        Self {
            candidate: Candidate::new(Identity::in_pod("operator", pod), TIMING),
            rate,
            offset,
            version: None,
            request: None,
            answer: None,
            adrift: Vec::new(),
        }
    }

    fn now(&self, millis: u64) -> BootTime {
        let own = self.offset + millis * self.rate / 1_000;
        BootTime::after_boot(Duration::from_millis(own))
    }

    fn start(&mut self, now: BootTime, wall: Timestamp) {
        if self.request.is_some() || self.answer.is_some() {
            return;
        }
        self.request = match self.version {
            Some(before) if !matches!(self.candidate.action(now), LeaseAction::Wait(_)) => {
                // As the elector does: what is written is known again only by its answer.
                self.version = None;
                Some(StoreRequest::Write {
                    record: self.candidate.held_record(wall),
                    before,
                    began: now,
                })
            }
            _ => Some(StoreRequest::Read),
        };
    }

    fn answer(&mut self, now: BootTime) {
        self.request = None;
        match self.answer.take() {
            Some(StoreAnswer::Found(record, version)) => {
                self.candidate.saw(record, now);
                self.version = Some(version);
            }
            Some(StoreAnswer::Written(record, version, began)) => {
                self.candidate.wrote(record, began, now);
                self.version = Some(version);
            }
            Some(StoreAnswer::Conflict) | None => self.version = None,
        }
    }
}

impl Store {
    fn swap(&mut self, record: LeaseRecord, before: u64) -> bool {
        let wins = before == self.version;
        if wins {
            self.version += 1;
            self.record = Some(record);
        }
        wins
    }

    fn land(&mut self, node: &mut Node) {
        if let Some((record, before)) = node.adrift.pop() {
            self.swap(record, before);
            return;
        }
        node.answer = match node.request.take() {
            None => return,
            Some(StoreRequest::Read) => Some(StoreAnswer::Found(self.record.clone(), self.version)),
            Some(StoreRequest::Write {
                record,
                before,
                began,
            }) => Some(match self.swap(record.clone(), before) {
                true => StoreAnswer::Written(record, self.version, began),
                false => StoreAnswer::Conflict,
            }),
        };
    }
}

pub struct World {
    pub millis: u64,
    pods: [&'static str; 2],
    store: Store,
    nodes: [Node; 2],
    /// Which of them ever led.
    pub led: [bool; 2],
    /// When the lease was last written, and when by another holder than before.
    written: u64,
    taken: u64,
    /// How often each holder took the lease from one that might still have led.
    pub early: HashMap<String, u32>,
}

impl World {
    pub fn new(pods: [&'static str; 2], rates: [u64; 2], offsets: [u64; 2]) -> Self {
        Self {
            millis: 0,
            pods,
            store: Store::default(),
            nodes: [0, 1].map(|who| Node::new(pods[who], rates[who], offsets[who])),
            led: [false; 2],
            written: 0,
            taken: 0,
            early: HashMap::new(),
        }
    }

    /// Wall clocks that have nothing to do with each other.
    fn wall(&self, who: usize) -> Timestamp {
        let seconds = if who == 0 { 1_000_000 } else { 9_000_000 };
        let millis = i64::try_from(self.millis).unwrap();
        Timestamp::from_millisecond(seconds * 1_000 + millis).unwrap()
    }

    pub fn happen(&mut self, event: Event) {
        let before = (self.store.version, self.holder());
        self.apply(event);
        self.record_takeover(before);
        for who in 0..2 {
            self.led[who] |= self.leads(who);
        }
    }

    fn holder(&self) -> String {
        let record = self.store.record.as_ref();
        record.map_or_else(String::new, |record| record.holder.clone())
    }

    pub fn transitions(&self) -> Option<i32> {
        self.store.record.as_ref().map(|record| record.transitions)
    }

    /// Returns for how long the lease has had its holder.
    pub fn since_takeover(&self) -> u64 {
        self.millis - self.taken
    }

    fn record_takeover(&mut self, (version, before): (u64, String)) {
        if self.store.version == version {
            return;
        }
        let holder = self.holder();
        if holder != before {
            // By the fastest of the clocks, a lease duration.
            let waited = self.millis - self.written >= 13_500;
            if !before.is_empty() && !holder.is_empty() && !waited {
                *self.early.entry(holder).or_default() += 1;
            }
            self.taken = self.millis;
        }
        self.written = self.millis;
    }

    fn apply(&mut self, event: Event) {
        let (millis, walls) = (self.millis, [self.wall(0), self.wall(1)]);
        match event {
            Event::Sleep(millis) => self.millis += millis,
            Event::Start(who) => {
                let node = &mut self.nodes[who];
                node.start(node.now(millis), walls[who]);
                // No two records have the same time.
                self.millis += 1;
            }
            Event::Land(who) => self.store.land(&mut self.nodes[who]),
            Event::Answer(who) => {
                let node = &mut self.nodes[who];
                node.answer(node.now(millis));
            }
            Event::GiveUp(who) => {
                let node = &mut self.nodes[who];
                if let Some(StoreRequest::Write { record, before, .. }) = node.request.take() {
                    node.adrift.push((record, before));
                }
                node.answer = None;
                node.version = None;
            }
            Event::Release(who) => self.release(who, walls[who]),
            Event::Restart(who) => self.restart(who),
        }
    }

    /// What the elector does at its end; then it comes back as a new candidate would.
    fn release(&mut self, who: usize, wall: Timestamp) {
        let node = &mut self.nodes[who];
        let Some(before) = node.version else { return };
        if let Some(record) = node.candidate.released_record(wall) {
            self.store.swap(record, before);
            *node = Node::new(self.pods[who], node.rate, node.offset);
        }
    }

    /// A write that is under way may still take effect.
    fn restart(&mut self, who: usize) {
        self.apply(Event::GiveUp(who));
        let node = &mut self.nodes[who];
        let next = Node::new(self.pods[who], node.rate, node.offset);
        let killed = std::mem::replace(node, next);
        node.adrift = killed.adrift;
    }

    pub fn leads(&self, who: usize) -> bool {
        let node = &self.nodes[who];
        node.candidate.leads(node.now(self.millis))
    }

    /// One whole exchange without a fault.
    pub fn exchange(&mut self, who: usize) {
        for event in [Event::Start(who), Event::Land(who), Event::Answer(who)] {
            self.happen(event);
        }
    }
}
