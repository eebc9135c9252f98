use std::fmt::{self, Display};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use super::api_key::ApiKey;
use super::untrusted::one_line;
use super::wire::{ErrorBody, ErrorResponse};
use crate::runtime::clock::BootTime;

/// Longest pause that a Retry-After can ask for.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(3_600);

/// A failed request, in words that a status can show: Pinecone's text is untrusted, cut, and free of
/// the API key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Failure {
    /// What the failure means; determines what happens next.
    pub kind: FailureKind,
    /// HTTP status, where there was an answer.
    pub http: Option<u16>,
    /// Pinecone's code, such as `NOT_FOUND`, where the error had Pinecone's form.
    pub code: Option<String>,
    /// Pinecone's message or the transport's error: one printable line, cut at 300 characters,
    /// without the API key. May be empty.
    pub words: String,
    /// ID of the request in Pinecone's header, at most 64 characters; for Pinecone's support.
    pub request_id: Option<String>,
    /// Pause that Pinecone asked for with Retry-After on a 429 or 5xx, or what is left of it; at
    /// most 1 hour.
    pub retry_after: Option<Duration>,
}

/// What a failure means, whatever request it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// 401
    Unauthorized,
    /// 402
    PaymentRequired,
    /// 403 because of a missing permission: the API key's role, or the organization's plan
    PermissionDenied,
    /// 403 for any other reason, such as a quota
    Forbidden,
    /// 404 in Pinecone's own form
    NotFound,
    /// 409
    AlreadyExists,
    /// 412
    PreconditionFailed,
    /// 400 and 422
    Invalid,
    /// 400 because of the API version, which is a flag of the operator
    UnsupportedVersion,
    /// 429
    RateLimited,
    /// No connection was made: nothing was sent.
    NotConnected,
    /// Anything else: 5xx, time-outs, broken or unreadable answers.
    Unavailable,
}

/// The result of a read: the thing exists, it does not exist, or the request failed.
pub type Lookup<T> = Result<Option<T>, Failure>;

/// Returns `None` for "not found" in Pinecone's own form.
pub fn found<T>(read: Result<T, Failure>) -> Lookup<T> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(failure) if failure.kind == FailureKind::NotFound => Ok(None),
        Err(failure) => Err(failure),
    }
}

impl FailureKind {
    /// Every kind.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 12] = [
        Self::Unauthorized,
        Self::PaymentRequired,
        Self::PermissionDenied,
        Self::Forbidden,
        Self::NotFound,
        Self::AlreadyExists,
        Self::PreconditionFailed,
        Self::Invalid,
        Self::UnsupportedVersion,
        Self::RateLimited,
        Self::NotConnected,
        Self::Unavailable,
    ];

    /// Returns a label from a fixed set, for metrics and logs.
    pub fn label(self) -> &'static str {
        match self {
            Self::Unauthorized => "unauthorized",
            Self::PaymentRequired => "payment_required",
            Self::PermissionDenied => "permission_denied",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::AlreadyExists => "already_exists",
            Self::PreconditionFailed => "precondition_failed",
            Self::Invalid => "invalid",
            Self::UnsupportedVersion => "unsupported_version",
            Self::RateLimited => "rate_limited",
            Self::NotConnected => "not_connected",
            Self::Unavailable => "unavailable",
        }
    }
}

impl Failure {
    /// Returns a failure of a request that was not answered.
    pub fn without_answer(kind: FailureKind, words: impl AsRef<str>) -> Self {
        Self {
            kind,
            http: None,
            code: None,
            words: one_line(words.as_ref()),
            request_id: None,
            retry_after: None,
        }
    }

    /// Returns the same failure for who asks again before `end`: a Retry-After becomes the rest of it.
    pub fn until(&self, end: BootTime, now: BootTime) -> Self {
        Self {
            retry_after: self.retry_after.map(|_| end.since(now)),
            ..self.clone()
        }
    }

