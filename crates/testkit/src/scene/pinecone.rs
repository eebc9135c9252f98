//! What Pinecone was asked in a scene, and what it accepted.

use index_restore_operator::api::IndexRestore;
use pinecone_emulator::{AcceptedCreate, JobOutcome, Route};

use super::{Scene, status};
use crate::wait::{DEADLINE, eventually};

impl Scene {
    /// The creates that Pinecone accepted for that index name: the truth about
    /// "exactly once", whatever the operator says of itself.
    pub fn accepted(&self, index_name: &str) -> Vec<AcceptedCreate> {
        let mut creates = self.pinecone.accepted_creates();
        creates.retain(|create| create.index_name == index_name);
        creates
    }

    /// How many create requests Pinecone got. Its 409 hides a second one from the
    /// creates that it accepted.
    pub fn posts(&self) -> usize {
        self.asked(Route::CreateIndexFromBackup)
    }

    /// How many requests of that route Pinecone got.
    pub fn asked(&self, route: Route) -> usize {
        let requests = self.pinecone.requests();
        requests
            .iter()
            .filter(|request| request.route == route)
            .count()
    }

    /// Waits until Pinecone got that many requests of that route.
    pub async fn until_asked(&self, route: Route, times: usize) {
        eventually("Pinecone is asked", DEADLINE, async || {
            Ok((self.asked(route) >= times).then_some(()))
        })
        .await
        .unwrap();
    }

    /// Waits for that number of further requests of the route.
    pub async fn until_asked_again(&self, route: Route, times: usize) {
        self.until_asked(route, self.asked(route) + times).await;
    }

    /// Waits until Pinecone accepted a create for that index name.
    pub async fn until_accepted(&self, index_name: &str) {
        eventually("Pinecone accepts", DEADLINE, async || {
            Ok((!self.accepted(index_name).is_empty()).then_some(()))
        })
        .await
        .unwrap();
    }

    /// Completes the restore jobs of all creates that Pinecone accepted.
    pub fn complete_jobs(&self) {
        for create in self.pinecone.accepted_creates() {
            let job = &create.restore_job_id;
            let outcome = JobOutcome::Completed;
            self.pinecone.finish_job(job, outcome).unwrap();
        }
    }

    /// Waits for the end of the restore and checks that it was made once, and that
    /// the status records its IDs.
    pub async fn restored_once(&self, name: &str) -> IndexRestore {
        let object = self.until(name, "Restored").await;
        self.check_recorded_once(&object);
        object
    }

    /// Panics unless Pinecone accepted exactly one create for the object's index name, and the status records its job and index.
    pub fn check_recorded_once(&self, object: &IndexRestore) {
        let creates = self.accepted(&object.spec.index_name);
        assert_eq!(creates.len(), 1, "{creates:?}");
        let status = status(object);
        assert_eq!(
            status.restore_job_id.as_ref(),
            Some(&creates[0].restore_job_id)
        );
        assert_eq!(status.index_id.as_ref(), Some(&creates[0].index_id));
    }
}
