//! People, other clusters, and time.

use crate::environment::{Fault, Timing};
use crate::steps::Steps;
use crate::world::{Backup, HOUR, Object, Phase, Project, World};

impl Steps<'_> {
    pub fn of_people(&mut self) {
        self.touch();
        self.create_elsewhere();
        self.delete_index();
        self.delete_object();
        self.create_object();
        self.lose_status();
        self.swap_key();
    }

    fn touch(&mut self) {
        if self.world.object.is_some() && self.may(Fault::Touch) {
            let mut next = *self.world;
            next.outdate();
            self.fail(Fault::Touch, "somebody labels the object", None, next);
        }
    }

    fn create_elsewhere(&mut self) {
        if self.world.index.is_some() || !self.may(Fault::Foreign) {
            return;
        }
        for (backup, what) in [
            (Backup::A, "another cluster restores the same backup"),
            (Backup::B, "another cluster creates the index otherwise"),
        ] {
            let mut next = *self.world;
            next.create(None, backup, self.begun());
            self.fail(Fault::Foreign, what, None, next);
        }
    }

    fn delete_index(&mut self) {
        if self.world.index.is_some() {
            let mut next = *self.world;
            next.index = None;
            self.fail(Fault::DeleteIndex, "a person deletes the index", None, next);
        }
    }

    fn delete_object(&mut self) {
        let Some(object) = self.world.object else {
            return;
        };
        if !self.may(Fault::DeleteObject) {
            return;
        }
        let mut next = *self.world;
        next.outdate();
        next.object = None;
        if self.model.environment().copied_status {
            next.backup_copy = Some(object);
        }
        self.fail(
            Fault::DeleteObject,
            "a person deletes the object",
            None,
            next,
        );
    }

    /// It costs nothing, and yet nothing that is promised may depend on it.
    fn create_object(&mut self) {
        if self.world.object.is_some() {
            return;
        }
        let uid = self.world.uid + 1;
        let other = self.model.environment().other_spec;
        let specs = if other {
            &[Backup::A, Backup::B][..]
        } else {
            &[Backup::A]
        };
        for backup in specs {
            let fresh = Object::fresh(uid, *backup);
            self.born(fresh, "a person creates the object");
            if let Some(copy) = self.world.backup_copy {
                let restored = Object {
                    uid,
                    backup: *backup,
                    ..copy
                };
                self.born(restored, "the object is created with the former status");
            }
        }
    }

    fn born(&mut self, object: Object, what: &'static str) {
        let mut next = *self.world;
        next.uid = object.uid;
        next.object = Some(object);
        next.backup_copy = None;
        self.go(what, None, next);
    }

    fn lose_status(&mut self) {
        let Some(object) = self.world.object else {
            return;
        };
        if self.may(Fault::LoseStatus) {
            let mut next = *self.world;
            next.outdate();
            next.object = Some(Object::fresh(object.uid, object.backup));
            self.fail(Fault::LoseStatus, "the status is lost", None, next);
        }
    }

    fn swap_key(&mut self) {
        if self.may(Fault::SwapKey) {
            let mut next = *self.world;
            next.key = match self.world.key {
                Project::Right => Project::Other,
                Project::Other => Project::Right,
            };
            self.fail(
                Fault::SwapKey,
                "the Secret gets another project's key",
                None,
                next,
            );
        }
    }

    /// Time passes: requests end and jobs are listed in time, claims grow too old to
    /// be sent, and what is missing has been missing for longer.
    pub fn of_clock(&mut self) {
        let timing = self.model.environment().timing;
        let mut next = *self.world;
        if next.grow_old(timing) {
            return;
        }
        let is_quiet = next.posts.iter().all(Option::is_none);
        let is_listed = next.jobs.iter().flatten().all(|job| job.unlisted.is_none());
        next.clock += 1;
        let is_frozen = next.grow_late();
        let is_looking = next.grow_frozen();
        let mut hour = next;
        self.age(&mut next, |age| (age + 1).min(2 * timing.confirm));
        if is_frozen {
            return self.fail(
                Fault::Freeze,
                "a process is frozen while time passes",
                None,
                next,
            );
        }
        if is_looking {
            return self.fail(
                Fault::FreezeLook,
                "a process is frozen within a look while time passes",
                None,
                next,
            );
        }
        self.go("time passes", None, next);
        // Nothing is lost by letting the hour come after all ticks that matter.
        if is_quiet && is_listed && next.controllers == self.world.controllers {
            self.age(&mut hour, |_| HOUR);
            hour.hour = Some(self.world.clock);
            self.go("an hour passes", None, hour);
        }
    }

    fn age(&self, next: &mut World, older: impl Fn(u8) -> u8) {
        for controller in &mut next.controllers {
            if self.model.product.is_counting(controller.evidence) {
                controller.age = older(controller.age).max(controller.age);
            }
        }
    }
}

impl World {
    /// Whether time may not pass, because something is due before.
    fn grow_old(&mut self, timing: Timing) -> bool {
        let mut is_due = false;
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

    /// Whether a process is in the middle of a look.
    fn grow_frozen(&mut self) -> bool {
        let mut is_looking = false;
        for controller in &mut self.controllers {
            if let Phase::Looking { frozen, .. } = &mut controller.phase {
                is_looking = true;
                *frozen += 1;
            }
        }
        is_looking
    }

    /// Whether a process that is about to send did not get to it.
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
