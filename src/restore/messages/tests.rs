//! Rules that hold for every message, whatever its reason.

mod samples;

use std::collections::BTreeSet;

use samples::{Sample, samples};

use crate::api::{Reason, Truth};

/// Longest message without the other side's own words, in characters.
const MAX_LENGTH: usize = 300;

/// What a message of a restore that is not ready says next: what the operator does, or what to do.
const NEXT: [&str; 21] = [
    "retries",
    "checks again",
    "Checking again",
    "submits",
    "follows",
    "records",
    "Add",
    "Grant",
    "Apply",
    "Check ",
    "Correct",
    "Create",
    "create",
    "Delete",
    "delete",
    "Enable",
    "Set",
    "set the annotation",
    "Settle",
    "Store",
    "Update",
];

/// Verbs of what the operator does after a time.
const REPEATED: [&str; 3] = ["retries", "checks again", "Checking again"];

/// Returns what is wrong with a message.
fn faults(reason: Reason, text: &str) -> Vec<&'static str> {
    let sentences: Vec<_> = text.split(". ").collect();
    let begins = |sentence: &&str| sentence.starts_with(|c: char| c.is_ascii_uppercase());
    let is_chain = |sentence: &&str| sentence.matches(';').count() > 1;
    let is_ready = reason.condition_states().ready == Truth::True;
    [
        (text.chars().count() >= MAX_LENGTH, "is too long"),
        (
            !sentences.iter().all(begins),
            "has a sentence that begins without a capital letter",
        ),
        (
            !text.ends_with('.') || text.ends_with(".."),
            "does not end with one full stop",
        ),
        (
            sentences.iter().any(is_chain),
            "chains clauses by semicolons",
        ),
        (!is_ready && sentences.len() < 2, "says one thing only"),
        (
            !is_ready && !NEXT.iter().any(|verb| text.contains(verb)),
            "does not say what is next",
        ),
        (
            !REPEATED.iter().all(|verb| has_time(text, verb)),
            "does not say when it is repeated",
        ),
    ]
    .into_iter()
    .filter_map(|(is_wrong, fault)| is_wrong.then_some(fault))
    .collect()
}

/// Whether each sentence with this verb names a time after it.
fn has_time(text: &str, verb: &str) -> bool {
    text.split(". ")
        .all(|sentence| match sentence.split_once(verb) {
            None => true,
            Some((_, rest)) => [" every ", " within ", " in "].iter().any(|word| {
                rest.match_indices(word).any(|(at, _)| {
                    let time = &rest[at + word.len()..];
                    time.starts_with(|c: char| c.is_ascii_digit())
                })
            }),
        })
}

#[test]
fn every_message_says_what_is_true_and_what_is_next_in_short_sentences() {
    let mut wrong = Vec::new();
    for Sample { name, message } in samples() {
        for fault in faults(message.reason, &message.text) {
            wrong.push(format!("{name} {fault}: {}", message.text));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_reason_has_a_message() {
    let reasons: Vec<_> = samples()
        .iter()
        .map(|sample| sample.message.reason)
        .collect();
    for reason in Reason::ALL {
        assert!(reasons.contains(&reason), "{reason:?}");
    }
}

#[test]
fn every_constructor_of_a_message_has_a_sample() {
    let sources = [
        include_str!("mod.rs"),
        include_str!("failed_requests.rs"),
        include_str!("job.rs"),
        include_str!("origin.rs"),
        include_str!("restored.rs"),
        include_str!("submission.rs"),
    ];
    let constructors: BTreeSet<_> = sources
        .iter()
        .flat_map(|source| source.lines())
        .filter_map(|line| line.strip_prefix("pub fn ")?.split('(').next())
        .collect();
    let samples = samples();
    let named: BTreeSet<_> = samples.iter().map(|sample| sample.name).collect();
    assert_eq!(named, constructors);
}

#[test]
fn a_bad_message_is_found() {
    let long = "x".repeat(MAX_LENGTH);
    let bad = [
        (format!("Pinecone says {long}. Set it."), "too long"),
        ("no index. Set it.".into(), "capital letter"),
        ("No index. Set it".into(), "full stop"),
        ("No index; none; none. Set it.".into(), "semicolons"),
        ("No index, so Set it.".into(), "one thing"),
        ("No index. It is awaited.".into(), "what is next"),
        ("No index. The operator retries soon.".into(), "when"),
        (
            "No index. The operator retries. It ran within 20 s.".into(),
            "when",
        ),
    ];
    for (text, named) in bad {
        let found = faults(Reason::IndexDeleted, &text);
        assert!(
            found.len() == 1 && found[0].contains(named),
            "{text}: {found:?}"
        );
    }
    let good = "Pinecone shows no index. The operator retries at least every 20 s.";
    assert_eq!(faults(Reason::IndexDeleted, good), [""; 0]);
    assert_eq!(faults(Reason::Restored, "Index a is ready."), [""; 0]);
}

#[test]
fn a_spec_that_cannot_be_edited_is_said_once_also_after_an_upgrade() {
    let earlier = "index i exists (an earlier request may still take effect, so this spec cannot be edited: to change it, delete this IndexRestore and apply another)";
    let earlier = crate::api::StatusMessage::new(Reason::IndexAlreadyExists, earlier);
    assert_eq!(super::frozen(earlier.clone()), earlier);
    let is_certain = |sample: &Sample| !sample.message.text.contains("cannot be determined");
    for Sample { message, .. } in samples().into_iter().filter(is_certain) {
        let frozen = super::frozen(message);
        assert_eq!(
            faults(frozen.reason, &frozen.text),
            [""; 0],
            "{}",
            frozen.text
        );
        assert_eq!(super::frozen(frozen.clone()), frozen);
    }
}
