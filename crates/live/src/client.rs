//! HTTP to Pinecone: never retries, never follows a redirect, and counts its requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap};
use reqwest::{Method, Url};
use serde_json::Value;

use crate::key::ApiKey;

/// The API version that the checks use unless they compare versions.
pub const NEW: &str = "2026-07";
/// The API version that is compared with [`NEW`].
pub const OLD: &str = "2025-10";

/// From connecting to the end of the answer.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
const BODY_MAX: usize = 2 * 1024 * 1024;
const USER_AGENT: &str = concat!(
    "lang=rust; index-restore-live=",
    env!("CARGO_PKG_VERSION"),
    "; source_tag=index_restore_live"
);

/// A request to the control plane.
#[derive(Clone, Debug)]
pub struct Call {
    method: Method,
    path: Vec<String>,
    query: Vec<(&'static str, String)>,
    version: Option<&'static str>,
    body: Option<Value>,
    key: Option<ApiKey>,
}

impl Call {
    fn new(method: Method, path: &[&str]) -> Self {
        Self {
            method,
            path: path.iter().map(|&segment| segment.to_owned()).collect(),
            query: Vec::new(),
            version: Some(NEW),
            body: None,
            key: None,
        }
    }

    /// A GET of a path, given as its segments.
    pub fn get(path: &[&str]) -> Self {
        Self::new(Method::GET, path)
    }

    /// A DELETE.
    pub fn delete(path: &[&str]) -> Self {
        Self::new(Method::DELETE, path)
    }

    /// A PATCH with a JSON body.
    pub fn patch(path: &[&str], body: Value) -> Self {
        Self {
            body: Some(body),
            ..Self::new(Method::PATCH, path)
        }
    }

    /// A POST with a JSON body.
    pub fn post(path: &[&str], body: Value) -> Self {
        Self {
            body: Some(body),
            ..Self::new(Method::POST, path)
        }
    }

    /// Adds a query parameter.
    pub fn query(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// Sets the version header; `None` leaves it out.
    pub fn version(mut self, version: Option<&'static str>) -> Self {
        self.version = version;
        self
    }

    /// Sends another key than the client's.
    pub fn key(mut self, key: ApiKey) -> Self {
        self.key = Some(key);
        self
    }
}

/// Sends requests until its budget is used up. Clones share one budget.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    key: ApiKey,
    budget: Arc<AtomicU32>,
}

impl Client {
    /// A client of an endpoint with a budget of requests.
    ///
    /// # Errors
    /// If the endpoint is not `https`, or `http` on loopback, or if no HTTP client can be built.
    pub fn new(endpoint: &str, key: ApiKey, budget: u32) -> Result<Self> {
        let base = endpoint_url(endpoint)?;
        let is_remote = base.scheme() == "https";
        let mut builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .redirect(reqwest::redirect::Policy::none())
            // Nothing below may send a create a second time.
            .retry(reqwest::retry::never())
            .http1_only()
            .pool_max_idle_per_host(0)
            .https_only(is_remote)
            .timeout(REQUEST_TIMEOUT);
        if !is_remote {
            builder = builder.no_proxy();
        }
        Ok(Self {
            http: builder.build().context("No HTTP client can be built")?,
            base,
            key,
            budget: Arc::new(AtomicU32::new(budget)),
        })
    }

    /// The same client with a budget of its own.
    pub fn with_budget(&self, budget: u32) -> Self {
        Self {
            budget: Arc::new(AtomicU32::new(budget)),
            ..self.clone()
        }
    }

    /// The host of the endpoint, with its port if that is not the default one.
    pub fn host(&self) -> String {
        let host = self.base.host_str().unwrap_or_default();
        match self.base.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    /// The URL of an index, for a command that a user can run.
    pub fn index_url(&self, name: &str) -> String {
        format!(
            "{}/indexes/{name}",
            self.base.as_str().trim_end_matches('/')
        )
    }

    /// Why the key is not sent to that host of an index, or `None` if it may be.
    pub fn data_plane_obstacle(&self, host: &str) -> Option<String> {
        if self.base.scheme() != "https" {
            return Some("the endpoint is on loopback, so no index host is contacted".to_owned());
        }
        let is_plain = host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
        if is_plain && host.ends_with(".pinecone.io") {
            return None;
        }
        Some("the host is not under pinecone.io, so the key is not sent there".to_owned())
    }

    /// Sends a request to the control plane.
    ///
    /// # Errors
    /// If there is no whole answer, or the budget is used up.
    pub async fn send(&self, call: Call) -> Result<Reply> {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(&call.path);
        }
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        let key = call.key.as_ref().unwrap_or(&self.key);
        let mut request = self
            .http
            .request(call.method, url)
            .header("Api-Key", key.header()?);
        if let Some(version) = call.version {
            request = request.header("X-Pinecone-Api-Version", version);
        }
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        self.exchange(request).await
    }

