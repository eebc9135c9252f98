//! An answer that replaces the service's own, as a gateway would send it.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::api::reply::{Content, Reply};
use crate::model::time::{http_date, later};

/// An answer that replaces the service's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusAnswer {
    /// The HTTP status, 200 to 599.
    pub status: u16,
    /// The body; by default a JSON error that fits the status.
    #[serde(default)]
    pub body: AnswerBody,
    /// The `Retry-After` header.
    #[serde(default)]
    pub retry_after: Option<RetryAfter>,
    /// Further headers, such as `location`. Characters up to U+00FF are sent as one byte each, so a header can have any byte
    /// that HTTP allows.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Whether the request takes effect first.
    #[serde(default)]
    pub after_effect: bool,
}

impl StatusAnswer {
    /// A JSON error that fits the status, instead of the effect.
    pub fn new(status: u16) -> Self {
        Self {
            status,
            body: AnswerBody::default(),
            retry_after: None,
            headers: BTreeMap::new(),
            after_effect: false,
        }
    }

    /// With another body.
    pub fn body(mut self, body: AnswerBody) -> Self {
        self.body = body;
        self
    }

    /// With a `Retry-After` header.
    pub fn retry_after(mut self, retry_after: RetryAfter) -> Self {
        self.retry_after = Some(retry_after);
        self
    }

    /// With a header, such as `location`.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    /// After the effect instead of before it.
    pub fn after_effect(mut self) -> Self {
        self.after_effect = true;
        self
    }

    /// Returns the answer. A date in `Retry-After` counts from `now`.
    pub(crate) fn reply(&self, now: Timestamp) -> Reply {
        let mut reply = Reply::new(self.status, self.content());
        reply.headers = self.headers.clone().into_iter().collect();
        if let Some(retry_after) = self.retry_after {
            let value = match retry_after {
                RetryAfter::Seconds(seconds) => seconds.to_string(),
                RetryAfter::DateIn(seconds) => {
                    http_date(later(now, Duration::from_secs(seconds.into())))
                }
            };
            reply.headers.push(("retry-after".to_owned(), value));
        }
        reply
    }

    fn content(&self) -> Content {
        let error = |code: &str, message: &str| {
            let error = json!({"code": code, "message": message});
            Content::Json(json!({"error": error, "status": self.status}))
        };
        match &self.body {
            AnswerBody::Error => {
                let (code, message) = default_error(self.status);
                error(code, message)
            }
            AnswerBody::Json { code, message } => error(code, message),
            AnswerBody::Html => Content::Html(html_page(self.status)),
            AnswerBody::Text(text) => Content::Text(text.clone()),
            AnswerBody::Empty => Content::Empty,
        }
    }
}

/// The body of a [`StatusAnswer`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerBody {
    /// An `ErrorResponse` whose code and message fit the status.
    #[default]
    Error,
    /// An `ErrorResponse` with this code and message.
    Json {
        /// Pinecone's error code, such as `FORBIDDEN`.
        code: String,
        /// The message.
        message: String,
    },
    /// A gateway's HTML page.
    Html,
    /// Plain text.
    Text(String),
    /// No body.
    Empty,
}

/// The value of a `Retry-After` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryAfter {
    /// As a number of seconds.
    Seconds(u32),
    /// As an HTTP date this many seconds after the answer.
    DateIn(u32),
}

/// Returns code and message of an `ErrorResponse`, from the examples in Pinecone's documents where there is one.
fn default_error(status: u16) -> (&'static str, &'static str) {
    match status {
        400 => ("INVALID_ARGUMENT", "Bad request."),
        401 => ("UNAUTHENTICATED", "Invalid API key."),
        402 => (
            "PAYMENT_REQUIRED",
            "Request failed. Pay all past due invoices to lift restrictions on your account.",
        ),
        403 => (
            "FORBIDDEN",
            "Increase your quota or upgrade to create more indexes.",
        ),
        404 => ("NOT_FOUND", "Resource not found."),
        408 | 504 => ("DEADLINE_EXCEEDED", "The request timed out."),
        409 => ("ALREADY_EXISTS", "Resource already exists."),
        412 => (
            "FAILED_PRECONDITION",
            "The operation can't be done in this state.",
        ),
        422 => (
            "UNPROCESSABLE_ENTITY",
            "The request body could not be deserialized.",
        ),
        429 => ("RESOURCE_EXHAUSTED", "Too many requests."),
        502 | 503 => ("UNAVAILABLE", "The service is unavailable."),
        _ => ("UNKNOWN", "Internal server error"),
    }
}

/// Returns the HTML page of a gateway.
pub(crate) fn html_page(status: u16) -> String {
    format!(
        "<html>\r\n<head><title>{status} Error</title></head>\r\n<body>\r\n<center><h1>{status} Error</h1></center>\r\n\
         <hr><center>gateway</center>\r\n</body>\r\n</html>\r\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let header = |retry_after| {
            let fault = StatusAnswer::new(429).retry_after(retry_after);
            fault.reply(Timestamp::UNIX_EPOCH).headers
        };
        let named = |value: &str| vec![("retry-after".to_owned(), value.to_owned())];
        assert_eq!(header(RetryAfter::Seconds(7)), named("7"));
        assert_eq!(
            header(RetryAfter::DateIn(61)),
            named("Thu, 01 Jan 1970 00:01:01 GMT")
        );
    }

    #[test]
    fn an_error_has_the_code_of_its_status() {
        let Content::Json(body) = StatusAnswer::new(402).reply(Timestamp::UNIX_EPOCH).content
        else {
            panic!("an ErrorResponse is JSON");
        };
        assert_eq!(body["error"]["code"], "PAYMENT_REQUIRED");
        assert_eq!(body["status"], 402);
    }
}
