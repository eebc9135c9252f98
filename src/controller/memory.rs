use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::api::IndexRestore;
use crate::restore::{Answer, Evidence, Question};
use crate::runtime::clock::BootTime;

/// What is remembered of each object between reconciles. Nothing here is needed for
/// safety: losing it costs patience and a request.
#[derive(Default)]
pub struct Memory {
    known: Mutex<Known>,
}

/// What was learnt in one term of leadership. Between two terms another process
/// may have acted, so that nothing learnt before counts.
#[derive(Default)]
struct Known {
    term: u64,
    objects: HashMap<String, Remembered>,
}

#[derive(Clone, Default)]
pub(super) struct Remembered {
    pub evidence: Evidence,
    /// The version that was left in order, with those before it that the cache may
    /// still show, and until when.
    pub rest: Option<(Vec<String>, BootTime)>,
    /// The cache was behind: ask the API server.
    pub is_stale: bool,
    pub errors: u32,
    pub held: Option<Held>,
}

impl Remembered {
    /// Holds the answer, if it asks for a pause. One that is held stays until its own pause is over,
    /// also where another question was answered meanwhile: the cache may show the object at an
    /// earlier stage for a moment.
    pub(super) fn hold(&mut self, held: Option<Held>) {
        if held.is_some() {
            self.held = held;
        }
    }
}

/// An answer with which Pinecone asked for a pause. Until that is over it answers the
/// same sort of question again: a reconcile that has to be repeated asks nobody, and what it has to
/// report is not lost.
#[derive(Clone)]
pub(super) struct Held {
    question: Question,
    generation: Option<i64>,
    answer: Answer,
    until: BootTime,
}

impl Held {
    /// Nothing, where no pause was asked for.
    pub(super) fn of(
        object: &IndexRestore,
        question: Question,
        answer: &Answer,
        now: BootTime,
    ) -> Option<Self> {
        let asked = answer.asked_pause()?;
        Some(Self {
            question,
            generation: object.metadata.generation,
            answer: answer.clone(),
            until: now.plus(asked),
        })
    }

    /// The answer, if this was the sort of question and the pause is not over.
    pub(super) fn answer(
        &self,
        object: &IndexRestore,
        question: Question,
        now: BootTime,
    ) -> Option<Answer> {
        let sort = std::mem::discriminant;
        let same = sort(&self.question) == sort(&question)
            && self.generation == object.metadata.generation;
        (same && now < self.until).then(|| self.answer.clone())
    }
}

impl Memory {
    pub(super) fn of(&self, term: u64, uid: &str) -> Remembered {
        let known = self.lock();
        let own = known.objects.get(uid).filter(|_| known.term == term);
        own.cloned().unwrap_or_default()
    }

    /// Keeps it for that term; a term that is over keeps nothing.
    pub(super) fn keep(&self, term: u64, uid: &str, remembered: Remembered) {
        let mut known = self.lock();
        if known.term < term {
            *known = Known {
                term,
                objects: HashMap::new(),
            };
        }
        if known.term == term {
            known.objects.insert(uid.to_owned(), remembered);
        }
    }

    /// Stores an answer, whatever the outcome of the reconcile.
    pub(super) fn hold(&self, term: u64, uid: &str, held: Held) {
        let mut remembered = self.of(term, uid);
        remembered.held = Some(held);
        self.keep(term, uid, remembered);
    }

    /// Counts an error and says how many there were in a row.
    pub(super) fn failed(&self, uid: &str) -> u32 {
        let mut known = self.lock();
        let remembered = known.objects.entry(uid.to_owned()).or_default();
        remembered.errors = remembered.errors.saturating_add(1);
        remembered.is_stale = true;
        remembered.rest = None;
        remembered.errors
    }

    /// Forgets objects that are no more.
    pub(super) fn retain(&self, uids: &HashSet<String>) {
        self.lock().objects.retain(|uid, _| uids.contains(uid));
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::pinecone::{Failure, FailureKind};

    fn restore() -> IndexRestore {
        serde_json::from_value(serde_json::json!({
            "apiVersion": "restore.pinecone.io/v1alpha1",
            "kind": "IndexRestore",
            "metadata": {"name": "a", "generation": 1},
            "spec": {"backupId": "b", "indexName": "i", "apiKeySecretRef": {"name": "s"}},
        }))
        .unwrap()
    }

    fn stale() -> Remembered {
        Remembered {
            is_stale: true,
            ..Remembered::default()
        }
    }

    #[test]
    fn what_was_learnt_in_one_term_is_unknown_in_the_next() {
        let memory = Memory::default();
        memory.keep(1, "a", stale());
        memory.keep(1, "b", stale());
        assert!(memory.of(1, "a").is_stale);
        assert!(!memory.of(2, "a").is_stale);
        memory.keep(2, "b", stale());
        assert!(memory.of(2, "b").is_stale && !memory.of(2, "a").is_stale);
    }

    #[test]
    fn an_answer_with_a_pause_is_one_to_its_question_until_the_pause_is_over() {
        let now = BootTime::after_boot(Duration::from_secs(100));
        let mut object = restore();
        let mut failure = Failure::without_answer(FailureKind::Unavailable, "away");
        let answer = |failure: &Failure| Answer::StillThere(Err(failure.clone()).into());
        let asked = Question::StillThere { by_list: true };
        assert!(Held::of(&object, asked, &answer(&failure), now).is_none());
        failure.retry_after = Some(Duration::from_secs(30));
        let held = Held::of(&object, asked, &answer(&failure), now).unwrap();
        let later = |seconds| now.plus(Duration::from_secs(seconds));
        assert_eq!(
            held.answer(&object, asked, later(29)),
            Some(answer(&failure))
        );
        assert_eq!(held.answer(&object, asked, later(30)), None);
        assert_eq!(held.answer(&object, Question::FindOurs, later(1)), None);
        object.metadata.generation = Some(2);
        assert_eq!(held.answer(&object, asked, later(1)), None);
    }

    #[test]
    fn another_answer_does_not_end_a_pause() {
        let now = BootTime::after_boot(Duration::from_secs(100));
        let object = restore();
        let mut failure = Failure::without_answer(FailureKind::Unavailable, "away");
        failure.retry_after = Some(Duration::from_secs(30));
        let asked = Question::StillThere { by_list: true };
        let answer = Answer::StillThere(Err(failure).into());
        let mut remembered = Remembered::default();
        remembered.hold(Held::of(&object, asked, &answer, now));
        remembered.hold(Held::of(&object, Question::FindOurs, &Answer::Nothing, now));
        let held = remembered.held.unwrap();
        assert_eq!(held.answer(&object, asked, now), Some(answer));
    }

    #[test]
    fn a_held_answer_outlives_its_reconcile_but_not_its_term() {
        let memory = Memory::default();
        let object = restore();
        let mut failure = Failure::without_answer(FailureKind::Unavailable, "away");
        failure.retry_after = Some(Duration::from_secs(30));
        let asked = Question::StillThere { by_list: true };
        let answer = Answer::StillThere(Err(failure).into());
        let held = Held::of(&object, asked, &answer, BootTime::now());
        memory.hold(1, "a", held.unwrap());
        assert_eq!(memory.failed("a"), 1);
        assert!(memory.of(1, "a").held.is_some());
        assert!(memory.of(2, "a").held.is_none());
    }

    #[test]
    fn a_reconcile_of_a_term_that_is_over_leaves_nothing() {
        let memory = Memory::default();
        memory.keep(2, "a", Remembered::default());
        memory.keep(1, "a", stale());
        assert!(!memory.of(2, "a").is_stale);
    }
}
