//! The shipped examples are valid for Argo CD and Flux.

use serde_json::{Value, json};

use crate::judges::{CONFIG_MAP, KUSTOMIZATIONS, argo, kstatus};
use crate::text;

const APPLICATIONS: [&str; 3] = [
    "deploy/argocd/app-of-apps.yaml",
    "deploy/argocd/apps/operator.yaml",
    "deploy/argocd/apps/restores.yaml",
];
const FLUX: [&str; 3] = [
    "deploy/flux/source.yaml",
    KUSTOMIZATIONS,
    "deploy/flux/operator/helm-release.yaml",
];

fn together(files: &[&str]) -> String {
    files
        .iter()
        .map(|file| text(file))
        .collect::<Vec<_>>()
        .join("\n---\n")
}

#[test]
fn argo_cd_accepts_every_field_of_its_manifests() {
    let files = [&APPLICATIONS[..], &[CONFIG_MAP]].concat();
    let names = argo(&["validate"], &together(&files));
    let wanted = [
        "Application/index-restore",
        "Application/index-restore-operator",
        "Application/restores",
        "ConfigMap/argocd-cm",
    ];
    assert_eq!(names, json!(wanted));
}

#[test]
fn flux_accepts_every_field_of_its_manifests() {
    let names = kstatus().run(&["validate"], &together(&FLUX), &[]).unwrap();
    let wanted = [
        "GitRepository/index-restore",
        "Kustomization/index-restore-operator",
        "Kustomization/restores",
        "HelmRelease/index-restore-operator",
    ];
    assert_eq!(names, json!(wanted));
}

/// An unknown field is an error; it is not ignored.
#[test]
fn rejects_a_misspelt_field() {
    let misspell = |file: &str, from: &str, to: &str| {
        let text = text(file);
        assert!(text.contains(from), "{file}");
        text.replace(from, to)
    };
    let application = misspell(APPLICATIONS[2], "selfHeal:", "selfheal:");
    let tool = conformance::tool::Tool::find("argocd").unwrap();
    let error = tool.run(&["validate"], &application, &[]).unwrap_err();
    assert!(error.to_string().contains("selfheal"), "{error}");
    let kustomizations = misspell(KUSTOMIZATIONS, "healthCheckExprs:", "healthCheckExpr:");
    let error = kstatus()
        .run(&["validate"], &kustomizations, &[])
        .unwrap_err();
    assert!(error.to_string().contains("healthCheckExpr"), "{error}");
}

/// The folders that the Applications reference exist.
#[test]
fn the_applications_reference_existing_files() {
    for file in APPLICATIONS {
        let application: Value = serde_saphyr::from_str(&text(file)).unwrap();
        let folder = application["spec"]["source"]["path"].as_str().unwrap();
        // The chart's own tests cover its folder.
        if !folder.starts_with("charts/") {
            assert!(
                std::path::Path::new(&crate::path(folder)).is_dir(),
                "{folder}"
            );
        }
    }
}
