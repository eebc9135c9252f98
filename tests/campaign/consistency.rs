//! What was declared is what Pinecone received.

use anyhow::{Result, anyhow};
use index_restore_operator::api::{DeletionProtection, IndexRestore, SubmissionOutcome};
use pinecone_emulator::AcceptedCreate;
use serde_json::{Value, json};
use testkit::scene::{ready, status};

use crate::ground::Ground;
use crate::schema;

/// Compares one create with the spec as the API server stores it. A field of the
/// schema that is not known here is a violation: it has no oracle.
pub fn received(schema: &Value, spec: &Value, create: &AcceptedCreate) -> Result<()> {
    let spec = schema::stored(schema, spec);
    let mut wrong = Vec::new();
    for (field, _) in schema::properties(schema) {
        let declared = &spec[field];
        let received = match field.as_str() {
            "backupId" => json!(create.backup_id),
            "indexName" => json!(create.index_name),
            "tags" => json!(create.tags),
            "deletionProtection" => match create.deletion_protection.as_deref() {
                Some("enabled") => json!("Enabled"),
                Some("disabled") => json!("Disabled"),
                other => json!(other),
            },
            // They determine how the restore is made; Pinecone does not receive them.
            "apiKeySecretRef" | "adoptionPolicy" => continue,
            _ => Value::String("(what Pinecone should receive of it is unknown)".into()),
        };
        if *declared != received {
            wrong.push(format!(
                "{field} is {declared}, Pinecone received {received}"
            ));
        }
    }
    nothing_wrong(wrong)
}

/// Judges a restore that came to its end: one create was accepted for its index name,
/// it is the recorded one, and it is as the spec declares. An adopted index was made
/// for another resource: its tags may differ, and so may its protection, if the status reports it.
pub fn recorded(ground: &Ground<'_>, schema: &Value, object: &IndexRestore) -> Result<()> {
    let spec = serde_json::to_value(&object.spec).unwrap();
    let creates = ground.accepted(&object.spec.index_name);
    let [create] = creates.as_slice() else {
        return Err(anyhow!("Pinecone accepted {} creates", creates.len()));
    };
    let status = status(object);
    let recorded = (status.restore_job_id.as_ref(), status.index_id.as_ref());
    if recorded != (Some(&create.restore_job_id), Some(&create.index_id)) {
        return Err(anyhow!("recorded is {recorded:?}, made was {create:?}"));
    }
    let outcome = status.submission.map(|submission| submission.outcome);
    if outcome == Some(SubmissionOutcome::Adopted) {
        if create.backup_id != object.spec.backup_id {
            return Err(anyhow!("another backup was adopted"));
        }
        let is_protected = create.deletion_protection.as_deref() == Some("enabled");
        let lacks = object.spec.deletion_protection == DeletionProtection::Enabled && !is_protected;
        let is_reported = ready(object).1 == "DeletionProtectionMismatch";
        return (lacks == is_reported)
            .then_some(())
            .ok_or_else(|| anyhow!("the status reports the protection wrongly"));
    }
    received(schema, &spec, create)
}

fn nothing_wrong(wrong: Vec<String>) -> Result<()> {
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(anyhow!(wrong.join("; "))),
    }
}
