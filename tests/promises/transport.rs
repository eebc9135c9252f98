//! The operator sends keys only to a server with a trusted certificate. The API server takes the
//! place of Pinecone here: it uses TLS, and its audit log shows each request.

use serde_json::json;
use testkit::installation::shared;
use testkit::scene::{Scene, ready};

#[tokio::test(flavor = "multi_thread")]
async fn sends_no_key_to_a_server_with_an_untrusted_certificate() {
    let scene = Scene::new().await;
    let (control_plane, _) = shared().await;
    let asked = || {
        let log = std::fs::read_to_string(control_plane.audit_log()).unwrap();
        let path = format!("\"requestURI\":\"/{}/indexes", scene.namespace);
        log.contains(&path)
    };
    let url = format!("{}/{}", control_plane.url(), scene.namespace);
    let endpoint = format!("--pinecone-endpoint={url}");
    let operator = scene.start_with(&[&endpoint]).await;
    scene.create("untrusted", json!({})).await;
    let object = scene.until("untrusted", "ApiUnavailable").await;
    assert!(ready(&object).2.contains("certificate"), "{object:?}");
    assert!(!asked());
    drop(operator);

    // With its certificate trusted, the operator sends requests to the same server.
    let ca = control_plane.directory().join("ca.crt");
    let trust = format!("--pinecone-ca-file={}", ca.display());
    let _operator = scene.start_with(&[&endpoint, &trust]).await;
    scene
        .until_that("untrusted", |object| ready(object).2.contains("403"))
        .await
        .unwrap();
    assert!(asked());
}
