//! Server-side apply of YAML documents of any kind.

use anyhow::{Context as _, Result, bail};
use kube::api::{ApiResource, DynamicObject, ListParams, Patch, PatchParams};
use kube::core::{GroupVersionKind, TypeMeta};
use kube::discovery::{ApiCapabilities, Scope, oneshot};
use kube::{Api, Client, ResourceExt as _};
use serde_json::Value;

use crate::wait::{DEADLINE, eventually};

const FIELD_MANAGER: &str = "testkit";

/// Applies every document of the YAML in order by server-side apply (field manager `testkit`, forced), and returns the objects as the
/// API server answered. Namespaced documents without a namespace go to the given one. After a CustomResourceDefinition it waits, for
/// at most [`DEADLINE`], until its objects are served.
///
/// # Errors
/// At the first document that is no object or that the API server refuses, naming it; those before it stay applied.
pub async fn apply(client: &Client, namespace: &str, yaml: &str) -> Result<Vec<DynamicObject>> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(yaml).context("reading YAML")?;
    let mut applied = Vec::new();
    for document in documents.into_iter().filter(|document| !document.is_null()) {
        let name = describe(&document);
        let object = apply_one(client, namespace, document)
            .await
            .with_context(|| format!("applying {name}"))?;
        applied.push(object);
    }
    Ok(applied)
}

async fn apply_one(client: &Client, namespace: &str, document: Value) -> Result<DynamicObject> {
    let object: DynamicObject =
        serde_json::from_value(document).context("this is not a Kubernetes object")?;
    let (resource, capabilities) = discover(client, object.types.as_ref()).await?;
    let Some(name) = object.metadata.name.as_deref() else {
        bail!("it has no metadata.name")
    };
    let namespace = object.metadata.namespace.as_deref().unwrap_or(namespace);
    let api = api_for(client, namespace, &resource, &capabilities);
    let params = PatchParams::apply(FIELD_MANAGER).force();
    let applied = api.patch(name, &params, &Patch::Apply(&object)).await?;
    if resource.kind == "CustomResourceDefinition" {
        served(client, &api, &applied).await?;
    }
    Ok(applied)
}

async fn discover(
    client: &Client,
    types: Option<&TypeMeta>,
) -> Result<(ApiResource, ApiCapabilities)> {
    let types = types.context("it has no apiVersion or no kind")?;
    let kind = GroupVersionKind::try_from(types).context("its apiVersion is not valid")?;
    Ok(oneshot::pinned_kind(client, &kind).await?)
}

fn api_for(
    client: &Client,
    namespace: &str,
    resource: &ApiResource,
    capabilities: &ApiCapabilities,
) -> Api<DynamicObject> {
    match capabilities.scope {
        Scope::Cluster => Api::all_with(client.clone(), resource),
        Scope::Namespaced => Api::namespaced_with(client.clone(), namespace, resource),
    }
}

/// Established comes first; discovery and the handlers of each version follow it.
async fn served(
    client: &Client,
    definitions: &Api<DynamicObject>,
    applied: &DynamicObject,
) -> Result<()> {
    let name = applied.name_any();
    eventually(
        &format!("CRD {name} is established"),
        DEADLINE,
        async || Ok(is_established(&definitions.get(&name).await?).then_some(())),
    )
    .await?;
    let spec = &applied.data["spec"];
    for version in spec["versions"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|version| version["served"] == true)
    {
        let types = TypeMeta {
            api_version: format!("{}/{}", text(&spec["group"]), text(&version["name"])),
            kind: text(&spec["names"]["kind"]).to_owned(),
        };
        eventually(
            &format!("{} {} is served", types.api_version, types.kind),
            DEADLINE,
            async || {
                let (resource, _) = discover(client, Some(&types)).await?;
                let objects: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
                objects.list(&ListParams::default().limit(1)).await?;
                Ok(Some(()))
            },
        )
        .await?;
    }
    Ok(())
}

fn is_established(definition: &DynamicObject) -> bool {
    let conditions = definition.data["status"]["conditions"].as_array();
    conditions
        .into_iter()
        .flatten()
        .any(|condition| condition["type"] == "Established" && condition["status"] == "True")
}

fn describe(document: &Value) -> String {
    let metadata = &document["metadata"];
    let name = match metadata["namespace"].as_str() {
        Some(namespace) => format!("{namespace}/{}", text(&metadata["name"])),
        None => text(&metadata["name"]).to_owned(),
    };
    format!(
        "{} {} {name}",
        text(&document["apiVersion"]),
        text(&document["kind"])
    )
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}
