//! `cargo image`: what is in the images, and that they work as a cluster runs them:
//! as the user that they name, on a read-only root, with nothing else there. Needs
//! root, and two OCI layouts that `image/build` made:
//!
//!     INDEX_RESTORE_IMAGE=/tmp/operator INDEX_RESTORE_EMULATOR_IMAGE=/tmp/emulator cargo image

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use harness::{ControlPlane, DEADLINE, Operator, OperatorBuilder, eventually, free_port, wait_for};
use index_restore_operator::api::IndexRestore;
use index_restore_operator::api::conditions::find;
use kube::Api;
use object::read::elf::{ElfFile64, FileHeader as _, ProgramHeader as _};
use object::{Endianness, elf};
use pinecone_emulator::{BackupSeed, Config, DEFAULT_PROJECT, Emulator, Project};
use serde_json::{Value, json};
use tempfile::TempDir;

const MAX_IMAGE: u64 = 15 * 1024 * 1024;
const CERTIFICATES: &str = "etc/ssl/certs/ca-certificates.crt";
const ACCOUNT: &str = "index-restore-operator";

/// One image of a layout, unpacked.
struct Image {
    architecture: String,
    config: Value,
    /// Of the layers as they are pulled.
    bytes: u64,
    root: TempDir,
}

fn layout(variable: &str) -> PathBuf {
    let path = std::env::var_os(variable);
    path.map(PathBuf::from)
        .unwrap_or_else(|| panic!("{variable} must name an OCI layout that image/build made"))
}

fn blob(layout: &Path, descriptor: &Value) -> PathBuf {
    let digest = descriptor["digest"].as_str().unwrap();
    layout.join("blobs").join(digest.replace(':', "/"))
}

fn json_of(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The images of a layout: an index may lead to another one.
fn images(variable: &str) -> Vec<Image> {
    let layout = layout(variable);
    let mut found = Vec::new();
    let mut documents = vec![json_of(&layout.join("index.json"))];
    while let Some(document) = documents.pop() {
        for descriptor in document["manifests"].as_array().into_iter().flatten() {
            documents.push(json_of(&blob(&layout, descriptor)));
        }
        if document["layers"].is_array() {
            found.push(unpack(&layout, &document));
        }
    }
    assert!(!found.is_empty(), "{} has no image", layout.display());
    found
}

fn unpack(layout: &Path, manifest: &Value) -> Image {
    let config = json_of(&blob(layout, &manifest["config"]));
    let root = tempfile::tempdir().unwrap();
    std::fs::set_permissions(root.path(), PermissionsExt::from_mode(0o755)).unwrap();
    for layer in manifest["layers"].as_array().unwrap() {
        let mut tar = Command::new("tar");
        tar.arg("-xf").arg(blob(layout, layer));
        let status = tar.arg("-C").arg(root.path()).status().unwrap();
        assert!(status.success());
    }
    let sizes = manifest["layers"].as_array().unwrap().iter();
    Image {
        architecture: config["architecture"].as_str().unwrap().to_owned(),
        config: config["config"].clone(),
        bytes: sizes.map(|layer| layer["size"].as_u64().unwrap()).sum(),
        root,
    }
}

/// Of the architecture of this machine.
fn native(variable: &str) -> Image {
    let own = match std::env::consts::ARCH {
        "aarch64" => "arm64",
        _ => "amd64",
    };
    let mut images = images(variable).into_iter();
    images
        .find(|image| image.architecture == own)
        .unwrap_or_else(|| panic!("no image for {own}"))
}

fn files(folder: &Path, root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => found.extend(files(&entry.path(), root)),
            false => found.push(
                entry
                    .path()
                    .strip_prefix(root)
                    .unwrap()
                    .display()
                    .to_string(),
            ),
        }
    }
    found.sort();
    found
}

fn check_contents(variable: &str, program: &str) {
    for image in images(variable) {
        let root = image.root.path();
        let told = format!(
            "{program} for {}: {} bytes",
            image.architecture, image.bytes
        );
        println!("{told}");
        assert_eq!(files(root, root), [CERTIFICATES, program], "{told}");
        assert!(image.bytes < MAX_IMAGE, "{told}");
        check_program(&root.join(program), &image.architecture);
        assert_eq!(image.config["User"], "65532:65532");
        assert_eq!(image.config["Entrypoint"], json!([format!("/{program}")]));
        let labels = &image.config["Labels"];
        for (label, value) in [
            ("title", program),
            ("version", env!("CARGO_PKG_VERSION")),
            ("licenses", "Apache-2.0"),
        ] {
            assert_eq!(labels[format!("org.opencontainers.image.{label}")], value);
        }
        for label in ["description", "source", "revision"] {
            assert!(
                labels[format!("org.opencontainers.image.{label}")].is_string(),
                "{label}"
            );
        }
    }
}

/// Static, of that architecture, and with the list of its crates.
fn check_program(path: &Path, architecture: &str) {
    let bytes = std::fs::read(path).unwrap();
    let file = ElfFile64::<Endianness>::parse(&*bytes).unwrap();
    let machine = file.elf_header().e_machine(file.endian());
    let expected = match architecture {
        "arm64" => elf::EM_AARCH64,
        _ => elf::EM_X86_64,
    };
    assert_eq!(machine, expected);
    let interpreted = file
        .elf_program_headers()
        .iter()
        .any(|header| header.p_type(file.endian()) == elf::PT_INTERP);
    assert!(!interpreted, "{} needs an interpreter", path.display());
    let list = auditable_info::audit_info_from_file(path, Default::default()).unwrap();
    for name in ["ring", "tokio"] {
        assert!(
            list.packages.iter().any(|package| package.name == name),
            "{name}"
        );
    }
}

