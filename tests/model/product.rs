//! The product's own pure functions, called on expanded values. What they gave is
//! remembered: the same question comes back in millions of states.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use index_restore_operator::api::{IndexRestore, Reason, SubmissionOutcome};
use index_restore_operator::clock::{BootTime, Now};
use index_restore_operator::restore::answer::Answer;
use index_restore_operator::restore::findings;
use index_restore_operator::restore::history::Trace;
use index_restore_operator::restore::report::ClaimRequest;
use index_restore_operator::restore::{
    Decision, Evidence, Pace, Patience, Question, Rules, Situation, Stage, Standing, after_post,
    after_unsent, ask, decide, holds, standing,
};

use crate::answers::Seen;
use crate::environment::{Design, Environment};
use crate::translation::{Reply, nonce, number, timestamp};
use crate::world::{Changing, HOUR, Listing, Object, Plan, Time, Writing};

/// One tick of the model on the product's clock.
const TICK: Duration = Duration::from_secs(1_000);
const START: Duration = Duration::from_secs(1_000_000);
const PACE: Pace = Pace {
    poll_min: Duration::from_secs(2),
    poll_max: Duration::from_secs(60),
};

/// What a design writes that takes "the name is taken" for the end.
const TAKEN_FOR_GOOD: Writing = Writing {
    reason: Reason::IndexAlreadyExists,
    change: Changing::Close(SubmissionOutcome::Refused, Some(Reason::IndexAlreadyExists)),
};

/// What a pass decided, and what it knows now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decided {
    pub plan: Plan,
    pub evidence: u16,
    pub age: u8,
}

type Remembered<K, V> = RefCell<HashMap<K, V>>;

/// What a decision is made of: the object, the evidence and its age, what was seen and
/// how long ago, and whether an hour passed.
type Asked = (Object, u16, u8, (Seen, u8), bool);

