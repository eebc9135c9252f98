//! Two candidates with clocks of their own, a store with compare-and-swap, and
//! requests and answers that are late or lost: never do both lead.

use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;

use super::Timing;
use super::candidate::Candidate;
use super::evaluate::{LeaseAction, LeaseRecord};
use crate::runtime::clock::BootTime;

const TIMING: Timing = Timing {
    lease_duration: Duration::from_secs(15),
    renew_deadline: Duration::from_secs(10),
    retry_period: Duration::from_secs(2),
};

/// Clocks differ by this much in their rate: far more than real ones, and less
/// than the lease duration exceeds the renew deadline.
const RATES: std::ops::RangeInclusive<u64> = 900..=1_100;

#[derive(Clone, Copy, Debug)]
enum Event {
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
    fn new(name: &str, rate: u64, offset: u64) -> Self {
        Self {
            candidate: Candidate::new(name.into(), TIMING),
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

struct World {
    millis: u64,
    store: Store,
    nodes: [Node; 2],
    /// Which of them ever led.
    led: [bool; 2],
}

impl World {
    fn new(rates: [u64; 2], offsets: [u64; 2]) -> Self {
        Self {
            millis: 0,
            store: Store::default(),
            nodes: [
                Node::new("first", rates[0], offsets[0]),
                Node::new("second", rates[1], offsets[1]),
            ],
            led: [false; 2],
        }
    }

    /// Wall clocks that have nothing to do with each other.
    fn wall(&self, who: usize) -> Timestamp {
        let seconds = if who == 0 { 1_000_000 } else { 9_000_000 };
        let millis = i64::try_from(self.millis).unwrap();
        Timestamp::from_millisecond(seconds * 1_000 + millis).unwrap()
    }

    fn happen(&mut self, event: Event) {
        let (millis, walls) = (self.millis, [self.wall(0), self.wall(1)]);
        match event {
            Event::Sleep(millis) => self.millis += millis,
            Event::Start(who) => {
                let node = &mut self.nodes[who];
                node.start(node.now(millis), walls[who]);
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
        }
        for who in 0..2 {
            self.led[who] |= self.leads(who);
        }
    }

    /// What the elector does at its end; then it comes back as a new candidate would.
    fn release(&mut self, who: usize, wall: Timestamp) {
        let node = &mut self.nodes[who];
        let Some(before) = node.version else { return };
        if let Some(record) = node.candidate.released_record(wall) {
            self.store.swap(record, before);
            let (rate, offset) = (node.rate, node.offset);
            *node = Node::new(["first", "second"][who], rate, offset);
        }
    }

    fn leads(&self, who: usize) -> bool {
        let node = &self.nodes[who];
        node.candidate.leads(node.now(self.millis))
    }

    /// One whole exchange without a fault.
    fn exchange(&mut self, who: usize) {
        for event in [Event::Start(who), Event::Land(who), Event::Answer(who)] {
            self.happen(event);
        }
    }
}

fn event() -> impl Strategy<Value = Event> {
    let who = 0..2_usize;
    prop_oneof![
        4 => (1..800_u64).prop_map(Event::Sleep),
        2 => (800..17_000_u64).prop_map(Event::Sleep),
        6 => who.clone().prop_map(Event::Start),
        8 => who.clone().prop_map(Event::Land),
        8 => who.clone().prop_map(Event::Answer),
        1 => who.clone().prop_map(Event::GiveUp),
        1 => who.prop_map(Event::Release),
    ]
}

/// Mostly whole exchanges, so that leases are held long enough to be fought for.
fn events() -> impl Strategy<Value = Vec<Event>> {
    let exchange =
        (0..2_usize).prop_map(|who| vec![Event::Start(who), Event::Land(who), Event::Answer(who)]);
    let part = prop_oneof![event().prop_map(|event| vec![event]), exchange];
    prop::collection::vec(part, 1..250).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn two_never_lead_at_once_and_whoever_is_left_leads_in_the_end(
        rates in [RATES, RATES],
        offsets in [0..1_000_000_u64, 0..1_000_000_u64],
        events in events(),
        left in 0..2_usize,
    ) {
        let mut world = World::new(rates, offsets);
        for event in events {
            world.happen(event);
            prop_assert!(!(world.leads(0) && world.leads(1)), "after {event:?}");
        }
        world.happen(Event::GiveUp(left));
        for _ in 0..20 {
            world.exchange(left);
            world.happen(Event::Sleep(1_000));
            prop_assert!(!(world.leads(0) && world.leads(1)), "at the end");
        }
        prop_assert!(world.leads(left));
    }
}

#[test]
fn a_leader_that_renews_is_never_replaced_and_one_that_stops_is() {
    let mut world = World::new([1_000, 1_000], [0, 77_000]);
    for _ in 0..100 {
        world.exchange(0);
        world.exchange(1);
        world.happen(Event::Sleep(2_000));
    }
    assert_eq!(world.led, [true, false]);
    let begun = world.millis;
    while !world.leads(1) {
        world.exchange(1);
        world.happen(Event::Sleep(500));
    }
    let taken = Duration::from_millis(world.millis - begun);
    assert!((13..=16).contains(&taken.as_secs()), "{taken:?}");
    // The lease names the second now: the first one finds out and waits.
    world.exchange(0);
    world.exchange(0);
    world.exchange(0);
    assert!(world.leads(1) && !world.leads(0));
    assert_eq!(world.store.record.map(|record| record.transitions), Some(1));
}
