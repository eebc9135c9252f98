use std::collections::HashSet;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use reqwest::{Method, Url};

use super::api_key::{ApiKey, KeyId};
use super::body;
use super::endpoint::{Endpoint, EndpointError};
use super::failure::{Failure, FailureKind, request_id};
use super::metrics::RequestMetrics;
use super::model::{Backup, CreateIndex, Index, Listing, RestoreJob};
use super::operation::Operation;
use super::outcome::Sent;
use super::rate_limit::RateLimiter;
use super::reply::Reply;
use super::version::ApiVersion;
use super::wire;
use crate::runtime::clock::BootTime;
use crate::runtime::failpoint::{Site, around};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const USER_AGENT: &str = concat!(
    "lang=rust; index-restore-operator=",
    env!("CARGO_PKG_VERSION"),
    "; source_tag=index_restore_operator"
);
/// Most pages of restore jobs that one listing requests, at 100 rows each.
const MAX_PAGES: usize = 500;

/// A client of Pinecone's control plane. It never retries and never follows a redirect.
#[derive(Debug)]
pub struct Client {
    base: Url,
    api_version: ApiVersion,
    reads: reqwest::Client,
    /// A separate client for the POST: HTTP/1.1 on a new connection each time, so that no layer
    /// below has a reason or a way to send it twice.
    create: reqwest::Client,
    rate_limiter: RateLimiter,
    metrics: RequestMetrics,
}

impl Client {
    /// Returns a client that counts its requests in `metrics`. Sends nothing.
    ///
    /// # Errors
    /// If the endpoint cannot be used; the error names the flag.
    pub fn new(endpoint: &Endpoint, metrics: RequestMetrics) -> Result<Self, EndpointError> {
        let base = Url::parse(&endpoint.url)
            .ok()
            .filter(|url| ["http", "https"].contains(&url.scheme()) && url.has_host())
            .ok_or_else(|| EndpointError::Url(endpoint.url.clone()))?;
        Ok(Self {
            base,
            api_version: endpoint.api_version,
            reads: builder(endpoint)?.build()?,
            create: builder(endpoint)?
                .http1_only()
                .pool_max_idle_per_host(0)
                .build()?,
            rate_limiter: RateLimiter::new(endpoint.requests_per_second),
            metrics,
        })
    }

    /// Waits until the rate limit allows this API key a request.
    ///
    /// # Errors
    /// While the key is paused: the answer that paused it.
    pub async fn until_ready(&self, key: KeyId) -> Result<(), Failure> {
        self.rate_limiter.until_ready(key).await
    }

    /// Requests `GET /backups/{id}`; also returns when Pinecone answered, by its own clock.
    pub async fn backup(
        &self,
        key: &ApiKey,
        id: &str,
    ) -> Result<(Backup, Option<Timestamp>), Failure> {
        let reply = self
            .get(key, Operation::DescribeBackup, &["backups", id], None)
            .await?;
        Ok((reply.json::<wire::Backup>()?.into(), reply.date()))
    }

    /// Requests `GET /indexes/{name}`.
    pub async fn index(&self, key: &ApiKey, name: &str) -> Result<Index, Failure> {
        let reply = self
            .get(key, Operation::DescribeIndex, &["indexes", name], None)
            .await?;
        wire::index(&reply, self.api_version)
    }

    /// Requests `GET /indexes`, which has no pages.
    pub async fn indexes(&self, key: &ApiKey) -> Result<Vec<Index>, Failure> {
        let reply = self
            .get(key, Operation::ListIndexes, &["indexes"], None)
            .await?;
        wire::indexes(&reply, self.api_version)
    }

    /// Requests `GET /restore-jobs/{id}`.
    pub async fn restore_job(&self, key: &ApiKey, id: &str) -> Result<RestoreJob, Failure> {
        let path = ["restore-jobs", id];
        let reply = self
            .get(key, Operation::DescribeRestoreJob, &path, None)
            .await?;
        Ok(reply.json::<wire::RestoreJob>()?.into())
    }

    /// Returns the restore jobs for that index name that `GET /restore-jobs` lists, each once. The
    /// list can have every restore of the project, so other rows are dropped at once.
    ///
    /// # Errors
    /// If any page failed.
    pub async fn restore_jobs(&self, key: &ApiKey, index_name: &str) -> Result<Listing, Failure> {
        let mut listing = Listing::default();
        let mut seen = HashSet::new();
        let keep = |job: RestoreJob| {
            if job.target_index_name == index_name && seen.insert(job.restore_job_id.clone()) {
                listing.jobs.push(job);
            }
        };
        let is_complete = self.each_restore_job(key, keep).await?;
        Ok(Listing {
            is_complete,
            ..listing
        })
    }

    /// Returns the IDs of all restore jobs that `GET /restore-jobs` lists.
    ///
    /// # Errors
    /// If any page failed.
    pub async fn restore_job_ids(&self, key: &ApiKey) -> Result<HashSet<String>, Failure> {
        let mut ids = HashSet::new();
        self.each_restore_job(key, |job| {
            ids.insert(job.restore_job_id);
        })
        .await?;
        Ok(ids)
    }

