//! What the real kubectl does: a forced replacement, and the strict validation that
//! it asks for.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use anyhow::{Result, anyhow};
use serde_json::{Value, json};
use testkit::ControlPlane;
use testkit::scene::Scene;

use crate::consistency;
use crate::ground::{Ground, stage};
use crate::health;
use crate::tally::{Oracle, Tally};

const PHASE: &str = "with kubectl";

pub async fn run(schema: &Value, tally: &Tally) {
    let (scene, operator) = stage().await;
    let ground = Ground::new(&scene, "kubectl").await;
    let outcome = applied_and_replaced(&ground, schema, tally).await;
    tally.judge(Oracle::Recovery, "kubectl replace --force", outcome);
    health::check(&scene, &operator, 0, tally).await;
    health::created_once(&scene, tally);
}

/// Runs it as administrator, with a manifest on standard input.
async fn kubectl(scene: &Scene, arguments: &'static [&'static str], manifest: &Value) -> Output {
    let control_plane = ControlPlane::shared().await.unwrap();
    let admin = control_plane.admin_kubeconfig();
    let kubeconfig = control_plane.write_kubeconfig(&admin).unwrap();
    let namespace = scene.namespace.clone();
    let manifest = manifest.to_string();
    let run = move || {
        let mut child = Command::new(testkit::kubectl().unwrap())
            .args(["--namespace", &namespace])
            .args(arguments)
            .args(["-f", "-"])
            .env("KUBECONFIG", kubeconfig)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(manifest.as_bytes()).unwrap();
        drop(stdin);
        child.wait_with_output().unwrap()
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

async fn applied_and_replaced(ground: &Ground<'_>, schema: &Value, tally: &Tally) -> Result<()> {
    let mut manifest = json!({
        "apiVersion": "restore.pinecone.io/v1alpha1",
        "kind": "IndexRestore",
        "metadata": {"name": "forced"},
        "spec": ground.spec("forced"),
    });
    let mut mistyped = manifest.clone();
    mistyped["spec"]["tag"] = json!({"a": "b"});
    refused(ground, &mistyped, "spec.tag", tally).await;

    tally.operation(PHASE);
    let applied = kubectl(ground.scene, &["apply"], &manifest).await;
    done(&applied, "created")?;
    let before = ground.until("forced", &["Restored"]).await?;
    // Deleted and made again, with what could not be edited.
    manifest["spec"]["deletionProtection"] = json!("Enabled");
    refused(ground, &manifest, "Forbidden", tally).await;
    tally.operation(PHASE);
    let replaced = kubectl(ground.scene, &["replace", "--force"], &manifest).await;
    done(&replaced, "replaced")?;
    // The index that is there is not protected, and adoption changes nothing.
    let mismatch = ["DeletionProtectionMismatch"];
    let after = ground.until("forced", &mismatch).await?;
    let judgement = consistency::recorded(ground, schema, &after);
    tally.judge(Oracle::Consistency, "kubectl replace --force", judgement);
    let is_new = before.metadata.uid != after.metadata.uid && ground.creates() == 1;
    is_new
        .then_some(())
        .ok_or_else(|| anyhow!("one create for two objects was meant"))
}

async fn refused(ground: &Ground<'_>, manifest: &Value, named: &str, tally: &Tally) {
    tally.operation(PHASE);
    let output = kubectl(ground.scene, &["apply"], manifest).await;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let is_named = !output.status.success() && errors.contains(named);
    let judgement = is_named.then_some(()).ok_or_else(|| anyhow!(errors));
    tally.judge(Oracle::Validation, "kubectl apply", judgement);
}

fn done(output: &Output, word: &str) -> Result<()> {
    let printed = String::from_utf8_lossy(&output.stdout);
    let is_done = output.status.success() && printed.contains(word);
    is_done.then_some(()).ok_or_else(|| anyhow!("{output:?}"))
}
