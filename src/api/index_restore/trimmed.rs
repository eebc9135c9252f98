//! An IndexRestore without the metadata that the operator does not read.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube::Resource;
use serde::{Deserialize, Deserializer, Serialize};

use super::{IndexRestore, IndexRestoreSpec, IndexRestoreStatus, REQUESTED_AT};

/// The part of `impl Resource` that says that a type is stored as an IndexRestore.
macro_rules! named_as_index_restore {
    () => {
        type DynamicType = ();
        type Scope = <$crate::api::IndexRestore as kube::Resource>::Scope;

        fn kind(dynamic: &()) -> std::borrow::Cow<'_, str> {
            <$crate::api::IndexRestore as kube::Resource>::kind(dynamic)
        }

        fn group(dynamic: &()) -> std::borrow::Cow<'_, str> {
            <$crate::api::IndexRestore as kube::Resource>::group(dynamic)
        }

        fn version(dynamic: &()) -> std::borrow::Cow<'_, str> {
            <$crate::api::IndexRestore as kube::Resource>::version(dynamic)
        }

        fn plural(dynamic: &()) -> std::borrow::Cow<'_, str> {
            <$crate::api::IndexRestore as kube::Resource>::plural(dynamic)
        }
    };
}
pub(crate) use named_as_index_restore;

/// An IndexRestore as the operator reads and writes it: without labels, owners, `managedFields`, and
/// annotations other than [`REQUESTED_AT`]. Users put up to 256 KiB into these, and they never take
/// memory here. A write of a status leaves them as they are in the API server.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct Trimmed(pub IndexRestore);

/// What is read of an object that does not match the schema.
#[derive(Deserialize)]
pub struct OnlyMetadata {
    metadata: Metadata,
}

#[derive(Deserialize)]
struct Read {
    metadata: Metadata,
    spec: IndexRestoreSpec,
    status: Option<IndexRestoreStatus>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    generation: Option<i64>,
    creation_timestamp: Option<Time>,
    deletion_timestamp: Option<Time>,
    annotations: Option<Annotations>,
}

#[derive(Deserialize)]
struct Annotations {
    #[serde(rename = "restore.pinecone.io/requestedAt")]
    requested_at: Option<String>,
}

impl From<Metadata> for ObjectMeta {
    fn from(read: Metadata) -> Self {
        let requested_at = read.annotations.and_then(|all| all.requested_at);
        Self {
            name: read.name,
            namespace: read.namespace,
            uid: read.uid,
            resource_version: read.resource_version,
            generation: read.generation,
            creation_timestamp: read.creation_timestamp,
            deletion_timestamp: read.deletion_timestamp,
            annotations: requested_at.map(|value| [(REQUESTED_AT.to_owned(), value)].into()),
            ..Self::default()
        }
    }
}

impl From<OnlyMetadata> for ObjectMeta {
    fn from(read: OnlyMetadata) -> Self {
        read.metadata.into()
    }
}

impl<'de> Deserialize<'de> for Trimmed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = Read::deserialize(deserializer)?;
        Ok(Self(IndexRestore {
            metadata: read.metadata.into(),
            spec: read.spec,
            status: read.status,
        }))
    }
}

impl Resource for Trimmed {
    named_as_index_restore!();

    fn meta(&self) -> &ObjectMeta {
        &self.0.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.0.metadata
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn trimmed(annotations: serde_json::Value) -> ObjectMeta {
        let object = json!({
            "apiVersion": "restore.pinecone.io/v1alpha1", "kind": "IndexRestore",
            "metadata": {
                "name": "a", "namespace": "n", "uid": "u", "generation": 2, "resourceVersion": "7",
                "creationTimestamp": "2026-01-02T03:04:05Z", "labels": {"a": "b"},
                "annotations": annotations, "managedFields": [{"manager": "kubectl"}],
            },
            "spec": {"backupId": "b", "indexName": "i", "apiKeySecretRef": {"name": "s"}},
        });
        let object: Trimmed = serde_json::from_value(object).unwrap();
        object.0.metadata
    }

    #[test]
    fn keeps_only_what_the_operator_reads() {
        let metadata = trimmed(json!({REQUESTED_AT: "token", "other": "x".repeat(1_000)}));
        let expected = json!({
            "name": "a", "namespace": "n", "uid": "u", "generation": 2, "resourceVersion": "7",
            "creationTimestamp": "2026-01-02T03:04:05Z", "annotations": {REQUESTED_AT: "token"},
        });
        assert_eq!(serde_json::to_value(&metadata).unwrap(), expected);
        for none in [json!(null), json!({}), json!({"other": "x"})] {
            assert_eq!(trimmed(none).annotations, None);
        }
    }
}
