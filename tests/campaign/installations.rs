//! Errors of the installation, which concern all at once: the right to read Secrets
//! is taken away, and the definition is an old one.

use anyhow::{Result, anyhow};
use serde_json::Value;
use testkit::ControlPlane;
use testkit::installation::{CRD, authorize, forbid_secrets};
use testkit::judge::records::OWN_IDS;
use testkit::judge::rules::{ATTEMPTS, CLAIM_STAYS, ENDS_STAY, IDS_STAY, SUBMISSION_STAYS};
use testkit::scene::{ready, status};

use crate::ground::{Ground, stage};
use crate::health;
use crate::tally::{Oracle, Tally};

const PHASE: &str = "errors and fixes";

/// Run by itself: it disturbs all others.
pub async fn run(tally: &Tally) {
    let control_plane = ControlPlane::shared().await.unwrap();
    let (scene, operator) = stage().await;
    let ground = Ground::new(&scene, "installation").await;
    let outcome = without_the_right(&ground, control_plane, tally).await;
    tally.judge(Oracle::Recovery, "no right to read Secrets", outcome);
    let outcome = under_an_old_definition(&ground, control_plane, tally).await;
    tally.judge(Oracle::Recovery, "an old definition", outcome);
    health::check(&scene, &operator, 0, tally).await;
    health::created_once(&scene, tally);
}

async fn without_the_right(
    ground: &Ground<'_>,
    control_plane: &ControlPlane,
    tally: &Tally,
) -> Result<()> {
    forbid_secrets(&ground.scene.client).await;
    tally.operation(PHASE);
    ground
        .create("unauthorized", &ground.spec("unauthorized"), false)
        .await?;
    let object = ground.until("unauthorized", &["SecretForbidden"]).await?;
    if !ready(&object).2.contains("may not read") {
        return Err(anyhow!("it is not reported: {:?}", ready(&object)));
    }
    tally.operation(PHASE);
    authorize(control_plane).await;
    ground.until("unauthorized", &["Restored"]).await.map(drop)
}

/// The definition of an older version, which knows nothing of the claim.
fn outdated() -> String {
    let mut crd: Value = serde_saphyr::from_str(CRD).unwrap();
    let root = "/spec/versions/0/schema/openAPIV3Schema";
    let root = crd.pointer_mut(root).unwrap();
    root.as_object_mut()
        .unwrap()
        .remove("x-kubernetes-validations");
    let fields = root.pointer_mut("/properties/status/properties").unwrap();
    fields.as_object_mut().unwrap().remove("submission");
    crd.to_string()
}

/// The old one drops the claim of a restore that is done, too: that one is found again.
async fn under_an_old_definition(
    ground: &Ground<'_>,
    control_plane: &ControlPlane,
    tally: &Tally,
) -> Result<()> {
    // If it is reconciled meanwhile, it is adopted: its own claim is gone.
    for rule in [
        IDS_STAY,
        ATTEMPTS,
        CLAIM_STAYS,
        SUBMISSION_STAYS,
        ENDS_STAY,
        OWN_IDS,
    ] {
        ground.scene.waive("unauthorized", rule);
    }
    tally.operation(PHASE);
    control_plane.apply(&outdated()).await.unwrap();
    ground.create("early", &ground.spec("early"), false).await?;
    let object = ground.until("early", &["CRDOutdated"]).await?;
    if status(&object).submission.is_some() || ground.creates() != 1 {
        return Err(anyhow!("something was sent"));
    }
    tally.operation(PHASE);
    control_plane.apply(CRD).await.unwrap();
    ground.until("early", &["Restored"]).await?;
    let done = ["Restored", "Adopted"];
    ground.until("unauthorized", &done).await.map(drop)
}
