//! The limits of the guarantee: without one of these assumptions, the product's own protocol breaks it.
//! Some are known limits, some may be removed later. If a test fails here after a change of the
//! product, the product no longer needs its assumption.

use crate::environment::{Design, Environment, Fault, Timing};
use crate::properties::Property;
use crate::search::{Found, explore};
use crate::steps::Model;
use crate::weakened::{refute, without};

fn product(name: &'static str, faults: &[(Fault, u8)]) -> Environment {
    without(Design::Product, name, faults)
}

/// Known limit: the status was lost, and a user deletes the index.
#[test]
fn lost_status_and_deleted_index() {
    let faults = [(Fault::LoseStatus, 1), (Fault::DeleteIndex, 1)];
    refute(
        product("lost status and deleted index", &faults),
        Property::OneCreate,
    );
}

/// Known limit: an index that is created and deleted within one gap leaves no trace.
#[test]
fn created_and_deleted_within_a_gap() {
    let faults = [(Fault::LostAnswer, 1), (Fault::DeleteIndex, 1)];
    let environment = Environment {
        quick_deletes: true,
        shows_source: true,
        ..product("created and deleted within a gap", &faults)
    };
    refute(environment, Property::OneCreate);
}

/// Known limit: an index is replaced between the two reads of an observation. The next check
/// detects it.
#[test]
fn index_replaced_during_an_observation() {
    for shows_source in [false, true] {
        let faults = [(Fault::Recreate, 1)];
        let environment = Environment {
            split_follow: true,
            shows_source,
            ..product("index replaced during an observation", &faults)
        };
        refute(environment, Property::ReadyBelongs);
    }
}

/// A request must take effect within the confirm patience, or never.
#[test]
fn request_that_outlives_the_patience() {
    let faults = [(Fault::LostAnswer, 1), (Fault::DeleteIndex, 1)];
    let environment = Environment {
        timing: Timing {
            post_life: 3,
            ..Timing::PROMPT
        },
        ..product("request that outlives the patience", &faults)
    };
    refute(environment, Property::OneCreate);
}

/// A proxy must not send the POST twice and return a rejection of the second one.
#[test]
fn repeated_and_refused() {
    let faults = [(Fault::Repeat, 1), (Fault::Refuse, 1)];
    refute(
        product("repeated and refused", &faults),
        Property::AcceptedIsNotMissing,
    );
}

/// A proxy must not send the POST twice with time for a user to delete the index in between.
#[test]
fn repeated_and_deleted_in_between() {
    let faults = [(Fault::Repeat, 1), (Fault::DeleteIndex, 1)];
    let environment = Environment {
        quick_deletes: true,
        ..product("repeated, and deleted in between", &faults)
    };
    refute(environment, Property::OneCreate);
}

/// No assumption is needed for a job that failed before it was found: it is reported.
#[test]
fn failed_before_it_was_found() {
    let faults = [(Fault::LostAnswer, 1), (Fault::FailJob, 1)];
    let environment = Environment {
        slow_jobs: true,
        ..product("failed before it was found", &faults)
    };
    let model = Model::new(environment);
    let Found::All(explored) = explore(&model, &[]) else {
        unreachable!("no property was checked");
    };
    let stuck = explored.unsettled(model.environment());
    assert!(
        stuck.is_none(),
        "cannot settle after\n{}",
        explored.trace(&model, stuck.unwrap())
    );
}
