//! Argo CD and the kstatus libraries, called by the Go programs in `tools/`.

use std::path::PathBuf;

use conformance::tool::Tool;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::path;

pub const CONFIG_MAP: &str = "deploy/argocd/argocd-cm.yaml";
pub const KUSTOMIZATIONS: &str = "deploy/flux/kustomizations.yaml";

/// The health of one object in each tool.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ObjectHealth {
    /// kstatus of SIG CLI.
    pub upstream: String,
    /// Flux's fork of kstatus, which Helm 4 also uses.
    pub flux: String,
    /// Flux with the shipped `healthCheckExprs`.
    pub expressions: String,
    /// Argo CD with the shipped `argocd-cm`.
    #[serde(skip)]
    pub argo: String,
    #[serde(skip)]
    pub argo_message: String,
}

/// The health of each object in all tools.
pub fn judge(objects: &[Value]) -> Vec<ObjectHealth> {
    let input = json!(objects).to_string();
    let arguments = ["status", &path(KUSTOMIZATIONS)];
    let output = kstatus().run(&arguments, &input, &[]).unwrap();
    let mut verdicts: Vec<ObjectHealth> = serde_json::from_value(output).unwrap();
    let healths = argo(&["health", &path(CONFIG_MAP)], &input);
    for (verdict, health) in verdicts.iter_mut().zip(healths.as_array().unwrap()) {
        verdict.argo = health["status"].as_str().unwrap_or("none").into();
        verdict.argo_message = health["message"].as_str().unwrap_or_default().into();
    }
    assert_eq!(verdicts.len(), objects.len());
    verdicts
}

pub fn argo(arguments: &[&str], input: &str) -> Value {
    let answer = Tool::find("argocd").unwrap().run(arguments, input, &[]);
    answer.unwrap_or_else(|error| panic!("{arguments:?}: {error:#}"))
}

pub fn kstatus() -> Tool {
    Tool::find("kstatus").unwrap()
}

/// Runs a sync or a comparison against the API server of a kubeconfig, on a thread for blocking work.
pub async fn operate(command: &'static str, kubeconfig: PathBuf, request: Value) -> Value {
    let work = tokio::task::spawn_blocking(move || {
        let kubeconfig = kubeconfig.to_str().unwrap();
        let variables = [("KUBECONFIG", kubeconfig), ("HOME", "/nonexistent")];
        let tool = Tool::find("argocd").unwrap();
        tool.run(
            &[command, &path(CONFIG_MAP)],
            &request.to_string(),
            &variables,
        )
    });
    work.await
        .unwrap()
        .unwrap_or_else(|error| panic!("{command}: {error:#}"))
}
