//! Other IndexRestores of the same backup and name.

use super::claimed::search;
use super::origins::{jobs, never, ours as ours_named, record, report, taken};
use super::*;
use crate::restore::{Change, Rivals};

fn with_rivals(answer: &Answer, rivals: &Rivals) -> Answer {
    let mut answer = answer.clone();
    match &mut answer {
        Answer::FindOurs(search) => search.jobs.as_mut().unwrap().rivals = rivals.clone(),
        Answer::MaySubmit(seen) => {
            let jobs = seen.jobs.as_mut().unwrap();
            jobs.as_mut().unwrap().rivals = rivals.clone();
        }
        _ => panic!("no jobs"),
    }
    answer
}

#[test]
fn does_not_take_a_job_while_a_rival_has_precedence() {
    let rivals = Rivals {
        jobs: vec![],
        has_precedence: true,
        newest_open: None,
    };
    let ours = job("j", 2, "Pending");
    let there = search(
        Some(index(true, "Ready")),
        std::slice::from_ref(&ours),
        true,
    );
    let decision = decision_after(&claimed("Taken"), &with_rivals(&there, &rivals), 1, 1);
    assert_eq!(reason(&decision), Some(Reason::ConfirmingSubmission));
    let unsent = taken(index(true, "Ready"), jobs(std::slice::from_ref(&ours)));
    let decision = decision_after(&claimed("Abandoned"), &with_rivals(&unsent, &rivals), 9, 20);
    assert_eq!(decision.step, Step::Keep);
    let source = search(Some(ours_named()), &[], true);
    let decision = decision_after(&claimed("Taken"), &with_rivals(&source, &rivals), 20, 20);
    assert!(!matches!(report(decision).change, Change::Record(_)));
}

#[test]
fn does_not_take_a_job_while_a_rivals_answer_may_arrive() {
    let jobs = [job("j", 2, "Pending")];
    let rivals = Rivals {
        newest_open: Some(time(20)),
        ..Rivals::default()
    };
    let there = search(Some(index(true, "Ready")), &jobs, true);
    let there = with_rivals(&there, &rivals);
    let situation = Situation::of(&claimed("Open"));
    for (second, is_own) in [(0, false), (199, false), (200, true)] {
        let (mut evidence, now) = (Evidence::default(), now(second));
        let answer = ended(&there, now);
        learn(&mut evidence, &situation, &answer, now);
        let decision = decide(
            &situation,
            &evidence,
            &answer.to(&situation, &evidence),
            &RULES,
            now,
        );
        let change = report(decision).change;
        assert_eq!(matches!(change, Change::Record(_)), is_own, "{second}");
    }
}

#[test]
fn adopts_or_ignores_a_rivals_job_and_never_owns_it() {
    let theirs = job("theirs", 2, "Pending");
    let rivals = Rivals {
        jobs: vec!["theirs".into()],
        has_precedence: false,
        newest_open: None,
    };
    let mut seen = jobs(std::slice::from_ref(&theirs));
    seen.confirmed = Some(theirs);
    let answer = Answer::FindOurs(Search {
        ended: time(0),
        index: Ok(Some(index(true, "Ready"))),
        jobs: Ok(seen),
        backup: backup("Ready"),
    });
    let answer = with_rivals(&answer, &rivals);
    assert!(record(decision_after(&claimed("Taken"), &answer, 1, 1)).adopted);
    let decision = decision_after(&never(claimed("Taken")), &answer, 1, 1);
    assert_eq!(reason(&decision), Some(Reason::IndexAlreadyExists));
}

#[test]
fn gives_one_of_two_open_claims_precedence() {
    let rival = |uid: &str, outcome: &str, backup: &str, job: Option<&str>| {
        let mut rival = claimed(outcome);
        rival.metadata.uid = Some(uid.into());
        let status = rival.status.as_mut().unwrap();
        status.restore_job_id = job.map(Into::into);
        let submission = status.submission.as_mut().unwrap();
        submission.uid = uid.into();
        submission.backup_id = backup.into();
        rival
    };
    let mut copied = claimed("Open");
    copied.metadata.uid = Some("u-0".into());
    for (own, rival, expected, is_awaited) in [
        ("Open", rival("u-0", "Open", "b", None), true, false),
        ("Open", rival("u-2", "Open", "b", None), false, true),
        ("Taken", rival("u-2", "Open", "b", None), true, false),
        ("Open", rival("u-0", "Taken", "b", None), false, false),
        ("Taken", rival("u-0", "Taken", "b", None), true, false),
        ("Abandoned", rival("u-2", "Open", "b", None), true, false),
        ("Taken", rival("u-0", "Open", "c", None), false, false),
        ("Taken", rival("u-0", "Refused", "b", None), false, false),
        ("Taken", rival("u-0", "Accepted", "b", None), false, false),
        // Its claim was made for another object.
        ("Taken", copied, false, false),
    ] {
        let mut rivals = Rivals::default();
        rivals.add(&Situation::of(&claimed(own)), &rival);
        assert_eq!(rivals.has_precedence, expected, "{own}, {rival:?}");
        assert_eq!(rivals.newest_open.is_some(), is_awaited, "{own}, {rival:?}");
        assert!(rivals.jobs.is_empty());
    }
    let mut rivals = Rivals::default();
    let recorded = rival("u-2", "Accepted", "b", Some("j"));
    rivals.add(&Situation::of(&claimed("Taken")), &recorded);
    assert_eq!(rivals.jobs, ["j"]);
}
