//! What etcd stores, as it changes: every version, in order, also while no API server runs.

use anyhow::{Context as _, Result, bail};
use k8s_openapi::ByteString;
use serde_json::{Value, json};

/// One change of one key.
pub struct Change {
    /// etcd's revision, which is the object's `resourceVersion`.
    pub revision: i64,
    /// What is stored now; `None`: it was deleted.
    pub value: Option<Vec<u8>>,
    pub key: String,
}

/// Calls `on` with each change of a key that begins with `prefix`, from now on, until it fails.
///
/// # Errors
/// When etcd cannot be watched, or ends the watch.
pub async fn watch(url: &str, prefix: &str, mut on: impl FnMut(Change)) -> Result<()> {
    let mut end = prefix.as_bytes().to_vec();
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    let request = json!({"create_request": {
        "key": ByteString(prefix.as_bytes().to_vec()),
        "range_end": ByteString(end),
    }});
    let client = reqwest::Client::builder().no_proxy().build()?;
    let post = client
        .post(format!("{url}/v3/watch"))
        .body(request.to_string());
    let mut response = post.send().await.context("watching etcd")?;
    let mut buffer = Vec::new();
    while let Some(chunk) = response.chunk().await.context("watching etcd")? {
        buffer.extend_from_slice(&chunk);
        while let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = buffer.drain(..=end).collect();
            for change in changes(&line)? {
                on(change);
            }
        }
    }
    bail!("etcd ended the watch")
}

fn changes(line: &[u8]) -> Result<Vec<Change>> {
    let message: Value = serde_json::from_slice(line).context("reading etcd's watch")?;
    if message["result"]["canceled"] == true || message["error"].is_object() {
        bail!("etcd ended the watch: {message}");
    }
    let events = message["result"]["events"].as_array();
    events.into_iter().flatten().map(change).collect()
}

fn change(event: &Value) -> Result<Change> {
    let stored = &event["kv"];
    let bytes = |value: &Value| -> Result<Vec<u8>> {
        let bytes: ByteString = serde_json::from_value(value.clone())?;
        Ok(bytes.0)
    };
    let revision = stored["mod_revision"].as_str().and_then(|r| r.parse().ok());
    Ok(Change {
        revision: revision.context("a change without a revision")?,
        value: match event["type"] == "DELETE" {
            true => None,
            false => Some(bytes(&stored["value"])?),
        },
        key: String::from_utf8(bytes(&stored["key"])?)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_put_and_a_delete_are_read() {
        let line = br#"{"result":{"header":{},"events":[
            {"kv":{"key":"L2E=","mod_revision":"7","value":"e30="}},
            {"type":"DELETE","kv":{"key":"L2E=","mod_revision":"8"}}]}}"#;
        let all = changes(line).unwrap();
        assert_eq!((all[0].revision, all[0].key.as_str()), (7, "/a"));
        assert_eq!(all[0].value.as_deref(), Some(&b"{}"[..]));
        assert!(all[1].value.is_none() && all[1].revision == 8);
    }

    #[test]
    fn an_end_of_the_watch_is_an_error() {
        assert!(changes(br#"{"result":{"canceled":true}}"#).is_err());
    }
}
