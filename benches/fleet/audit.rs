//! What a ServiceAccount asked of the API server, by the audit log.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use serde::Deserialize;

const USER: &str = "system:serviceaccount:index-restore-operator:index-restore-operator";

/// Numbers of requests. The Lease is left out: it is renewed whatever there is to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    pub lists: u32,
    pub status_writes: u32,
    pub events: u32,
    pub secret_reads: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    verb: String,
    user: User,
    object_ref: Option<Reference>,
    request_received_timestamp: Timestamp,
}

#[derive(Deserialize)]
struct User {
    username: String,
}

#[derive(Deserialize)]
struct Reference {
    #[serde(default)]
    resource: String,
    #[serde(default)]
    subresource: String,
}

/// Counts the requests of the operator's ServiceAccount since that time.
pub fn requests(log: &Path, since: Timestamp) -> Result<Requests> {
    let mut requests = Requests::default();
    for path in parts(log)? {
        let file = File::open(&path).with_context(|| format!("opening {}", path.display()))?;
        for line in BufReader::new(file).lines() {
            let line = line?;
            // Most lines are those of the bench itself.
            if !line.contains(USER) {
                continue;
            }
            // The last line may not be whole yet.
            if let Ok(entry) = serde_json::from_str(&line) {
                requests.count(&entry, since);
            }
        }
    }
    Ok(requests)
}

impl Requests {
    fn count(&mut self, entry: &Entry, since: Timestamp) {
        if entry.user.username != USER || entry.request_received_timestamp < since {
            return;
        }
        let reference = entry.object_ref.as_ref();
        let resource = reference.map(|of| (of.resource.as_str(), of.subresource.as_str()));
        match (entry.verb.as_str(), resource) {
            ("list", _) => self.lists += 1,
            ("update", Some(("indexrestores", "status"))) => self.status_writes += 1,
            ("create" | "patch" | "update", Some(("events", ""))) => self.events += 1,
            ("get", Some(("secrets", ""))) => self.secret_reads += 1,
            _ => {}
        }
    }
}

/// The log, and the earlier parts that the API server moved beside it.
fn parts(log: &Path) -> Result<Vec<PathBuf>> {
    let folder = log.parent().context("the audit log is in no folder")?;
    let stem = log.file_stem().unwrap_or_default().to_string_lossy();
    let mut parts = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_rotated = name.strip_prefix(&format!("{stem}-"));
        let is_rotated = is_rotated.is_some_and(|rest| rest.starts_with(char::is_numeric));
        if path == log || (is_rotated && path.extension() == log.extension()) {
            parts.push(path);
        }
    }
    Ok(parts)
}
