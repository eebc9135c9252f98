//! The product's own pure functions, called with expanded values. Their results are cached, because
//! the same inputs occur in millions of states.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use index_restore_operator::api::{IndexRestore, Reason, SubmissionOutcome};
use index_restore_operator::pinecone::RestoreJob;
use index_restore_operator::restore::jobs::JobMatch;
use index_restore_operator::restore::messages;
use index_restore_operator::restore::submission::ClaimRequest;
use index_restore_operator::restore::{
    Change, Decision, Evidence, Intervals, Patience, RecordTarget, Rules, Situation, Stage,
    after_post, after_unsent, ask, decide, holds, record_target,
};
use index_restore_operator::runtime::clock::Now;
use jiff::{SignedDuration, Timestamp};

use crate::answers::{Query, Seen};
use crate::changes::Reply;
use crate::environment::{Design, Environment};
use crate::evidence::{OBSERVED, at};
use crate::translation::{nonce, number, timestamp};
use crate::world::{Changing, HOUR, Listing, Mind, Object, Plan, Row, Time, Writing};

/// The duration of one tick on the product's clocks.
pub const TICK: Duration = Duration::from_secs(1_000);
const INTERVALS: Intervals = Intervals {
    poll_min: Duration::from_secs(2),
    poll_max: Duration::from_secs(60),
};

/// What a design writes that treats a 409 as the final outcome.
const CONFLICT_AS_FAILURE: Writing = Writing {
    reason: Reason::IndexAlreadyExists,
    is_unsure: false,
    change: Changing::Close(SubmissionOutcome::Refused, Some(Reason::IndexAlreadyExists)),
};

/// The decision of a reconcile, and the memory after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decided {
    pub plan: Plan,
    pub mind: Mind,
}

type Remembered<K, V> = RefCell<HashMap<K, V>>;

/// The inputs of a decision: the object, the memory of the process, what was read and how long ago,
/// and whether an hour passed.
type Asked = (Object, Mind, (Seen, u8), bool);

pub struct Product {
    pub environment: Environment,
    pub rules: Rules,
    /// Every evidence that occurred, with the nonce of its claim. `forms` has their numbers.
    pub evidence: RefCell<Vec<(Evidence, Option<u8>)>>,
    pub forms: Remembered<String, u16>,
    questions: Remembered<(Object, u16), Query>,
    decisions: Remembered<Asked, Decided>,
    jobs: Remembered<(Object, Listing), (Option<u8>, Option<u8>)>,
    writes: Remembered<(Object, Writing), Object>,
    replies: Remembered<(Object, Reply, u16), (Writing, u16)>,
}

fn remembered<K: Hash + Eq, V: Copy>(
    memory: &Remembered<K, V>,
    key: K,
    make: impl FnOnce(&K) -> V,
) -> V {
    if let Some(value) = memory.borrow().get(&key) {
        return *value;
    }
    let value = make(&key);
    memory.borrow_mut().insert(key, value);
    value
}

impl Product {
    pub fn new(environment: Environment) -> Self {
        let timing = environment.timing;
        let mut patience = Patience {
            confirm: TICK * u32::from(timing.confirm),
            catch_up: TICK * u32::from(timing.catch_up),
            give_up: TICK * u32::from(HOUR),
            job_outage: TICK * u32::from(timing.outage + 1),
            max_gap: TICK * u32::from(timing.gap) + TICK / 2,
        };
        match environment.design {
            Design::NoPatience => {
                patience.confirm = Duration::ZERO;
                patience.catch_up = Duration::ZERO;
            }
            Design::GapIgnored => patience.max_gap = TICK * u32::MAX,
            _ => {}
        }
        let product = Self {
            environment,
            rules: Rules {
                intervals: INTERVALS,
                patience,
            },
            evidence: RefCell::default(),
            forms: RefCell::default(),
            questions: RefCell::default(),
            decisions: RefCell::default(),
            jobs: RefCell::default(),
            writes: RefCell::default(),
            replies: RefCell::default(),
        };
        product.file(Evidence::default());
        product
    }

