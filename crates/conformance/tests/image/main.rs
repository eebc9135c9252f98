//! `cargo image`: the contents of the images, and that they work with the restrictions of a cluster:
//! as the image's user, on a read-only root, without other files. Needs root, and two OCI layouts
//! that `image/build` created:
//!
//!     INDEX_RESTORE_IMAGE=/tmp/operator INDEX_RESTORE_EMULATOR_IMAGE=/tmp/emulator cargo image

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod cluster;
mod container;
mod contents;
mod layout;

use std::path::PathBuf;
use std::process::{Command, Stdio};

use pinecone_emulator::{BackupSeed, Config, DEFAULT_PROJECT, Emulator, Project};
use testkit::{DEADLINE, eventually, free_port};

use cluster::Cluster;
use container::contained;
use layout::native;

const CERTIFICATES: &str = "etc/ssl/certs/ca-certificates.crt";

async fn get(address: &str, path: &str) -> Option<String> {
    let url = format!("http://{address}{path}");
    let output = Command::new("curl")
        .args(["-sf", "--noproxy", "*", &url])
        .output();
    let output = output.unwrap();
    let body = String::from_utf8_lossy(&output.stdout).into_owned();
    output.status.success().then_some(body)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_image_restores_an_index_under_cluster_settings() {
    let image = native("INDEX_RESTORE_IMAGE");
    let cluster = Cluster::start(&image).await;
    let emulator = Emulator::start(Config {
        projects: vec![Project::new(DEFAULT_PROJECT, "image-key")],
        ..Config::default()
    });
    let emulator = emulator.await.unwrap();
    let backup = BackupSeed::new("nightly", "products").id("nightly-1");
    emulator
        .control()
        .add_backup(DEFAULT_PROJECT, backup)
        .unwrap();
    let address = format!("127.0.0.1:{}", free_port().unwrap());
    let operator = contained(
        &image,
        &["--listen", &address, "--pinecone-endpoint", &emulator.url()],
    )
    .env("KUBECONFIG", "/kubeconfig")
    .start()
    .unwrap();
    cluster
        .until(&operator, "restored", |reason, _| reason == "Restored")
        .await;
    assert_eq!(emulator.control().accepted_creates().len(), 1);
    for path in ["/livez", "/readyz"] {
        assert_eq!(get(&address, path).await.as_deref(), Some("ok"), "{path}");
    }

    // The test is meaningful only if the process has the intended restrictions.
    let process = PathBuf::from(format!("/proc/{}", operator.pid()));
    let status = std::fs::read_to_string(process.join("status")).unwrap();
    assert!(
        status.contains("Uid:\t65532\t65532\t65532\t65532"),
        "{status}"
    );
    for set in ["CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert!(
            status.contains(&format!("{set}:\t0000000000000000")),
            "{status}"
        );
    }
    assert!(status.contains("NoNewPrivs:\t1"), "{status}");
    let mounts = std::fs::read_to_string(process.join("mountinfo")).unwrap();
    let of_root = |line: &&str| line.split(' ').nth(4) == Some("/");
    let root = mounts.lines().rfind(of_root).unwrap();
    assert!(
        root.split(' ').nth(5).unwrap().starts_with("ro"),
        "{mounts}"
    );
    assert_eq!(
        std::fs::read_link(process.join("exe"))
            .unwrap()
            .file_name()
            .unwrap(),
        "index-restore-operator"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_image_trusts_the_certificates_it_contains() {
    let image = native("INDEX_RESTORE_IMAGE");
    let cluster = Cluster::start(&image).await;
    // The API server takes the place of a Pinecone with TLS.
    let url = format!("{}/{}", cluster.control_plane.url(), cluster.namespace);
    let arguments = ["--listen=127.0.0.1:0", "--pinecone-endpoint", &url];
    let start = || {
        contained(&image, &arguments)
            .env("KUBECONFIG", "/kubeconfig")
            .start()
            .unwrap()
    };
    let operator = start();
    cluster
        .until(&operator, "refused", |_, message| {
            message.contains("certificate")
        })
        .await;
    drop(operator);

    let certificates = image.root.path().join(CERTIFICATES);
    let bundle = std::fs::read_to_string(&certificates).unwrap();
    assert!(bundle.matches("BEGIN CERTIFICATE").count() > 100);
    std::fs::copy(
        cluster.control_plane.directory().join("ca.crt"),
        &certificates,
    )
    .unwrap();
    let operator = start();
    cluster
        .until(&operator, "trusted", |_, message| message.contains("403"))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_emulators_image_responds_under_cluster_settings() {
    let image = native("INDEX_RESTORE_EMULATOR_IMAGE");
    let address = format!("127.0.0.1:{}", free_port().unwrap());
    let _emulator = contained(&image, &["--listen", &address]).start().unwrap();
    let url = format!("http://{address}/indexes");
    eventually("the emulator responds", DEADLINE, async || {
        let asked = Command::new("curl")
            .args(["-s", "--noproxy", "*", "-H", "Api-Key: emulator-key"])
            .args(["-H", "X-Pinecone-Api-Version: 2025-10", &url])
            .stderr(Stdio::null())
            .output()?;
        Ok(String::from_utf8_lossy(&asked.stdout)
            .contains("\"indexes\"")
            .then_some(()))
    })
    .await
    .unwrap();
}
