//! The IndexRestores of a scene, and their events.

use index_restore_operator::api::{IndexRestore, IndexRestoreStatus, REQUESTED_AT};
use k8s_openapi::api::events::v1::Event;
use kube::Api;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use super::{BACKUP, Scene, ready, status};
use crate::wait::{DEADLINE, eventually, wait_for};

impl Scene {
    /// Returns an IndexRestore that is not stored: of [`BACKUP`] to an index of its own name, with the members of `spec` in place
    /// of these.
    pub fn restore(&self, name: &str, spec: Value) -> IndexRestore {
        let mut object = json!({
            "apiVersion": "restore.pinecone.io/v1alpha1",
            "kind": "IndexRestore",
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": {"backupId": BACKUP, "indexName": name, "apiKeySecretRef": {"name": "pinecone"}},
        });
        for (key, value) in spec.as_object().cloned().unwrap_or_default() {
            object["spec"][key] = value;
        }
        serde_json::from_value(object).unwrap()
    }

    /// Creates the IndexRestore that [`Scene::restore`] returns; panics if the API server refuses.
    pub async fn create(&self, name: &str, spec: Value) -> IndexRestore {
        let object = self.restore(name, spec);
        let created = self.restores.create(&PostParams::default(), &object).await;
        created.unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Waits until the Ready condition has that reason, for the spec as it is.
    pub async fn until(&self, name: &str, reason: &str) -> IndexRestore {
        self.until_that(name, |object| {
            let is_observed = status(object).observed_generation == object.metadata.generation;
            is_observed && ready(object).1 == reason
        })
        .await
        .unwrap_or_else(|error| panic!("{name} is not {reason}: {error:#}"))
    }

    /// Waits, for at most [`DEADLINE`], until the object exists and `holds` is true of it, and returns it as it was then.
    ///
    /// # Errors
    /// When the deadline passes; with the object as last seen.
    pub async fn until_that(
        &self,
        name: &str,
        mut holds: impl FnMut(&IndexRestore) -> bool,
    ) -> anyhow::Result<IndexRestore> {
        let found = wait_for(&self.restores, name, DEADLINE, |object| {
            object.is_some_and(&mut holds)
        })
        .await?;
        found.ok_or_else(|| anyhow::anyhow!("{name} does not exist"))
    }

    /// Reads the object from the API server; panics if it is not there.
    pub async fn get(&self, name: &str) -> IndexRestore {
        self.restores.get(name).await.unwrap()
    }

    /// Deletes the object and waits until it is gone; panics after [`DEADLINE`].
    pub async fn delete(&self, name: &str) {
        let params = DeleteParams::default();
        self.restores.delete(name, &params).await.unwrap();
        wait_for(&self.restores, name, DEADLINE, |object| object.is_none())
            .await
            .unwrap();
    }

    /// Merges that into the object, as `kubectl patch` does.
    pub async fn patch(&self, name: &str, patch: Value) -> kube::Result<IndexRestore> {
        let patch = Patch::Merge(patch);
        let params = PatchParams::default();
        self.restores.patch(name, &params, &patch).await
    }

    /// Replaces the object, as an editor does.
    pub async fn replace(&self, object: &IndexRestore) {
        let name = object.metadata.name.as_deref().unwrap();
        let params = PostParams::default();
        let replaced = self.restores.replace(name, &params, object);
        replaced.await.unwrap();
    }

    /// Sets the annotation with which a user requests another attempt.
    pub async fn request(&self, name: &str, token: &str) {
        let patch = json!({"metadata": {"annotations": {REQUESTED_AT: token}}});
        self.patch(name, patch).await.unwrap();
    }

    /// Writes the status as no controller would; the judge excuses that version.
    pub async fn overwrite_status(
        &self,
        name: &str,
        edit: impl Fn(&mut Option<IndexRestoreStatus>),
    ) {
        eventually("the status is overwritten", DEADLINE, async || {
            let mut object = self.restores.get(name).await?;
            edit(&mut object.status);
            let params = PostParams::default();
            let replaced = self.restores.replace_status(name, &params, &object);
            self.witness.overwritten(&replaced.await?);
            Ok(Some(()))
        })
        .await
        .unwrap();
    }

    /// All events of the namespace.
    pub async fn events(&self) -> Vec<Event> {
        let events: Api<Event> = Api::namespaced(self.client.clone(), &self.namespace);
        events.list(&ListParams::default()).await.unwrap().items
    }

    /// Whether an event has that reason.
    pub async fn has_event(&self, reason: &str) -> bool {
        let events = self.events().await;
        events
            .iter()
            .any(|event| event.reason.as_deref() == Some(reason))
    }
}