    /// Requests every page of `GET /restore-jobs`; returns whether the list came to its end.
    async fn each_restore_job(
        &self,
        key: &ApiKey,
        mut keep: impl FnMut(RestoreJob),
    ) -> Result<bool, Failure> {
        let mut tokens = HashSet::new();
        // A token carries its own limit; sending both is an error.
        let mut query = ("limit", "100".to_owned());
        for _ in 0..MAX_PAGES {
            let (name, value) = &query;
            let query_pair = Some((*name, value.as_str()));
            let get = self.get(
                key,
                Operation::ListRestoreJobs,
                &["restore-jobs"],
                query_pair,
            );
            let reply = around(Site::JOBS_LIST, get).await?;
            let page: wire::RestoreJobPage = reply.json()?;
            page.data
                .into_iter()
                .map(RestoreJob::from)
                .for_each(&mut keep);
            match page.pagination.and_then(|pagination| pagination.next) {
                None => return Ok(true),
                Some(next) if tokens.insert(next.clone()) => query = ("paginationToken", next),
                // A repeated token would make this loop endless.
                Some(_) => break,
            }
        }
        Ok(false)
    }

    /// Sends `POST /backups/{id}/create-index`: the one request that is never repeated.
    /// Only a claim calls this.
    pub(crate) async fn create_index_from_backup(
        &self,
        key: &ApiKey,
        backup_id: &str,
        body: &CreateIndex,
    ) -> Sent {
        let url = self.url(&["backups", backup_id, "create-index"])?;
        let body = wire::CreateIndexFromBackup::from(body);
        let request = self.create.request(Method::POST, url).json(&body);
        self.send(key, Operation::CreateIndexFromBackup, None, request)
            .await
    }

    async fn get(
        &self,
        key: &ApiKey,
        operation: Operation,
        path: &[&str],
        query: Option<(&str, &str)>,
    ) -> Result<Reply, Failure> {
        let read = path.join("/");
        self.rate_limiter
            .until_ready_to_read(key.id(), &read)
            .await?;
        let mut url = self.url(path)?;
        if let Some((name, value)) = query {
            url.query_pairs_mut().append_pair(name, value);
        }
        self.send(key, operation, Some(&read), self.reads.get(url))
            .await
    }

    async fn send(
        &self,
        key: &ApiKey,
        operation: Operation,
        read: Option<&str>,
        request: reqwest::RequestBuilder,
    ) -> Result<Reply, Failure> {
        let header = key.header().ok_or_else(|| {
            Failure::without_answer(FailureKind::NotConnected, "the API key cannot be sent")
        })?;
        let started = Instant::now();
        let request = request
            .header("Api-Key", header)
            .header("X-Pinecone-Api-Version", self.api_version.as_str());
        // Boxed, or it would take memory in each of the futures around it.
        let result = Box::pin(exchange(request, key, operation.longest_body())).await;
        let code = match &result {
            Ok(reply) => reply.status.as_u16(),
            Err(failure) => failure.http.unwrap_or(0),
        };
        self.metrics
            .observe(operation.name(), code, started.elapsed());
        if code != 0 {
            self.rate_limiter.answered(key.id(), code, BootTime::now());
        }
        if let Err(failure) = &result {
            self.rate_limiter
                .pause_after(key.id(), read, failure, BootTime::now());
        }
        result
    }

    fn url(&self, path: &[&str]) -> Result<Url, Failure> {
        let mut url = self.base.clone();
        // A dot segment would be resolved away and name another resource.
        let plain = !path
            .iter()
            .any(|segment| matches!(*segment, "" | "." | ".."));
        match url.path_segments_mut() {
            Ok(mut segments) if plain => {
                segments.pop_if_empty().extend(path);
            }
            _ => {
                return Err(Failure::without_answer(
                    FailureKind::Invalid,
                    "an ID or a name cannot be part of a URL",
                ));
            }
        }
        Ok(url)
    }
}

fn builder(endpoint: &Endpoint) -> Result<reqwest::ClientBuilder, EndpointError> {
    let builder = reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(CONNECT_TIMEOUT.min(endpoint.request_timeout))
        .timeout(endpoint.request_timeout);
    let Some(path) = &endpoint.ca_file else {
        return Ok(builder);
    };
    let pem = std::fs::read(path).map_err(|source| EndpointError::CaFile {
        path: path.clone(),
        source,
    })?;
    let certificates = reqwest::Certificate::from_pem_bundle(&pem).unwrap_or_default();
    match certificates.is_empty() {
        true => Err(EndpointError::NoCertificate(path.clone())),
        false => Ok(builder.tls_certs_merge(certificates)),
    }
}

/// Sends the request and reads the answer, of at most `longest` bytes.
async fn exchange(
    request: reqwest::RequestBuilder,
    key: &ApiKey,
    longest: usize,
) -> Result<Reply, Failure> {
    let response = request.send().await.map_err(|error| {
        let kind = match error.is_connect() {
            true => FailureKind::NotConnected,
            false => FailureKind::Unavailable,
        };
        Failure::without_answer(kind, key.redact(&words(error.without_url())))
    })?;
    let (status, headers) = (response.status(), response.headers().clone());
    let unreadable = |words: String| Failure {
        http: Some(status.as_u16()),
        request_id: request_id(&headers, key),
        ..Failure::without_answer(FailureKind::Unavailable, words)
    };
    let body = body::read(response, longest)
        .await
        .map_err(|error| unreadable(error.to_string()))?;
    let text = String::from_utf8_lossy(&body);
    if status.is_success() {
        return Ok(Reply::new(status, &headers, text.into_owned(), key));
    }
    let now = Timestamp::now();
    Err(Failure::from_answer(status, &headers, &text, key, now))
}

/// Returns the error and its causes in one line; reqwest's own text hides the causes.
fn words(error: reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests;
