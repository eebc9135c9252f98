// The lint mistakes the arguments of two print columns for a duplicated attribute.
#![allow(clippy::duplicated_attributes)]

use std::collections::BTreeMap;

use kube::{CustomResource, KubeSchema};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::status::IndexRestoreStatus;

/// Makes fields immutable while a submission is open, was accepted, or follows an attempt of unknown
/// outcome, which may still take effect. The rule is on the root because it needs `status`, and because
/// rules on single fields would let an optional field be added or removed.
const FROZEN: &str = "!has(oldSelf.status) || !has(oldSelf.status.submission) \
    || (oldSelf.status.submission.outcome in ['Refused', 'Unsent'] \
    && oldSelf.status.submission.attempt == 1) \
    || (self.spec.backupId == oldSelf.spec.backupId \
    && self.spec.indexName == oldSelf.spec.indexName \
    && self.spec.deletionProtection == oldSelf.spec.deletionProtection \
    && has(self.spec.tags) == has(oldSelf.spec.tags) \
    && (!has(self.spec.tags) || self.spec.tags == oldSelf.spec.tags))";

/// Restores one Pinecone index from one backup, once.
#[derive(CustomResource, KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq)]
#[kube(
    group = "restore.pinecone.io",
    version = "v1alpha1",
    kind = "IndexRestore",
    plural = "indexrestores",
    shortname = "idxr",
    category = "pinecone",
    namespaced,
    derive = "PartialEq",
    status = "IndexRestoreStatus",
    doc = "An IndexRestore restores one Pinecone index from one backup. The operator submits the restore once, records the IDs of the restore job and of the index, and follows the job to its end. Deleting an IndexRestore never deletes the index."
)]
#[kube(validation = Rule::new(FROZEN)
    .message("backupId, indexName, tags and deletionProtection are immutable once the restore is submitted; to restore again, create another IndexRestore")
    .reason(Reason::FieldValueForbidden)
    .field_path(".spec"))]
