//! Admits a reconcile once its API key has a place for it.

use std::time::Duration;

use kube::ResourceExt as _;
use kube::runtime::controller::Action;

use super::places::{Place, Reference};
use super::reconcile::writer;
use super::watch::Watched;
use crate::api::{IndexRestore, IndexRestoreStatus};
use crate::restore::{Acted, Change, Report, messages};
use crate::runtime::leader::Term;

/// How long a new restore waits before its status names the Secret whose restores it waits for. The
/// default status says until then that it waits: one write less for each of hundreds that are created
/// at once.
const SILENCE: Duration = Duration::from_secs(30);

/// Takes a place for the object.
///
/// # Errors
/// If it has to wait for its turn: what is due until then. A restore that is not submitted yet says
/// in its status that it waits.
pub(super) async fn admit(
    watched: &Watched,
    reference: &Reference,
    object: &IndexRestore,
    term: &Term,
) -> Result<Place, Action> {
    let waited = match watched.places.enter(reference, object) {
        Ok(place) => return Ok(place),
        Err(waited) => waited,
    };
    let status = object.status.as_ref();
    match status.is_none_or(IndexRestoreStatus::is_unobserved) {
        false => Err(Action::await_change()),
        true if waited < SILENCE => Err(Action::requeue(SILENCE - waited)),
        true => Err(report_waiting(watched, object, term).await),
    }
}

/// Says in the status that the restore waits for its API key.
async fn report_waiting(watched: &Watched, object: &IndexRestore, term: &Term) -> Action {
    let secret = &object.spec.api_key_secret_ref.name;
    let report = Report::new(messages::waiting(secret), Change::Nothing);
    let writer = writer(&watched.context, term, object);
    match Box::pin(writer.report(object, &report)).await {
        Ok(Acted::Written(_)) => Action::await_change(),
        Ok(_) => Action::requeue(SILENCE),
        Err(error) => {
            tracing::debug!(%error, name = object.name_any(), "cannot report the wait");
            Action::requeue(SILENCE)
        }
    }
}
