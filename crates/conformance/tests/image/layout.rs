//! The images of an OCI layout that `image/build` created.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

/// One image of a layout, unpacked.
pub struct Image {
    pub architecture: String,
    pub config: Value,
    /// Size of the compressed layers.
    pub bytes: u64,
    pub root: TempDir,
}

fn layout(variable: &str) -> PathBuf {
    let path = std::env::var_os(variable);
    path.map(PathBuf::from)
        .unwrap_or_else(|| panic!("{variable} must name an OCI layout that image/build created"))
}

fn blob(layout: &Path, descriptor: &Value) -> PathBuf {
    let digest = descriptor["digest"].as_str().unwrap();
    layout.join("blobs").join(digest.replace(':', "/"))
}

fn json_of(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The images of a layout, also those in nested indexes.
pub fn images(variable: &str) -> Vec<Image> {
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

/// The names under which a node imports the archive of a layout.
pub fn names(variable: &str) -> Vec<String> {
    let archive = format!("{}.tar", layout(variable).display());
    let mut tar = Command::new("tar");
    let output = tar.args(["-xOf", &archive, "index.json"]).output();
    let index: Value = serde_json::from_slice(&output.unwrap().stdout)
        .unwrap_or_else(|error| panic!("index.json of {archive}: {error}"));
    let manifests = index["manifests"].as_array().unwrap().iter();
    manifests
        .map(|manifest| {
            let name = &manifest["annotations"]["io.containerd.image.name"];
            name.as_str().unwrap_or_default().to_owned()
        })
        .collect()
}

/// The image for the architecture of this machine.
pub fn native(variable: &str) -> Image {
    let own = match std::env::consts::ARCH {
        "aarch64" => "arm64",
        _ => "amd64",
    };
    let mut images = images(variable).into_iter();
    images
        .find(|image| image.architecture == own)
        .unwrap_or_else(|| panic!("no image for {own}"))
}

/// All files of a folder and its subfolders, sorted, relative to the root.
pub fn files(folder: &Path, root: &Path) -> Vec<String> {
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
