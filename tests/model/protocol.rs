//! The product's protocol in each environment.

use index_restore_operator::api::AdoptionPolicy;

use crate::environment::{Environment, Fault, Rows, Timing};
use crate::properties::{Landmark, Property};
use crate::search::{Explored, Found, explore};
use crate::steps::Model;

/// Checks every property in every state, that a settled state can be reached from each, and the landmarks.
pub fn check(environment: Environment, landmarks: &[Landmark]) {
    let (model, explored) = check_safety(environment, &Property::ALL);
    if let Some(at) = explored.unsettled(&environment) {
        let trace = explored.trace(&model, at);
        panic!("{}: cannot settle after\n{trace}", environment.title());
    }
    for landmark in landmarks {
        let name = environment.title();
        let is_met = model.has_reached(*landmark);
        assert!(is_met, "{name}: {landmark:?} is not reached");
    }
}

/// As above, with indexes that name their backup and with indexes that do not.
pub fn check_both(environment: Environment, landmarks: &[Landmark]) {
    for shows_source in [false, true] {
        check(
            Environment {
                shows_source,
                ..environment
            },
            landmarks,
        );
    }
}

pub fn check_safety(environment: Environment, properties: &[Property]) -> (Model, Explored) {
    let model = Model::new(environment);
    match explore(&model, properties) {
        Found::All(explored) => {
            println!("{}: {}", environment.title(), explored.summary());
            (model, explored)
        }
        Found::Broken(property, explored, at) => panic!(
            "{}: {property:?} is broken\n{}",
            environment.title(),
            explored.trace(&model, at)
        ),
    }
}

#[test]
fn stale_caches() {
    let environment = Environment {
        stale_caches: true,
        rows: Rows::Vanish,
        ..Environment::new(
            "stale caches",
            1,
            &[(Fault::LostWrite, 1), (Fault::Touch, 1)],
        )
    };
    check(
        environment,
        &[
            Landmark::Restored,
            Landmark::ClaimLost,
            Landmark::OwnClaimRecognised,
            Landmark::RecordedAlready,
        ],
    );
}

#[test]
fn crashes_and_lost_answers() {
    let faults = [
        (Fault::Crash, 2),
        (Fault::LostAnswer, 1),
        (Fault::LostWrite, 1),
        (Fault::Freeze, 1),
    ];
    check(
        Environment::new("crashes and lost answers", 2, &faults),
        &[
            Landmark::Recovered,
            Landmark::Abandoned,
            Landmark::SecondAttempt,
            Landmark::Unsent,
            Landmark::Overtaken,
        ],
    );
}

#[test]
fn repeated() {
    let faults = [
        (Fault::Repeat, 1),
        (Fault::LostAnswer, 1),
        (Fault::Crash, 1),
    ];
    check(
        Environment::new("repeated", 2, &faults),
        &[Landmark::TakenWasOurs],
    );
}

#[test]
fn another_cluster() {
    let faults = [
        (Fault::Foreign, 1),
        (Fault::LostAnswer, 1),
        (Fault::Crash, 1),
    ];
    let environment = Environment::new("another cluster", 2, &faults);
    check(environment, &[Landmark::Adopted, Landmark::NameTaken]);
    let alone = Environment {
        controllers: 1,
        shows_source: true,
        ..environment
    };
    check(
        alone,
        &[
            Landmark::Adopted,
            Landmark::TakenByOther,
            Landmark::NameTaken,
        ],
    );
}

#[test]
fn another_cluster_and_no_adoption() {
    let faults = [
        (Fault::Foreign, 1),
        (Fault::LostAnswer, 1),
        (Fault::Crash, 1),
    ];
    let environment = Environment {
        controllers: 1,
        adoption: AdoptionPolicy::Never,
        ..Environment::new("another cluster, no adoption", 3, &faults)
    };
    check_both(environment, &[Landmark::NameTaken]);
}

#[test]
fn deleted_index() {
    let faults = [
        (Fault::DeleteIndex, 1),
        (Fault::LostAnswer, 1),
        (Fault::Crash, 1),
        (Fault::Freeze, 1),
    ];
    let environment = Environment {
        controllers: 1,
        ..Environment::new("deleted index", 2, &faults)
    };
    check_both(
        environment,
        &[Landmark::IndexDeleted, Landmark::Unconfirmed],
    );
}

#[test]
fn deleted_and_created_object() {
    let faults = [
        (Fault::DeleteObject, 1),
        (Fault::LostAnswer, 1),
        (Fault::Crash, 1),
    ];
    let environment = Environment {
        other_spec: true,
        copied_status: true,
        ..Environment::new("deleted and created object", 2, &faults)
    };
    check(environment, &[Landmark::Orphaned, Landmark::Adopted]);
}

#[test]
fn lost_status() {
    let faults = [
        (Fault::LoseStatus, 1),
        (Fault::LostAnswer, 1),
        (Fault::Crash, 1),
    ];
    check(
        Environment::new("lost status", 2, &faults),
        &[Landmark::Adopted, Landmark::TakenWasOurs],
    );
}

#[test]
fn swapped_key() {
    let faults = [(Fault::SwapKey, 2), (Fault::LostAnswer, 1)];
    check(
        Environment::new("swapped key", 3, &faults),
        &[Landmark::Unconfirmed, Landmark::IndexDeleted],
    );
}

/// A process does not observe what happens while it is frozen during an observation.
#[test]
fn frozen_observations() {
    let freeze = (Fault::FreezeObservation, 1);
    let lost = (Fault::LostAnswer, 1);
    let environment = Environment {
        controllers: 1,
        ..Environment::new(
            "frozen observations",
            3,
            &[freeze, lost, (Fault::DeleteIndex, 1)],
        )
    };
    check(environment, &[Landmark::Recovered, Landmark::Abandoned]);
    check(
        Environment::new(
            "frozen observations, repeated",
            3,
            &[freeze, lost, (Fault::Repeat, 1)],
        ),
        &[Landmark::TakenWasOurs],
    );
}

#[test]
fn failing_jobs_and_outages() {
    let faults = [(Fault::FailJob, 1), (Fault::Outage, 2), (Fault::Refuse, 1)];
    let environment = Environment {
        slow_jobs: true,
        ..Environment::new("failing jobs and outages", 2, &faults)
    };
    check(environment, &[Landmark::Failed]);
}

#[test]
fn slow_requests_and_lists() {
    let faults = [
        (Fault::LostAnswer, 1),
        (Fault::Crash, 1),
        (Fault::Foreign, 1),
    ];
    let environment = Environment {
        controllers: 1,
        timing: Timing::SLOW,
        ..Environment::new("slow requests and lists", 3, &faults)
    };
    check(environment, &[Landmark::Recovered, Landmark::Abandoned]);
}
