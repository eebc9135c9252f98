//! The shell around the pure core, as steps: a pass reads twice, decides, and
//! writes; other things happen between any two of these.

use index_restore_operator::api::{Reason, SubmissionOutcome};
use index_restore_operator::restore::Question;

use crate::answers::Seen;
use crate::api_server::Written;
use crate::environment::Fault;
use crate::properties::Landmark;
use crate::steps::Steps;
use crate::world::{
    Changing, Controller, Glimpse, Listing, Object, Phase, Plan, Progress, Project, Row, View,
    World, Writing,
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
            Phase::Looking {
                seen,
                first,
                frozen,
            } => self.look_again(who, seen, first, frozen),
            Phase::Decided { seen, plan } => match plan {
                Plan::Keep => {}
                Plan::Submit { date } => self.claim(who, seen, date),
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
            evidence: 0,
            age: 0,
            phase: Phase::Idle,
        };
        self.fail(Fault::Crash, "crashes and starts again", Some(who), next);
    }

    /// Loads the object and makes the first read.
    fn begin(&mut self, who: u8) {
        let me = *self.me(who);
        let Some(cached) = me.cache else { return };
        let fresh = self
            .world
            .read()
            .filter(|v| v.object.uid == cached.object.uid);
        let Some(seen) = (if me.rereads { fresh } else { Some(cached) }) else {
            return;
        };
        let mut next = *self.world;
        next.at(who).rereads = false;
        next.at(who).key = self.world.key;
        let question = self.model.product.ask(&seen.object, me.evidence);
        if question != Question::Nothing && self.may(Fault::Outage) {
            let mut down = next;
            self.conclude(&mut down, who, seen, (Seen::Outage, 0));
            self.fail(
                Fault::Outage,
                "looks, and Pinecone does not answer",
                Some(who),
                down,
            );
        }
        let first = match question {
            Question::Nothing => return self.decide(who, next, seen, Seen::Nothing),
            Question::StillThere { .. } => {
                let index = self.world.index_by(self.world.key);
                return self.decide(who, next, seen, Seen::StillThere(index));
            }
            Question::MaySubmit { .. } => Glimpse::Index(self.world.index_by(self.world.key)),
            Question::FindOurs => {
                self.without_rows(who, next, seen);
                Glimpse::Jobs(self.list(self.world.key, &seen.object))
            }
            Question::Follow { index } => {
                let job = seen.object.job.unwrap_or_default();
                let row = self.world.job_by(self.world.key, job);
                if !self.model.environment().split_follow {
                    let answer = self.follow(self.world.key, row, index);
                    return self.decide(who, next, seen, answer);
                }
                Glimpse::Job { row, index }
            }
        };
        next.at(who).phase = Phase::Looking {
            seen,
            first,
            frozen: 0,
        };
        self.go("looks", Some(who), next);
    }

    /// A complete listing that lacks what was listed before.
    fn without_rows(&mut self, who: u8, mut next: World, seen: View) {
        next.at(who).phase = Phase::Looking {
            seen,
            first: Glimpse::Jobs(Listing::default()),
            frozen: 0,
        };
        self.fail(
            Fault::DropRows,
            "looks, and the list lacks rows",
            Some(who),
            next,
        );
    }

    /// Makes the second read, and decides.
    fn look_again(&mut self, who: u8, seen: View, first: Glimpse, frozen: u8) {
        let key = self.me(who).key;
        let index = self.world.index_by(key);
        let backup = Some(key == Project::Right);
        let answer = match first {
            Glimpse::Index(index) => {
                let question = self.model.product.ask(&seen.object, self.me(who).evidence);
                let history = question == Question::MaySubmit { history: true };
                Seen::MaySubmit {
                    index,
                    jobs: (history || index.is_some()).then(|| self.list(key, &seen.object)),
                    backup: index.is_none().then_some(key == Project::Right),
                    date: self.world.clock,
                }
            }
            Glimpse::Jobs(jobs) => Seen::FindOurs {
                index,
                jobs,
                backup,
            },
            Glimpse::Job { row, index } => self.follow(key, row, index),
        };
        let mut next = *self.world;
        self.conclude(&mut next, who, seen, (answer, frozen));
        self.go("decides", Some(who), next);
    }

    fn follow(&self, key: Project, job: Option<Row>, wanted: bool) -> Seen {
        let wanted = job.is_none_or(|job| wanted || job.state == Progress::Completed);
        Seen::Follow {
            job,
            index: wanted.then(|| self.world.index_by(key)),
        }
    }

    fn decide(&mut self, who: u8, mut next: World, seen: View, answer: Seen) {
        self.conclude(&mut next, who, seen, (answer, 0));
        self.go("decides", Some(who), next);
    }

    fn conclude(&self, next: &mut World, who: u8, seen: View, answer: (Seen, u8)) {
        let me = *next.at(who);
        let start = seen.object.own().map(|own| own.start);
        let hour = start.is_some_and(|start| next.hour.is_some_and(|hour| start <= hour));
        let product = &self.model.product;
        let decided = product.decide(&seen.object, me.evidence, me.age, answer, hour);
        // What was decided on an older version is never written.
        if seen.current {
            next.judge(seen.object.uid, decided.plan, answer.0);
        }
        self.note(&seen.object, decided.plan);
        let is_news = match decided.plan {
            Plan::Keep => false,
            Plan::Submit { .. } => true,
            Plan::Write(writing) => product.written(&seen.object, writing) != seen.object,
        };
        let me = next.at(who);
        me.evidence = decided.evidence;
        me.age = decided.age;
        me.phase = match is_news {
            true => Phase::Decided {
                seen,
                plan: decided.plan,
            },
            false => Phase::Idle,
        };
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

    fn note(&self, object: &Object, plan: Plan) {
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
    /// The cache shows another version; what was learnt of another object is not
    /// about this one.
    pub fn watch(&mut self, now: Option<View>) {
        let uid = |view: Option<View>| view.map(|view| view.object.uid);
        if uid(self.cache) != uid(now) {
            self.evidence = 0;
            self.age = 0;
        }
        self.cache = now;
    }

    /// What came of the claim is to be recorded.
    pub fn outcome(&mut self, claimed: View, writing: Writing) {
        self.phase = Phase::Recording {
            claimed: claimed.object,
            base: Some(claimed),
            writing,
        };
    }
}
