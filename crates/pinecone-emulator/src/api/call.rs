//! A request, parsed from HTTP.

use std::fmt;

use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::api::route::{Route, Target};

/// A request with its complete body.
#[derive(Clone)]
pub(crate) struct Call {
    pub method: String,
    pub path: String,
    pub query: Option<String>,
    pub target: Target,
    pub api_key: Option<String>,
    pub api_version: Option<String>,
    pub user_agent: Option<String>,
    pub body: Bytes,
}

impl Call {
    pub(crate) fn new(method: &str, path: &str, query: Option<&str>, body: Bytes) -> Self {
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.map(str::to_owned),
            target: Target::resolve(method, &segments(path)),
            api_key: None,
            api_version: None,
            user_agent: None,
            body,
        }
    }

    pub(crate) fn route(&self) -> Route {
        self.target.route()
    }

    /// The value of a query parameter, the first if repeated.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let query = self.query.as_deref()?;
        form_urlencoded::parse(query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }

    /// The body, if it is JSON.
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Whether the path or the body contains `text`.
    pub(crate) fn mentions(&self, text: &str) -> bool {
        self.path.contains(text) || String::from_utf8_lossy(&self.body).contains(text)
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("api_key", &self.api_key.as_ref().map(|_| "redacted"))
            .finish_non_exhaustive()
    }
}

/// Returns the decoded segments of a path. It is split before it is decoded, because an ID may contain an encoded `/`.
pub(crate) fn segments(path: &str) -> Vec<String> {
    path.split('/')
        .skip(1)
        .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_an_encoded_slash_in_its_segment() {
        assert_eq!(
            segments("/backups/a%2Fb/create-index"),
            ["backups", "a/b", "create-index"]
        );
    }

    #[test]
    fn debug_output_hides_the_api_key() {
        let mut call = Call::new("GET", "/indexes", None, Bytes::new());
        call.api_key = Some("canary".to_owned());
        assert!(!format!("{call:?}").contains("canary"));
    }
}
