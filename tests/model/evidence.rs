//! The product's evidence that a process holds about a restore, stored as if it had begun at a fixed
//! time, together with its age.

use std::time::Duration;

use index_restore_operator::restore::{Evidence, Situation, Stage};
use index_restore_operator::runtime::clock::BootTime;
use jiff::Timestamp;

use crate::answers::Seen;
use crate::product::{Product, TICK};
use crate::translation::number;
use crate::world::{Mind, Object};

const START: Duration = Duration::from_secs(1_000_000);

/// The time until which a claim was observed, in stored evidence.
pub const OBSERVED: Timestamp = Timestamp::constant(2_000_000_000, 0);

pub fn at(age: u8) -> BootTime {
    BootTime::after_boot(START + TICK * u32::from(age))
}

/// The evidence after an observation: exact, for the decision, and in its stored form.
pub struct Learnt {
    pub exact: Evidence,
    pub mind: Mind,
}

impl Product {
    pub fn nonce_of(&self, evidence: u16) -> Option<u8> {
        self.evidence.borrow()[usize::from(evidence)].1
    }

    /// Whether the evidence contains an absence and its start.
    pub fn is_counting(&self, evidence: u16) -> bool {
        let all = self.evidence.borrow();
        !all[usize::from(evidence)].0.age(at(1)).is_zero()
    }

    /// The number of an evidence. Evidence that leads to the same decisions has the same number:
    /// observations and failures count up to three. Polls do not count, because they only select the
    /// poll of a pending job that also reads its index. The known job is stored in [`Mind`], and the
    /// times of checks are only written.
    pub fn file(&self, evidence: Evidence) -> u16 {
        let form = format!("{evidence:?}");
        let (form, _) = form.split_once(", known_job: ").unwrap();
        let mut form = form.to_owned();
        for (field, canonical) in [
            ("observations", evidence.observations().min(3)),
            ("failures", evidence.failures().min(3)),
            ("refusals", evidence.refusals().min(1)),
            ("polls", 0),
        ] {
            form = replaced(&form, field, canonical);
        }
        let nonce = form
            .split_once("\"n")
            .map(|(_, rest)| rest.split('"').next().unwrap().parse().unwrap());
        *self.forms.borrow_mut().entry(form).or_insert_with(|| {
            let mut all = self.evidence.borrow_mut();
            all.push((evidence, nonce));
            u16::try_from(all.len() - 1).unwrap()
        })
    }

    /// Adds an observation to the evidence, made in the given span of its age.
    pub fn learn(&self, object: &Object, mind: Mind, seen: Seen, span: (u8, u8)) -> Learnt {
        let before = self.evidence.borrow()[usize::from(mind.evidence)].0.clone();
        let now = OBSERVED + self.ticks(mind.observed);
        let exact = self.observe(&before, object, seen, span, (now, now));
        // In stored evidence, the time until which the claim was observed is fixed.
        let claim = |evidence: &Evidence| self.observed(object, evidence);
        let until = claim(&exact);
        let unobserved = self.ticks(object.own().map_or(0, |own| own.unobserved));
        let frame = until.map_or((now, now), |_| (OBSERVED, OBSERVED + unobserved));
        let observed = until.map_or(mind.observed, |until| ticks(until, now));
        let (_, age) = span;
        let is_older = age > 0 && exact.age(at(age)) == TICK * u32::from(age);
        let (span, age) = if is_older { (span, age) } else { ((0, 0), 0) };
        let kept = self.observe(&before, object, seen, span, frame);
        assert!(claim(&kept).is_none_or(|until| until == OBSERVED));
        let nothing = Evidence::default();
        let alone = self.observe(&nothing, object, seen, (0, 0), (now, now));
        let known = alone.known_job(&self.situation(object));
        let evidence = self.file(kept);
        Learnt {
            exact,
            mind: Mind {
                evidence,
                age,
                observed: self.nonce_of(evidence).map_or(0, |_| observed),
                known: known.map(|job| number(&job.restore_job_id)),
            },
        }
    }

    /// One observation that ended at `now`, with the object as of another time.
    fn observe(
        &self,
        before: &Evidence,
        object: &Object,
        seen: Seen,
        (began, ended): (u8, u8),
        (now, as_of): (Timestamp, Timestamp),
    ) -> Evidence {
        let situation = Situation::of(&self.expanded(object, as_of));
        let observation = self.observation(object, &situation, seen, now);
        let mut after = before.clone();
        let span = at(began)..at(ended);
        after.learn(&situation, &observation, span, self.rules.patience);
        after
    }

    /// The time until which this process observed the claim.
    fn observed(&self, object: &Object, evidence: &Evidence) -> Option<Timestamp> {
        let Stage::Claimed(mut claim) = self.situation(object).stage else {
            return None;
        };
        claim.last_observed_time = None;
        claim.start_time.0 = Timestamp::UNIX_EPOCH;
        let until = evidence.observed_until(&claim);
        (until != Timestamp::UNIX_EPOCH).then_some(until)
    }
}

/// The number of ticks between two times.
pub fn ticks(from: Timestamp, to: Timestamp) -> u8 {
    let passed = Duration::try_from(to.duration_since(from)).unwrap();
    u8::try_from(passed.as_secs() / TICK.as_secs()).unwrap_or(u8::MAX)
}

fn replaced(form: &str, field: &str, value: u32) -> String {
    let (before, rest) = form.split_once(&format!(", {field}: ")).unwrap();
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap();
    format!("{before}, {field}: {value}{}", &rest[digits..])
}
