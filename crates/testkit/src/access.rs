//! Ways into the control plane: kubeconfigs, clients, namespaces, and applying objects.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use kube::api::{DynamicObject, ObjectMeta, PostParams};
use kube::config::Kubeconfig;
use kube::{Api, Client};
use uuid::Uuid;

use crate::{ControlPlane, kubeconfig};

const TOKEN_SECONDS: i64 = 24 * 60 * 60;

impl ControlPlane {
    /// The kubeconfig of a cluster administrator (group `system:masters`), certificates included.
    pub fn admin_kubeconfig(&self) -> Kubeconfig {
        self.admin.clone()
    }

    /// A new client as cluster administrator. Clients are bound to the tokio runtime they were made on: tests must not share one.
    ///
    /// # Errors
    /// When the client can't be made; no request is sent.
    pub async fn client(&self) -> Result<Client> {
        kubeconfig::client(&self.admin).await
    }

    /// A kubeconfig with a token of that ServiceAccount, valid for 24 hours, and with its namespace as the default one.
    ///
    /// # Errors
    /// When the ServiceAccount doesn't exist or the API server refuses.
    pub async fn service_account_kubeconfig(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<Kubeconfig> {
        let accounts: Api<ServiceAccount> = Api::namespaced(self.client().await?, namespace);
        let spec = TokenRequestSpec {
            expiration_seconds: Some(TOKEN_SECONDS),
            ..TokenRequestSpec::default()
        };
        let request = TokenRequest {
            spec: Some(spec),
            ..TokenRequest::default()
        };
        let answer = accounts
            .create_token_request(name, &PostParams::default(), &request)
            .await
            .with_context(|| format!("requesting a token for ServiceAccount {namespace}/{name}"))?;
        let token = answer
            .status
            .and_then(|status| status.token)
            .context("the API server sent no token")?;
        kubeconfig::with_token(self.port, &self.certificates.ca, name, namespace, &token)
    }

    /// Writes the kubeconfig, readable by its owner only, to a new file that lives as long as the control plane.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn write_kubeconfig(&self, kubeconfig: &Kubeconfig) -> Result<PathBuf> {
        let path = self
            .directory()
            .join(format!("{}.kubeconfig", Uuid::new_v4().simple()));
        kubeconfig::write(kubeconfig, &path)?;
        Ok(path)
    }

    /// Creates a namespace of that prefix (at most 54 characters) and a random ending, and returns its name.
    ///
    /// # Errors
    /// When the API server refuses or doesn't answer.
    pub async fn namespace(&self, prefix: &str) -> Result<String> {
        let mut suffix = Uuid::new_v4().simple().to_string();
        suffix.truncate(8);
        let name = format!("{prefix}-{suffix}");
        let metadata = ObjectMeta {
            name: Some(name.clone()),
            ..ObjectMeta::default()
        };
        let namespaces: Api<Namespace> = Api::all(self.client().await?);
        namespaces
            .create(
                &PostParams::default(),
                &Namespace {
                    metadata,
                    ..Namespace::default()
                },
            )
            .await
            .with_context(|| format!("creating namespace {name}"))?;
        Ok(name)
    }

    /// Applies every document of the YAML as administrator, as [`crate::apply`] does, into the namespace `default` unless the
    /// document names another.
    ///
    /// # Errors
    /// As [`crate::apply`].
    pub async fn apply(&self, yaml: &str) -> Result<Vec<DynamicObject>> {
        self.apply_in("default", yaml).await
    }

    /// Like [`ControlPlane::apply`], with another namespace for the documents that name none.
    ///
    /// # Errors
    /// As [`crate::apply`].
    pub async fn apply_in(&self, namespace: &str, yaml: &str) -> Result<Vec<DynamicObject>> {
        crate::apply(&self.client().await?, namespace, yaml).await
    }
}
