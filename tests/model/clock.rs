//! Time passes.

use index_restore_operator::api::SubmissionOutcome;

use crate::environment::{Fault, Timing};
use crate::steps::Steps;
use crate::world::{HOUR, Phase, World};

impl Steps<'_> {
    /// Advances the clock by one tick, unless a request or a job is due before: claims become too old
    /// to be sent, and absences last longer.
    pub fn of_clock(&mut self) {
        let timing = self.model.environment().timing;
        let mut next = *self.world;
        if next.grow_old(timing) {
            return;
        }
        let is_quiet = next.posts.iter().all(Option::is_none);
        let is_listed = next.jobs.iter().flatten().all(|job| job.unlisted.is_none());
        next.clock += 1;
        next.age_rival(1, timing.confirm);
        let is_frozen = next.grow_late();
        let is_observing = next.grow_frozen();
        let longest = timing.gap + 1;
        let mut hour = next;
        let is_watched = self.model.environment().is_watched();
        if !is_watched {
            next.ages(&mut |age| *age = (*age + 1).min(longest));
        }
        self.age(&mut next, |age| (age + 1).min(2 * timing.confirm));
        if is_frozen {
            return self.fail(
                Fault::Freeze,
                "a process is frozen while time passes",
                None,
                next,
            );
        }
        if is_observing {
            return self.fail(
                Fault::FreezeObservation,
                "a process is frozen during an observation while time passes",
                None,
                next,
            );
        }
        self.go("time passes", None, next);
        // It is sufficient to let the hour pass after all ticks that affect decisions.
        let is_calm = is_quiet && is_listed && self.world.outage.is_none();
        if is_calm && hour.controllers == self.world.controllers {
            self.age(&mut hour, |_| HOUR);
            hour.age_rival(HOUR, timing.confirm);
            hour.hour = Some(self.world.clock);
            hour.index_age = if hour.index.is_some() { longest } else { 0 };
            // With observations during the hour, if they cannot make another difference.
            if hour.index.is_none() || !self.may(Fault::DeleteIndex) {
                self.go("an hour passes", None, hour);
            }
            if !is_watched {
                hour.ages(&mut |age| *age = longest);
                self.go("an hour passes without an observation", None, hour);
            }
        }
    }

    fn age(&self, next: &mut World, older: impl Fn(u8) -> u8) {
        for controller in &mut next.controllers {
            let mind = &mut controller.mind;
            if self.model.product.is_counting(mind.evidence) {
                mind.age = older(mind.age).max(mind.age);
            }
        }
    }
}

impl World {
    /// Ages requests, jobs and outages; whether one of them is due before the next tick.
    fn grow_old(&mut self, timing: Timing) -> bool {
        let mut is_due = false;
        self.former = None;
        if self.index.is_some() {
            self.index_age = (self.index_age + 1).min(timing.gap + 1);
        }
        if let Some(age) = &mut self.outage {
            *age += 1;
            is_due |= *age > timing.outage;
        }
        for post in self.posts.iter_mut().flatten() {
            post.age += 1;
            is_due |= post.age > timing.post_life;
        }
        for age in self
            .jobs
            .iter_mut()
            .flatten()
            .flat_map(|job| &mut job.unlisted)
        {
            *age += 1;
            is_due |= *age > timing.list_lag;
        }
        is_due
    }

    fn age_rival(&mut self, ticks: u8, longest: u8) {
        let open = self.rival.iter_mut();
        for rival in open.filter(|rival| rival.outcome == SubmissionOutcome::Open) {
            rival.age = rival.age.saturating_add(ticks).min(longest);
        }
    }

    /// Whether a process is frozen during an observation.
    fn grow_frozen(&mut self) -> bool {
        let mut is_observing = false;
        for controller in &mut self.controllers {
            if let Phase::Observing { frozen, .. } = &mut controller.phase {
                is_observing = true;
                *frozen += 1;
            }
        }
        is_observing
    }

    /// Whether a process is frozen right before it sends.
    fn grow_late(&mut self) -> bool {
        let mut is_frozen = false;
        for controller in &mut self.controllers {
            if let Phase::Doubting { late, .. } | Phase::Holding { late, .. } =
                &mut controller.phase
            {
                is_frozen |= !*late;
                *late = true;
            }
        }
        is_frozen
    }
}
