//! The control plane is a real one: it serves the version we build, authorizes, applies, and comes back with its data.

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::{Api, ResourceExt as _};
use testkit::{ControlPlane, DEADLINE, client, eventually, kubernetes_version, wait_for};

#[tokio::test]
async fn the_version_is_the_one_that_is_built() -> Result<()> {
    let version = ControlPlane::shared()
        .await?
        .client()
        .await?
        .apiserver_version()
        .await?;
    if std::env::var_os("KUBEBUILDER_ASSETS").is_none() {
        assert_eq!(version.git_version, kubernetes_version()?);
    }
    let prefix = format!("v{}.{}.", version.major, version.minor);
    assert!(kubernetes_version()?.starts_with(&prefix), "{prefix}");
    Ok(())
}

#[tokio::test]
async fn a_service_account_may_do_what_a_role_allows() -> Result<()> {
    let control_plane = ControlPlane::shared().await?;
    let namespace = control_plane.namespace("rbac").await?;
    control_plane
        .apply_in(
            &namespace,
            "{apiVersion: v1, kind: ServiceAccount, metadata: {name: reader}}",
        )
        .await?;
    let kubeconfig = control_plane
        .service_account_kubeconfig(&namespace, "reader")
        .await?;
    let secrets: Api<Secret> = Api::namespaced(client(&kubeconfig).await?, &namespace);

    let refused = secrets
        .list(&Default::default())
        .await
        .err()
        .context("a fresh ServiceAccount must see nothing")?;
    assert!(
        matches!(&refused, kube::Error::Api(status) if status.code == 403),
        "{refused}"
    );

    let role = r"
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader}
rules: [{apiGroups: [''], resources: [secrets], verbs: [list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: reader, namespace: NAMESPACE}]
";
    control_plane
        .apply_in(&namespace, &role.replace("NAMESPACE", &namespace))
        .await?;
    let list = async || Ok(Some(secrets.list(&Default::default()).await?));
    eventually("the ServiceAccount may list Secrets", DEADLINE, list).await?;

    let audit = std::fs::read_to_string(control_plane.audit_log())?;
    let user = format!("system:serviceaccount:{namespace}:reader");
    assert!(
        audit
            .lines()
            .any(|event| event.contains(&user) && event.contains(r#""code":403"#))
    );
    Ok(())
}

#[tokio::test]
async fn applying_twice_changes_nothing() -> Result<()> {
    let control_plane = ControlPlane::shared().await?;
    let namespace = control_plane.namespace("apply").await?;
    let yaml = "# first\n---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: one}, data: {a: b}}\n---\n";
    let first = control_plane.apply_in(&namespace, yaml).await?;
    let second = control_plane.apply_in(&namespace, yaml).await?;
    assert_eq!(first.len(), 1);
    assert_eq!(
        first, second,
        "neither resourceVersion nor managed fields move"
    );
    Ok(())
}

#[tokio::test]
async fn a_definition_and_its_object_apply_together() -> Result<()> {
    let control_plane = ControlPlane::shared().await?;
    let namespace = control_plane.namespace("definition").await?;
    let yaml = r"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.testkit.example}
spec:
  group: testkit.example
  scope: Namespaced
  names: {kind: Gadget, plural: gadgets}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}}}}
---
apiVersion: testkit.example/v1
kind: Gadget
metadata: {name: small}
spec: {size: 1}
";
    let applied = control_plane.apply_in(&namespace, yaml).await?;
    assert_eq!(
        applied
            .iter()
            .map(|object| object.name_any())
            .collect::<Vec<_>>(),
        ["gadgets.testkit.example", "small"]
    );

    let refused =
        "{apiVersion: testkit.example/v1, kind: Gadget, metadata: {name: bad}, spec: {size: x}}";
    let error = control_plane
        .apply_in(&namespace, refused)
        .await
        .err()
        .context("a wrong type must be refused")?;
    let error = format!("{error:#}");
    assert!(
        error.contains("testkit.example/v1 Gadget bad") && error.contains("spec.size"),
        "{error}"
    );
    Ok(())
}

#[tokio::test]
async fn the_api_server_comes_back_with_its_data() -> Result<()> {
    let control_plane = ControlPlane::start().await?;
    let map = "{apiVersion: v1, kind: ConfigMap, metadata: {name: kept}, data: {a: b}}";
    let before = control_plane.apply(map).await?;
    let client = control_plane.client().await?;
    let maps: Api<ConfigMap> = Api::namespaced(client, "default");

    control_plane.stop_api_server()?;
    ensure!(
        maps.get("kept").await.is_err(),
        "nothing may answer while it is stopped"
    );
    ensure!(
        control_plane.stop_api_server().is_err(),
        "it can't be stopped twice"
    );
    control_plane.start_api_server().await?;
    assert_eq!(
        maps.get("kept").await?.uid(),
        before[0].uid(),
        "a client from before goes on"
    );

    control_plane.suspend_api_server()?;
    control_plane.resume_api_server()?;
    let found = wait_for(&maps, "kept", DEADLINE, |map| map.is_some()).await?;
    assert_eq!(found.context("the map")?.uid(), before[0].uid());

    let (pids, directory) = (control_plane.pids(), control_plane.directory().to_owned());
    drop(control_plane);
    assert_eq!(pids.len(), 2);
    assert!(
        !directory.exists(),
        "{} is removed on drop",
        directory.display()
    );
    Ok(())
}

#[tokio::test]
async fn the_shared_one_is_protected() -> Result<()> {
    let control_plane = ControlPlane::shared().await?;
    for refused in [
        control_plane.stop_api_server(),
        control_plane.suspend_api_server(),
    ] {
        assert!(refused.is_err());
    }
    Ok(())
}

#[test]
fn the_shared_one_outlives_the_runtime_that_started_it() -> Result<()> {
    for _ in 0..2 {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async { ControlPlane::shared().await?.namespace("runtime").await })?;
    }
    Ok(())
}
