//! The product's protocol in environments where Pinecone and users behave in the worst permitted way.

use index_restore_operator::api::AdoptionPolicy;

use crate::environment::{Environment, Fault, Rows, Timing};
use crate::properties::{Landmark, Property};
use crate::protocol::{check, check_both, check_safety};

/// One process that may crash represents two consecutive processes.
fn alone(name: &'static str, total: u8, faults: &[(Fault, u8)]) -> Environment {
    Environment {
        controllers: 1,
        ..Environment::new(name, total, faults)
    }
}

#[test]
fn recreated_index() {
    let faults = [
        (Fault::Recreate, 1),
        (Fault::Crash, 1),
        (Fault::LostAnswer, 1),
    ];
    check_both(alone("recreated index", 3, &faults), &[]);
}

#[test]
fn replaced_index() {
    let faults = [(Fault::DeleteIndex, 1), (Fault::Foreign, 1)];
    check_both(
        alone("replaced index", 2, &faults),
        &[Landmark::IndexDeleted],
    );
}

#[test]
fn job_outage() {
    let faults = [
        (Fault::JobOutage, 1),
        (Fault::LostAnswer, 1),
        (Fault::DeleteObject, 1),
    ];
    check_both(alone("job outage", 3, &faults), &[Landmark::Adopted]);
}

#[test]
fn failed_earlier() {
    let faults = [
        (Fault::FailJob, 1),
        (Fault::DeleteObject, 1),
        (Fault::DeleteIndex, 1),
    ];
    let environment = Environment {
        slow_jobs: true,
        ..alone("failed earlier", 3, &faults)
    };
    check_both(environment, &[Landmark::Failed, Landmark::NameTaken]);
}

#[test]
fn hidden_list() {
    let faults = [
        (Fault::LostAnswer, 1),
        (Fault::Repeat, 1),
        (Fault::DeleteObject, 1),
    ];
    let environment = Environment {
        rows: Rows::Hidden,
        ..alone("hidden list", 3, &faults)
    };
    check_both(environment, &[]);
}

/// Lists of restore jobs that are complete: better than the documentation promises.
#[test]
fn complete_lists() {
    let faults = [
        (Fault::LostAnswer, 1),
        (Fault::Repeat, 1),
        (Fault::DeleteIndex, 1),
    ];
    for rows in [Rows::Stay, Rows::Vanish] {
        let environment = Environment {
            rows,
            ..alone("complete list", 3, &faults)
        };
        check(environment, &[Landmark::Recovered, Landmark::TakenWasOurs]);
    }
}

#[test]
fn key_of_a_project_with_an_index_of_the_same_name() {
    let faults = [(Fault::SwapKey, 2), (Fault::LostAnswer, 1)];
    let environment = Environment {
        elsewhere: true,
        ..alone(
            "key of a project with an index of the same name",
            3,
            &faults,
        )
    };
    check_both(environment, &[Landmark::JobNotFound]);
}

#[test]
fn requests() {
    let faults = [
        (Fault::Request, 2),
        (Fault::LostAnswer, 1),
        (Fault::DeleteIndex, 1),
        (Fault::Crash, 1),
    ];
    check(
        alone("requests", 4, &faults),
        &[Landmark::Unconfirmed, Landmark::SecondAttempt],
    );
}

/// Two objects with the same backup and index name.
#[test]
fn rival_with_a_lesser_uid() {
    let faults = [(Fault::Rival, 1), (Fault::LostAnswer, 1), (Fault::Crash, 1)];
    check(rival(0, &faults), &[Landmark::NameTaken]);
}

#[test]
fn rival_with_a_greater_uid() {
    let faults = [(Fault::Rival, 1), (Fault::LostAnswer, 1), (Fault::Crash, 1)];
    check(rival(9, &faults), &[Landmark::NameTaken]);
}

/// An observation shows the job, its record conflicts with another write, and the index is deleted
/// before the next observation.
#[test]
fn job_listed_and_not_recorded() {
    let faults = [
        (Fault::LostAnswer, 1),
        (Fault::LostWrite, 1),
        (Fault::DeleteIndex, 1),
    ];
    let environment = alone("job listed and not recorded", 3, &faults);
    check_safety(environment, &[Property::OneCreate]);
}

/// After a 409 the index may be the restore's own, because the POST was sent twice. Its job is not
/// listed, and a user deletes it later.
#[test]
fn repeated_and_deleted_later() {
    let faults = [(Fault::Repeat, 1), (Fault::DeleteIndex, 1)];
    let environment = Environment {
        controllers: 2,
        ..alone("repeated, and deleted later", 2, &faults)
    };
    check_safety(environment, &[Property::OneCreate]);
}

/// Another object with the given UID; neither adopts.
fn rival(uid: u8, faults: &[(Fault, u8)]) -> Environment {
    Environment {
        rival: Some(uid),
        adoption: AdoptionPolicy::Never,
        ..alone("two objects of one backup and name", 3, faults)
    }
}

/// A request takes longer than the confirm patience, and the next one is rejected.
#[test]
fn late_request_after_a_refusal() {
    let properties = [Property::OwnIndexIsNotForeign, Property::RecordsBelong];
    let (model, _) = check_safety(late_request(), &properties);
    assert!(model.has_reached(Landmark::AbandonedWasOurs));
}

pub fn late_request() -> Environment {
    let faults = [(Fault::LostAnswer, 1), (Fault::Refuse, 1)];
    Environment {
        adoption: AdoptionPolicy::Never,
        timing: Timing {
            post_life: 3,
            ..Timing::PROMPT
        },
        ..alone("late request after a refusal", 2, &faults)
    }
}
