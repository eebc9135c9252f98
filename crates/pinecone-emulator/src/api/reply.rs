//! The service's answer to a request, before a fault changes it.

use serde::Serialize;
use serde_json::Value;

/// The service's answer to a request.
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
        // Serializing the plain structs of this crate cannot fail. If it did, every client would see the `null`.
        Self::json(status, serde_json::to_value(value).unwrap_or(Value::Null))
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self::new(status, Content::Empty)
    }

    pub(crate) fn with_effect(mut self) -> Self {
        self.effect = true;
        self
    }

    /// The plain-text 401 that Pinecone's gateway sends instead of an `ErrorResponse`.
    pub(crate) fn unauthorized() -> Self {
        Self::new(401, Content::Text("Invalid API key".to_owned()))
    }
}
