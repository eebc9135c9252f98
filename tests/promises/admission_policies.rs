//! The admission policies in `deploy/policies`.

use index_restore_operator::api::IndexRestore;
use kube::api::PostParams;
use kube::{Api, Client};
use serde_json::{Value, json};
use testkit::installation::shared;
use testkit::scene::BACKUP;
use testkit::{ControlPlane, DEADLINE, eventually};

const NAMED: &str = include_str!("../../deploy/policies/named-secrets.yaml");
const READABLE: &str = include_str!("../../deploy/policies/readable-secrets.yaml");

/// Two ServiceAccounts that may create IndexRestores; one of them may read the Secret `pinecone`.
const ACCOUNTS: &str = "
{apiVersion: v1, kind: ServiceAccount, metadata: {name: author}}
---
{apiVersion: v1, kind: ServiceAccount, metadata: {name: reader}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: author}
rules: [{apiGroups: [restore.pinecone.io], resources: [indexrestores], verbs: [get, create, update]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader}
rules: [{apiGroups: [''], resources: [secrets], resourceNames: [pinecone], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: author}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: author}
subjects: [{kind: ServiceAccount, name: author}, {kind: ServiceAccount, name: reader}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: reader}]
";

struct PolicyScene {
    control_plane: &'static ControlPlane,
    namespace: String,
}

impl PolicyScene {
    async fn with(policy: &str) -> Self {
        let (control_plane, _) = shared().await;
        let namespace = control_plane.namespace("policies").await.unwrap();
        let policy = bound_to(policy, &namespace);
        control_plane.apply(&policy).await.unwrap();
        let accounts = ACCOUNTS.replace(
            "kind: ServiceAccount, name",
            &format!("kind: ServiceAccount, namespace: {namespace}, name"),
        );
        control_plane.apply_in(&namespace, &accounts).await.unwrap();
        Self {
            control_plane,
            namespace,
        }
    }

    async fn restores_as(&self, account: &str) -> Api<IndexRestore> {
        let of_account = self
            .control_plane
            .service_account_kubeconfig(&self.namespace, account);
        let client: Client = testkit::client(&of_account.await.unwrap()).await.unwrap();
        Api::namespaced(client, &self.namespace)
    }
}

/// The shipped policy with a binding for one namespace, because other tests share the control plane.
fn bound_to(policy: &str, namespace: &str) -> String {
    let documents: Vec<Value> = serde_saphyr::from_multiple(policy).unwrap();
    let bound = documents.into_iter().map(|mut document| {
        if document["kind"] == "ValidatingAdmissionPolicyBinding" {
            let only = json!({"matchLabels": {"kubernetes.io/metadata.name": namespace}});
            document["spec"]["matchResources"] = json!({"namespaceSelector": only});
        }
        document.to_string()
    });
    bound.collect::<Vec<_>>().join("\n---\n")
}

fn restore(secret: &str) -> IndexRestore {
    serde_json::from_value(json!({
        "apiVersion": "restore.pinecone.io/v1alpha1",
        "kind": "IndexRestore",
        "metadata": {"generateName": "policies-"},
        "spec": {"backupId": BACKUP, "indexName": "policies", "apiKeySecretRef": {"name": secret}},
    }))
    .unwrap()
}

async fn rejection(restores: &Api<IndexRestore>, secret: &str) -> Option<String> {
    let created = restores
        .create(&PostParams::default(), &restore(secret))
        .await;
    created.err().map(|error| error.to_string())
}

/// Waits until the API server enforces a new policy.
async fn until_refused(restores: &Api<IndexRestore>, secret: &str, words: &str) {
    eventually(words, DEADLINE, async || {
        let refused = rejection(restores, secret).await;
        Ok(refused
            .is_some_and(|message| message.contains(words))
            .then_some(()))
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn allows_references_only_to_secrets_named_pinecone() {
    let scene = PolicyScene::with(NAMED).await;
    let restores = scene.restores_as("author").await;
    let words = "must be pinecone or begin with pinecone-, not database";
    until_refused(&restores, "database", words).await;
    for good in ["pinecone", "pinecone-staging"] {
        assert_eq!(rejection(&restores, good).await, None, "{good}");
    }
    for bad in ["my-pinecone", "pineconex"] {
        assert!(rejection(&restores, bad).await.is_some(), "{bad}");
    }
    let mut created = restores
        .create(&PostParams::default(), &restore("pinecone"))
        .await
        .unwrap();
    created.spec.api_key_secret_ref.name = "database".into();
    let name = created.metadata.name.clone().unwrap();
    let replaced = restores
        .replace(&name, &PostParams::default(), &created)
        .await;
    assert!(replaced.unwrap_err().to_string().contains(words));
}

#[tokio::test(flavor = "multi_thread")]
async fn allows_references_only_by_users_who_may_read_the_secret() {
    let scene = PolicyScene::with(READABLE).await;
    let (author, reader) = (
        scene.restores_as("author").await,
        scene.restores_as("reader").await,
    );
    until_refused(&author, "pinecone", "you may not read pinecone").await;
    assert_eq!(rejection(&reader, "pinecone").await, None);
    until_refused(&reader, "database", "you may not read database").await;
    let created = reader
        .create(&PostParams::default(), &restore("pinecone"))
        .await
        .unwrap();
    let name = created.metadata.name.unwrap();
    // Whoever may update the object may edit its metadata.
    for edit in [label, note] {
        assert_eq!(rejection_of(&author, &name, edit).await, None);
    }
    // Only users who may read the Secret may cause another use of its key, or select another key.
    for edit in [use_another_key, use_another_backup, request_again] {
        let refused = rejection_of(&author, &name, edit).await.unwrap();
        assert!(refused.contains("you may not read pinecone"), "{refused}");
        assert_eq!(rejection_of(&reader, &name, edit).await, None);
    }
    // Later edits of metadata may keep the request; the author may not remove it.
    assert_eq!(rejection_of(&author, &name, note).await, None);
    let refused = rejection_of(&author, &name, |object| object.metadata.annotations = None);
    assert!(refused.await.is_some());
}

/// Makes the edit with the given client; returns the message of the API server if it rejects the edit.
async fn rejection_of(
    restores: &Api<IndexRestore>,
    name: &str,
    edit: fn(&mut IndexRestore),
) -> Option<String> {
    let mut object = restores.get(name).await.unwrap();
    edit(&mut object);
    let params = PostParams::default();
    let replaced = restores.replace(name, &params, &object).await;
    replaced.err().map(|error| error.to_string())
}

fn label(object: &mut IndexRestore) {
    object.metadata.labels = Some([("team".to_owned(), "search".to_owned())].into());
}

fn annotate(object: &mut IndexRestore, name: &str, value: &str) {
    let annotations = object.metadata.annotations.get_or_insert_default();
    annotations.insert(name.into(), value.into());
}

fn note(object: &mut IndexRestore) {
    annotate(object, "example.com/note", "rehearsal");
}

fn request_again(object: &mut IndexRestore) {
    annotate(
        object,
        "restore.pinecone.io/requestedAt",
        "2026-11-22T10:00:00Z",
    );
}

fn use_another_key(object: &mut IndexRestore) {
    object.spec.api_key_secret_ref.key = "another".into();
}

fn use_another_backup(object: &mut IndexRestore) {
    object.spec.backup_id = "other".into();
}
