//! People, other clusters, and time.

use index_restore_operator::api::SubmissionOutcome;

use crate::environment::{Fault, Timing};
use crate::steps::Steps;
use crate::world::{Backup, HOUR, Index, Object, Phase, Post, Project, Rival, Submission, World};

impl Steps<'_> {
    pub fn of_people(&mut self) {
        self.touch();
        self.create_elsewhere();
        self.delete_index();
        self.recreate_index();
        self.delete_object();
        self.create_object();
        self.lose_status();
        self.swap_key();
        self.request();
        self.rival();
    }

    /// A person annotates the object with a new request to submit again.
    fn request(&mut self) {
        let Some(object) = self.world.object else {
            return;
        };
        if !self.may(Fault::Request) {
            return;
        }
        let mut next = *self.world;
        next.outdate();
        next.object = Some(Object {
            request: object.request + 1,
            ..object
        });
        let is_open = object.own().is_some_and(Submission::is_open);
        next.approvals += u8::from(is_open);
        let what = "a person asks to submit again";
        self.fail(Fault::Request, what, None, next);
    }

    /// Another object of the same backup and name: it claims, and its POST is a POST as any other.
    fn rival(&mut self) {
        let Some(uid) = self.model.environment().rival else {
            return;
        };
        if self.world.rival.is_some() {
            return self.resolve_rival();
        }
        let mut next = *self.world;
        next.rival = Some(Rival {
            uid,
            outcome: SubmissionOutcome::Open,
            job: None,
            age: 0,
        });
        let free = next.posts.iter_mut().find(|post| post.is_none());
        *free.unwrap() = Some(Post {
            from: None,
            uid,
            is_other_backup: false,
            is_other_project: false,
            age: 0,
        });
        self.fail(Fault::Rival, "another object claims and sends", None, next);
    }

    /// Its answer is recorded within the patience, or its outcome is looked for later, as the
    /// product does.
    fn resolve_rival(&mut self) {
        let Some(rival) = self.world.rival else {
            return;
        };
        let mut posts = self.world.posts.iter().flatten();
        if rival.outcome != SubmissionOutcome::Open || posts.any(|post| post.uid == rival.uid) {
            return;
        }
        let mut jobs = self.world.jobs();
        let own = jobs.find(|(_, job)| job.by == Some(rival.uid));
        let mut job = own.map(|(id, _)| id);
        if rival.age >= self.model.environment().timing.confirm {
            let object = self.world.object;
            job = job.filter(|job| object.is_none_or(|object| object.job != Some(*job)));
            let claim = object.as_ref().and_then(Object::own);
            if claim.is_some_and(|claim| has_precedence(claim, &rival)) {
                return;
            }
        }
        let mut next = *self.world;
        next.rival = Some(Rival {
            outcome: match job {
                Some(_) => SubmissionOutcome::Accepted,
                None => SubmissionOutcome::Abandoned,
            },
            job,
            age: 0,
            ..rival
        });
        self.go("the other object's outcome is recorded", None, next);
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
        let mut next = *self.world;
        next.take_name(Index::empty(Project::Right));
        let what = "an application creates an empty index of that name";
        self.fail(Fault::Foreign, what, None, next);
    }

    /// An index that was there for no longer than a gap may leave no trace.
    fn delete_index(&mut self) {
        let environment = self.model.environment();
        let is_old = self.world.index_age > environment.timing.gap;
        if self.world.index.is_some() && (is_old || environment.quick_deletes) {
            let mut next = *self.world;
            next.free_name();
            self.fail(Fault::DeleteIndex, "a person deletes the index", None, next);
        }
    }

    /// The name stays taken.
    fn recreate_index(&mut self) {
        let Some(index) = self.world.index else {
            return;
        };
        let mut next = *self.world;
        next.former = Some(index).filter(|index| index.ready);
        next.index = Some(Index::empty(Project::Right));
        let what = "an application deletes the index and creates an empty one";
        self.fail(Fault::Recreate, what, None, next);
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
            next.object = Some(Object {
                request: object.request,
                ..Object::fresh(object.uid, object.backup)
            });
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
        next.age_rival(1, timing.confirm);
        let is_frozen = next.grow_late();
        let is_looking = next.grow_frozen();
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
        let is_calm = is_quiet && is_listed && self.world.outage.is_none();
        if is_calm && hour.controllers == self.world.controllers {
            self.age(&mut hour, |_| HOUR);
            hour.age_rival(HOUR, timing.confirm);
            hour.hour = Some(self.world.clock);
            hour.index_age = if hour.index.is_some() { longest } else { 0 };
            // Somebody may have looked all the while, where that makes no difference else.
            if hour.index.is_none() || !self.may(Fault::DeleteIndex) {
                self.go("an hour passes", None, hour);
            }
            if !is_watched {
                hour.ages(&mut |age| *age = longest);
                self.go("an hour passes, and nobody looks", None, hour);
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

fn has_precedence(claim: &Submission, rival: &Rival) -> bool {
    claim.outcome == SubmissionOutcome::Open && claim.uid < rival.uid
}

impl World {
    /// Whether time may not pass, because something is due before.
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
