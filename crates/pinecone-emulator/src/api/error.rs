//! Errors in the form of Pinecone's API.

use serde::de::DeserializeOwned;
use serde_json::json;

use crate::api::reply::Reply;

/// Pinecone's `ErrorResponse`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ErrorResponse {
    pub status: u16,
    pub code: String,
    pub message: String,
}

impl ErrorResponse {
    pub(crate) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.to_owned(),
            message: message.into(),
        }
    }

    pub(crate) fn invalid_argument(message: impl Into<String>) -> Self {
        Self::new(400, "INVALID_ARGUMENT", message)
    }

    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(403, "FORBIDDEN", message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(404, "NOT_FOUND", message)
    }

    pub(crate) fn no_index(name: &str) -> Self {
        Self::not_found(format!("Index {name} not found."))
    }

    pub(crate) fn no_backup(id: &str) -> Self {
        Self::not_found(format!("Backup {id} not found."))
    }

    pub(crate) fn already_exists() -> Self {
        Self::new(409, "ALREADY_EXISTS", "Resource already exists.")
    }

    pub(crate) fn failed_precondition(message: impl Into<String>) -> Self {
        Self::new(412, "FAILED_PRECONDITION", message)
    }

    pub(crate) fn unprocessable(error: &serde_json::Error) -> Self {
        let message = format!("Failed to deserialize the JSON body into the target type: {error}");
        Self::new(422, "UNPROCESSABLE_ENTITY", message)
    }
}

impl From<ErrorResponse> for Reply {
    fn from(error: ErrorResponse) -> Self {
        let ErrorResponse {
            status,
            code,
            message,
        } = error;
        let error = json!({"code": code, "message": message});
        Self::json(status, json!({"error": error, "status": status}))
    }
}

/// The result of a handler.
pub(crate) type HandlerResult = Result<Reply, ErrorResponse>;

/// Parses a JSON body. Unknown fields are ignored, as in Pinecone.
pub(crate) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ErrorResponse> {
    serde_json::from_slice(body).map_err(|error| ErrorResponse::unprocessable(&error))
}
