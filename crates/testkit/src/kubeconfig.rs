//! Kubeconfigs for the control plane, and clients from them.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use k8s_openapi::ByteString;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};

use crate::certificates::Certificates;

/// A new client for the kubeconfig, bound to the calling tokio runtime. Proxy variables of the environment are not used.
///
/// # Errors
/// When the kubeconfig has no usable current context.
pub async fn client(kubeconfig: &Kubeconfig) -> Result<kube::Client> {
    // An error means that another part of the process has chosen a provider before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut config =
        kube::Config::from_custom_kubeconfig(kubeconfig.clone(), &KubeConfigOptions::default())
            .await
            .context("reading the kubeconfig")?;
    config.proxy_url = None;
    kube::Client::try_from(config).context("making a client")
}

pub(crate) fn admin(port: u16, certificates: &Certificates) -> Result<Kubeconfig> {
    let user = json!({
        "client-certificate-data": base64(&certificates.admin.certificate),
        "client-key-data": base64(&certificates.admin.key),
    });
    assemble(port, &certificates.ca, "testkit-admin", "default", user)
}

pub(crate) fn with_token(
    port: u16,
    ca: &str,
    user: &str,
    namespace: &str,
    token: &str,
) -> Result<Kubeconfig> {
    assemble(port, ca, user, namespace, json!({ "token": token }))
}

fn assemble(
    port: u16,
    ca: &str,
    user: &str,
    namespace: &str,
    credentials: Value,
) -> Result<Kubeconfig> {
    serde_json::from_value(json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "testkit", "cluster": {
            "server": format!("https://127.0.0.1:{port}"),
            "certificate-authority-data": base64(ca),
        }}],
        "users": [{"name": user, "user": credentials}],
        "contexts": [{"name": "testkit", "context": {"cluster": "testkit", "user": user, "namespace": namespace}}],
        "current-context": "testkit",
    }))
    .context("assembling a kubeconfig")
}

/// A byte string's JSON form is base64.
fn base64(text: &str) -> Value {
    json!(ByteString(text.as_bytes().to_vec()))
}

/// Writes a file that only its owner may read.
pub(crate) fn write(kubeconfig: &Kubeconfig, path: &Path) -> Result<()> {
    let yaml = serde_saphyr::to_string(kubeconfig).context("serializing a kubeconfig")?;
    let file = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(path);
    file.and_then(|mut file| file.write_all(yaml.as_bytes()))
        .with_context(|| format!("writing {}", path.display()))
}
