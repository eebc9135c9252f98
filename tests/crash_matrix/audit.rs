//! What the API server's audit log has of a cell.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Seek as _, SeekFrom};
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use serde_json::Value;
use testkit::installation::shared;
use testkit::scene::Scene;

use crate::cell::NAME;

/// The log from the cell's beginning on.
pub struct Audit {
    path: PathBuf,
    offset: u64,
    namespace: String,
}

impl Audit {
    pub async fn from_now(scene: &Scene) -> Result<Self> {
        let path = shared().await.0.audit_log();
        Ok(Self {
            offset: std::fs::metadata(&path)?.len(),
            path,
            namespace: scene.namespace.clone(),
        })
    }

    /// When each write of the object's status that succeeded was asked for, in order.
    pub fn status_writes(&self) -> Result<Vec<Timestamp>> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.offset))?;
        let mut times = Vec::new();
        for line in BufReader::new(file).lines() {
            let line = line?;
            if line.contains(&self.namespace) && line.contains("\"subresource\":\"status\"") {
                times.extend(written(&line)?);
            }
        }
        times.sort();
        Ok(times)
    }
}

fn written(line: &str) -> Result<Option<Timestamp>> {
    let event: Value = serde_json::from_str(line)?;
    let is_write = event["verb"] == "update"
        && event["objectRef"]["name"] == NAME
        && event["responseStatus"]["code"] == 200;
    let time = event["requestReceivedTimestamp"].as_str();
    let time = time.context("an audit event has a time")?.parse()?;
    Ok(is_write.then_some(time))
}
