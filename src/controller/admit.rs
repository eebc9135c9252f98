//! Admits a reconcile once its API key has a place for it.

use kube::ResourceExt as _;
use kube::runtime::controller::Action;

use super::long_waits::wait;
use super::places::{Place, Reference};
use super::reconcile::writer;
use super::watch::Watched;
use crate::api::{IndexRestore, IndexRestoreStatus};
use crate::restore::{Acted, Change, Report, messages};
use crate::runtime::leader::Term;

/// Takes a place for the object.
///
/// # Errors
/// If it has to wait for its turn: what is due until then. A restore that waits for longer than a
/// stalled one rests says in its status for which Secret: the default status says until then that it
/// waits, which saves one write for each of thousands that are created at once.
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
    let silence = watched.context.rules.intervals.stalled();
    let status = object.status.as_ref();
    match status.is_none_or(IndexRestoreStatus::is_unobserved) {
        false => Err(Action::await_change()),
        true if waited < silence => Err(wait(silence - waited)),
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
        Ok(_) => Action::requeue(watched.context.rules.intervals.stalled()),
        Err(error) => {
            tracing::debug!(%error, name = object.name_any(), "cannot report the wait");
            Action::requeue(watched.context.rules.intervals.stalled())
        }
    }
}
