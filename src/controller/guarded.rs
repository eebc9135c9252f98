//! An IndexRestore as it is cached: readable or not, and without what only takes memory.

use std::borrow::Cow;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::api::{IndexRestore, REQUESTED_AT};

/// An IndexRestore, or why the stored object is none: one of them must not stop the watch.
///
/// Annotations that the operator does not read, and `managedFields`, are dropped: users put up to
/// 256 KiB into them. A write of a status leaves them as they are.
#[derive(Clone, Debug)]
pub struct Guarded(pub Result<IndexRestore, Unreadable>);

/// An object that does not match the schema.
#[derive(Clone, Debug)]
pub struct Unreadable {
    /// What does not match.
    pub error: String,
    metadata: ObjectMeta,
}

impl<'de> Deserialize<'de> for Guarded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = deserializer.deserialize_map(Kept(Level::Object))?;
        let metadata = object.get("metadata").cloned();
        Ok(Self(
            IndexRestore::deserialize(Value::Object(object)).map_err(|error| Unreadable {
                error: error.to_string(),
                metadata: metadata
                    .and_then(|metadata| ObjectMeta::deserialize(metadata).ok())
                    .unwrap_or_default(),
            }),
        ))
    }
}

/// Reads a JSON object without what is not kept, which never takes memory.
struct Kept(Level);

enum Level {
    Object,
    Metadata,
    Annotations,
}

impl<'de> DeserializeSeed<'de> for Kept {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self).map(Value::Object)
    }
}

impl<'de> Visitor<'de> for Kept {
    type Value = Map<String, Value>;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Map::new())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut kept = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let value = match (&self.0, key.as_str()) {
                (Level::Object, "metadata") => entries.next_value_seed(Self(Level::Metadata))?,
                (Level::Metadata, "annotations") => {
                    entries.next_value_seed(Self(Level::Annotations))?
                }
                (Level::Object, _) => entries.next_value()?,
                (Level::Metadata, key) if key != "managedFields" => entries.next_value()?,
                (Level::Annotations, REQUESTED_AT) => entries.next_value()?,
                (Level::Metadata | Level::Annotations, _) => {
                    entries.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            kept.insert(key, value);
        }
        Ok(kept)
    }
}

impl Resource for Guarded {
    type DynamicType = ();
    type Scope = <IndexRestore as Resource>::Scope;

    fn kind(dynamic: &()) -> Cow<'_, str> {
        IndexRestore::kind(dynamic)
    }

    fn group(dynamic: &()) -> Cow<'_, str> {
        IndexRestore::group(dynamic)
    }

    fn version(dynamic: &()) -> Cow<'_, str> {
        IndexRestore::version(dynamic)
    }

    fn plural(dynamic: &()) -> Cow<'_, str> {
        IndexRestore::plural(dynamic)
    }

    fn meta(&self) -> &ObjectMeta {
        match &self.0 {
            Ok(object) => &object.metadata,
            Err(unreadable) => &unreadable.metadata,
        }
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        match &mut self.0 {
            Ok(object) => &mut object.metadata,
            Err(unreadable) => &mut unreadable.metadata,
        }
    }
}

#[cfg(test)]
mod tests {
    use kube::ResourceExt as _;
    use serde_json::json;

    use super::*;

    fn stored(spec: Value) -> Guarded {
        let object = json!({
            "apiVersion": "restore.pinecone.io/v1alpha1", "kind": "IndexRestore",
            "metadata": {
                "name": "a", "namespace": "n", "uid": "u", "generation": 1,
                "annotations": {REQUESTED_AT: "token", "other": "x".repeat(1_000)},
                "managedFields": [{"manager": "kubectl"}],
            },
            "spec": spec,
        });
        serde_json::from_value(object).unwrap()
    }

    #[test]
    fn drops_what_the_operator_does_not_read() {
        let spec = json!({"backupId": "b", "indexName": "i", "apiKeySecretRef": {"name": "s"}});
        let object = stored(spec).0.unwrap();
        assert_eq!(object.annotations().len(), 1);
        assert_eq!(object.annotations()[REQUESTED_AT], "token");
        assert!(object.managed_fields().is_empty());
    }

    #[test]
    fn reads_an_object_without_annotations() {
        for metadata in [
            json!({"name": "a"}),
            json!({"name": "a", "annotations": null}),
        ] {
            let spec = json!({"backupId": "b", "indexName": "i", "apiKeySecretRef": {"name": "s"}});
            let object = json!({"apiVersion": "restore.pinecone.io/v1alpha1",
                "kind": "IndexRestore", "metadata": metadata, "spec": spec});
            let object: Guarded = serde_json::from_value(object).unwrap();
            assert!(object.0.unwrap().annotations().is_empty());
        }
    }

    #[test]
    fn keeps_the_name_of_an_object_that_cannot_be_read() {
        let unreadable = stored(json!({"backupId": 1}));
        assert_eq!(unreadable.name_any(), "a");
        let error = unreadable.0.unwrap_err().error;
        assert!(error.contains("invalid type"), "{error}");
    }
}
