//! Every part of the protocol is necessary: without it, a few steps break the guarantee.

use index_restore_operator::api::AdoptionPolicy;

use crate::environment::{Design, Environment, Fault};
use crate::hostile::late_request;
use crate::properties::Property;
use crate::search::{Found, explore};
use crate::steps::Model;

/// Prints the shortest path that breaks `property`; panics if there is none.
pub fn refute(environment: Environment, property: Property) {
    let model = Model::new(environment);
    match explore(&model, &[property]) {
        Found::Broken(_, explored, at) => println!(
            "{}: {property:?} is broken in {} steps\n{}",
            environment.name,
            explored.length(at),
            explored.trace(&model, at)
        ),
        Found::All(explored) => panic!(
            "{}: {property:?} holds in all {}",
            environment.name,
            explored.summary()
        ),
    }
}

pub fn without(design: Design, name: &'static str, faults: &[(Fault, u8)]) -> Environment {
    let total = faults.iter().map(|(_, times)| times).sum();
    Environment {
        design,
        ..Environment::new(name, total, faults)
    }
}

#[test]
fn no_claim() {
    let faults = [(Fault::LostAnswer, 1), (Fault::DeleteIndex, 1)];
    refute(
        without(Design::NoClaim, "no claim", &faults),
        Property::OneCreate,
    );
    let lost = without(Design::NoClaim, "no claim, no adoption", &faults[..1]);
    let environment = Environment {
        adoption: AdoptionPolicy::Never,
        ..lost
    };
    refute(environment, Property::OwnIndexIsNotForeign);
}

#[test]
fn claim_by_unconditional_patch() {
    refute(
        without(
            Design::UnconditionalClaim,
            "claim by unconditional patch",
            &[],
        ),
        Property::RecordsStay,
    );
}

#[test]
fn no_nonce() {
    let faults = [(Fault::DeleteIndex, 1)];
    refute(
        without(Design::NoNonce, "no nonce", &faults),
        Property::OneCreate,
    );
}

#[test]
fn conflict_is_failure() {
    let faults = [(Fault::Repeat, 1)];
    refute(
        without(Design::ConflictIsFailure, "409 is failure", &faults),
        Property::OwnIndexIsNotForeign,
    );
}

#[test]
fn absence_believed_at_once() {
    let faults = [(Fault::LostAnswer, 1), (Fault::DeleteIndex, 1)];
    let environment = Environment {
        quick_deletes: true,
        ..without(Design::NoPatience, "absence concluded at once", &faults)
    };
    refute(environment, Property::OneCreate);
}

#[test]
fn no_fence() {
    let faults = [(Fault::Freeze, 1), (Fault::DeleteIndex, 1)];
    refute(
        without(Design::NoFence, "no fence", &faults),
        Property::OneCreate,
    );
}

#[test]
fn no_witness() {
    let faults = [(Fault::SwapKey, 1), (Fault::LostAnswer, 1)];
    refute(
        without(Design::NoWitness, "no project witness", &faults),
        Property::AcceptedIsNotMissing,
    );
}

#[test]
fn uid_unchecked() {
    let faults = [(Fault::DeleteObject, 1)];
    let environment = Environment {
        other_spec: true,
        copied_status: true,
        ..without(Design::UidUnchecked, "uid unchecked", &faults)
    };
    refute(environment, Property::RecordsBelong);
}

#[test]
fn complete_list_believed() {
    let faults = [(Fault::Repeat, 1)];
    let environment = Environment {
        shows_source: true,
        ..without(
            Design::CompleteListBelieved,
            "complete list believed",
            &faults,
        )
    };
    refute(environment, Property::OwnIndexIsNotForeign);
}

#[test]
fn gap_ignored() {
    let faults = [(Fault::LostAnswer, 1), (Fault::DeleteIndex, 1)];
    refute(
        without(Design::GapIgnored, "gap ignored", &faults),
        Property::OneCreate,
    );
}

#[test]
fn host_is_identity() {
    let faults = [(Fault::DeleteIndex, 1), (Fault::Foreign, 1)];
    refute(
        without(Design::HostIsIdentity, "host is identity", &faults),
        Property::ReadyBelongs,
    );
}

#[test]
fn failed_job_adopted() {
    let faults = [(Fault::FailJob, 1), (Fault::DeleteObject, 1)];
    let environment = Environment {
        slow_jobs: true,
        ..without(Design::FailedJobAdopted, "failed job adopted", &faults)
    };
    refute(environment, Property::NoFailureAdopted);
}

#[test]
fn abandoned_forgotten() {
    let environment = Environment {
        name: "abandoned attempt forgotten after a refusal",
        design: Design::AbandonedForgotten,
        ..late_request()
    };
    refute(environment, Property::OwnIndexIsNotForeign);
}