pub struct Product {
    pub environment: Environment,
    rules: Rules,
    /// Every evidence that was met, and the nonce that it is about; what its form
    /// stands for is in `forms`.
    evidence: RefCell<Vec<(Evidence, Option<u8>)>>,
    forms: Remembered<String, u16>,
    questions: Remembered<(Object, u16), Question>,
    decisions: Remembered<Asked, Decided>,
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
        let patience = match environment.design {
            Design::NoPatience => Patience {
                confirm: Duration::ZERO,
                catch_up: Duration::ZERO,
                give_up: TICK * u32::from(HOUR),
            },
            _ => Patience {
                confirm: TICK * u32::from(timing.confirm),
                catch_up: TICK * u32::from(timing.catch_up),
                give_up: TICK * u32::from(HOUR),
            },
        };
        let product = Self {
            environment,
            rules: Rules {
                pace: PACE,
                patience,
            },
            evidence: RefCell::default(),
            forms: RefCell::default(),
            questions: RefCell::default(),
            decisions: RefCell::default(),
            writes: RefCell::default(),
            replies: RefCell::default(),
        };
        product.file(Evidence::default());
        product
    }

    /// The object as the product sees it.
    fn expanded(&self, object: &Object) -> IndexRestore {
        let mut object = *object;
        if self.environment.design == Design::UidUnchecked
            && let Some(submission) = &mut object.submission
        {
            submission.uid = object.uid;
        }
        object.expanded(self.environment.adoption)
    }

    pub fn nonce_of(&self, evidence: u16) -> Option<u8> {
        self.evidence.borrow()[usize::from(evidence)].1
    }

    /// Whether it says that something is missing, and since when.
    pub fn is_counting(&self, evidence: u16) -> bool {
        let all = self.evidence.borrow();
        !all[usize::from(evidence)].0.age(at(1)).is_zero()
    }

    /// The number of an evidence, the same for all that decisions cannot tell apart:
    /// looks and failures count up to three, and polls not
    /// at all: they only say which poll of a pending job reads its index as well.
    fn file(&self, evidence: Evidence) -> u16 {
        let mut form = format!("{evidence:?}");
        for (field, canonical) in [
            ("looks", evidence.looks().min(3)),
            ("failures", evidence.failures().min(3)),
            ("refusals", evidence.refusals().min(1)),
            ("polls", 0),
        ] {
            form = replaced(&form, field, canonical);
        }
        let nonce = form
            .split_once("nonce: \"")
            .map(|(_, rest)| number(rest.split('"').next().unwrap()));
        *self.forms.borrow_mut().entry(form).or_insert_with(|| {
            let mut all = self.evidence.borrow_mut();
            all.push((evidence, nonce));
            u16::try_from(all.len() - 1).unwrap()
        })
    }

    pub fn ask(&self, object: &Object, evidence: u16) -> Question {
        remembered(&self.questions, (*object, evidence), |_| {
            let situation = Situation::of(&self.expanded(object));
            ask(&situation, &self.evidence.borrow()[usize::from(evidence)].0)
        })
    }

    /// Learns from what was seen, and decides as of the time before the reads, which
    /// were `frozen` ticks ago. `hour` says whether an hour passed since the
    /// submission.
    pub fn decide(
        &self,
        object: &Object,
        evidence: u16,
        age: u8,
        (seen, frozen): (Seen, u8),
        hour: bool,
    ) -> Decided {
        let key = (*object, evidence, age, (seen, frozen), hour);
        remembered(&self.decisions, key, |_| {
            let expanded = self.expanded(object);
            let situation = Situation::of(&expanded);
            let answer = self.answer(object, &situation, seen);
            let before = self.evidence.borrow()[usize::from(evidence)].0.clone();
            let catch_up = self.rules.patience.catch_up;
            let began = age.saturating_sub(frozen);
            let looked = (began, age);
            let (learnt, age) = learn(&before, looked, (&situation, &answer), catch_up);
            let submitted = object.own().map_or(0, |own| own.start);
            let passed = if hour { TICK * u32::from(HOUR) } else { TICK };
            let now = Now {
                wall: timestamp(submitted) + jiff::SignedDuration::try_from(passed).unwrap(),
                boot: at(began.min(age)),
            };
            let decision = decide(&situation, &learnt, &answer, &self.rules, now);
            assert_rests_in_order(&situation, &decision);
            Decided {
                plan: Plan::of(&decision),
                evidence: self.file(learnt),
                age,
            }
        })
    }

    /// Which earlier job has to be confirmed by its ID.
    pub fn earlier(&self, object: &Object, jobs: &Listing) -> Option<u8> {
        let situation = Situation::of(&self.expanded(object));
        match situation.trace(&jobs.jobs()) {
            Trace::Earlier(job) => Some(number(&job.restore_job_id)),
            Trace::Ours(_) | Trace::None => None,
        }
    }

    /// The object with that written into its status.
    pub fn written(&self, object: &Object, writing: Writing) -> Object {
        remembered(&self.writes, (*object, writing), |_| {
            let status = writing
                .expanded()
                .status(&self.expanded(object), timestamp(0));
            object.with(&status)
        })
    }

    pub fn claimed(&self, object: &Object, mark: u8, date: Time) -> Object {
        let request = request(mark, date);
        object.with(&request.status(&self.expanded(object), &findings::pending()))
    }

    pub fn holds(&self, object: &Object, mark: u8) -> bool {
        let mark = match (self.environment.design, object.submission) {
            (Design::NoNonce, Some(any)) => any.nonce,
            _ => mark,
        };
        holds(&self.expanded(object), &request(mark, 0))
    }

    /// What the answer to the create request means.
    pub fn after_post(&self, claimed: &Object, reply: Reply, evidence: u16) -> (Writing, u16) {
        remembered(&self.replies, (*claimed, reply, evidence), |_| {
            let posted = reply.classified();
            let mut learnt = self.evidence.borrow()[usize::from(evidence)].0.clone();
            learnt.learn_posted(matches!(reply, Reply::NoBackup | Reply::RateLimited));
            let situation = Situation::of(&self.expanded(claimed));
            let (report, _) = after_post(&posted, &situation, learnt.refusals(), PACE);
            if self.environment.design == Design::ConflictIsFailure && reply == Reply::Taken {
                return (TAKEN_FOR_GOOD, self.file(learnt));
            }
            (Writing::of(&report), self.file(learnt))
        })
    }

    pub fn after_unsent(&self, claimed: &Object) -> Writing {
        let situation = Situation::of(&self.expanded(claimed));
        Writing::of(&after_unsent(&situation, PACE).0)
    }

    /// Whether the outcome still belongs into the object as it is now.
    pub fn belongs(&self, fresh: Option<&Object>, claimed: &Object, what: Changing) -> Standing {
        let fresh = fresh.map(|fresh| self.expanded(fresh));
        standing(fresh.as_ref(), &self.expanded(claimed), &what.expanded())
    }
}

fn request(mark: u8, date: Time) -> ClaimRequest {
    ClaimRequest {
        nonce: nonce(mark),
        now: timestamp(date),
    }
}

fn at(age: u8) -> BootTime {
    BootTime::after_boot(START + TICK * u32::from(age))
}

/// Evidence is kept as if it had begun at `START`, together with its age.
fn learn(
    before: &Evidence,
    (began, age): (u8, u8),
    (situation, answer): (&Situation, &Answer),
    catch_up: Duration,
) -> (Evidence, u8) {
    let look = |began, ended| {
        let mut after = before.clone();
        after.learn(situation, answer, at(began)..at(ended), catch_up);
        after
    };
    let later = look(began, age);
    if age > 0 && later.age(at(age)) == TICK * u32::from(age) {
        return (later, age);
    }
    (look(0, 0), 0)
}

/// Passes repeat themselves but where nothing can change any more.
fn assert_rests_in_order(situation: &Situation, decision: &Decision) {
    let ended = matches!(situation.stage, Stage::Rejected | Stage::Failed);
    assert!(
        decision.again.is_some() || ended,
        "never looked at again: {situation:?}"
    );
    let shown = situation.shown.as_ref().map(|finding| finding.reason);
    assert!(!ended || shown != Some(Reason::Restored));
}

fn replaced(form: &str, field: &str, value: u32) -> String {
    let (before, rest) = form.split_once(&format!(", {field}: ")).unwrap();
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap();
    format!("{before}, {field}: {value}{}", &rest[digits..])
}