    /// The product's resource for the object at the given time.
    pub fn expanded(&self, object: &Object, now: Timestamp) -> IndexRestore {
        let mut object = *object;
        if let Some(submission) = &mut object.submission {
            match self.environment.design {
                Design::UidUnchecked => submission.uid = object.uid,
                Design::AbandonedForgotten if is_refused(submission.outcome) => {
                    submission.attempt = 1;
                }
                _ => {}
            }
        }
        object.expanded(self.environment.adoption, now)
    }

    pub fn situation(&self, object: &Object) -> Situation {
        Situation::of(&self.expanded(object, OBSERVED))
    }

    pub fn ask(&self, object: &Object, evidence: u16) -> Query {
        remembered(&self.questions, (*object, evidence), |_| {
            let situation = self.situation(object);
            ask(&situation, &self.evidence.borrow()[usize::from(evidence)].0).into()
        })
    }

    /// Adds what was read to the evidence, and decides as of the time before the reads, `frozen` ticks
    /// ago. `hour` is true if an hour passed since the submission.
    pub fn decide(
        &self,
        object: &Object,
        mind: Mind,
        (seen, frozen): (Seen, u8),
        hour: bool,
    ) -> Decided {
        // The known job only determines what is requested.
        let key = Mind {
            known: None,
            ..mind
        };
        let key = (*object, key, (seen, frozen), hour);
        let decided = remembered(&self.decisions, key, |_| {
            let now = OBSERVED + self.ticks(mind.observed);
            let situation = Situation::of(&self.expanded(object, now));
            let observation = self.observation(object, &situation, seen, now);
            let began = mind.age.saturating_sub(frozen);
            let span = (began, began + frozen);
            let learnt = self.learn(object, mind, seen, span);
            let submitted = object.own().map_or(0, |own| own.start);
            let passed = if hour { TICK * u32::from(HOUR) } else { TICK };
            let time = Now {
                wall: timestamp(submitted) + SignedDuration::try_from(passed).unwrap(),
                boot: at(began.min(learnt.mind.age)),
            };
            let decision = decide(&situation, &learnt.exact, &observation, &self.rules, time);
            assert_is_repeated(&situation, &decision);
            Decided {
                plan: Plan::of(&decision, now),
                mind: learnt.mind,
            }
        });
        Decided {
            mind: Mind {
                known: decided.mind.known.or(mind.known),
                ..decided.mind
            },
            ..decided
        }
    }

    pub fn ticks(&self, ticks: u8) -> SignedDuration {
        SignedDuration::try_from(TICK * u32::from(ticks)).unwrap()
    }

    /// The job that must be requested by its ID.
    pub fn to_confirm(&self, object: &Object, jobs: &Listing, known: Option<u8>) -> Option<u8> {
        let (ours, other) = self.jobs_of(object, jobs);
        match ours {
            Some(_) => None,
            None => other
                .or(known)
                .or_else(|| self.situation(object).hinted_job.as_deref().map(number)),
        }
    }

    /// The job of this backup and index name in a list.
    pub fn traced(&self, object: &Object, jobs: &Listing) -> Option<Row> {
        let (ours, other) = self.jobs_of(object, jobs);
        let id = ours.or(other)?;
        let mut rows = jobs.rows.iter().flatten().chain(&jobs.confirmed);
        rows.find(|row| row.id == id).copied()
    }

    /// The object's own job in a list, otherwise an earlier one.
    fn jobs_of(&self, object: &Object, jobs: &Listing) -> (Option<u8>, Option<u8>) {
        remembered(&self.jobs, (*object, *jobs), |_| {
            let situation = self.situation(object);
            let id = |job: RestoreJob| Some(number(&job.restore_job_id));
            match situation.find_job(&jobs.expanded(&situation, OBSERVED)) {
                JobMatch::Ours(job) => (id(job), None),
                JobMatch::Earlier(job) => (None, id(job)),
                JobMatch::Foreign(_) | JobMatch::None => (None, None),
            }
        })
    }

