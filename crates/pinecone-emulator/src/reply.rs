//! What the world answers, before anything is done to it on the way.

use serde::Serialize;
use serde_json::{Value, json};

/// An answer of the service.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reply {
    pub status: u16,
    pub content: Content,
    pub headers: Vec<(String, String)>,
    /// Whether the request changed something.
    pub effect: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Content {
    Json(Value),
    Text(String),
    Html(String),
    Empty,
}

impl Reply {
    pub(crate) fn new(status: u16, content: Content) -> Self {
        Self {
            status,
            content,
            headers: Vec::new(),
            effect: false,
        }
    }

    pub(crate) fn json(status: u16, value: Value) -> Self {
        Self::new(status, Content::Json(value))
    }

    pub(crate) fn of(status: u16, value: &impl Serialize) -> Self {
        // Serialising the plain structs of this crate can't fail; `null` would be seen by every client.
        Self::json(status, serde_json::to_value(value).unwrap_or(Value::Null))
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self::new(status, Content::Empty)
    }

    pub(crate) fn effective(mut self) -> Self {
        self.effect = true;
        self
    }

    /// The plain-text 401 that Pinecone's gateway sends instead of an `ErrorResponse`.
    pub(crate) fn unauthorized() -> Self {
        Self::new(401, Content::Text("Invalid API key".to_owned()))
    }
}

/// A refusal in Pinecone's own form, `ErrorResponse`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub status: u16,
    pub code: String,
    pub message: String,
}

impl Refusal {
    pub(crate) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.to_owned(),
            message: message.into(),
        }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "INVALID_ARGUMENT", message)
    }

    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(403, "FORBIDDEN", message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(404, "NOT_FOUND", message)
    }

    pub(crate) fn already_exists() -> Self {
        Self::new(409, "ALREADY_EXISTS", "Resource already exists.")
    }

    pub(crate) fn precondition(message: impl Into<String>) -> Self {
        Self::new(412, "FAILED_PRECONDITION", message)
    }

    pub(crate) fn unprocessable(error: &serde_json::Error) -> Self {
        let message = format!("Failed to deserialize the JSON body into the target type: {error}");
        Self::new(422, "UNPROCESSABLE_ENTITY", message)
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        let error = json!({"code": refusal.code, "message": refusal.message});
        Self::json(
            refusal.status,
            json!({"error": error, "status": refusal.status}),
        )
    }
}

/// What a route's handler makes of a request.
pub(crate) type Outcome = Result<Reply, Refusal>;