    /// Parses an answer that is not a success. Its text is cleared of `key` after it is decoded and
    /// before it is cut.
    pub(super) fn from_answer(
        status: StatusCode,
        headers: &HeaderMap,
        body: &str,
        key: &ApiKey,
        now: Timestamp,
    ) -> Self {
        let own = serde_json::from_str::<ErrorResponse>(body).ok();
        let kind = kind_of(status, headers, body, own.as_ref().map(|own| &own.error));
        let clean = |text: &str| one_line(&key.redact(text));
        let words = match &own {
            Some(own) => clean(&own.error.message),
            None if is_html(headers, body) => "an HTML page instead of an API answer".into(),
            None => clean(body),
        };
        Self {
            kind,
            http: Some(status.as_u16()),
            code: own.map(|own| clean(&own.error.code)),
            words,
            request_id: request_id(headers, key),
            retry_after: asks_for_pause(status)
                .then(|| retry_after(headers, now))
                .flatten(),
        }
    }
}

/// Returns what an answer means. A refusal counts as Pinecone's only in Pinecone's own form: proxies
/// and gateways answer 403, 404 or 429 too, after they passed the request on.
fn kind_of(
    status: StatusCode,
    headers: &HeaderMap,
    body: &str,
    own: Option<&ErrorBody>,
) -> FailureKind {
    let Some(own) = own else {
        // Authentication is refused ahead of the API, in text/plain.
        return match status.as_u16() == 401 && !is_html(headers, body) {
            true => FailureKind::Unauthorized,
            false => FailureKind::Unavailable,
        };
    };
    match status.as_u16() {
        400 if is_about_version(&own.message) => FailureKind::UnsupportedVersion,
        400 | 422 => FailureKind::Invalid,
        401 => FailureKind::Unauthorized,
        402 => FailureKind::PaymentRequired,
        403 if own.code == "PERMISSION_DENIED" => FailureKind::PermissionDenied,
        403 => FailureKind::Forbidden,
        404 => FailureKind::NotFound,
        409 => FailureKind::AlreadyExists,
        412 => FailureKind::PreconditionFailed,
        429 => FailureKind::RateLimited,
        _ => FailureKind::Unavailable,
    }
}

/// Returns whether the message is about the header `X-Pinecone-Api-Version`. Its words are not
/// documented.
fn is_about_version(message: &str) -> bool {
    let message = message.to_ascii_lowercase().replace(['-', '_'], " ");
    message.contains("api version")
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let answer = match (self.http, &self.code) {
            (Some(http), Some(code)) => format!("HTTP {http} {code}"),
            (Some(http), None) => format!("HTTP {http}"),
            (None, _) => "no answer".to_owned(),
        };
        let words = match self.words.trim_end_matches('.') {
            "" => String::new(),
            words => format!(": {words}"),
        };
        let id = self.request_id.as_ref();
        let id = id.map_or_else(String::new, |id| format!(", request ID {id}"));
        write!(f, "{answer}{words}{id}")
    }
}

/// Returns `x-pinecone-request-id`, or else `x-request-id`.
pub(super) fn request_id(headers: &HeaderMap, key: &ApiKey) -> Option<String> {
    ["x-pinecone-request-id", "x-request-id"]
        .into_iter()
        .find_map(|name| headers.get(name)?.to_str().ok())
        .map(|id| one_line(&key.redact(id)).chars().take(64).collect())
}

/// Returns whether the operator obeys a Retry-After on that status. It does not after a refusal such
/// as 401, 402 or 403: another API key, a payment or a permission takes effect at once.
fn asks_for_pause(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}

/// Returns Retry-After, in seconds or as an HTTP date, at most [`MAX_RETRY_AFTER`].
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match value.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let until = httpdate::parse_http_date(value).ok()?;
            let until = Timestamp::try_from(until).ok()?;
            Duration::try_from(until.duration_since(now)).unwrap_or_default()
        }
    };
    Some(wait.min(MAX_RETRY_AFTER))
}

fn is_html(headers: &HeaderMap, body: &str) -> bool {
    let declared = headers
        .get(reqwest::header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("html"));
    declared || body.trim_start().starts_with('<')
}

#[cfg(test)]
mod tests;
