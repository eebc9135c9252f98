//! What Pinecone shows of a restored index.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde_json::Value;

use super::{Restored, Session};
use crate::assumption::Verdict;
use crate::client::{Call, NEW, OLD, Reply};
use crate::pause::Pause;

/// How long the record count may take to arrive.
const COUNTED: Duration = Duration::from_secs(120);

impl Session {
    /// L4, L8 and L9b.
    pub(super) async fn check_index(&self, restored: &Restored) -> Result<()> {
        let new = self.index(restored, Some(NEW)).await?;
        let old = self.index(restored, Some(OLD)).await?;
        let source = &new.json["source_backup_id"];
        let evidence = format!("source_backup_id is {source}.");
        let holds = source.as_str() == Some(&self.backup.id);
        self.findings.record("L4a", Verdict::of(holds), evidence);

        let (verdict, evidence) = match &old.json["source_backup_id"] {
            _ if !old.is_success() => (Verdict::NotDetermined, format!("{}.", old.brief())),
            Value::Null => (Verdict::Confirmed, format!("Fields: {}.", fields(&old))),
            source => (Verdict::Refuted, format!("source_backup_id is {source}.")),
        };
        self.findings.record("L4b", verdict, evidence);
        self.check_defaults(&new.json);

        let reply = self.index(restored, None).await?;
        let evidence = format!("{}; fields: {}.", reply.brief(), fields(&reply));
        let verdict = match old.is_success() {
            true => Verdict::of(reply.is_success() && fields(&reply) == fields(&old)),
            false => Verdict::NotDetermined,
        };
        self.findings.record("L9b", verdict, evidence);
        Ok(())
    }

    async fn index(&self, restored: &Restored, version: Option<&'static str>) -> Result<Reply> {
        let call = Call::get(&["indexes", &restored.name]).version(version);
        let reply = self.client.send(call).await?;
        if version == Some(NEW) && !reply.is_success() {
            bail!("GET /indexes/{}: {}", restored.name, reply.brief());
        }
        Ok(reply)
    }

    /// L8a and L8b.
    fn check_defaults(&self, index: &Value) {
        let expected = tags(&self.backup.json["tags"]);
        let actual = tags(&index["tags"]);
        let verdict = match expected.is_empty() && actual.is_empty() {
            true => Verdict::NotDetermined,
            false => Verdict::of(expected == actual),
        };
        let evidence = match expected.is_empty() {
            true => format!("The backup has no tags; the index has {}.", actual.len()),
            false => format!(
                "The backup has {} tags, the index {}; they are {}.",
                expected.len(),
                actual.len(),
                if expected == actual {
                    "equal"
                } else {
                    "different"
                }
            ),
        };
        self.findings.record("L8a", verdict, evidence);

        let protection = &index["deletion_protection"];
        let evidence = format!("deletion_protection is {protection}.");
        self.findings
            .record("L8b", Verdict::of(protection == "disabled"), evidence);
    }

    /// L12. A data plane that cannot be reached determines nothing.
    pub(super) async fn check_stats(&self, restored: &Restored) {
        let (verdict, evidence) = self.count(restored).await;
        self.findings.record("L12", verdict, evidence);
    }

    async fn count(&self, restored: &Restored) -> (Verdict, String) {
        let Some(expected) = self.backup.records() else {
            return (
                Verdict::NotDetermined,
                "The backup has no record_count.".to_owned(),
            );
        };
        if let Some(obstacle) = self.client.data_plane_obstacle(restored.host()) {
            return (
                Verdict::NotDetermined,
                format!("Not requested: {obstacle}."),
            );
        }
        let (start, mut pause) = (Instant::now(), Pause::new());
        loop {
            let answer = self.client.index_stats(restored.host()).await;
            let count = answer.as_ref().ok().and_then(record_count);
            let after = start.elapsed().as_secs_f64();
            if count == Some(expected) {
                let evidence = format!("{expected} records, {after:.1} s after Ready.");
                return (Verdict::Confirmed, evidence);
            }
            if start.elapsed() > COUNTED {
                return match (count, answer) {
                    (Some(count), _) => (
                        Verdict::Refuted,
                        format!("{count} records after {after:.0} s; the backup has {expected}."),
                    ),
                    (None, Ok(reply)) => (Verdict::NotDetermined, format!("{}.", reply.brief())),
                    (None, Err(error)) => (Verdict::NotDetermined, format!("{error:#}.")),
                };
            }
            pause.wait().await;
        }
    }
}

fn record_count(reply: &Reply) -> Option<u64> {
    let names = ["totalVectorCount", "total_vector_count", "totalRecordCount"];
    let mut counts = names.iter().filter_map(|name| reply.json[name].as_u64());
    counts.next().filter(|_| reply.is_success())
}

/// The tags whose values are strings: only those can be inherited.
fn tags(value: &Value) -> BTreeMap<&str, &str> {
    let tags = value.as_object().into_iter().flatten();
    tags.filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
        .collect()
}

/// The names of the fields of an answer.
fn fields(reply: &Reply) -> String {
    let fields = reply.json.as_object().into_iter().flatten();
    let names: Vec<&str> = fields.map(|(name, _)| name.as_str()).collect();
    names.join(", ")
}
