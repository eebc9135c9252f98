//! The observation of a reconcile: it loads the object, reads twice and decides. Other steps may
//! happen in between.

use crate::answers::{Query, Seen};
use crate::environment::{Fault, Rows};
use crate::steps::Steps;
use crate::world::{
    FirstRead, Index, JOBS, Listing, Object, Phase, Plan, Progress, Project, Rival, Row, View,
    World,
};

impl Steps<'_> {
    /// Loads the object and makes the first read.
    pub fn begin(&mut self, who: u8) {
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
        let question = self.model.product.ask(&seen.object, me.mind.evidence);
        if question != Query::Nothing && self.may(Fault::Outage) {
            let mut down = next;
            self.conclude(&mut down, who, seen, (Seen::Outage, 0));
            let what = "observes, and Pinecone does not answer";
            self.fail(Fault::Outage, what, Some(who), down);
        }
        let key = self.world.key;
        match question {
            Query::Nothing => self.decide(who, next, seen, Seen::Nothing),
            Query::StillThere { by_list } => {
                for answer in self.checks(key, &seen.object, by_list) {
                    self.decide(who, next, seen, answer);
                }
            }
            Query::MaySubmit { .. } => {
                self.start_observation(who, next, seen, FirstRead::Index(self.index_by(key)));
            }
            Query::FindOurs => {
                for listing in self.lists(key, &seen.object, (me.mind.known, None)) {
                    self.start_observation(who, next, seen, FirstRead::Jobs(listing));
                }
            }
            Query::Follow { index } => self.begin_to_follow(who, next, seen, index),
        }
    }

    fn begin_to_follow(&mut self, who: u8, next: World, seen: View, index: bool) {
        let key = self.world.key;
        let known = self.me(who).mind.known;
        let Some(job) = seen.object.job else {
            // The list may still show the job of an adopted index.
            for listing in self.lists(key, &seen.object, (known, None)) {
                let job = self.model.product.traced(&seen.object, &listing);
                let index = Some(self.index_by(key));
                self.decide(who, next, seen, Seen::Follow { job, index });
            }
            return;
        };
        let row = self.world.job_by(key, job);
        if self.model.environment().split_follow {
            return self.start_observation(who, next, seen, FirstRead::Job { row, index });
        }
        let answer = self.follow(key, row, index);
        self.decide(who, next, seen, answer);
    }

    fn start_observation(&mut self, who: u8, mut next: World, seen: View, first: FirstRead) {
        next.at(who).phase = Phase::Observing {
            seen,
            first,
            frozen: 0,
        };
        let what = match first {
            FirstRead::Jobs(Listing { rows, .. }) if rows == [None; JOBS] => {
                "observes, and no restore job is listed"
            }
            _ => "observes",
        };
        self.go(what, Some(who), next);
    }

    /// Makes the second read, and decides.
    pub fn finish_observation(&mut self, who: u8, seen: View, first: FirstRead, frozen: u8) {
        // Other objects are read last, because they may own a job in the list.
        let rival = self.world.rival;
        let me = *self.me(who);
        let is_right = me.key == Project::Right;
        let lists = || self.lists(me.key, &seen.object, (me.mind.known, rival));
        let find = |jobs| Seen::FindOurs {
            index: self.index_by(me.key),
            jobs,
            backup: Some(is_right),
        };
        let answers: Vec<Seen> = match first {
            FirstRead::Index(index) => {
                let question = self.model.product.ask(&seen.object, me.mind.evidence);
                let asks_jobs = question == Query::MaySubmit { jobs: true };
                let lists = match asks_jobs || index.is_some() {
                    true => lists().into_iter().map(Some).collect(),
                    false => vec![None],
                };
                let seen = |jobs| Seen::MaySubmit {
                    index,
                    jobs,
                    backup: index.is_none().then_some(is_right),
                    date: self.world.clock,
                };
                lists.into_iter().map(seen).collect()
            }
            FirstRead::Jobs(jobs) => {
                let mut jobs = Listing { rival, ..jobs };
                self.confirm(me.key, &seen.object, me.mind.known, &mut jobs);
                vec![find(jobs)]
            }
            FirstRead::Job { row, index } => vec![self.follow(me.key, row, index)],
        };
        for answer in answers {
            let mut next = *self.world;
            self.conclude(&mut next, who, seen, (answer, frozen));
            let what = match answer {
                Seen::MaySubmit {
                    jobs: Some(Listing { rows, .. }),
                    ..
                } if rows == [None; JOBS] => "decides, without a listed restore job",
                _ => "decides",
            };
            self.go(what, Some(who), next);
        }
    }

    fn follow(&self, key: Project, job: Option<Row>, wanted: bool) -> Seen {
        let wanted = job.is_none_or(|job| wanted || job.state == Progress::Completed);
        Seen::Follow {
            job,
            index: wanted.then(|| self.index_by(key)),
        }
    }

    /// What every page of `GET /restore-jobs` may show, and a job by its ID: one that is listed, one
    /// that was observed before, or one that a copied status contains.
    fn lists(
        &self,
        key: Project,
        object: &Object,
        (known, rival): (Option<u8>, Option<Rival>),
    ) -> Vec<Listing> {
        let mut full = Listing {
            rival,
            ..Listing::default()
        };
        let mut lists = vec![full];
        if key == Project::Right {
            full.rows = self.rows();
        }
        if full != lists[0] {
            lists.push(full);
            if self.model.environment().rows != Rows::Lossy {
                lists.remove(0);
            }
        }
        for listing in &mut lists {
            self.confirm(key, object, known, listing);
        }
        lists
    }

    fn confirm(&self, key: Project, object: &Object, known: Option<u8>, listing: &mut Listing) {
        let product = &self.model.product;
        if listing.confirmed.is_some() || listing.doubted.is_some() {
            return;
        }
        if let Some(id) = product.to_confirm(object, listing, known) {
            listing.confirmed = self.world.job_by(key, id);
            listing.doubted = Some(id).filter(|_| listing.confirmed.is_none());
        }
    }

    fn rows(&self) -> [Option<Row>; JOBS] {
        let mut rows = [None; JOBS];
        for (id, job) in self.world.jobs() {
            rows[usize::from(id)] = self.is_listed(id).then(|| job.row(id));
        }
        rows
    }

    /// Whether the most complete list that Pinecone may return contains the job.
    fn is_listed(&self, id: u8) -> bool {
        let is_shown = match self.model.environment().rows {
            Rows::Stay => true,
            Rows::Vanish | Rows::Lossy => self.is_live(id),
            Rows::Hidden => false,
        };
        let job = self.world.jobs[usize::from(id)];
        is_shown && job.is_some_and(|job| job.unlisted.is_none())
    }

    /// What a check of the restored index may observe; with `by_list`, also what an older list shows.
    fn checks(&self, key: Project, object: &Object, by_list: bool) -> Vec<Seen> {
        let mut checks = self.check(key, object, self.index_by(key), by_list);
        if let Some(former) = self
            .world
            .former
            .filter(|_| by_list && key == Project::Right)
        {
            checks.extend(self.check(key, object, Some(former), true));
        }
        checks
    }

    fn check(
        &self,
        key: Project,
        object: &Object,
        index: Option<Index>,
        by_list: bool,
    ) -> Vec<Seen> {
        let seen = |job: Option<bool>| Seen::StillThere {
            index,
            job,
            backup: job
                .filter(|is_shown| !is_shown)
                .map(|_| key == Project::Right),
        };
        let backup = object.own().map_or(object.backup, |own| own.backup);
        let Some(index) = index else {
            return vec![seen(None)];
        };
        if self.model.environment().shows_source && index.is_of_backup(backup) {
            return vec![seen(None)];
        }
        let Some(job) = object.job else {
            return vec![seen(Some(false))];
        };
        let by_id = self.world.job_by(key, job).is_some();
        let stays = self.model.environment().rows == Rows::Stay;
        let is_former = self.world.index != Some(index) && index.is_of_job(Some(job));
        let is_listed = key == Project::Right
            && (self.is_listed(job) && (stays || index.is_of_job(Some(job))) || is_former);
        let mut checks = vec![seen(Some(by_id))];
        if by_list && is_listed && !by_id {
            checks.push(seen(Some(true)));
        }
        checks
    }

    fn decide(&mut self, who: u8, mut next: World, seen: View, answer: Seen) {
        self.conclude(&mut next, who, seen, (answer, 0));
        self.go("decides", Some(who), next);
    }

    fn conclude(&self, next: &mut World, who: u8, seen: View, answer: (Seen, u8)) {
        let mind = next.at(who).mind;
        let start = seen.object.own().map(|own| own.start);
        let hour = start.is_some_and(|start| next.hour.is_some_and(|hour| start <= hour));
        let product = &self.model.product;
        let decided = product.decide(&seen.object, mind, answer, hour);
        // A decision on an outdated version is never written.
        if seen.current {
            let environment = self.model.environment();
            next.judge(&seen.object, decided.plan, answer.0, environment);
        }
        self.note(&seen.object, decided.plan);
        let is_news = match decided.plan {
            Plan::Keep => false,
            Plan::Submit { .. } => true,
            Plan::Write(writing) => product.written(&seen.object, writing) != seen.object,
        };
        let me = next.at(who);
        me.mind = decided.mind;
        me.phase = match is_news {
            true => Phase::Decided {
                seen,
                plan: decided.plan,
            },
            false => Phase::Idle,
        };
    }
}
