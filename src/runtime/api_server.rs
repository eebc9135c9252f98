//! Calls to the API server, each with a deadline: kube sets none, and a call that hangs would
//! block its object.

use std::time::Duration;

use kube::error::Status;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::failpoint::{Site, around};

/// For one call, kube's own retries of 429, 503 and 504 included.
const DEADLINE: Duration = Duration::from_secs(15);

/// Most calls at the same time, for all objects: what the API server is asked to bear. Events and the
/// election's calls are not among them.
const MOST_CALLS: usize = 32;

static CALLS: Semaphore = Semaphore::const_new(MOST_CALLS);

/// A call that failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// kube returned an error: the API server's answer, or none.
    #[error("{call}: {source}")]
    Call {
        /// Name of the call, for messages.
        call: &'static str,
        /// kube's error; boxed, because it is large.
        source: Box<kube::Error>,
    },
    /// No answer within the deadline. The call may have had its effect.
    #[error("{call}: the API server did not answer within {after:?}")]
    Deadline {
        /// Name of the call, for messages.
        call: &'static str,
        /// The deadline that passed.
        after: Duration,
    },
}

/// Makes one call, for 15 s at most. Tests can stop the process on either side of it, at `site`.
///
/// # Errors
/// Those of the call, and its deadline: then the call may have had its effect.
pub fn call<T>(
    site: Site,
    io: impl Future<Output = Result<T, kube::Error>>,
) -> impl Future<Output = Result<T, Error>> {
    let io = call_within(DEADLINE, site, io);
    async move {
        let _turn = turn().await;
        io.await
    }
}

/// The right to one call at a time.
pub struct Turn {
    _permit: Option<SemaphorePermit<'static>>,
}

/// Waits until the API server may be called. That may take long, so what must not be old when it is
/// called is made after it.
pub async fn turn() -> Turn {
    Turn {
        // Never closed, so that there is always a permit some time.
        _permit: CALLS.acquire().await.ok(),
    }
}

/// Whether no call is being made.
pub fn is_idle() -> bool {
    CALLS.available_permits() == MOST_CALLS
}

/// Makes one call in a turn that the caller has, as [`call`](fn@call) does.
///
/// # Errors
/// As [`call`](fn@call).
pub fn call_in<T>(
    _turn: &Turn,
    site: Site,
    io: impl Future<Output = Result<T, kube::Error>>,
) -> impl Future<Output = Result<T, Error>> {
    call_within(DEADLINE, site, io)
}

/// Makes one call, for `deadline` at most.
///
/// # Errors
/// As [`call`].
pub fn call_within<T>(
    deadline: Duration,
    site: Site,
    io: impl Future<Output = Result<T, kube::Error>>,
) -> impl Future<Output = Result<T, Error>> {
    around(site, within(deadline, site.name(), io))
}

/// Makes one call at which tests do not stop the process, for 15 s at most. `call` names it in
/// errors.
///
/// # Errors
/// As [`call`](fn@call).
pub fn with_deadline<T>(
    call: &'static str,
    io: impl Future<Output = Result<T, kube::Error>>,
) -> impl Future<Output = Result<T, Error>> {
    within(DEADLINE, call, io)
}

/// The deadline begins when the future is polled first.
fn within<T>(
    after: Duration,
    call: &'static str,
    io: impl Future<Output = Result<T, kube::Error>>,
) -> impl Future<Output = Result<T, Error>> {
    // Boxed, or it would take memory once more in each future that it is passed through: hundreds
    // of reconciles may wait for the API server.
    let io = Box::pin(io);
    async move {
        match tokio::time::timeout(after, io).await {
            Ok(result) => result.map_err(|source| Error::Call {
                call,
                source: Box::new(source),
            }),
            Err(_) => Err(Error::Deadline { call, after }),
        }
    }
}

impl Error {
    fn status(&self) -> Option<&Status> {
        match self {
            Self::Call { source, .. } => match source.as_ref() {
                kube::Error::Api(status) => Some(status),
                _ => None,
            },
            Self::Deadline { .. } => None,
        }
    }

    /// Returns the message of the API server, if it answered.
    pub fn answer(&self) -> Option<&str> {
        self.status().map(|status| status.message.as_str())
    }

    /// Whether the API server answered 403: the operator lacks a permission.
    pub fn is_forbidden(&self) -> bool {
        self.status().is_some_and(|status| status.code == 403)
    }

    /// Whether the API server answered 404: the object, or its kind, does not exist.
    pub fn is_not_found(&self) -> bool {
        self.status().is_some_and(|status| status.code == 404)
    }

    /// Whether the API server answered 409: the object has a newer resource version, or exists
    /// already.
    pub fn is_conflict(&self) -> bool {
        self.status().is_some_and(|status| status.code == 409)
    }

    /// The API server refused the call for what it says, and did nothing.
    pub fn is_refusal(&self) -> bool {
        self.status()
            .is_some_and(|status| matches!(status.code, 400 | 401 | 403 | 404 | 405 | 413 | 422))
    }

    /// A bounded label for metrics and logs.
    pub fn label(&self) -> &'static str {
        match self.status().map(|status| status.code) {
            Some(403) => "kubernetes_forbidden",
            Some(404) => "kubernetes_not_found",
            Some(409) => "kubernetes_conflict",
            Some(422) => "kubernetes_invalid",
            Some(_) => "kubernetes_error",
            None => "kubernetes_unavailable",
        }
    }
}

/// A client of a made-up API server, which runs as long as the test.
#[cfg(test)]
pub async fn client_of(server: axum::Router) -> kube::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, server).await });
    kube::Client::try_from(kube::Config::new(url.parse().unwrap())).unwrap()
}
