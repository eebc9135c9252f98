//! Pinecone: unique names, jobs that are listed late, and the network before it.

use crate::environment::{Design, Fault};
use crate::steps::Steps;
use crate::translation::Reply;
use crate::world::{
    Backup, Index, Job, Listing, Object, Phase, Post, Progress, Project, Row, World,
};

impl World {
    pub fn index_by(&self, key: Project) -> Option<Index> {
        self.index.filter(|_| key == Project::Right)
    }

    /// `GET /restore-jobs/{id}`: not found once the job's index was deleted.
    pub fn job_by(&self, key: Project, id: u8) -> Option<Row> {
        self.index_by(key).filter(|index| index.job == id)?;
        self.jobs[usize::from(id)].map(|job| job.row(id))
    }

    /// Accepts a restore, if the name is free.
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
        self.index = Some(Index {
            job: id,
            ready: state == Progress::Completed,
        });
        Some(id)
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
    fn row(&self, id: u8) -> Row {
        Row {
            id,
            backup: self.backup,
            created: self.created,
            state: self.state,
        }
    }
}

impl Steps<'_> {
    /// Every page of `GET /restore-jobs`, and the earlier job by its ID.
    pub fn list(&self, key: Project, object: &Object) -> Listing {
        let mut listing = Listing::default();
        if key == Project::Other {
            return listing;
        }
        let first_page_only = self.model.design() == Design::FirstPageOnly;
        for (id, job) in self.world.jobs() {
            let is_live = self.world.index.is_some_and(|index| index.job == id);
            let stays = self.model.environment().rows_stay || is_live;
            // Other restores fill the first page.
            let is_shown = job.unlisted.is_none() && stays && !first_page_only;
            listing.rows[usize::from(id)] = is_shown.then(|| job.row(id));
        }
        listing.confirmed = self
            .model
            .product
            .earlier(object, &listing)
            .filter(|id| self.world.job_by(key, *id).is_some());
        listing
    }

    pub fn of_network(&mut self) {
        for slot in 0..self.world.posts.len() {
            if let Some(post) = self.world.posts[slot] {
                self.deliver(slot, post);
                self.lose(slot, post);
            }
        }
        self.progress();
        self.late_put();
    }

    /// The state in which jobs are created.
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
            self.fail(
                Fault::Repeat,
                "the POST arrives, and once more",
                post.from,
                repeated,
            );
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
        self.fail(Fault::Refuse, "the POST is refused", post.from, refused);
        let mut late = *self.world;
        late.posts[slot] = Some(Post { from: None, ..post });
        self.answer(&mut late, post, Reply::Nothing);
        self.fail(
            Fault::LostAnswer,
            "its POST times out and is under way yet",
            post.from,
            late,
        );
    }

    fn answer(&self, next: &mut World, post: Post, reply: Reply) {
        let Some(who) = post.from else { return };
        let me = next.at(who);
        let Phase::Posting { claimed } = me.phase else {
            panic!("an answer that nobody waits for");
        };
        let product = &self.model.product;
        let (writing, evidence) = product.after_post(&claimed.object, reply, me.evidence);
        me.evidence = evidence;
        me.outcome(claimed, writing);
        next.judge_outcome(claimed.object.uid, writing, true);
    }

    /// Jobs are listed and completed.
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
            let is_live = self.world.index.is_some_and(|index| index.job == id);
            if job.state != Progress::Pending || !is_live {
                continue;
            }
            let mut next = *self.world;
            next.jobs[slot] = Some(Job {
                state: Progress::Completed,
                ..*job
            });
            next.index = Some(Index {
                job: id,
                ready: true,
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
}
