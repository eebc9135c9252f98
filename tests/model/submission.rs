//! The submission, as steps: the claim, its one request, and the record of the outcome.

use index_restore_operator::restore::RecordTarget;

use crate::api_server::Written;
use crate::environment::Design;
use crate::properties::Landmark;
use crate::steps::Steps;
use crate::world::{Backup, Changing, Object, Phase, Post, Project, Time, View, Writing};

impl Steps<'_> {
    pub fn claim(&mut self, who: u8, seen: View, date: (Time, u8)) {
        let design = self.model.design();
        let product = &self.model.product;
        if design == Design::NoClaim {
            return self.hold_unclaimed(who, seen);
        }
        let nonce = self.world.new_nonce(&|evidence| product.nonce_of(evidence));
        let mut content = product.claimed(&seen.object, nonce, date);
        let mut wins = seen.current;
        if let (Design::UnconditionalClaim, Some(now)) = (design, self.world.object) {
            (content.uid, content.backup) = (now.uid, now.backup);
            content.request = now.request;
            wins = true;
        }
        if content.submission.is_some_and(|claim| claim.attempt > 1) {
            self.model.reached(Landmark::SecondAttempt);
        }
        let is_echoed = product.holds(&content, nonce);
        self.write(who, "claims", (content, wins), &|next, end| {
            next.at(who).phase = match end {
                Written::Done if is_echoed => Phase::Holding {
                    claimed: View {
                        object: content,
                        current: true,
                    },
                    late: false,
                },
                Written::Done => Phase::Idle,
                Written::Conflict | Written::Unknown => Phase::Doubting { nonce, late: false },
            };
        });
    }

    fn hold_unclaimed(&mut self, who: u8, seen: View) {
        let mut next = *self.world;
        next.at(who).phase = Phase::Holding {
            claimed: seen,
            late: false,
        };
        self.go("decides to submit", Some(who), next);
    }

    /// Reads the object again to determine whose claim it contains.
    pub fn doubt(&mut self, who: u8, nonce: u8, late: bool) {
        let mut next = *self.world;
        let held = self
            .world
            .read()
            .filter(|now| self.model.product.holds(&now.object, nonce));
        let me = next.at(who);
        match held {
            Some(claimed) => {
                self.model.reached(Landmark::OwnClaimRecognised);
                me.phase = Phase::Holding { claimed, late };
            }
            None => {
                self.model.reached(Landmark::ClaimLost);
                me.phase = Phase::Idle;
                me.rereads = true;
            }
        }
        self.go("reads the claim again", Some(who), next);
    }

    pub fn send(&mut self, who: u8, claimed: View, late: bool) {
        let mut next = *self.world;
        if late && self.model.design() != Design::NoFence {
            self.model.reached(Landmark::Unsent);
            let writing = self.model.product.after_unsent(&claimed.object);
            next.at(who).outcome(claimed, writing);
            return self.go(
                "does not send, because its claim is too old",
                Some(who),
                next,
            );
        }
        let bit = claimed.object.own().map_or(0, |own| 1 << own.nonce);
        next.violations.unclaimed_post |= self.world.landed & bit == 0;
        next.at(who).phase = Phase::Posting { claimed };
        let free = next.posts.iter_mut().find(|post| post.is_none());
        *free.expect("room for another request") = Some(Post {
            from: Some(who),
            uid: claimed.object.uid,
            is_other_backup: claimed.object.backup != Backup::A,
            is_other_project: self.me(who).key == Project::Other,
            age: 0,
        });
        self.go("sends the POST", Some(who), next);
    }

    pub fn record(&mut self, who: u8, claimed: Object, base: Option<View>, writing: Writing) {
        let Some(base) = base else {
            return self.reread(who, claimed, writing);
        };
        let content = self.model.product.written(&base.object, writing);
        self.write(
            who,
            "records the outcome",
            (content, base.current),
            &|next, end| {
                next.at(who).phase = match end {
                    Written::Done => Phase::Idle,
                    Written::Conflict | Written::Unknown => Phase::Recording {
                        claimed,
                        base: None,
                        writing,
                    },
                };
            },
        );
    }

    fn reread(&mut self, who: u8, claimed: Object, writing: Writing) {
        let mut next = *self.world;
        let fresh = self.world.read().filter(|v| v.object.uid == claimed.uid);
        let object = fresh.as_ref().map(|fresh| &fresh.object);
        let me = next.at(who);
        me.phase = Phase::Idle;
        match self.model.product.belongs(object, &claimed, writing.change) {
            RecordTarget::Ours => {
                me.phase = Phase::Recording {
                    claimed,
                    base: fresh,
                    writing,
                };
            }
            RecordTarget::Recorded => self.model.reached(Landmark::RecordedAlready),
            RecordTarget::Overtaken => {
                self.model.reached(Landmark::Overtaken);
                me.rereads = true;
            }
            RecordTarget::Lost if matches!(writing.change, Changing::Record { .. }) => {
                self.model.reached(Landmark::Orphaned);
            }
            RecordTarget::Lost => {}
        }
        self.go("reads the object again", Some(who), next);
    }
}
