//! The API server: one object, compare-and-swap on its version.

use crate::environment::Fault;
use crate::steps::Steps;
use crate::world::{LatePut, Object, Project, View, World};
use index_restore_operator::api::SubmissionOutcome;

impl World {
    /// The object as it is now.
    pub fn read(&self) -> Option<View> {
        self.object.map(|object| View {
            object,
            current: true,
        })
    }

    /// Stores what the operator wrote. A write without changes creates no new version.
    pub fn put(&mut self, content: Object) {
        let Some(before) = self.object else { return };
        if before == content {
            return;
        }
        let own_job = |object: &Object| object.own().and(object.job);
        if before.uid == content.uid && own_job(&before).is_some() {
            self.violations.rewritten |= own_job(&before) != own_job(&content);
        }
        let job = content.job.and_then(|job| self.jobs[usize::from(job)]);
        self.violations.misrecorded |= job.is_some_and(|job| job.backup != content.backup);
        self.violations.wrong_host |= content.host == Some(Project::Other);
        if let Some(claim) = content
            .own()
            .filter(|s| s.outcome == SubmissionOutcome::Open)
        {
            self.landed |= 1 << claim.nonce;
        }
        self.outdate();
        self.object = Some(content);
    }
}

/// The outcome of a write, for its sender.
pub enum Written {
    Done,
    Conflict,
    /// No answer: it was applied, will be applied later, or never.
    Unknown,
}

impl Steps<'_> {
    /// Every possible outcome of a write. `then` is the next step of its sender.
    pub fn write(
        &mut self,
        who: u8,
        what: &'static str,
        (content, wins): (Object, bool),
        then: &dyn Fn(&mut World, Written),
    ) {
        let mut next = *self.world;
        if wins {
            next.put(content);
        }
        let answer = if wins {
            Written::Done
        } else {
            Written::Conflict
        };
        then(&mut next, answer);
        self.go(what, Some(who), next);
        if !wins || !self.may(Fault::LostWrite) {
            return;
        }
        let mut applied = *self.world;
        applied.put(content);
        then(&mut applied, Written::Unknown);
        self.fail(
            Fault::LostWrite,
            "its write is applied, and the answer is lost",
            Some(who),
            applied,
        );
        let mut dropped = *self.world;
        then(&mut dropped, Written::Unknown);
        self.fail(Fault::LostWrite, "its write is lost", Some(who), dropped);
        if self.world.late.is_none() {
            let mut late = *self.world;
            late.late = Some(LatePut {
                content,
                current: true,
            });
            then(&mut late, Written::Unknown);
            self.fail(
                Fault::LostWrite,
                "its write is delayed, and times out",
                Some(who),
                late,
            );
        }
    }

    /// The write that timed out for its sender arrives.
    pub fn late_put(&mut self) {
        let Some(late) = self.world.late else { return };
        let mut next = *self.world;
        next.late = None;
        if late.current {
            next.put(late.content);
        }
        self.go("the delayed write arrives", None, next);
    }
}
