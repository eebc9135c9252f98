//! Failures below HTTP, on the create request and on each read, and the two ways in which
//! Pinecone is reached in a company: TLS under an authority of its own, and a proxy.
//!
//! The name that cannot be resolved is tried by a restart, so that it meets three of the
//! five; on the create request, the client's own tests try it.

use std::sync::Arc;

use anyhow::{Result, ensure};
use pinecone_emulator::{Fault, FaultKind, JobOutcome, Route};
use serde_json::json;
use testkit::scene::{BACKUP, Scene, status};

use crate::certificates::{Certificates, NAME};
use crate::gate::{Failing, Gate, Layer};
use crate::matrix::take_turn;
use crate::record::Reports;

const CREATE: Route = Route::CreateIndexFromBackup;

/// Whether a create request that meets the failure was certainly not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    No,
    Perhaps,
}

struct Way {
    scene: Scene,
    gate: Gate,
    sent: Sent,
}

/// Each of the five requests in turn meets the failure, which is reported and ends.
async fn every_request_meets(failing: Failing, layer: Layer, sent: Sent) {
    let directory = tempfile::tempdir().unwrap();
    let _turn = take_turn().await;
    let scene = Scene::new().await.without_election();
    let upstream = scene.emulator_url().replace("http://", "");
    let gate = Gate::start(upstream.parse().unwrap(), layer.clone(), failing).await;
    let address = format!("127.0.0.1:{}", gate.port);
    let (scene, url) = match &layer {
        Layer::Plain => (scene, format!("http://{address}")),
        Layer::Tls(_) => (scene, format!("https://{address}")),
        Layer::Proxy(_) => {
            let proxy = format!("http://{address}");
            let scene = scene
                .with_env("HTTPS_PROXY", &proxy)
                .with_env("NO_PROXY", "127.0.0.1");
            (scene, format!("https://{NAME}"))
        }
    };
    let mut flags = vec![
        format!("--pinecone-endpoint={url}"),
        "--poll-max=500ms".into(),
    ];
    // A connection is waited for for five seconds.
    flags.extend(match failing {
        Failing::Unaccepted => [
            "--request-timeout=9s".into(),
            "--confirm-patience=15s".into(),
        ],
        _ => [
            "--request-timeout=6s".into(),
            "--confirm-patience=12s".into(),
        ],
    });
    if let Layer::Tls(certificates) | Layer::Proxy(certificates) = &layer {
        let file = directory.path().join("ca.crt");
        std::fs::write(&file, &certificates.pem).unwrap();
        flags.push(format!("--pinecone-ca-file={}", file.display()));
    }
    let flags: Vec<_> = flags.iter().map(String::as_str).collect();
    let operator = scene.start_with(&flags).await;
    let way = Way { scene, gate, sent };
    let mut failed = Vec::new();
    for (route, outcome) in [
        ("index", way.index().await),
        ("backup", way.backup().await),
        ("post", way.post().await),
        ("job", way.job().await),
        ("list", way.list().await),
    ] {
        if let Err(error) = outcome {
            failed.push(format!("{route} × {failing:?}: {error:#}"));
        }
        way.gate.restore().await;
    }
    println!("{failing:?}: 5 cells");
    let logs = operator.process.logs();
    assert!(logs.contains("restore") && !logs.contains("canary"));
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

impl Way {
    async fn reports(&self, name: &str, reason: &str) -> Result<()> {
        let is_reported = |reports: &Reports| reports.reason() == reason;
        let found = Reports::until(&self.scene, name, reason, is_reported).await;
        found.map(drop)
    }

    /// The failure is reported and ends, and the restore is made, once.
    async fn recovers(&self, name: &str, reason: &str) -> Result<()> {
        self.gate.until_broken().await;
        self.reports(name, reason).await?;
        self.gate.restore().await;
        self.reports(name, "Restored").await?;
        let creates = self.scene.accepted(name).len();
        let requests = self.scene.pinecone.requests();
        let of_name = requests.iter().filter(|request| {
            request.route == CREATE && request.body.as_ref().is_some_and(|b| b["name"] == name)
        });
        let posts = of_name.count();
        ensure!(creates == 1, "{creates} creates were accepted");
        ensure!(posts == 1, "{posts} create requests came through");
        Ok(())
    }

    async fn index(&self) -> Result<()> {
        self.gate.break_now().await;
        self.scene.create("index", json!({})).await;
        self.recovers("index", "ApiUnavailable").await
    }

    async fn backup(&self) -> Result<()> {
        self.gate.break_after("GET /indexes/backup ");
        self.scene.create("backup", json!({})).await;
        self.recovers("backup", "ApiUnavailable").await
    }

    async fn post(&self) -> Result<()> {
        self.gate.break_after(&format!("GET /backups/{BACKUP} "));
        self.scene.create("post", json!({})).await;
        let (reason, attempts) = match self.sent {
            Sent::No => ("ApiUnavailable", 1),
            Sent::Perhaps => ("ConfirmingSubmission", 2),
        };
        self.recovers("post", reason).await?;
        let object = Reports::of(&self.scene, "post").object.unwrap();
        let attempt = status(&object).submission.unwrap().attempt;
        ensure!(attempt == attempts, "it took {attempt} attempts");
        Ok(())
    }

    async fn job(&self) -> Result<()> {
        self.gate.break_after("POST /backups/");
        self.scene.create("job", json!({})).await;
        self.recovers("job", "ApiUnavailable").await
    }

    /// The answer to the create request is lost as well.
    async fn list(&self) -> Result<()> {
        let lost = Fault::new(CREATE, FaultKind::LoseAnswer).times(1);
        self.scene.pinecone.inject(lost);
        self.gate.break_after("POST /backups/");
        self.scene.create("list", json!({})).await;
        self.recovers("list", "ConfirmingSubmission").await
    }
}

fn tls() -> Layer {
    Layer::Tls(Arc::new(Certificates::new()))
}

fn proxy() -> Layer {
    Layer::Proxy(Arc::new(Certificates::new()))
}

macro_rules! ways {
    ($($name:ident: $failing:expr, $layer:expr, $sent:expr;)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            let _ = rustls::crypto::ring::default_provider().install_default();
            every_request_meets($failing, $layer, $sent).await;
        }
    )*};
}

