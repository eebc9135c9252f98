//! Each operation by itself, on create: refused or accepted by the schema, and
//! what is accepted arrives at Pinecone as declared.

use anyhow::{Result, anyhow};
use futures::StreamExt as _;
use serde_json::Value;

use crate::consistency;
use crate::ground::{Ground, stage};
use crate::health;
use crate::operation::{Expected, SpecOperation, generate};
use crate::tally::{Oracle, Tally};

const PHASE: &str = "singles";

/// Projects that the restores are spread over: each key has a pace of its own.
const GROUNDS: usize = 8;

pub async fn run(schema: &Value, tally: &Tally) {
    let (scene, operator) = stage().await;
    let mut grounds = Vec::new();
    for n in 0..GROUNDS {
        grounds.push(Ground::new(&scene, &format!("single-{n}")).await);
    }
    let operations = generate(schema);
    futures::stream::iter(operations.iter().enumerate())
        .for_each_concurrent(2 * GROUNDS, async |(n, operation)| {
            one(&grounds[n % GROUNDS], n, operation, schema, tally).await;
        })
        .await;
    health::check(&scene, &operator, 0, tally).await;
    health::created_once(&scene, tally);
}

async fn one(
    ground: &Ground<'_>,
    n: usize,
    operation: &SpecOperation,
    schema: &Value,
    tally: &Tally,
) {
    if tally.is_hopeless() {
        return;
    }
    let name = format!("single-{n}");
    let about = format!("create with {}: {}", operation.field, operation.what);
    let mut spec = ground.spec(&name);
    if operation.top() == "apiKeySecretRef" {
        // A Secret of its own, which the others do not overwrite.
        spec["apiKeySecretRef"]["name"] = Value::String(name.clone());
    }
    operation.apply(&mut spec);
    if let Expected::Unknown(named) = &operation.verdict {
        tally.operation(PHASE);
        let strict = ground.create(&name, &spec, true).await;
        let judgement = judge(&Expected::Refused(named.clone()), &strict);
        tally.judge(Oracle::Validation, &format!("{about}, strict"), judgement);
    }
    tally.operation(PHASE);
    let can_be_read = supply(ground, &spec).await;
    let created = ground.create(&name, &spec, false).await;
    tally.judge(
        Oracle::Validation,
        &about,
        judge(&operation.verdict, &created),
    );
    if created.is_err() {
        return;
    }
    let reasons: &[&str] = match can_be_read {
        true => &["Restored"],
        false => &["SecretNotFound", "InvalidSecret"],
    };
    let ended = ground.until(&name, reasons).await;
    let judgement = ended.and_then(|object| match can_be_read {
        true => consistency::recorded(ground, schema, &object).and_then(|()| {
            // What the user wrote, not what came back from the API server.
            let creates = ground.accepted(&object.spec.index_name);
            consistency::received(schema, &spec, &creates[0])
        }),
        false => Ok(()),
    });
    tally.judge(Oracle::Consistency, &about, judgement);
}

/// Makes the backup and the Secret that the spec names; whether there can be such a
/// Secret.
async fn supply(ground: &Ground<'_>, spec: &Value) -> bool {
    if let Some(id) = spec["backupId"].as_str() {
        ground.add_backup(id, pinecone_emulator::BackupStatus::Ready);
    }
    let reference = &spec["apiKeySecretRef"];
    let own = &ground.secrets()[0];
    let name = reference["name"].as_str();
    let key = reference["key"].as_str().unwrap_or("api-key");
    if name == Some(own) && key == "api-key" {
        return true;
    }
    let name = name.unwrap_or_default();
    let others = ["api-key", key].map(|key| (key.to_owned(), ground.api_key()));
    ground.put_secret(name, others.into()).await.is_ok()
}

/// Whether the API server answered as the verdict requires.
pub fn judge(verdict: &Expected, answer: &Result<Value>) -> Result<()> {
    match (verdict, answer) {
        (Expected::Accepted | Expected::Unknown(_) | Expected::Either, Ok(_)) => Ok(()),
        (Expected::Refused(named), Err(error)) if error.to_string().contains(named.as_str()) => {
            Ok(())
        }
        (Expected::Either, Err(error)) if error.to_string().contains("spec") => Ok(()),
        (Expected::Refused(named), Err(error)) => Err(anyhow!("{named} is not named: {error}")),
        (Expected::Refused(_), Ok(_)) => Err(anyhow!("it was accepted")),
        (_, Err(error)) => Err(anyhow!("it was refused: {error}")),
    }
}
