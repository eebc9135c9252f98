//! A scene whose operators reach the API server through a proxy, and what must be
//! true of every restore in it.

// A step that fails must fail the test at once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use std::time::Duration;

use index_restore_operator::api::IndexRestore;
use jiff::Timestamp;
use kube::api::ListParams;
use kube::config::Kubeconfig;
use pinecone_emulator::{BackupSeed, DEFAULT_PROJECT, Fault, FaultKind, Route};
use serde_json::json;

use crate::api_proxy::{self, ApiProxy, Armed, Call, Rule, Seen, Treatment};
use crate::installation::shared;
use crate::scene::{Running, Scene, ready, status};
use crate::wait::wait_for;

/// A scene without leader election behind a proxy. Operators of the scene reach the API server through the proxy, the test's own
/// client does not.
pub struct Proxied {
    /// The namespace, the emulator and the operators.
    pub scene: Scene,
    /// The proxy of the operators that the scene starts.
    pub proxy: ApiProxy,
}

/// For faults that last as long as the operator waits for the API server, and for
/// what follows them on a busy machine.
pub const LONG: Duration = Duration::from_secs(180);

impl Proxied {
    /// Without election: one operator may follow another at once.
    pub async fn new() -> Self {
        let (control_plane, kubeconfig) = shared().await;
        let proxy = ApiProxy::start(control_plane).await.unwrap();
        let kubeconfig = proxy.kubeconfig(control_plane, &kubeconfig).unwrap();
        let scene = Scene::on(control_plane, &kubeconfig).await;
        Self {
            scene: scene.without_election(),
            proxy,
        }
    }

    /// Another way to the same API server, and an operator that takes it.
    pub async fn rival(&self) -> (ApiProxy, Running) {
        let (control_plane, _) = shared().await;
        self.rival_reading(&control_plane.admin_kubeconfig()).await
    }

    /// The same, with lists and watches from the API server of that kubeconfig.
    pub async fn rival_reading(&self, from: &Kubeconfig) -> (ApiProxy, Running) {
        let (control_plane, kubeconfig) = shared().await;
        let proxy = ApiProxy::start(control_plane).await.unwrap();
        proxy.read_from(from).await.unwrap();
        let kubeconfig = proxy.kubeconfig(control_plane, &kubeconfig).unwrap();
        let rival = self.scene.start_by(&kubeconfig, &[]).await;
        (proxy, rival)
    }

    /// Creates restores of a backup that does not exist yet, and starts an operator.
    pub async fn start_with_late(&self, names: &[String]) -> Running {
        for name in names {
            self.scene.create(name, json!({"backupId": "late"})).await;
        }
        self.scene.start().await
    }

    /// Waits until each of these restores lacks its backup.
    pub async fn until_late(&self, names: &[String]) {
        for name in names {
            self.until(name, "BackupNotFound").await;
        }
    }

    /// Has the API server drop the claim from each status, as with an older CRD.
    pub fn drop_claims(&self) -> Arc<Armed> {
        let prune = api_proxy::Fault::prune("/status/submission");
        let writes = |call: &Call| call.writes_status_of("indexrestores");
        self.proxy.arm(Rule::new(prune, writes))
    }

    /// From now on operators see lists and watches as they are now, until
    /// [`Proxied::thaw`].
    pub async fn freeze(&self, proxy: &ApiProxy) {
        let list = self
            .scene
            .restores
            .list(&ListParams::default())
            .await
            .unwrap();
        let mut list = serde_json::to_value(list).unwrap();
        list["apiVersion"] = json!("restore.pinecone.io/v1alpha1");
        list["kind"] = json!("IndexRestoreList");
        proxy.show(Some(list));
        proxy.treat(|_| Treatment::Hold);
    }

    /// Ends [`Proxied::freeze`]: lists show what is stored, and the events that were held are delivered in order.
    pub fn thaw(&self) {
        self.proxy.show(None);
        self.proxy.treat(|_| Treatment::Pass);
    }

    /// Creates a restore that is blocked once (HTTP 402 for its backup), and so has every kind of write. No mark may
    /// contain another.
    pub async fn create_with_report(&self, name: &str, mark: &str) {
        let backup = format!("backup-{mark}");
        let seed = BackupSeed::new("nightly", "products").id(&backup);
        let pinecone = &self.scene.pinecone;
        pinecone.add_backup(DEFAULT_PROJECT, seed).unwrap();
        let unpaid = Fault::new(Route::DescribeBackup, FaultKind::status(402));
        pinecone.inject(unpaid.times(1).mentioning(&backup));
        let spec = json!({"backupId": backup, "indexName": name});
        self.scene.create(name, spec).await;
    }

    /// Waits for the end of the restore and checks all that must be true of it.
    pub async fn restored_once(&self, name: &str) -> IndexRestore {
        let object = self.until(name, "Restored").await;
        self.scene.check_recorded_once(&object);
        self.check_claimed(&object).await;
        object
    }

    /// Waits, for at most [`LONG`], until the Ready condition has that reason for the current generation; panics if it has not.
    pub async fn until(&self, name: &str, reason: &str) -> IndexRestore {
        let found = wait_for(&self.scene.restores, name, LONG, |object| {
            object.is_some_and(|object| {
                let observed = status(object).observed_generation == object.metadata.generation;
                observed && ready(object).1 == reason
            })
        });
        let found = found.await;
        found
            .unwrap_or_else(|error| panic!("{name} is not {reason}: {error:#}"))
            .unwrap()
    }

    /// Panics unless each create request had a claim of its own that the API server had answered before; the judge, at the end
    /// of the scene, knows only when a claim was observed. Returns the number of requests.
    pub async fn check_claimed(&self, object: &IndexRestore) -> usize {
        let versions = self.scene.history().up_to(object).await.unwrap();
        let name = object.metadata.name.as_deref().unwrap();
        let stored = |nonce: &str| {
            versions.iter().any(|version| {
                let submission = status(version).submission;
                submission.is_some_and(|submission| submission.nonce == nonce)
            })
        };
        let mut claims = claims(&self.proxy.journal(), name);
        claims.retain(|(_, nonce)| stored(nonce));
        let posts = posts(&self.scene, &object.spec.index_name);
        for (n, post) in posts.iter().enumerate() {
            let claim = claims.get(n);
            assert!(
                claim.is_some_and(|(time, _)| time <= post),
                "{name}: request {n} of {posts:?} was sent without a claim of its own: {claims:?}"
            );
        }
        posts.len()
    }
}

/// When each claim was first seen stored, in order: in answers of the API server to
/// writes and reads.
fn claims(journal: &[Seen], name: &str) -> Vec<(Timestamp, String)> {
    let mut claims: Vec<(Timestamp, String)> = Vec::new();
    for seen in journal
        .iter()
        .filter(|seen| seen.call.name == name && seen.code == 200)
    {
        let submission = &seen.answer["status"]["submission"];
        let Some(nonce) = submission["nonce"].as_str() else {
            continue;
        };
        if submission["outcome"] == "Open" && claims.iter().all(|(_, known)| known != nonce) {
            claims.push((seen.time, nonce.to_owned()));
        }
    }
    claims
}

/// When Pinecone got each create request for that index.
pub fn posts(scene: &Scene, index_name: &str) -> Vec<Timestamp> {
    let requests = scene.pinecone.requests().into_iter();
    let creates = requests.filter(|request| {
        let body = request.body.as_ref();
        request.route == Route::CreateIndexFromBackup
            && body.is_some_and(|body| body["name"] == index_name)
    });
    creates.map(|request| request.time).collect()
}