#[kube(
    printcolumn(
        name = "Index",
        type_ = "string",
        json_path = ".spec.indexName",
        description = "Name of the restored index"
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status",
        description = "Whether the index is restored and ready"
    ),
    printcolumn(
        name = "Status",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason",
        description = "Reason of the Ready condition"
    ),
    printcolumn(
        name = "Duration",
        type_ = "string",
        json_path = ".status.restore.duration",
        description = "How long the restore job took"
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    ),
    printcolumn(
        name = "Backup",
        type_ = "string",
        json_path = ".spec.backupId",
        priority = 1,
        description = "ID of the backup"
    ),
    printcolumn(
        name = "Job",
        type_ = "string",
        json_path = ".status.restoreJobId",
        priority = 1,
        description = "ID of the restore job"
    ),
    printcolumn(
        name = "Index-ID",
        type_ = "string",
        json_path = ".status.indexId",
        priority = 1,
        description = "ID of the restored index"
    ),
    printcolumn(
        name = "Host",
        type_ = "string",
        json_path = ".status.indexHost",
        priority = 1,
        description = "Host that serves the index"
    ),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].message",
        priority = 1,
        description = "What is true, why, and what happens or what to do next"
    )
)]
#[kube(
    selectable = ".spec.backupId",
    selectable = ".spec.indexName",
    selectable = ".status.restoreJobId"
)]
#[cfg_attr(test, kube(cel))]
#[serde(rename_all = "camelCase")]
pub struct IndexRestoreSpec {
    /// ID of the Pinecone backup to restore, 1 to 128 characters, as `GET /backups` lists it.
    /// The backup must belong to the project of the API key. Immutable once the restore is submitted.
    #[schemars(length(min = 1, max = 128))]
    #[x_kube(validation = Rule::new(r"self.matches('^[^/\\pZ\\pC]*$') && !(self in ['.', '..'])")
        .message("backupId must not be '.' or '..' and must not contain '/', white space or control characters; copy the ID as Pinecone shows it"))]
    pub backup_id: String,

    /// Name of the index to create: 1 to 45 lowercase letters, digits and '-', starting and ending
    /// with a letter or digit. Names are unique in a Pinecone project; adoptionPolicy determines what
    /// happens if the name is taken. Immutable once the restore is submitted.
    #[schemars(length(min = 1, max = 45))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z0-9]([a-z0-9-]*[a-z0-9])?$')")
        .message("indexName must consist of lowercase letters, digits and '-', and start and end with a letter or digit"))]
    pub index_name: String,

    /// Tags of the restored index, 1 to 20. Keys have 1 to 80 characters of letters, digits, '_'
    /// and '-'; values have 1 to 120 characters of letters, digits, space and ;@_.+-. If set, the tags
    /// replace those of the backup; if omitted, the index inherits the backup's tags. Immutable once
    /// the restore is submitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "tags_schema")]
    #[x_kube(validation = Rule::new("self.all(k, k.matches('^[A-Za-z0-9_-]{1,80}$'))")
        .message("each key of tags must have 1 to 80 characters of letters, digits, '_' and '-'"))]
    #[x_kube(validation = Rule::new("self.all(k, self[k].matches('^[A-Za-z0-9;@_.+ -]*$'))")
        .message("each value of tags must consist of letters, digits, spaces and ;@_.+-"))]
    pub tags: Option<BTreeMap<String, String>>,

    /// Whether Pinecone protects the restored index from deletion: Enabled or Disabled (default). It
    /// is never inherited from the backup. Immutable once the restore is submitted.
    #[serde(default)]
    pub deletion_protection: DeletionProtection,

    /// The Secret that contains the Pinecone API key, in the namespace of this IndexRestore. Can be
    /// changed at any time.
    pub api_key_secret_ref: ApiKeySecretRef,

    /// What to do if an index of this name already exists: IfSameBackup (default) adopts it as this
    /// restore's result if Pinecone proves that it was restored from the same backup; Never reports
    /// IndexAlreadyExists. An index of another origin is never adopted. Can be changed at any time.
    #[serde(default)]
    pub adoption_policy: AdoptionPolicy,
}

/// A reference to the Secret with the API key.
#[derive(KubeSchema, Serialize, Deserialize, Clone, Debug, PartialEq, Eq, Hash)]
#[serde(rename_all = "camelCase")]
pub struct ApiKeySecretRef {
    /// Name of the Secret, 1 to 253 characters.
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = Rule::new("self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')")
        .message("apiKeySecretRef.name must be the name of a Secret: lowercase letters, digits, '-' and '.'"))]
    pub name: String,

    /// Key in the Secret's data, 1 to 253 characters of letters, digits, '-', '_' and '.'. Default:
    /// api-key.
    #[serde(default = "ApiKeySecretRef::default_key")]
    #[schemars(length(min = 1, max = 253))]
    #[x_kube(validation = Rule::new("self.matches('^[-._a-zA-Z0-9]+$')")
        .message("apiKeySecretRef.key must be a key of a Secret: letters, digits, '-', '_' and '.'"))]
    pub key: String,
}

impl ApiKeySecretRef {
    fn default_key() -> String {
        "api-key".into()
    }
}

/// Whether Pinecone protects the index from deletion.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
// A doc comment on a variant would turn the enum of the CRD's schema into a oneOf.
#[allow(missing_docs)]
pub enum DeletionProtection {
    Enabled,
    #[default]
    Disabled,
}

/// Whether an existing index of the same backup is adopted.
#[derive(JsonSchema, Serialize, Deserialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
// A doc comment on a variant would turn the enum of the CRD's schema into a oneOf.
#[allow(missing_docs)]
pub enum AdoptionPolicy {
    #[default]
    IfSameBackup,
    Never,
}

fn tags_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "minProperties": 1,
        "maxProperties": 20,
        "additionalProperties": { "type": "string", "minLength": 1, "maxLength": 120 },
    })
}

#[cfg(test)]
mod tests;