#[test]
fn the_operators_image_is_one_static_program_and_certificates() {
    check_contents("INDEX_RESTORE_IMAGE", "index-restore-operator");
    assert_eq!(native("INDEX_RESTORE_IMAGE").config["Cmd"], json!(["run"]));
}

#[test]
fn the_emulators_image_is_one_static_program_and_certificates() {
    check_contents("INDEX_RESTORE_EMULATOR_IMAGE", "pinecone-emulator");
}

/// How a container is started, as far as it matters here: a root that cannot be
/// written, the image's user, no capability, and no way to more rights.
fn contained(image: &Image, arguments: &[&str]) -> OperatorBuilder {
    const SCRIPT: &str = "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\" && cd \"$0\" \
        && exec setpriv --no-new-privs --bounding-set=-all chroot --userspec=\"$1\" \"$0\" \"${@:2}\"";
    let mut command: Vec<&str> = Vec::new();
    let of = |part: &'static str| -> Vec<String> {
        let listed = image.config[part].as_array().into_iter().flatten();
        listed
            .map(|word| word.as_str().unwrap().to_owned())
            .collect()
    };
    let (entry, defaults) = (of("Entrypoint"), of("Cmd"));
    command.extend(entry.iter().chain(&defaults).map(String::as_str));
    command.extend(arguments);
    Operator::builder("/usr/bin/unshare")
        .args(["--mount", "--propagation=private", "bash", "-c", SCRIPT])
        .arg(image.root.path())
        .arg(image.config["User"].as_str().unwrap())
        .args(command)
}

struct Cluster {
    control_plane: ControlPlane,
    namespace: String,
    restores: Api<IndexRestore>,
}

impl Cluster {
    /// With what is shipped installed, and the kubeconfig of its account in the image's root.
    async fn start(image: &Image) -> Self {
        let control_plane = ControlPlane::start().await.unwrap();
        for manifest in [
            include_str!("../../crds/indexrestores.yaml"),
            include_str!("../../deploy/base/namespace.yaml"),
            include_str!("../../deploy/base/service-account.yaml"),
            include_str!("../../deploy/base/rbac.yaml"),
        ] {
            control_plane.apply(manifest).await.unwrap();
        }
        let namespace = control_plane.namespace("image").await.unwrap();
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "pinecone"},
            "stringData": {"api-key": "image-key"}});
        let object = json!({"apiVersion": "restore.pinecone.io/v1alpha1", "kind": "IndexRestore", "metadata": {"name": "products"},
            "spec": {"backupId": "nightly-1", "indexName": "products", "apiKeySecretRef": {"name": "pinecone"}}});
        for manifest in [secret, object] {
            control_plane
                .apply_in(&namespace, &manifest.to_string())
                .await
                .unwrap();
        }
        let account = control_plane.service_account_kubeconfig(ACCOUNT, ACCOUNT);
        let kubeconfig = control_plane
            .write_kubeconfig(&account.await.unwrap())
            .unwrap();
        let mounted = image.root.path().join("kubeconfig");
        std::fs::copy(kubeconfig, &mounted).unwrap();
        std::fs::set_permissions(&mounted, PermissionsExt::from_mode(0o444)).unwrap();
        let client = control_plane.client().await.unwrap();
        Self {
            restores: Api::namespaced(client, &namespace),
            control_plane,
            namespace,
        }
    }

    async fn until(&self, operator: &Operator, what: &str, holds: impl Fn(&str, &str) -> bool) {
        let found = wait_for(&self.restores, "products", DEADLINE, |object| {
            let conditions = object.and_then(|object| object.status.as_ref());
            let conditions = conditions.map_or(&[][..], |status| &status.conditions);
            find(conditions, "Ready").is_some_and(|ready| holds(&ready.reason, &ready.message))
        });
        let found = found.await;
        assert!(found.is_ok(), "{what}: {found:?}\n{}", operator.logs());
    }
}

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
async fn the_operators_image_restores_an_index_as_a_cluster_runs_it() {
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

    // It runs as it is told to, or all this shows nothing.
    let process = PathBuf::from(format!("/proc/{}", operator.pid()));
    let status = std::fs::read_to_string(process.join("status")).unwrap();
    assert!(
        status.contains("Uid:\t65532\t65532\t65532\t65532"),
        "{status}"
    );
    assert!(status.contains("CapBnd:\t0000000000000000"), "{status}");
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
async fn the_certificates_of_the_image_are_those_that_it_trusts() {
    let image = native("INDEX_RESTORE_IMAGE");
    let cluster = Cluster::start(&image).await;
    // The API server stands in for a Pinecone that speaks TLS.
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
async fn the_emulators_image_answers_as_a_cluster_runs_it() {
    let image = native("INDEX_RESTORE_EMULATOR_IMAGE");
    let address = format!("127.0.0.1:{}", free_port().unwrap());
    let _emulator = contained(&image, &["--listen", &address]).start().unwrap();
    let url = format!("http://{address}/indexes");
    eventually("the emulator answers", DEADLINE, async || {
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
