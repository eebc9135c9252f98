//! The contents of the images.

use std::path::Path;

use object::read::elf::{ElfFile64, FileHeader as _, ProgramHeader as _};
use object::{Endianness, elf};
use serde_json::json;

use crate::CERTIFICATES;
use crate::layout::{files, images, names, native};

/// Maximum size of an image in bytes, both compressed and unpacked.
const MAX_IMAGE: u64 = 15 * 1024 * 1024;

fn check_contents(variable: &str, program: &str) {
    for image in images(variable) {
        let root = image.root.path();
        let unpacked: u64 = files(root, root)
            .iter()
            .map(|file| root.join(file).symlink_metadata().unwrap().len())
            .sum();
        let summary = format!(
            "{program} for {}: {} bytes, {unpacked} unpacked",
            image.architecture, image.bytes
        );
        println!("{summary}");
        assert_eq!(files(root, root), [CERTIFICATES, program], "{summary}");
        assert!(image.bytes.max(unpacked) < MAX_IMAGE, "{summary}");
        check_program(root, program, &image.architecture);
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

/// Checks that the binary is static, has the architecture, and contains the list of its crates.
fn check_program(root: &Path, program: &str, architecture: &str) {
    let path = root.join(program);
    let bytes = std::fs::read(&path).unwrap();
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
    let list = auditable_info::audit_info_from_file(&path, Default::default()).unwrap();
    for name in [program, "tokio"] {
        assert!(
            list.packages.iter().any(|package| package.name == name),
            "{name}"
        );
    }
}

#[test]
fn the_operators_image_contains_one_static_binary_and_certificates() {
    check_contents("INDEX_RESTORE_IMAGE", "index-restore-operator");
    assert_eq!(native("INDEX_RESTORE_IMAGE").config["Cmd"], json!(["run"]));
}

#[test]
fn the_emulators_image_contains_one_static_binary_and_certificates() {
    check_contents("INDEX_RESTORE_EMULATOR_IMAGE", "pinecone-emulator");
}

/// The name that the chart's values give a Pod's image, as a kubelet resolves it.
fn name_in_the_chart(program: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../charts/index-restore-operator/Chart.yaml"
    );
    let chart = std::fs::read_to_string(path).unwrap();
    let listed = format!("image: {program}:{version}\n");
    assert!(chart.contains(&listed), "{listed}");
    format!("docker.io/library/{program}:{version}")
}

#[test]
fn a_node_imports_the_archives_under_the_names_of_the_chart() {
    for (variable, program) in [
        ("INDEX_RESTORE_IMAGE", "index-restore-operator"),
        ("INDEX_RESTORE_EMULATOR_IMAGE", "pinecone-emulator"),
    ] {
        assert_eq!(names(variable), [name_in_the_chart(program)]);
    }
}
