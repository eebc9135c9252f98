//! The way on to an API server, with the client's own credentials.

use anyhow::{Context as _, Result};
use bytes::Bytes;
use http::{HeaderMap, Request, Response, header};
use kube::client::Body;
use kube::config::{KubeConfigOptions, Kubeconfig};

#[derive(Clone)]
pub(super) struct Upstream {
    client: kube::Client,
}

/// What is sent on.
#[derive(Clone)]
pub(super) struct Outgoing {
    pub(super) method: http::Method,
    /// Path and query.
    pub(super) target: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Upstream {
    /// The kubeconfig says where; its credentials are not used.
    pub(super) async fn new(kubeconfig: &Kubeconfig) -> Result<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let options = KubeConfigOptions::default();
        let mut config = kube::Config::from_custom_kubeconfig(kubeconfig.clone(), &options).await?;
        config.auth_info = kube::config::AuthInfo::default();
        config.proxy_url = None;
        // Each request is sent on once.
        config.default_retry = false;
        let client = kube::Client::try_from(config).context("making the proxy's client")?;
        Ok(Self { client })
    }

    pub(super) async fn send(&self, outgoing: Outgoing) -> Result<Response<Body>> {
        let mut request = Request::builder()
            .method(outgoing.method)
            .uri(outgoing.target)
            .body(Body::from(outgoing.body))?;
        *request.headers_mut() = outgoing.headers;
        for name in [
            header::HOST,
            header::CONTENT_LENGTH,
            header::CONNECTION,
            header::TRANSFER_ENCODING,
        ] {
            request.headers_mut().remove(name);
        }
        Ok(self.client.send(request).await?)
    }
}
