//! Where the promise ends: each assumption is needed, for without it the product's
//! own protocol breaks. Some of these are known limits, some are to be mended; a
//! test here that fails after a change of the product tells of an assumption less.

use crate::environment::{Design, Environment, Fault, Timing};
use crate::properties::Property;
use crate::search::{Found, explore};
use crate::steps::Model;
use crate::weakened::{refute, without};

fn product(name: &'static str, faults: &[(Fault, u8)]) -> Environment {
    without(Design::Product, name, faults)
}

/// Known limit: the status was lost, and a person deletes the index.
#[test]
fn lost_status_and_deleted_index() {
    let faults = [(Fault::LoseStatus, 1), (Fault::DeleteIndex, 1)];
    refute(
        product("lost status and deleted index", &faults),
        Property::OneCreate,
    );
}

/// Jobs must stay listed when a person deletes their index.
#[test]
fn deleted_index_and_its_job_not_listed() {
    let faults = [(Fault::LostAnswer, 1), (Fault::DeleteIndex, 1)];
    let environment = Environment {
        rows_stay: false,
        ..product("deleted index, its job not listed", &faults)
    };
    refute(environment, Property::OneCreate);
}

/// A request must be dealt with before it is believed never to have arrived.
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

/// A proxy must not send the POST twice and hand on a refusal of the second.
#[test]
fn repeated_and_refused() {
    let faults = [(Fault::Repeat, 1), (Fault::Refuse, 1)];
    refute(
        product("repeated and refused", &faults),
        Property::NeverForsaken,
    );
}

/// A proxy must not send the POST twice and leave a person time in between.
#[test]
fn repeated_and_deleted_in_between() {
    let faults = [(Fault::Repeat, 1), (Fault::DeleteIndex, 1)];
    refute(
        product("repeated, and deleted in between", &faults),
        Property::OneCreate,
    );
}

/// A list that has caught up must not lack the row in three looks in a row while a 409 is
/// traced.
#[test]
fn repeated_and_row_dropped_thrice() {
    let faults = [(Fault::Repeat, 1), (Fault::DropRows, 3)];
    refute(
        product("repeated, and its row dropped thrice", &faults),
        Property::NeverDisowned,
    );
}

/// A finished restore tells its index from a stranger's by the host.
#[test]
fn index_replaced_by_another_cluster() {
    let faults = [(Fault::DeleteIndex, 1), (Fault::Foreign, 1)];
    let model = Model::new(product("index replaced by another cluster", &faults));
    let found = explore(&model, &[Property::HostBelongs]);
    assert!(
        matches!(found, Found::All(_)),
        "a stranger's host was written"
    );
}

/// A job that failed before it was found is reported all the same.
#[test]
fn failed_before_it_was_found() {
    let faults = [(Fault::LostAnswer, 1), (Fault::FailJob, 1)];
    let environment = Environment {
        slow_jobs: true,
        ..product("failed before it was found", &faults)
    };
    let model = Model::new(environment);
    let Found::All(explored) = explore(&model, &[]) else {
        unreachable!("nothing was to hold");
    };
    let stuck = explored.unsettled();
    assert!(
        stuck.is_none(),
        "cannot settle after\n{}",
        explored.trace(&model, stuck.unwrap())
    );
}