    /// The object after the status write.
    pub fn written(&self, object: &Object, writing: Writing) -> Object {
        remembered(&self.writes, (*object, writing), |_| {
            let before = self.expanded(object, OBSERVED);
            let status = writing.expanded(OBSERVED).status(&before, timestamp(0));
            object.with(&status, OBSERVED, self.environment.timing.gap + 1)
        })
    }

    /// The object with a claim that is dated `ago` ticks ago.
    pub fn claimed(&self, object: &Object, mark: u8, (date, ago): (Time, u8)) -> Object {
        let request = request(mark, date);
        let status = request.status(&self.expanded(object, OBSERVED), &messages::pending());
        let mut claimed = object.with(&status, OBSERVED, self.environment.timing.gap + 1);
        let submission = status.submission.as_ref();
        let observed = submission.and_then(|claim| claim.last_observed_time.as_ref());
        assert_eq!(observed.map(|time| time.0), Some(request.now));
        if let Some(submission) = &mut claimed.submission {
            submission.unobserved = ago;
        }
        claimed
    }

    pub fn holds(&self, object: &Object, mark: u8) -> bool {
        let mark = match (self.environment.design, object.submission) {
            (Design::NoNonce, Some(any)) => any.nonce,
            _ => mark,
        };
        holds(&self.expanded(object, OBSERVED), &request(mark, 0))
    }

    /// What the answer to the create request means.
    pub fn after_post(&self, claimed: &Object, reply: Reply, evidence: u16) -> (Writing, u16) {
        remembered(&self.replies, (*claimed, reply, evidence), |_| {
            let posted = reply.classified();
            let mut learnt = self.evidence.borrow()[usize::from(evidence)].0.clone();
            learnt.learn_posted(matches!(reply, Reply::NoBackup | Reply::RateLimited));
            let situation = self.situation(claimed);
            let (report, _) = after_post(&posted, &situation, learnt.refusals(), INTERVALS);
            if self.environment.design == Design::ConflictIsFailure && reply == Reply::Taken {
                return (CONFLICT_AS_FAILURE, self.file(learnt));
            }
            (Writing::of(&report, OBSERVED), self.file(learnt))
        })
    }

    pub fn after_unsent(&self, claimed: &Object) -> Writing {
        let situation = self.situation(claimed);
        Writing::of(&after_unsent(&situation, 1, INTERVALS).0, OBSERVED)
    }

    /// Whether the outcome may be recorded in the current object.
    pub fn belongs(
        &self,
        fresh: Option<&Object>,
        claimed: &Object,
        what: Changing,
    ) -> RecordTarget {
        let fresh = fresh.map(|fresh| self.expanded(fresh, OBSERVED));
        let claimed = self.expanded(claimed, OBSERVED);
        let accepted = match what.expanded(OBSERVED) {
            Change::Record(record) => record.job_id,
            _ => None,
        };
        record_target(fresh.as_ref(), &claimed, accepted.as_deref())
    }
}

fn is_refused(outcome: SubmissionOutcome) -> bool {
    matches!(
        outcome,
        SubmissionOutcome::Refused | SubmissionOutcome::Unsent
    )
}

fn request(mark: u8, date: Time) -> ClaimRequest {
    ClaimRequest {
        nonce: nonce(mark),
        now: timestamp(date),
    }
}

/// Checks that a reconcile is repeated unless nothing can change any more.
fn assert_is_repeated(situation: &Situation, decision: &Decision) {
    let ended = matches!(situation.stage, Stage::Rejected | Stage::Failed);
    assert!(
        decision.requeue_after.is_some() || ended,
        "never reconciled again: {situation:?}"
    );
    let shown = situation.shown.as_ref().map(|message| message.reason);
    assert!(!ended || shown != Some(Reason::Restored));
}
