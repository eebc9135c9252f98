//! Arms of the pure core that no other test comes by.

use super::*;
use crate::api::{AdoptionPolicy, SubmissionOutcome};
use crate::caches::KeyProblem;
use crate::pinecone::{Posted, found};
use crate::restore::report::{Change, Report, restore_status};
use crate::restore::{after_post, after_unsent};

fn follow(job: Option<RestoreJob>, index: Option<Option<Index>>) -> Answer {
    Answer::Follow {
        job: Ok(job),
        index: index.map(Ok),
    }
}

/// The object with that reason in its status.
fn shown(mut object: IndexRestore, reason: Reason) -> IndexRestore {
    let message = crate::api::StatusMessage::new(reason, "m");
    let report = Report::new(message, Change::Nothing);
    object.status = Some(report.status(&object, time(1)));
    object
}

#[test]
fn asks_the_question_of_each_stage() {
    let running = accepted(json!({"state": "Pending"}), None);
    let mut refused = claim("Refused");
    refused["reason"] = json!("InvalidRequest");
    for (object, asked) in [
        (object(Value::Null), "may it be submitted"),
        (claimed("Abandoned"), "may it be submitted, with jobs"),
        (object(json!({"submission": refused})), "none"),
        (claimed("Open"), "what is the outcome"),
        (claimed("Accepted"), "how far is the job"),
        (running.clone(), "how far is the job"),
        (accepted(json!({"state": "Failed"}), None), "none"),
        (
            accepted(json!({"state": "Completed"}), Some("h")),
            "is the index there, by list",
        ),
    ] {
        assert_eq!(question(&object, &Evidence::default()), asked);
    }
    let situation = Situation::of(&running);
    let mut evidence = Evidence::default();
    let polled: Vec<_> = (0..8)
        .map(|second| {
            let answer = follow(Some(job("j", 1, "Pending")), None);
            let asked = question(&running, &evidence);
            learn(&mut evidence, &situation, &answer, now(second));
            asked == "how far is the job, with index"
        })
        .collect();
    let every_fourth = [false, false, false, true].repeat(2);
    assert_eq!(polled, every_fourth);
}

#[test]
fn takes_only_pinecones_own_not_found_for_an_answer() {
    assert_eq!(found::<u8>(Ok(1)), Ok(Some(1)));
    assert_eq!(found::<u8>(Err(failure(FailureKind::NotFound))), Ok(None));
    let failed = failure(FailureKind::Unavailable);
    assert_eq!(found::<u8>(Err(failed.clone())), Err(failed));
    for (kind, refused) in [
        (FailureKind::Unauthorized, true),
        (FailureKind::Forbidden, false),
    ] {
        let done = Situation::of(&accepted(json!({"state": "Completed"}), Some("h")));
        let observation = still(Err(failure(kind))).to(&done, &Evidence::default());
        assert_eq!(observation.is_unauthorized(), refused);
        let no_key = Answer::NoKey(KeyProblem::NoSecret("s".into()));
        let observation = no_key.to(&done, &Evidence::default());
        assert!(!observation.is_unauthorized() && observation.is_incomplete());
    }
}

#[test]
fn counts_refusals_in_a_row() {
    let mut evidence = Evidence::default();
    for (is_refused, count) in [(true, 1), (true, 2), (false, 0), (true, 1)] {
        evidence.learn_posted(is_refused);
        assert_eq!(evidence.refusals(), count);
    }
}

#[test]
fn distinguishes_a_missing_permission_from_a_full_project() {
    let refused = failure(FailureKind::PermissionDenied);
    let situation = Situation::of(&claimed("Open"));
    let reported = after_post(&Posted::NoEffect(refused), &situation, 1, RULES.intervals);
    assert!(format!("{reported:?}").contains("PermissionDenied"));
}

#[test]
fn closes_a_claim_that_was_too_old_as_unsent() {
    let close = |object| after_unsent(&Situation::of(&object), 1, RULES.intervals).0;
    let reported = format!("{:?}", close(claimed("Open")));
    assert!(
        reported.contains("Unsent") && reported.contains("Pending"),
        "{reported}"
    );
}

