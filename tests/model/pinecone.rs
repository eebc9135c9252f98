//! Pinecone with unique names and jobs that are listed late, and the network in front of it.

use crate::changes::Reply;
use crate::environment::Fault;
use crate::steps::Steps;
use crate::world::{Backup, Index, Job, Phase, Post, Progress, Project, Row, World};

impl World {
    /// `GET /restore-jobs/{id}`: 404 once the job's index was deleted, and during an outage of the job
    /// store.
    pub fn job_by(&self, key: Project, id: u8) -> Option<Row> {
        let is_shown = self.outage.is_none() && key == Project::Right;
        let index = self.index.filter(|_| is_shown);
        index.filter(|index| index.is_of_job(Some(id)))?;
        self.jobs[usize::from(id)].map(|job| job.row(id))
    }

    /// Accepts a restore if the name is free.
    pub fn create(&mut self, by: Option<u8>, backup: Backup, state: Progress) -> Option<u8> {
        if self.index.is_some() {
            return None;
        }
        let id = self.jobs.iter().position(Option::is_none);
        let id = id.expect("room for another job");
        self.jobs[id] = Some(Job {
            by,
            backup,
            created: self.clock,
            state,
            unlisted: Some(0),
        });
        let id = u8::try_from(id).unwrap();
        self.take_name(Index {
            job: Some((id, backup)),
            ready: state == Progress::Completed,
            project: Project::Right,
        });
        Some(id)
    }

    pub fn take_name(&mut self, index: Index) {
        self.index = Some(index);
        self.index_age = 0;
    }

    pub fn free_name(&mut self) {
        self.former = self.index.filter(|index| index.ready);
        self.index = None;
        self.index_age = 0;
    }

    fn apply(&mut self, post: Post, state: Progress) -> Reply {
        if post.is_other_project {
            return Reply::NoBackup;
        }
        let backup = match post.is_other_backup {
            true => Backup::B,
            false => Backup::A,
        };
        self.create(Some(post.uid), backup, state)
            .map_or(Reply::Taken, Reply::Accepted)
    }
}

impl Job {
    pub fn row(&self, id: u8) -> Row {
        Row {
            id,
            backup: self.backup,
            created: self.created,
            state: self.state,
        }
    }
}

impl Steps<'_> {
    /// `GET /indexes/{name}`
    pub fn index_by(&self, key: Project) -> Option<Index> {
        match key {
            Project::Right => self.world.index,
            Project::Other => {
                let is_there = self.model.environment().elsewhere;
                is_there.then(|| Index::empty(Project::Other))
            }
        }
    }

    pub fn is_live(&self, id: u8) -> bool {
        let index = self.world.index;
        index.is_some_and(|index| index.is_of_job(Some(id)))
    }

    pub fn of_network(&mut self) {
        for slot in 0..self.world.posts.len() {
            if let Some(post) = self.world.posts[slot] {
                self.deliver(slot, post);
                self.lose(slot, post);
            }
        }
        self.progress();
        self.store_of_jobs();
        self.late_put();
    }

    /// The state of a new job.
    pub fn begun(&self) -> Progress {
        match self.model.environment().slow_jobs {
            true => Progress::Pending,
            false => Progress::Completed,
        }
    }

    fn deliver(&mut self, slot: usize, post: Post) {
        let mut next = *self.world;
        next.posts[slot] = None;
        let reply = next.apply(post, self.begun());
        let mut lost = next;
        self.answer(&mut next, post, reply);
        self.go("the POST arrives and is answered", post.from, next);
        if post.from.is_none() {
            return;
        }
        let mut repeated = lost;
        self.answer(&mut lost, post, Reply::Nothing);
        self.fail(
            Fault::LostAnswer,
            "the POST arrives, its answer is lost",
            post.from,
            lost,
        );
        if matches!(reply, Reply::Accepted(_)) {
            repeated.posts[slot] = Some(post);
            self.fail(Fault::Repeat, "the POST arrives twice", post.from, repeated);
        }
    }

    fn lose(&mut self, slot: usize, post: Post) {
        let mut dropped = *self.world;
        dropped.posts[slot] = None;
        let mut refused = dropped;
        self.answer(&mut dropped, post, Reply::Nothing);
        self.fail(Fault::LostAnswer, "the POST is lost", post.from, dropped);
        if post.from.is_none() {
            return;
        }
        self.answer(&mut refused, post, Reply::RateLimited);
        self.fail(Fault::Refuse, "the POST is rejected", post.from, refused);
        let mut late = *self.world;
        late.posts[slot] = Some(Post { from: None, ..post });
        self.answer(&mut late, post, Reply::Nothing);
        self.fail(
            Fault::LostAnswer,
            "its POST times out and is still in flight",
            post.from,
            late,
        );
    }

    fn answer(&self, next: &mut World, post: Post, reply: Reply) {
        let Some(who) = post.from else { return };
        let me = next.at(who);
        let Phase::Posting { claimed } = me.phase else {
            panic!("no process waits for this answer");
        };
        let product = &self.model.product;
        let (writing, evidence) = product.after_post(&claimed.object, reply, me.mind.evidence);
        me.mind.evidence = evidence;
        me.outcome(claimed, writing);
        next.judge_outcome(claimed.object.uid, writing, true);
    }

    /// Lists and completes jobs.
    fn progress(&mut self) {
        for (id, job) in self.world.jobs() {
            let slot = usize::from(id);
            if job.unlisted.is_some() {
                let mut next = *self.world;
                next.jobs[slot] = Some(Job {
                    unlisted: None,
                    ..*job
                });
                self.go("the job is listed", None, next);
            }
            if job.state != Progress::Pending || !self.is_live(id) {
                continue;
            }
            let mut next = *self.world;
            next.jobs[slot] = Some(Job {
                state: Progress::Completed,
                ..*job
            });
            next.index = self.world.index.map(|index| Index {
                ready: true,
                ..index
            });
            self.go("the job completes", None, next);
            next.jobs[slot] = Some(Job {
                state: Progress::Failed,
                ..*job
            });
            next.index = self.world.index;
            self.fail(Fault::FailJob, "the job fails", None, next);
        }
    }

    /// Starts and ends an outage of the job store.
    fn store_of_jobs(&mut self) {
        let mut next = *self.world;
        if self.world.outage.is_some() {
            next.outage = None;
            return self.go("the outage of the job store ends", None, next);
        }
        next.outage = Some(0);
        let what = "an outage of the job store starts";
        self.fail(Fault::JobOutage, what, None, next);
    }
}