    /// `POST https://HOST/describe_index_stats`, the only request to the data plane.
    ///
    /// # Errors
    /// As [`send`](Self::send), and if the key must not be sent to that host.
    pub async fn index_stats(&self, host: &str) -> Result<Reply> {
        if let Some(obstacle) = self.data_plane_obstacle(host) {
            bail!(obstacle);
        }
        let request = self
            .http
            .post(format!("https://{host}/describe_index_stats"))
            .header("Api-Key", self.key.header()?)
            .header("X-Pinecone-Api-Version", OLD)
            .json(&serde_json::json!({}));
        self.exchange(request).await
    }

    async fn exchange(&self, request: reqwest::RequestBuilder) -> Result<Reply> {
        let spent = self
            .budget
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(1)
            });
        if spent.is_err() {
            bail!("The limit of requests is reached");
        }
        // A URL in an error says nothing that the reader does not know, and the path is long.
        let mut response = request.send().await.map_err(reqwest::Error::without_url)?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut bytes = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(reqwest::Error::without_url)?
        {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > BODY_MAX {
                bail!("The answer is longer than {BODY_MAX} bytes");
            }
        }
        let text = self.key.redact(&String::from_utf8_lossy(&bytes));
        Ok(Reply::new(status, &headers, text))
    }
}

fn endpoint_url(endpoint: &str) -> Result<Url> {
    let url = Url::parse(endpoint).context("--endpoint is not a URL")?;
    let is_loopback = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback);
    let is_plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if !(is_safe && is_plain && url.has_host()) {
        bail!(
            "--endpoint must be a URL such as https://api.pinecone.io, without user and query; http is for loopback only"
        );
    }
    Ok(url)
}

/// A whole answer. The API key is not in its text.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The media type, without parameters.
    pub content_type: String,
    /// The body as text.
    pub text: String,
    /// The body as JSON; `Null` if it is not JSON.
    pub json: Value,
    /// The `Date` header.
    pub date: Option<Timestamp>,
    /// When the answer was complete.
    pub received: Instant,
}

impl Reply {
    fn new(status: u16, headers: &HeaderMap, text: String) -> Self {
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let content_type = header(CONTENT_TYPE).unwrap_or_default();
        let date = header(DATE).and_then(|text| httpdate::parse_http_date(text).ok());
        Self {
            status,
            content_type: content_type
                .split(';')
                .next()
                .unwrap_or_default()
                .trim()
                .to_owned(),
            json: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
            date: date.and_then(|date| Timestamp::try_from(date).ok()),
            received: Instant::now(),
        }
    }

    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether the request can have had no effect or no meaning for now: 429 and 5xx.
    pub fn is_transient(&self) -> bool {
        self.status == 429 || self.status >= 500
    }

    /// The code and the message, if the body has Pinecone's form of an error.
    pub fn error(&self) -> Option<(&str, &str)> {
        let error = &self.json["error"];
        Some((error["code"].as_str()?, error["message"].as_str()?))
    }

    /// Whether it is that status in Pinecone's form of an error.
    pub fn is_error(&self, status: u16) -> bool {
        self.status == status && self.error().is_some()
    }

    /// A short description for evidence.
    pub fn brief(&self) -> String {
        let detail = match self.error() {
            Some((code, message)) => format!("{code}: {message}"),
            None => format!("{}: {}", self.content_type, self.text),
        };
        let detail: String = detail.chars().take(160).collect();
        match self.is_success() {
            true => format!("HTTP {}", self.status),
            false => format!("HTTP {} ({})", self.status, detail.trim()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_plain_http_only_on_loopback() {
        assert!(endpoint_url("https://api.pinecone.io").is_ok());
        assert!(endpoint_url("http://127.0.0.1:5080").is_ok());
        for bad in [
            "http://api.pinecone.io",
            "https://user@api.pinecone.io",
            "https://api.pinecone.io?a=b",
            "file:///tmp",
            "api.pinecone.io",
        ] {
            assert!(endpoint_url(bad).is_err(), "{bad}");
        }
    }
}
