//! The canonical form of a state, which is the same for all equivalent states.

use std::hash::{Hash as _, Hasher as _};

use crate::environment::Fault;
use crate::search::Mixer;
use crate::world::{
    Changing, Controller, FirstRead, Mind, Object, Phase, Plan, Project, Time, View, World, Writing,
};

impl World {
    /// Renumbers times so that only their order remains, drops nonces that nothing refers to, and
    /// sorts what has no order.
    pub fn canonical(mut self, nonce_of: &dyn Fn(u16) -> Option<u8>, are_two: bool) -> Self {
        for controller in &mut self.controllers {
            controller.foresee();
            if matches!(controller.phase, Phase::Idle | Phase::Recording { .. }) {
                controller.key = Project::Right;
            }
        }
        self.forget(nonce_of);
        if are_two {
            self.sort();
        }
        self.posts.sort_unstable_by(|a, b| b.cmp(a));
        self.landed &= self.nonces(nonce_of);
        let clock = self.clock;
        let (mut used, mut open) = (1_u64 << clock, 0_u64);
        self.times(&mut |time| used |= 1 << *time);
        self.starts(&mut |time| open |= 1 << *time);
        let rank = |time: Time| (used & ((1_u64 << time) - 1)).count_ones() as Time;
        let old = self.hour.map_or(0, |hour| (1_u64 << (hour + 1)) - 1) & open;
        self.hour = (old != 0).then(|| rank(63 - old.leading_zeros() as Time));
        self.times(&mut |time| *time = rank(*time));
        self.clock = rank(clock);
        self
    }

    /// Drops what no longer affects decisions: evidence of a closed claim, and the start time of a
    /// recorded restore.
    fn forget(&mut self, nonce_of: &dyn Fn(u16) -> Option<u8>) {
        self.objects(&mut |object| {
            if let Some(own) = object.submission.as_mut() {
                if object.job.is_some() {
                    own.start = 0;
                }
                if !own.is_open() {
                    (own.unobserved, own.index_seen) = (0, false);
                }
            }
        });
        let object = self.object;
        let open = object.as_ref().and_then(Object::own);
        let open = open.filter(|own| own.is_open()).copied();
        let (open, unobserved) = (open.map(|o| o.nonce), open.map_or(0, |o| o.unobserved));
        for controller in &mut self.controllers {
            let about = nonce_of(controller.mind.evidence);
            if about.is_none() {
                controller.mind.observed = 0;
            } else if about == open {
                // If the status has a later time, that one counts.
                controller.mind.observed = controller.mind.observed.min(unobserved);
            } else {
                controller.mind = Mind {
                    known: controller.mind.known,
                    ..Mind::default()
                };
            }
        }
        if !self.budget.allows(Fault::DeleteIndex) {
            self.index_age = 0;
        }
    }

    /// Visits every age, in ticks, that determines how long a claim was observed.
    pub fn ages(&mut self, visit: &mut dyn FnMut(&mut u8)) {
        self.objects(&mut |object| {
            let own = object.submission.iter_mut().filter(|own| own.is_open());
            own.for_each(|own| visit(&mut own.unobserved));
        });
        for controller in &mut self.controllers {
            visit(&mut controller.mind.observed);
            if let Phase::Decided {
                plan:
                    Plan::Submit { ago, .. }
                    | Plan::Write(Writing {
                        change: Changing::Observed(ago, _),
                        ..
                    }),
                ..
            } = &mut controller.phase
            {
                visit(ago);
            }
        }
    }

    /// Sorts the two processes, which are interchangeable.
    fn sort(&mut self) {
        let weight = |controller: &Controller| {
            let mut hasher = Mixer::default();
            controller.hash(&mut hasher);
            hasher.finish()
        };
        if weight(&self.controllers[0]) < weight(&self.controllers[1]) {
            self.controllers.swap(0, 1);
            for post in self.posts.iter_mut().flatten() {
                post.from = post.from.map(|from| 1 - from);
            }
        }
    }

    /// An unused nonce.
    pub fn new_nonce(&self, nonce_of: &dyn Fn(u16) -> Option<u8>) -> u8 {
        self.nonces(nonce_of).trailing_ones() as u8
    }

    fn nonces(&self, nonce_of: &dyn Fn(u16) -> Option<u8>) -> u8 {
        let mut known = 0;
        let mut world = *self;
        world.objects(&mut |object| {
            known |= object.submission.map_or(0, |s| 1 << s.nonce);
        });
        for controller in &self.controllers {
            known |= nonce_of(controller.mind.evidence).map_or(0, |nonce| 1 << nonce);
            if let Phase::Doubting { nonce, .. } = controller.phase {
                known |= 1 << nonce;
            }
        }
        known
    }

    fn times(&mut self, visit: &mut dyn FnMut(&mut Time)) {
        for job in self.jobs.iter_mut().flatten() {
            visit(&mut job.created);
        }
        for controller in &mut self.controllers {
            match &mut controller.phase {
                Phase::Decided {
                    plan: Plan::Submit { date, .. },
                    ..
                } => visit(date),
                Phase::Observing {
                    first: FirstRead::Jobs(listing),
                    ..
                } => listing
                    .rows
                    .iter_mut()
                    .chain([&mut listing.confirmed])
                    .flatten()
                    .for_each(|row| visit(&mut row.created)),
                Phase::Observing {
                    first: FirstRead::Job { row: Some(row), .. },
                    ..
                } => visit(&mut row.created),
                _ => {}
            }
        }
        self.starts(visit);
    }

    /// Visits the start time of each submission that still affects decisions.
    fn starts(&mut self, visit: &mut dyn FnMut(&mut Time)) {
        self.objects(&mut |object| {
            if let Some(own) = object.submission.as_mut().filter(|_| object.job.is_none()) {
                visit(&mut own.start);
            }
        });
    }

    /// Visits every copy of the object.
    fn objects(&mut self, visit: &mut dyn FnMut(&mut Object)) {
        self.object.iter_mut().for_each(&mut *visit);
        self.backup_copy.iter_mut().for_each(&mut *visit);
        self.late
            .iter_mut()
            .for_each(|late| visit(&mut late.content));
        for controller in &mut self.controllers {
            controller.views(&mut |view| visit(&mut view.object));
            if let Phase::Recording { claimed, .. } = &mut controller.phase {
                visit(claimed);
            }
        }
    }

    /// Marks every earlier read of the object as stale, because it has a new version.
    pub fn outdate(&mut self) {
        self.late.iter_mut().for_each(|late| late.current = false);
        for controller in &mut self.controllers {
            controller.views(&mut |view| view.current = false);
        }
    }
}

impl Controller {
    /// Skips ahead for a write with an old version, which always fails: the process is in the state
    /// after that conflict.
    fn foresee(&mut self) {
        match &mut self.phase {
            Phase::Decided {
                seen,
                plan: Plan::Write(_),
            } if !seen.current => {
                self.phase = Phase::Idle;
                self.rereads = true;
            }
            Phase::Recording { base, .. } => *base = base.filter(|base| base.current),
            _ => {}
        }
    }

    fn views(&mut self, visit: &mut dyn FnMut(&mut View)) {
        self.cache.iter_mut().for_each(&mut *visit);
        match &mut self.phase {
            Phase::Idle | Phase::Doubting { .. } | Phase::Recording { base: None, .. } => {}
            Phase::Observing { seen, .. } | Phase::Decided { seen, .. } => visit(seen),
            Phase::Holding { claimed, .. } | Phase::Posting { claimed } => visit(claimed),
            Phase::Recording {
                base: Some(base), ..
            } => visit(base),
        }
    }
}
