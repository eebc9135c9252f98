//! An IndexRestore as it is cached: readable or not.

use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::api::{IndexRestore, OnlyMetadata, Trimmed, named_as_index_restore};

/// An IndexRestore, or why the stored object is none: one of them must not stop the watch. Shared,
/// because kube clones what it caches.
#[derive(Clone, Debug)]
pub struct Guarded(Arc<Result<Trimmed, Unreadable>>);

/// An object that does not match the schema.
#[derive(Clone, Debug)]
pub struct Unreadable {
    /// What does not match.
    pub error: String,
    metadata: ObjectMeta,
}

impl Guarded {
    /// Returns the object.
    ///
    /// # Errors
    /// If the stored object does not match the schema.
    pub fn object(&self) -> Result<&IndexRestore, &Unreadable> {
        self.0.as_ref().as_ref().map(|trimmed| &trimmed.0)
    }

    /// Whether both are the same version of one object.
    pub(super) fn is_version_of(&self, other: &Self) -> bool {
        let (own, other) = (self.meta(), other.meta());
        own.resource_version.is_some()
            && own.resource_version == other.resource_version
            && own.uid == other.uid
    }
}

impl<'de> Deserialize<'de> for Guarded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Box::<RawValue>::deserialize(deserializer)?;
        let object = serde_json::from_str(json.get()).map(tight);
        let object = object.map_err(|error| Unreadable {
            error: error.to_string(),
            metadata: serde_json::from_str::<OnlyMetadata>(json.get())
                .map(ObjectMeta::from)
                .unwrap_or_default(),
        });
        Ok(Self(Arc::new(object)))
    }
}

/// A list is read with room for four, and this one is kept.
fn tight(mut read: Trimmed) -> Trimmed {
    if let Some(status) = &mut read.0.status {
        status.conditions.shrink_to_fit();
    }
    read
}

impl Resource for Guarded {
    named_as_index_restore!();

    fn meta(&self) -> &ObjectMeta {
        match self.0.as_ref() {
            Ok(object) => object.meta(),
            Err(unreadable) => &unreadable.metadata,
        }
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        match Arc::make_mut(&mut self.0) {
            Ok(object) => object.meta_mut(),
            Err(unreadable) => &mut unreadable.metadata,
        }
    }
}

#[cfg(test)]
mod tests {
    use kube::ResourceExt as _;
    use serde_json::{Value, json};

    use super::*;

    fn stored(spec: Value) -> Guarded {
        let object = json!({
            "apiVersion": "restore.pinecone.io/v1alpha1", "kind": "IndexRestore",
            "metadata": {"name": "a", "namespace": "n", "uid": "u", "generation": 1},
            "spec": spec,
        });
        serde_json::from_str(&object.to_string()).unwrap()
    }

    #[test]
    fn an_object_is_the_same_version_only_with_the_same_uid() {
        let at = |version: &str, uid: &str| {
            let mut object = stored(json!({"backupId": "b", "indexName": "i"}));
            let meta = object.meta_mut();
            meta.resource_version = Some(version.into());
            meta.uid = Some(uid.into());
            object
        };
        let cached = at("7", "u");
        assert!(cached.is_version_of(&at("7", "u")));
        assert!(!cached.is_version_of(&at("8", "u")));
        assert!(!cached.is_version_of(&at("7", "v")));
        let mut unknown = at("7", "u");
        unknown.meta_mut().resource_version = None;
        assert!(!unknown.is_version_of(&unknown));
    }

    #[test]
    fn keeps_the_name_of_an_object_that_cannot_be_read() {
        let unreadable = stored(json!({"backupId": 1}));
        assert_eq!(unreadable.name_any(), "a");
        let error = &unreadable.object().unwrap_err().error;
        assert!(error.contains("invalid type"), "{error}");
    }
}
