//! The operator has the permissions that it uses, and no others.

use std::collections::BTreeSet;
use std::ffi::OsString;

use serde_json::Value;
use testkit::binary::package_variables;

use crate::cluster::{Cluster, KEY, OPERATOR, restore};
use crate::lifecycle::CHART;
use crate::manifests::{parse, rules};
use crate::rendering::template;
use crate::tools::{HELM_3, Tool, root, text_of};

#[tokio::test(flavor = "multi_thread")]
async fn with_namespaces_and_secrets_set_it_has_no_other_permissions() {
    let cluster = Cluster::start().await;
    for namespace in ["team-a", "team-b", "team-c"] {
        cluster.create_namespace(namespace).await;
        cluster.create_secret(namespace).await;
    }
    let other = format!(
        "{{apiVersion: v1, kind: Secret, metadata: {{name: other}}, stringData: {{api-key: {KEY}}}}}"
    );
    cluster
        .control_plane
        .apply_in("team-a", &other)
        .await
        .unwrap();
    let helm = Tool::new(&HELM_3).await.kubeconfig(&cluster.admin);
    let release = [
        OPERATOR,
        CHART,
        "--namespace",
        OPERATOR,
        "--create-namespace",
    ];
    let named = [
        "--set",
        "watchNamespaces={team-a,team-b},rbac.secretNames={pinecone}",
    ];
    helm.run(&[&["install"][..], &release, &named].concat())
        .await;
    let _operator = cluster.operator(OPERATOR, OPERATOR).await;

    for namespace in ["team-a", "team-b", "team-c"] {
        let manifest = restore("one", &format!("one-of-{namespace}"));
        cluster
            .control_plane
            .apply_in(namespace, &manifest)
            .await
            .unwrap();
    }
    let forbidden = restore("forbidden", "forbidden").replace("name: pinecone", "name: other");
    cluster
        .control_plane
        .apply_in("team-a", &forbidden)
        .await
        .unwrap();
    cluster.until("team-a", "one", "Restored").await;
    cluster.until("team-b", "one", "Restored").await;
    let object = cluster
        .until("team-a", "forbidden", "SecretForbidden")
        .await;
    let conditions = format!("{:?}", object.status.unwrap().conditions);
    assert!(conditions.contains("may not read Secret"), "{conditions}");
    let elsewhere = cluster.restores("team-c").get("one").await.unwrap();
    assert_eq!(elsewhere.status.unwrap().observed_generation, Some(-1));
    assert_eq!(cluster.creates("one-of-team-c"), 0);

    let kubectl = cluster.kubectl().await;
    let account = format!("--as=system:serviceaccount:{OPERATOR}:{OPERATOR}");
    for (may, question) in [
        (true, "get secrets/pinecone --namespace=team-a"),
        (false, "get secrets/other --namespace=team-a"),
        (false, "get secrets/pinecone --namespace=team-c"),
        (false, "list secrets --namespace=team-a"),
        (false, "watch secrets --namespace=team-a"),
        (false, "list indexrestores --all-namespaces"),
        (false, "patch indexrestores --namespace=team-a"),
        (false, "delete indexrestores --namespace=team-a"),
        (
            false,
            "get leases/another --namespace=index-restore-operator",
        ),
        (
            true,
            "get leases/index-restore-operator --namespace=index-restore-operator",
        ),
        (
            false,
            "get leases/index-restore-operator --namespace=team-a",
        ),
    ] {
        let words: Vec<_> = question.split(' ').collect();
        let answer = kubectl
            .try_run(&[&["auth", "can-i", &account][..], &words].concat())
            .await;
        assert_eq!(
            answer.status.success(),
            may,
            "{question}: {}",
            text_of(&answer)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_view_and_edit_roles_include_restores() {
    let cluster = Cluster::start().await;
    let helm = Tool::new(&HELM_3).await;
    let kubectl = cluster.kubectl().await;
    let only = ["--show-only", "templates/user-roles.yaml"];
    let roles = parse(&template(&helm, &only).await);
    let (view, edit) = (rules(&roles[0]), rules(&roles[1]));
    assert!(view.iter().all(|rule| {
        ["get ", "list ", "watch "]
            .iter()
            .any(|verb| rule.starts_with(verb))
    }));
    assert!(
        !edit.iter().any(|rule| rule.contains("/status")),
        "only the operator may write the status"
    );
    for (role, to) in [(&roles[0], "view"), (&roles[1], "edit")] {
        let label = format!("/metadata/labels/rbac.authorization.k8s.io~1aggregate-to-{to}");
        assert_eq!(role.pointer(&label).and_then(Value::as_str), Some("true"));
    }
    // The cluster's own roles select by these labels.
    let selectors = kubectl
        .run(&[
            "get",
            "clusterrole",
            "view",
            "edit",
            "admin",
            "--output=jsonpath={.items[*].aggregationRule}",
        ])
        .await;
    for to in ["view", "edit", "admin"] {
        assert!(
            selectors.contains(&format!("rbac.authorization.k8s.io/aggregate-to-{to}")),
            "{selectors}"
        );
    }
}

/// Runs all promise tests with audit logs of their API servers; returns the requests of the operators.
async fn audited_requests() -> BTreeSet<String> {
    let folder = tempfile::tempdir().unwrap();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = tokio::process::Command::new(cargo);
    package_variables().for_each(|name| {
        command.env_remove(name);
    });
    let output = command
        .current_dir(root())
        .args(["test", "--locked", "--test", "promises"])
        .env("INDEX_RESTORE_AUDIT_FOLDER", folder.path())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{}", text_of(&output));
    let account = format!("system:serviceaccount:{OPERATOR}:{OPERATOR}");
    let mut used = BTreeSet::new();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let log = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        // A killed API server may leave an incomplete line.
        let events = log.lines().filter_map(|line| line.parse::<Value>().ok());
        for event in events.filter(|event| {
            event["user"]["username"] == account.as_str() && !event["objectRef"].is_null()
        }) {
            let text = |name: &str| {
                event["objectRef"][name]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned()
            };
            let verb = event["verb"].as_str().unwrap();
            let subresource = Some(text("subresource")).filter(|name| !name.is_empty());
            let subresource = subresource
                .map(|name| format!("/{name}"))
                .unwrap_or_default();
            used.insert(format!(
                "{verb} {}/{}{subresource}",
                text("apiGroup"),
                text("resource")
            ));
        }
    }
    used
}

#[tokio::test(flavor = "multi_thread")]
async fn the_roles_allow_exactly_the_requests_of_all_promise_tests() {
    let used = audited_requests().await;
    let helm = Tool::new(&HELM_3).await;
    for values in [
        "replicaCount=1",
        "watchNamespaces={team-a},rbac.secretNames={pinecone}",
    ] {
        let only = ["--show-only", "templates/rbac.yaml", "--set", values];
        let rendered = parse(&template(&helm, &only).await);
        let allowed: BTreeSet<_> = rendered.iter().flat_map(rules).collect();
        let missing: Vec<_> = used.difference(&allowed).collect();
        assert!(missing.is_empty(), "no rule allows {missing:?}");
        let idle: Vec<_> = allowed.difference(&used).collect();
        assert!(idle.is_empty(), "never used: {idle:?}");
    }
}

/// Each release watches its own namespaces, so neither may wait for the other's Lease.
#[tokio::test(flavor = "multi_thread")]
async fn two_releases_in_one_namespace_have_separate_leases() {
    let cluster = Cluster::start().await;
    let helm = Tool::new(&HELM_3).await.kubeconfig(&cluster.admin);
    let mut operators = Vec::new();
    for (release, crds) in [("team-a", "true"), ("team-b", "false")] {
        cluster.create_namespace(release).await;
        cluster.create_secret(release).await;
        let own = format!("watchNamespaces={{{release}}},crds.enabled={crds}");
        let place = ["--namespace", OPERATOR, "--create-namespace", "--set", &own];
        helm.run(&[&["install", release, CHART][..], &place].concat())
            .await;
        let name = format!("{release}-{OPERATOR}");
        operators.push(cluster.operator(OPERATOR, &name).await);
        let manifest = restore("one", &format!("one-of-{release}"));
        let applied = cluster.control_plane.apply_in(release, &manifest).await;
        applied.unwrap();
        cluster.until(release, "one", "Restored").await;
    }
}
