//! `/metrics`: what it shows, and in which format.

use testkit::scene::Scene;

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_operator_shows_its_counters_at_zero() {
    let scene = Scene::new().await;
    let operator = scene.start().await;
    let text = operator.get("/metrics").await.unwrap().1;
    let mut expected = vec![
        "indexrestore_orphaned_total".to_owned(),
        "indexrestore_status_write_conflicts_total".to_owned(),
        "indexrestore_watch_errors_total".to_owned(),
        "indexrestore_reconcile_duration_seconds_count".to_owned(),
    ];
    for outcome in ["accepted", "no_effect", "taken", "unknown", "unsent"] {
        expected.push(format!(
            "indexrestore_submissions_total{{outcome=\"{outcome}\"}}"
        ));
    }
    for outcome in [
        "ok",
        "malformed",
        "kubernetes_forbidden",
        "kubernetes_not_found",
        "kubernetes_conflict",
        "kubernetes_invalid",
        "kubernetes_error",
        "kubernetes_unavailable",
    ] {
        expected.push(format!(
            "indexrestore_reconciles_total{{outcome=\"{outcome}\"}}"
        ));
    }
    for (operation, success) in [
        ("create_index_from_backup", 202),
        ("describe_backup", 200),
        ("describe_index", 200),
        ("list_indexes", 200),
        ("describe_restore_job", 200),
        ("list_restore_jobs", 200),
    ] {
        for code in [success, 0, 429, 500, 502, 503, 504] {
            expected.push(format!(
                "indexrestore_pinecone_requests_total{{operation=\"{operation}\",code=\"{code}\"}}"
            ));
        }
        expected.push(format!(
            "indexrestore_pinecone_request_duration_seconds_count{{operation=\"{operation}\"}}"
        ));
    }
    for series in expected {
        let line = format!("{series} 0");
        assert!(
            text.lines().any(|shown| shown == line),
            "{line} is missing from\n{text}"
        );
    }
}