#[test]
fn claims_less_often_the_more_of_them_were_too_old() {
    let situation = Situation::of(&claimed("Open"));
    let mut evidence = Evidence::default();
    let mut waits = Vec::new();
    for _ in 0..20 {
        evidence.learn_unsent();
        waits.push(after_unsent(&situation, evidence.unsent(), RULES.intervals).1);
    }
    let poll_min = RULES.intervals.poll_min;
    assert_eq!(waits[..3], [poll_min, 2 * poll_min, 4 * poll_min]);
    assert_eq!(waits[19], RULES.intervals.stalled());
    evidence.learn_posted(false);
    assert_eq!(evidence.unsent(), 0);
}

/// A refusal that was shown before the claim is not said to be over by a request that
/// was never sent.
#[test]
fn keeps_the_message_after_a_claim_that_was_not_used() {
    let object = shown(claimed("Open"), Reason::QuotaExceeded);
    let (report, _) = after_unsent(&Situation::of(&object), 1, RULES.intervals);
    assert_eq!(report.message.reason, Reason::QuotaExceeded);
    let status = report.status(&object, time(2));
    assert_eq!(
        status.submission.unwrap().outcome,
        SubmissionOutcome::Unsent
    );
}

#[test]
fn ends_an_adopted_restore_as_adopted_with_its_host() {
    let mut adopted = accepted(json!({"state": "Pending"}), None);
    let status = adopted.status.as_mut().unwrap();
    status.submission.as_mut().unwrap().outcome = SubmissionOutcome::Adopted;
    let answer = follow(
        Some(job("j", 1, "Completed")),
        Some(Some(index(true, "Ready"))),
    );
    let Step::Report(report) = decision_after(&adopted, &answer, 1, 1).step else {
        panic!("nothing to write")
    };
    assert_eq!(report.message.reason, Reason::Adopted);
    let status = report.status(&adopted, time(2));
    assert_eq!(status.index_host.as_deref(), Some("index.host"));
}

#[test]
fn reports_an_index_that_is_never_shown_as_deleted() {
    let running = accepted(json!({"state": "Pending"}), None);
    let gone = follow(Some(job("j", 1, "Completed")), Some(None));
    let reason_after = |observations| reason(&decision_after(&running, &gone, observations, 30));
    assert_eq!(reason_after(4), Some(Reason::IndexNotReady));
    assert_eq!(reason_after(5), Some(Reason::IndexDeleted));
}

#[test]
fn keeps_a_conclusion_until_there_is_new_evidence() {
    let pending = follow(Some(job("j", 1, "Pending")), None);
    let failed = shown(accepted(json!({}), None), Reason::IndexFailed);
    assert_eq!(decision_after(&failed, &pending, 1, 1).step, Step::Keep);
    for reason in [Reason::IndexDeleted, Reason::RestoreJobNotFound] {
        let lost = shown(accepted(json!({}), None), reason);
        let decision = decision_after(&lost, &follow(None, Some(None)), 1, 1);
        assert_eq!(decision.step, Step::Keep);
    }
    let taken = Answer::MaySubmit(Preflight {
        jobs: Some(restore_jobs(&[], None)),
        ..preflight(Some(index(true, "Ready")), None)
    });
    let exists = shown(claimed("Refused"), Reason::IndexAlreadyExists);
    assert_eq!(decision_after(&exists, &taken, 1, 1).step, Step::Keep);
}

#[test]
fn takes_an_unready_index_or_one_without_host_for_the_same_index() {
    let done = accepted(json!({"state": "Completed"}), Some("index.host"));
    let scaling = still(Ok(Some(index(false, "ScalingUp"))));
    let decision = decision_after(&done, &scaling, 1, 1);
    assert_eq!(reason(&decision), Some(Reason::IndexNotReady));
    assert_eq!(decision.requeue_after, Some(RULES.intervals.poll_max));
    let mut hostless = index(true, "Ready");
    hostless.host = None;
    let decision = decision_after(&done, &still(Ok(Some(hostless))), 1, 1);
    assert_eq!(reason(&decision), Some(Reason::Restored));
    let unrecorded = accepted(json!({"state": "Completed"}), Some(""));
    let ready = still(Ok(Some(index(true, "Ready"))));
    let decision = decision_after(&unrecorded, &ready, 1, 1);
    assert_eq!(reason(&decision), Some(Reason::Restored));
}

