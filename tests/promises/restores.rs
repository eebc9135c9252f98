//! The main use case: one manifest, one restored index.

use std::time::Duration;

use k8s_openapi::api::events::v1::Event;
use kube::api::ListParams;
use pinecone_emulator::DEFAULT_PROJECT;
use serde_json::json;
use testkit::scene::{BACKUP, Scene, api_version, conditions, ready, status};
use testkit::{DEADLINE, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn restores_a_backup_into_an_index_and_reports_it() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    scene.create("plain", json!({})).await;
    let object = scene.restored_once("plain").await;

    assert_eq!(conditions(&object), ["Ready=True", "Succeeded=True"]);
    assert!(ready(&object).2.contains("plain"), "{:?}", ready(&object));
    let indexes = scene.pinecone.indexes(DEFAULT_PROJECT);
    let index = indexes.iter().find(|index| index.name == "plain").unwrap();
    let status = status(&object);
    assert_eq!(status.index_host.as_ref(), Some(&index.host));
    assert_eq!(status.index_id.as_ref(), Some(&index.id));
    let restore = status.restore.unwrap();
    assert_eq!(restore.state.as_deref(), Some("Completed"));
    assert_eq!(restore.percent_complete, Some(100));
    assert!(restore.start_time.is_some() && restore.completion_time.is_some());

    let create = &scene.accepted("plain")[0];
    assert_eq!((&*create.backup_id, &create.tags), (BACKUP, &None));
    assert_eq!(create.deletion_protection.as_deref(), Some("disabled"));
    assert_eq!(create.api_version, Some(api_version()));
    assert!(
        create
            .user_agent
            .as_ref()
            .unwrap()
            .contains("source_tag=index_restore_operator")
    );
    assert_eq!(
        index.tags["team"], "search",
        "the backup's tags are inherited"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sends_the_tags_and_deletion_protection_of_the_spec() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    let spec = json!({"tags": {"env": "staging; eu"}, "deletionProtection": "Enabled"});
    scene.create("tagged", spec).await;
    scene.restored_once("tagged").await;
    let create = &scene.accepted("tagged")[0];
    assert_eq!(create.deletion_protection.as_deref(), Some("enabled"));
    let tags = create.tags.clone().unwrap();
    assert_eq!(
        tags.into_iter().collect::<Vec<_>>(),
        [("env".into(), "staging; eu".into())]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn kubectl_get_shows_the_index_and_its_state() {
    let scene = Scene::new().await;
    let _operator = scene.start().await;
    scene.create("columns", json!({})).await;
    let object = scene.restored_once("columns").await;

    let path = format!(
        "/apis/restore.pinecone.io/v1alpha1/namespaces/{}/indexrestores",
        scene.namespace
    );
    let request = http::Request::get(path)
        .header("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io")
        .body(Vec::new())
        .unwrap();
    let table: serde_json::Value = scene.client.request(request).await.unwrap();
    let columns = table["columnDefinitions"].as_array().unwrap();
    let names: Vec<_> = columns
        .iter()
        .map(|column| column["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "Name", "Index", "Ready", "Status", "Duration", "Age", "Backup", "Job", "Index-ID",
            "Host", "Message"
        ]
    );
    let wide = |column: &&serde_json::Value| column["priority"] == 1;
    assert_eq!(columns.iter().filter(wide).count(), 5);
    let cells = table["rows"][0]["cells"].as_array().unwrap();
    assert_eq!(
        cells[..4],
        [
            json!("columns"),
            json!("columns"),
            json!("True"),
            json!("Restored")
        ]
    );
    let status = status(&object);
    let took = status.restore.unwrap().duration.unwrap();
    assert!(took.ends_with('s') && cells[4] == json!(took), "{cells:?}");
    assert_eq!(
        cells[6..9],
        [
            json!(BACKUP),
            json!(status.restore_job_id),
            json!(status.index_id)
        ]
    );

    for selector in [
        format!("spec.backupId={BACKUP}"),
        "spec.indexName=columns".into(),
        format!("status.restoreJobId={}", status.restore_job_id.unwrap()),
    ] {
        let found = scene
            .restores
            .list(&ListParams::default().fields(&selector))
            .await
            .unwrap();
        assert_eq!(found.items.len(), 1, "{selector}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn publishes_events_for_transitions_only() {
    let scene = Scene::new().await;
    scene.pinecone.set_restore_duration(Duration::from_secs(2));
    let _operator = scene.start().await;
    scene.create("events", json!({})).await;
    let object = scene.restored_once("events").await;
    let events = eventually("both events are published", DEADLINE, async || {
        let events = scene.events().await;
        Ok((events.len() >= 2).then_some(events))
    })
    .await
    .unwrap();
    let published: Vec<_> = events
        .iter()
        .map(|event| (event.reason.as_deref(), event.type_.as_deref()))
        .collect();
    assert_eq!(published.len(), 2, "{published:?}");
    for reason in ["Restoring", "Restored"] {
        assert!(
            published.contains(&(Some(reason), Some("Normal"))),
            "{published:?}"
        );
    }
    assert!(
        events.iter().all(|event| event.series.is_none()),
        "no event is repeated"
    );
    let is_submitted = |event: &&Event| event.reason.as_deref() == Some("Restoring");
    let submitted = events.iter().find(is_submitted).unwrap();
    let job = status(&object).restore_job_id.unwrap();
    assert!(submitted.note.as_ref().unwrap().contains(&job));
}
