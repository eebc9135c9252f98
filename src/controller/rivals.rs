//! Other IndexRestores of the same index name.

use kube::ResourceExt as _;
use kube::api::ListParams;

use super::watch::apis;
use super::{Context, Guarded};
use crate::restore::{Rivals, Situation};
use crate::runtime::api_server::{Error, call};
use crate::runtime::failpoint::Site;

/// What other IndexRestores claim or record of this one's backup and index name. Asked of the
/// API server, for the cache may be behind; only where a job could be taken for this one's own.
///
/// # Errors
/// If the API server gives no answer: without it, whose a job is stays open.
pub(super) async fn find(context: &Context, situation: &Situation) -> Result<Rivals, Error> {
    let mut rivals = Rivals::default();
    let of_name = format!("spec.indexName={}", situation.index_name);
    let params = ListParams::default().fields(&of_name);
    for api in apis::<Guarded>(&context.client, &context.namespaces) {
        let listed = call(Site::RIVALS_LIST, api.list(&params)).await?;
        let readable = listed
            .items
            .iter()
            .filter_map(|object| object.object().ok());
        for object in readable.filter(|object| object.uid().as_ref() != Some(&situation.uid)) {
            rivals.add(situation, object);
        }
    }
    Ok(rivals)
}
