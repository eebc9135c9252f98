//! A request to the API server, taken apart.

use bytes::Bytes;
use http::Method;
use serde_json::Value;

/// What a client asks of the API server.
#[derive(Clone, Debug)]
pub struct Call {
    /// The HTTP method.
    pub method: Method,
    /// The namespace; empty where the path names none.
    pub namespace: String,
    /// Such as `indexrestores`; empty where the path names none.
    pub resource: String,
    /// The object; empty for lists, watches and creates.
    pub name: String,
    /// Such as `status`; empty for the object itself.
    pub subresource: String,
    /// The query as sent.
    pub query: String,
    /// The body; null where there is none or it isn't JSON.
    pub body: Value,
}

impl Call {
    pub(super) fn new(method: Method, path: &str, query: Option<&str>, body: &Bytes) -> Self {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        // /api/v1/… or /apis/GROUP/VERSION/…, then perhaps namespaces/NAMESPACE/….
        let rest = match parts.as_slice() {
            ["api", _, rest @ ..] | ["apis", _, _, rest @ ..] => rest,
            _ => &[],
        };
        let (namespace, rest) = match rest {
            ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (*namespace, rest),
            rest => ("", rest),
        };
        let part = |n: usize| (*rest.get(n).unwrap_or(&"")).to_owned();
        Self {
            method,
            namespace: namespace.to_owned(),
            resource: part(0),
            name: part(1),
            subresource: part(2),
            query: query.unwrap_or_default().to_owned(),
            body: serde_json::from_slice(body).unwrap_or_default(),
        }
    }

    /// Whether it is a GET with `watch=true`.
    pub fn is_watch(&self) -> bool {
        self.method == Method::GET && self.query.split('&').any(|pair| pair == "watch=true")
    }

    /// Whether it is a GET of a collection that does not watch. Discovery and health checks name no resource.
    pub fn is_list(&self) -> bool {
        let is_collection = !self.resource.is_empty() && self.name.is_empty();
        self.method == Method::GET && is_collection && !self.is_watch()
    }

    /// Whether it writes the status of an object of that resource.
    pub fn writes_status_of(&self, resource: &str) -> bool {
        self.method == Method::PUT && self.resource == resource && self.subresource == "status"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_apart() {
        let take = |path: &str, query| {
            let call = Call::new(Method::GET, path, query, &Bytes::new());
            let kind = (call.is_list(), call.is_watch());
            ([call.resource, call.name, call.subresource], kind)
        };
        let own = |parts: [&str; 3]| parts.map(str::to_owned);
        let group = "/apis/restore.pinecone.io/v1alpha1";
        for (path, query, parts, kind) in [
            (
                format!("{group}/namespaces/n/indexrestores/a/status"),
                None,
                ["indexrestores", "a", "status"],
                (false, false),
            ),
            (
                format!("{group}/namespaces/n/indexrestores"),
                Some("limit=500"),
                ["indexrestores", "", ""],
                (true, false),
            ),
            (
                format!("{group}/indexrestores"),
                Some("watch=true&timeoutSeconds=290"),
                ["indexrestores", "", ""],
                (false, true),
            ),
            (
                "/api/v1/namespaces/n/secrets/s".into(),
                None,
                ["secrets", "s", ""],
                (false, false),
            ),
            (group.into(), None, ["", "", ""], (false, false)),
            ("/readyz".into(), None, ["", "", ""], (false, false)),
            (
                "/api/v1/namespaces/n".into(),
                None,
                ["namespaces", "n", ""],
                (false, false),
            ),
        ] {
            assert_eq!(take(&path, query), (own(parts), kind), "{path}");
        }
    }
}