#[test]
fn shows_progress_in_whole_numbers_within_bounds() {
    for (reported, shown) in [
        (None, None),
        (Some(42.9), Some(42)),
        (Some(-1.0), Some(0)),
        (Some(1e9), Some(100)),
        (Some(f64::NAN), None),
    ] {
        let mut job = job("j", 1, "Completed");
        job.percent_complete = reported;
        job.completed_at = Some(time(9));
        let status = restore_status(&job);
        assert_eq!(status.percent_complete, shown, "{reported:?}");
        assert_eq!(status.completion_time.map(|at| at.0), Some(time(9)));
    }
}

#[test]
fn shows_how_long_the_job_took_once_it_ended() {
    let mut job = job("j", 1, "Completed");
    job.created_at = Some(time(1));
    for (ended, shown) in [
        (None, None),
        (Some(1), Some("0s")),
        (Some(9), Some("8s")),
        (Some(3_921), Some("1h5m20s")),
        (Some(90_001), Some("25h")),
    ] {
        job.completed_at = ended.map(time);
        assert_eq!(restore_status(&job).duration.as_deref(), shown);
    }
}

#[test]
fn does_not_close_a_missing_submission() {
    let message = crate::restore::messages::pending();
    let status = Report::new(message, Change::Taken).status(&object(Value::Null), time(1));
    assert_eq!(status.submission, None);
}

#[test]
fn waits_for_a_change_after_a_restore_failed() {
    let failed = accepted(json!({"state": "Failed"}), None);
    let decision = decision_after(&failed, &Answer::Nothing, 1, 1);
    assert_eq!((decision.step, decision.requeue_after), (Step::Keep, None));
}

#[test]
fn does_not_submit_while_the_backup_was_not_read() {
    let unasked = Answer::MaySubmit(preflight(None, None));
    assert_eq!(
        decision_after(&object(Value::Null), &unasked, 1, 1).step,
        Step::Keep
    );
}

#[test]
fn reports_what_each_stage_knows_without_a_key() {
    let no_key = Answer::NoKey(KeyProblem::NoSecret("s".into()));
    let mut never = object(Value::Null);
    never.spec.adoption_policy = AdoptionPolicy::Never;
    for (object, expected) in [
        (never, Some(Reason::SecretNotFound)),
        (claimed("Open"), Some(Reason::ConfirmingSubmission)),
        (accepted(json!({}), None), Some(Reason::SecretNotFound)),
        (accepted(json!({"state": "Failed"}), None), None),
        (
            accepted(json!({"state": "Completed"}), Some("h")),
            Some(Reason::Restored),
        ),
    ] {
        assert_eq!(reason(&decision_after(&object, &no_key, 1, 1)), expected);
    }
}

#[test]
fn reports_unreadable_restore_jobs_before_anything_is_sent() {
    let unread = Answer::MaySubmit(Preflight {
        jobs: Some(Err(failure(FailureKind::RateLimited))),
        ..preflight(None, backup("Ready"))
    });
    let decision = decision_after(&claimed("Abandoned"), &unread, 1, 1);
    assert_eq!(reason(&decision), Some(Reason::RateLimited));
    let unread = Answer::FindOurs(Search {
        ended: time(0),
        index: Err(failure(FailureKind::Unavailable)),
        jobs: restore_jobs(&[], None),
        backup: backup("Ready"),
    });
    let decision = decision_after(&claimed("Open"), &unread, 1, 1);
    assert_eq!(reason(&decision), Some(Reason::ConfirmingSubmission));
}

#[test]
fn does_not_take_an_unfinished_list_for_proof_of_absence() {
    let mut unended = restore_jobs(&[], None).unwrap();
    unended.is_complete = false;
    let answer = Answer::FindOurs(Search {
        ended: time(0),
        index: Ok(None),
        jobs: Ok(unended),
        backup: backup("Ready"),
    });
    let reported = format!("{:?}", decision_after(&claimed("Open"), &answer, 20, 60));
    assert!(!reported.contains("Abandoned"), "{reported}");
}
