//! `kubectl explain` describes the resource.

use std::process::Command;

use index_restore_operator::api::crd;
use testkit::installation::shared;
use testkit::{DEADLINE, eventually};

/// The text in one line, with one space between words: kubectl breaks lines where it wants.
fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns what the real kubectl says of a resource or a field of it.
async fn explained(path: &'static str) -> anyhow::Result<String> {
    let (control_plane, _) = shared().await;
    let kubeconfig = control_plane.write_kubeconfig(&control_plane.admin_kubeconfig())?;
    let run = move || -> anyhow::Result<_> {
        let output = Command::new(testkit::kubectl()?)
            .args(["explain", path, "--cache-dir"])
            .arg(kubeconfig.with_extension("cache"))
            .env("KUBECONFIG", kubeconfig)
            .output()?;
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        anyhow::ensure!(output.status.success(), error);
        Ok(in_one_line(&String::from_utf8_lossy(&output.stdout)))
    };
    tokio::task::spawn_blocking(run).await?
}

/// A description that joins or splits words at the ends of its lines would not be found.
#[tokio::test(flavor = "multi_thread")]
async fn kubectl_explain_shows_every_description_as_it_is() {
    let crd = serde_json::to_value(crd()).unwrap();
    let root = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    let (spec, status) = (&root["properties"]["spec"], &root["properties"]["status"]);
    for (path, schema) in [
        ("indexrestore", root),
        ("indexrestore.spec", spec),
        ("indexrestore.status", status),
    ] {
        // The API server publishes the schema some time after it serves the resource.
        let served = async || explained(path).await.map(Some);
        let shown = eventually("the schema is published", DEADLINE, served);
        let shown = shown.await.unwrap();
        let fields = schema["properties"].as_object().unwrap().values();
        for described in fields.chain([schema]) {
            let text = described["description"].as_str().map(in_one_line).unwrap();
            assert!(shown.contains(&text), "{path}: {text}\nis not in\n{shown}");
        }
    }
}
