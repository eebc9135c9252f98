//! A cluster with the installed operator and an IndexRestore.

use std::os::unix::fs::PermissionsExt;

use index_restore_operator::api::IndexRestore;
use index_restore_operator::api::conditions::find;
use kube::Api;
use serde_json::json;
use testkit::installation::{CRD, authorize};
use testkit::{ControlPlane, DEADLINE, Operator, wait_for};

use crate::layout::Image;

pub struct Cluster {
    pub control_plane: ControlPlane,
    pub namespace: String,
    restores: Api<IndexRestore>,
}

impl Cluster {
    /// Installs the shipped manifests, and copies the kubeconfig of the ServiceAccount into the image's root.
    pub async fn start(image: &Image) -> Self {
        let control_plane = ControlPlane::start().await.unwrap();
        control_plane.apply(CRD).await.unwrap();
        let kubeconfig = authorize(&control_plane).await;
        let namespace = control_plane.namespace("image").await.unwrap();
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "pinecone"},
            "stringData": {"api-key": "image-key"}});
        let object = json!({"apiVersion": "restore.pinecone.io/v1alpha1", "kind": "IndexRestore", "metadata": {"name": "products"},
            "spec": {"backupId": "nightly-1", "indexName": "products", "apiKeySecretRef": {"name": "pinecone"}}});
        for manifest in [secret, object] {
            control_plane
                .apply_in(&namespace, &manifest.to_string())
                .await
                .unwrap();
        }
        let mounted = image.root.path().join("kubeconfig");
        std::fs::copy(kubeconfig, &mounted).unwrap();
        std::fs::set_permissions(&mounted, PermissionsExt::from_mode(0o444)).unwrap();
        let client = control_plane.client().await.unwrap();
        Self {
            restores: Api::namespaced(client, &namespace),
            control_plane,
            namespace,
        }
    }

    pub async fn until(&self, operator: &Operator, what: &str, holds: impl Fn(&str, &str) -> bool) {
        let found = wait_for(&self.restores, "products", DEADLINE, |object| {
            let conditions = object.and_then(|object| object.status.as_ref());
            let conditions = conditions.map_or(&[][..], |status| &status.conditions);
            find(conditions, "Ready").is_some_and(|ready| holds(&ready.reason, &ready.message))
        });
        let found = found.await;
        assert!(found.is_ok(), "{what}: {found:?}\n{}", operator.logs());
    }
}
