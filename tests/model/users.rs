//! Steps of users and other clusters.

use index_restore_operator::api::SubmissionOutcome;

use crate::environment::Fault;
use crate::steps::Steps;
use crate::world::{Backup, Index, Object, Post, Project, Rival, Submission};

impl Steps<'_> {
    pub fn of_users(&mut self) {
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

    /// A user annotates the object with a new request for another submission.
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
        let what = "a user requests another submission";
        self.fail(Fault::Request, what, None, next);
    }

    /// Another object with the same backup and index name claims and sends its POST.
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

    /// Records its outcome: from the answer within the confirm patience, or from an observation after
    /// it, as the product does.
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
            self.fail(Fault::Touch, "another client labels the object", None, next);
        }
    }

    fn create_elsewhere(&mut self) {
        if self.world.index.is_some() || !self.may(Fault::Foreign) {
            return;
        }
        for (backup, what) in [
            (Backup::A, "another cluster restores the same backup"),
            (Backup::B, "another cluster restores another backup"),
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

    /// Deletes the index, by default only after more than a gap: otherwise it may leave no trace.
    fn delete_index(&mut self) {
        let environment = self.model.environment();
        let is_old = self.world.index_age > environment.timing.gap;
        if self.world.index.is_some() && (is_old || environment.quick_deletes) {
            let mut next = *self.world;
            next.free_name();
            self.fail(Fault::DeleteIndex, "a user deletes the index", None, next);
        }
    }

    /// An index of the name exists throughout.
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
        self.fail(Fault::DeleteObject, "a user deletes the object", None, next);
    }

    /// Recreates the object. This is not a fault, but no guarantee may depend on it.
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
            self.born(fresh, "a user creates the object");
            if let Some(copy) = self.world.backup_copy {
                let restored = Object {
                    uid,
                    backup: *backup,
                    ..copy
                };
                self.born(restored, "the object is created with the previous status");
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
}

fn has_precedence(claim: &Submission, rival: &Rival) -> bool {
    claim.outcome == SubmissionOutcome::Open && claim.uid < rival.uid
}