ways! {
    a_refused_connection: Failing::Refused, Layer::Plain, Sent::No;
    a_connection_that_is_not_accepted: Failing::Unaccepted, Layer::Plain, Sent::No;
    a_connection_that_is_closed: Failing::Closed, Layer::Plain, Sent::Perhaps;
    a_connection_that_is_reset: Failing::Reset, Layer::Plain, Sent::Perhaps;
    another_protocol: Failing::Banner, Layer::Plain, Sent::Perhaps;
    an_answer_that_ends_in_its_first_line: Failing::CutHead, Layer::Plain, Sent::Perhaps;
    a_server_without_tls: Failing::NoTls, tls(), Sent::No;
    a_handshake_that_is_broken_off: Failing::HandshakeClosed, tls(), Sent::No;
    a_certificate_of_nobody_trusted: Failing::Untrusted, tls(), Sent::No;
    a_certificate_for_another_name: Failing::WrongName, tls(), Sent::No;
    a_certificate_that_expired: Failing::Expired, tls(), Sent::No;
    a_proxy_that_cannot_reach_pinecone: Failing::NoTunnel(502), proxy(), Sent::No;
    a_proxy_that_wants_a_password: Failing::NoTunnel(407), proxy(), Sent::No;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_cannot_be_resolved() {
    let scene = Scene::new().await.without_election();
    scene.pinecone.set_restore_duration(None);
    let list = Fault::new(Route::ListRestoreJobs, FaultKind::status(500));
    let unreadable = scene.pinecone.inject(list);
    let lost = Fault::new(CREATE, FaultKind::LoseAnswer).mentioning("list");
    scene.pinecone.inject(lost);
    let mut operator = scene.start().await;
    for (name, reason) in [("job", "Restoring"), ("list", "ConfirmingSubmission")] {
        scene.create(name, json!({})).await;
        scene.until(name, reason).await;
    }
    operator.process.kill().unwrap();
    let nowhere = format!("--pinecone-endpoint=http://{NAME}");
    let mut operator = scene.start_with(&[&nowhere]).await;
    scene.create("index", json!({})).await;
    for (name, reason) in [
        ("index", "ApiUnavailable"),
        ("job", "ApiUnavailable"),
        ("list", "ConfirmingSubmission"),
    ] {
        let is_reported =
            |reports: &Reports| reports.reason() == reason && reports.message().contains("dns");
        let found = Reports::until(&scene, name, reason, is_reported).await;
        found.unwrap();
    }
    operator.process.kill().unwrap();
    scene.pinecone.clear_fault(unreadable);
    let _operator = scene.start().await;
    for name in ["index", "job", "list"] {
        scene.until(name, "Restoring").await;
        let job = scene.accepted(name).remove(0).restore_job_id;
        scene
            .pinecone
            .finish_job(&job, JobOutcome::Completed)
            .unwrap();
        scene.restored_once(name).await;
    }
    assert_eq!(scene.posts(), 3);
    println!("a name that cannot be resolved: 3 cells");
}
