//! What a process remembers of a restore, as the product's own evidence: kept as if it had
//! begun at one point in time, together with its age.

use std::time::Duration;

use index_restore_operator::restore::{Evidence, Situation, Stage};
use index_restore_operator::runtime::clock::BootTime;
use jiff::Timestamp;

use crate::answers::Seen;
use crate::product::{Product, TICK};
use crate::translation::number;
use crate::world::{Mind, Object};

const START: Duration = Duration::from_secs(1_000_000);

/// Until when a claim was observed, as evidence is kept.
pub const OBSERVED: Timestamp = Timestamp::constant(2_000_000_000, 0);

pub fn at(age: u8) -> BootTime {
    BootTime::after_boot(START + TICK * u32::from(age))
}

/// What was learnt: exactly, for the decision, and in the form that is kept.
pub struct Learnt {
    pub exact: Evidence,
    pub mind: Mind,
}

impl Product {
    pub fn nonce_of(&self, evidence: u16) -> Option<u8> {
        self.evidence.borrow()[usize::from(evidence)].1
    }

    /// Whether it says that something is missing, and since when.
    pub fn is_counting(&self, evidence: u16) -> bool {
        let all = self.evidence.borrow();
        !all[usize::from(evidence)].0.age(at(1)).is_zero()
    }

    /// The number of an evidence, the same for all that decisions cannot tell apart:
    /// looks and failures count up to three, and polls not at all: they only say which
    /// poll of a pending job reads its index as well. The job that is known is kept
    /// elsewhere, and times of checks are only written.
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

    /// Learns from what was seen in the given span of the evidence's age.
    pub fn learn(&self, object: &Object, mind: Mind, seen: Seen, looked: (u8, u8)) -> Learnt {
        let before = self.evidence.borrow()[usize::from(mind.evidence)].0.clone();
        let now = OBSERVED + self.ticks(mind.observed);
        let exact = self.look(&before, object, seen, looked, (now, now));
        // The time until which the claim was observed is moved to where it is kept.
        let claim = |evidence: &Evidence| self.observed(object, evidence);
        let until = claim(&exact);
        let unobserved = self.ticks(object.own().map_or(0, |own| own.unobserved));
        let frame = until.map_or((now, now), |_| (OBSERVED, OBSERVED + unobserved));
        let observed = until.map_or(mind.observed, |until| ticks(until, now));
        let (_, age) = looked;
        let is_older = age > 0 && exact.age(at(age)) == TICK * u32::from(age);
        let (looked, age) = if is_older { (looked, age) } else { ((0, 0), 0) };
        let kept = self.look(&before, object, seen, looked, frame);
        assert!(claim(&kept).is_none_or(|until| until == OBSERVED));
        let nothing = Evidence::default();
        let alone = self.look(&nothing, object, seen, (0, 0), (now, now));
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

    /// One look that ended at a time, with the object as of another.
    fn look(
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
        let looked = at(began)..at(ended);
        after.learn(&situation, &observation, looked, self.rules.patience);
        after
    }

    /// Until when this process itself observed the claim.
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

/// How many ticks lie between two times.
pub fn ticks(from: Timestamp, to: Timestamp) -> u8 {
    let passed = Duration::try_from(to.duration_since(from)).unwrap();
    u8::try_from(passed.as_secs() / TICK.as_secs()).unwrap_or(u8::MAX)
}

fn replaced(form: &str, field: &str, value: u32) -> String {
    let (before, rest) = form.split_once(&format!(", {field}: ")).unwrap();
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap();
    format!("{before}, {field}: {value}{}", &rest[digits..])
}
