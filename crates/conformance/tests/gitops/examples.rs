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

/// The waits between the retries of the restores' Application, in minutes.
fn waits() -> Vec<u64> {
    let application: Value = serde_saphyr::from_str(&text(APPLICATIONS[2])).unwrap();
    let retry = &application["spec"]["syncPolicy"]["retry"];
    let minutes = |field: &str| -> u64 {
        let duration = retry["backoff"][field].as_str().unwrap();
        let number = |text: &str| text.parse::<u64>().unwrap();
        match duration.strip_suffix('h') {
            Some(hours) => 60 * number(hours),
            None => number(duration.strip_suffix('m').unwrap()),
        }
    };
    let factor = retry["backoff"]["factor"].as_u64().unwrap();
    let limit = u32::try_from(retry["limit"].as_u64().unwrap()).unwrap();
    (0..limit)
        .map(|attempt| (minutes("duration") * factor.pow(attempt)).min(minutes("maxDuration")))
        .collect()
}

/// A Stalled restore fails each sync that waits for it, so a retry must take the commit that removes or replaces it.
#[test]
fn a_stalled_restore_does_not_block_later_commits() {
    let application: Value = serde_saphyr::from_str(&text(APPLICATIONS[2])).unwrap();
    let refresh = &application["spec"]["syncPolicy"]["retry"]["refresh"];
    assert_eq!(refresh, &json!(true));
    // As docs/gitops.md says.
    let waits = waits();
    assert!(waits.iter().all(|wait| *wait <= 5), "{waits:?}");
    assert!(waits.iter().sum::<u64>() < 60, "{waits:?}");
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
