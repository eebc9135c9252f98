//! The control plane, and what is installed on it.

// A step that fails must fail the test at once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::PathBuf;

use k8s_openapi::api::rbac::v1::ClusterRole;
use kube::api::PostParams;
use kube::{Api, Client};
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::control_plane::ControlPlane;

/// The CustomResourceDefinition as it is released, in YAML.
pub const CRD: &str = include_str!("../../../crds/indexrestores.yaml");
const RBAC: &str = include_str!("../../../deploy/base/rbac.yaml");
/// The namespace, ServiceAccount and RBAC as they are released, in YAML.
pub const SHIPPED: [&str; 3] = [
    include_str!("../../../deploy/base/namespace.yaml"),
    include_str!("../../../deploy/base/service-account.yaml"),
    RBAC,
];

/// The one control plane, with the CRD and the shipped RBAC, and the kubeconfig of
/// the shipped ServiceAccount.
pub async fn shared() -> (&'static ControlPlane, PathBuf) {
    static KUBECONFIG: OnceCell<PathBuf> = OnceCell::const_new();
    let control_plane = ControlPlane::shared().await.unwrap();
    let kubeconfig = KUBECONFIG.get_or_init(async || {
        control_plane.apply(CRD).await.unwrap();
        authorize(control_plane).await
    });
    (control_plane, kubeconfig.await.clone())
}

/// The shipped Role for the Lease and its binding, for the namespace they are
/// applied to: each scene has an election of its own.
pub fn roles_of_the_election() -> String {
    let documents: Vec<Value> = serde_saphyr::from_multiple(RBAC).unwrap();
    let namespaced = documents.into_iter().filter_map(|mut document| {
        document["metadata"].as_object_mut()?.remove("namespace")?;
        Some(document.to_string())
    });
    namespaced.collect::<Vec<_>>().join("\n---\n")
}

/// Applies the shipped RBAC and gives the kubeconfig of its ServiceAccount.
pub async fn authorize(control_plane: &ControlPlane) -> PathBuf {
    let _ = rustls::crypto::ring::default_provider().install_default();
    for manifest in SHIPPED {
        control_plane.apply(manifest).await.unwrap();
    }
    let account = "index-restore-operator";
    let kubeconfig = control_plane
        .service_account_kubeconfig(account, account)
        .await;
    control_plane
        .write_kubeconfig(&kubeconfig.unwrap())
        .unwrap()
}

/// Takes the operator's permission to read Secrets, until [`authorize`] gives it again.
pub async fn forbid_secrets(client: &Client) {
    let roles: Api<ClusterRole> = Api::all(client.clone());
    let name = "index-restore-operator";
    let mut role = roles.get(name).await.unwrap();
    let rules = role.rules.get_or_insert_default();
    rules.retain(|rule| rule.resources != Some(vec!["secrets".into()]));
    let params = PostParams::default();
    roles.replace(name, &params, &role).await.unwrap();
}
