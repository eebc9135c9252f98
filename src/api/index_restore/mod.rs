//! The `IndexRestore` resource: its fields, its validation rules, and its reasons.

mod message;
mod reason;
mod spec;
mod status;
mod trimmed;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSON, JSONSchemaProps, JSONSchemaPropsOrArray,
};
use kube::CustomResourceExt as _;

pub use message::StatusMessage;
pub use reason::Reason;
pub use spec::{
    AdoptionPolicy, ApiKeySecretRef, DeletionProtection, IndexRestore, IndexRestoreSpec,
};
pub use status::{IndexRestoreStatus, RestoreStatus, Submission, SubmissionOutcome};
pub(crate) use trimmed::named_as_index_restore;
pub use trimmed::{OnlyMetadata, Trimmed};

/// The annotation with which a user lets a restore submit again: a new value differs from
/// `status.lastHandledRequest`.
pub const REQUESTED_AT: &str = "restore.pinecone.io/requestedAt";

/// Returns the CustomResourceDefinition as `index-restore-operator crd` prints it.
///
/// Adds the [`unobserved`](IndexRestoreStatus::unobserved) status to the derived definition as its
/// default: a new object shows at once that it waits for the operator, and tools that follow kstatus
/// (Helm 4, Flux) do not report it as complete.
pub fn crd() -> CustomResourceDefinition {
    let mut crd = IndexRestore::crd();
    let versions = crd.spec.versions.iter_mut();
    let roots = versions.filter_map(|version| version.schema.as_mut()?.open_api_v3_schema.as_mut());
    for root in roots {
        join_lines(root);
        let properties = root.properties.as_mut();
        if let Some(status) = properties.and_then(|properties| properties.get_mut("status")) {
            let unobserved = serde_json::to_value(IndexRestoreStatus::unobserved());
            status.default = unobserved.ok().map(JSON);
            status.nullable = None;
        }
    }
    crd
}

/// Makes one line of each paragraph of the descriptions: `kubectl explain` wraps lines itself.
fn join_lines(schema: &mut JSONSchemaProps) {
    if let Some(text) = &mut schema.description {
        let paragraphs = text.split("\n\n").map(|lines| lines.replace('\n', " "));
        *text = paragraphs.collect::<Vec<_>>().join("\n\n");
    }
    let items = schema.items.iter_mut().filter_map(|items| match items {
        JSONSchemaPropsOrArray::Schema(schema) => Some(schema.as_mut()),
        JSONSchemaPropsOrArray::Schemas(_) => None,
    });
    schema
        .properties
        .iter_mut()
        .flat_map(|properties| properties.values_mut())
        .chain(items)
        .for_each(join_lines);
}

/// Returns the definition as YAML, exactly the content of `crds/indexrestores.yaml`.
///
/// # Errors
/// Only if the definition cannot be written as YAML, which a test rules out.
pub fn crd_yaml() -> Result<String, serde_saphyr::ser::Error> {
    serde_saphyr::to_string(&crd())
}
