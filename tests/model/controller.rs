//! The I/O around the pure core, as steps: a reconcile reads twice, decides and writes, and other
//! steps may happen in between.

use index_restore_operator::api::{Reason, SubmissionOutcome};

use crate::api_server::Written;
use crate::environment::Fault;
use crate::properties::Landmark;
use crate::steps::Steps;
use crate::world::{
    Changing, Controller, Mind, Object, Phase, Plan, Project, View, World, Writing,
};

impl World {
    pub fn at(&mut self, who: u8) -> &mut Controller {
        &mut self.controllers[usize::from(who)]
    }
}

impl Steps<'_> {
    pub fn me(&self, who: u8) -> &Controller {
        &self.world.controllers[usize::from(who)]
    }

    pub fn of_controller(&mut self, who: u8) {
        match self.me(who).phase {
            Phase::Idle => self.begin(who),
            Phase::Observing {
                seen,
                first,
                frozen,
            } => self.finish_observation(who, seen, first, frozen),
            Phase::Decided { seen, plan } => match plan {
                Plan::Keep => {}
                Plan::Submit { date, ago } => self.claim(who, seen, (date, ago)),
                Plan::Write(writing) => self.report(who, seen, writing),
            },
            Phase::Doubting { nonce, late } => self.doubt(who, nonce, late),
            Phase::Holding { claimed, late } => self.send(who, claimed, late),
            Phase::Posting { .. } => {}
            Phase::Recording {
                claimed,
                base,
                writing,
            } => self.record(who, claimed, base, writing),
        }
        self.watch(who);
        self.crash(who);
    }

    /// The cache catches up.
    fn watch(&mut self, who: u8) {
        if !self.model.environment().stale_caches {
            return;
        }
        let mut next = *self.world;
        next.at(who).watch(self.world.read());
        self.go("its cache catches up", Some(who), next);
    }

    fn crash(&mut self, who: u8) {
        if !self.may(Fault::Crash) {
            return;
        }
        let mut next = *self.world;
        for post in next.posts.iter_mut().flatten() {
            post.from = post.from.filter(|from| *from != who);
        }
        *next.at(who) = Controller {
            cache: self.world.read(),
            rereads: false,
            key: Project::Right,
            mind: Mind::default(),
            phase: Phase::Idle,
        };
        self.fail(Fault::Crash, "crashes and restarts", Some(who), next);
    }

    fn report(&mut self, who: u8, seen: View, writing: Writing) {
        let content = self.model.product.written(&seen.object, writing);
        self.write(
            who,
            "writes the status",
            (content, seen.current),
            &|next, end| {
                let exists = next.object.is_some();
                let me = next.at(who);
                me.phase = Phase::Idle;
                me.rereads = match end {
                    Written::Done => false,
                    Written::Conflict => exists,
                    Written::Unknown => true,
                };
            },
        );
    }

    pub fn note(&self, object: &Object, plan: Plan) {
        let Plan::Write(writing) = plan else { return };
        let own = object.own();
        let landmark = match (writing.change, writing.reason) {
            (Changing::Record { adopted: true, .. }, _) => Landmark::Adopted,
            (Changing::Record { .. }, _) => match own.map(|own| own.outcome) {
                Some(SubmissionOutcome::Taken) => Landmark::TakenWasOurs,
                Some(SubmissionOutcome::Open) => Landmark::Recovered,
                Some(SubmissionOutcome::Abandoned) => Landmark::AbandonedWasOurs,
                _ => Landmark::RecoveredUnclaimed,
            },
            (Changing::Close(SubmissionOutcome::Abandoned, _), _) => Landmark::Abandoned,
            (Changing::Close(..), Reason::IndexAlreadyExists) => Landmark::TakenByOther,
            (_, Reason::IndexAlreadyExists) => Landmark::NameTaken,
            (_, Reason::SubmissionUnconfirmed) => Landmark::Unconfirmed,
            (_, Reason::IndexDeleted) => Landmark::IndexDeleted,
            (_, Reason::RestoreFailed) => Landmark::Failed,
            (_, Reason::Restored) => Landmark::Restored,
            (_, Reason::RestoreJobNotFound) => Landmark::JobNotFound,
            _ => return,
        };
        self.model.reached(landmark);
    }
}

impl Controller {
    /// Updates the cache; evidence about another object does not apply to this one.
    pub fn watch(&mut self, now: Option<View>) {
        let uid = |view: Option<View>| view.map(|view| view.object.uid);
        if uid(self.cache) != uid(now) {
            self.mind = Mind::default();
        }
        self.cache = now;
    }

    /// Records the outcome of the claim next.
    pub fn outcome(&mut self, claimed: View, writing: Writing) {
        self.phase = Phase::Recording {
            claimed: claimed.object,
            base: Some(claimed),
            writing,
        };
    }
}
