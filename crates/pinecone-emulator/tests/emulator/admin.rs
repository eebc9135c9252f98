use pinecone_emulator::{Config, DEFAULT_API_KEY as KEY, Emulator};
use serde_json::{Value, json};

use crate::client::{Answer, ask};

/// Sends an admin request, without an API key.
async fn admin(url: &str, method: &str, path: &str, body: Value) -> Answer {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    ask(url, method, &format!("/_emulator{path}"), "", &body).await
}

async fn change(url: &str, method: &str, path: &str, body: Value) {
    let answer = admin(url, method, path, body).await;
    assert_eq!(answer.status, 204, "{method} {path}: {}", answer.body);
}

async fn create_resource(url: &str, path: &str, body: Value) -> Value {
    let answer = admin(url, "POST", path, body).await;
    assert_eq!(answer.status, 201, "{path}: {}", answer.body);
    answer.json()["id"].clone()
}

async fn get(url: &str, path: &str) -> Value {
    let answer = admin(url, "GET", path, Value::Null).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.json()
}

/// Creates the index `books` from backup `b`, and returns the status.
async fn create(url: &str) -> u16 {
    let body = r#"{"name":"books"}"#;
    ask(url, "POST", "/backups/b/create-index", KEY, body)
        .await
        .status
}

#[tokio::test]
async fn admin_paths_set_up_and_observe_a_restore() {
    let emulator = Emulator::start(Config::default()).await.unwrap();
    let url = emulator.url();
    let held = json!({"millis": null});
    change(&url, "PUT", "/settings/restore", held).await;
    let backup = json!({"id": "b", "name": "nightly", "status": "Initializing", "tags": {"n": 1}});
    assert_eq!(
        create_resource(&url, "/projects/default/backups", backup).await,
        "b"
    );
    assert_eq!(create(&url).await, 412);
    change(
        &url,
        "PATCH",
        "/projects/default/backups/b",
        json!({"status": "Ready"}),
    )
    .await;
    let fault = json!({"route": "create_index_from_backup", "times": 1, "kind": {"status": {"status": 503}}});
    assert_eq!(create_resource(&url, "/faults", fault).await, 1);
    assert_eq!(create(&url).await, 503);
    assert_eq!(get(&url, "/faults").await[0]["hits"], 1);
    assert_eq!(create(&url).await, 202);

    let accepted = get(&url, "/accepted-creates").await;
    assert_eq!(accepted[0]["index_name"], "books");
    let job = accepted[0]["restore_job_id"].as_str().unwrap();
    let finish = format!("/restore-jobs/{job}/finish");
    change(&url, "POST", &finish, json!({"outcome": "Completed"})).await;
    let again = admin(&url, "POST", &finish, json!({"outcome": "Failed"})).await;
    assert_eq!(again.status, 404);
    assert_eq!(
        get(&url, "/projects/default/restore-jobs").await[0]["status"],
        "Completed"
    );
    assert_eq!(
        get(&url, "/projects/default/indexes").await[0]["state"],
        "Ready"
    );
    let statuses: Vec<Value> = get(&url, "/requests")
        .await
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["status"].clone())
        .collect();
    assert_eq!(statuses, [412, 503, 202]);
}

#[tokio::test]
async fn admin_paths_change_projects_api_keys_and_indexes() {
    let emulator = Emulator::start(Config::default()).await.unwrap();
    let url = emulator.url();
    create_resource(
        &url,
        "/projects",
        json!({"name": "p", "api_keys": ["k1"], "backups": [{"id": "b"}]}),
    )
    .await;
    assert_eq!(get(&url, "/projects").await, json!(["default", "p"]));
    change(&url, "POST", "/projects/p/keys", json!({"key": "k2"})).await;
    change(&url, "POST", "/keys/revoke", json!({"key": "k1"})).await;
    assert_eq!(ask(&url, "GET", "/indexes", "k1", "").await.status, 401);

    create_resource(
        &url,
        "/projects/p/indexes",
        json!({"name": "i", "tags": {"a": "b"}}),
    )
    .await;
    change(
        &url,
        "PATCH",
        "/projects/p/indexes/i",
        json!({"state": "Disabled", "ready": false}),
    )
    .await;
    assert_eq!(
        ask(&url, "GET", "/indexes/i", "k2", "").await.json()["status"]["state"],
        "Disabled"
    );
}

#[tokio::test]
async fn admin_paths_change_the_resources_of_a_project() {
    let emulator = Emulator::start(Config::default()).await.unwrap();
    let url = emulator.url();
    create_resource(
        &url,
        "/projects",
        json!({"name": "p", "api_keys": ["k2"], "backups": [{"id": "b"}]}),
    )
    .await;
    create_resource(&url, "/projects/p/indexes", json!({"name": "i"})).await;
    let job = json!({"backup_id": "b", "index_name": "i", "outcome": "Completed", "created_at": "2020-01-02T03:04:05Z"});
    let job = create_resource(&url, "/projects/p/restore-jobs", job).await;
    let path = format!("/restore-jobs/{}", job.as_str().unwrap());
    let described = ask(&url, "GET", &path, "k2", "").await.json();
    assert_eq!(described["created_at"], "2020-01-02T03:04:05.000000000Z");
    change(
        &url,
        "PUT",
        "/projects/p/quotas",
        json!({"index_quota": 1, "backup_quota": 1}),
    )
    .await;
    let refused = ask(
        &url,
        "POST",
        "/backups/b/create-index",
        "k2",
        r#"{"name":"j"}"#,
    )
    .await;
    assert_eq!(refused.status, 403);
    change(&url, "DELETE", "/projects/p/indexes/i", Value::Null).await;
    assert_eq!(ask(&url, "GET", &path, "k2", "").await.status, 404);
    change(&url, "DELETE", "/projects/p/backups/b", Value::Null).await;
    assert_eq!(get(&url, "/projects/p/backups").await, json!([]));
}

#[tokio::test]
async fn admin_paths_change_faults_settings_and_clock() {
    let emulator = Emulator::start(Config::default()).await.unwrap();
    let url = emulator.url();
    assert_eq!(get(&url, "/health").await["status"], "ok");
    let id = create_resource(
        &url,
        "/faults",
        json!({"route": "any", "kind": "job_fails"}),
    )
    .await;
    change(&url, "DELETE", &format!("/faults/{id}"), Value::Null).await;
    create_resource(
        &url,
        "/faults",
        json!({"route": "any", "kind": {"list_drop": null}}),
    )
    .await;
    change(&url, "DELETE", "/faults", Value::Null).await;
    assert_eq!(get(&url, "/faults").await, json!([]));
    change(&url, "PUT", "/settings/termination", json!({"millis": 5})).await;
    change(&url, "PUT", "/settings/habits", json!({})).await;
    change(&url, "POST", "/clock/advance", json!({"millis": 5})).await;
    change(&url, "PUT", "/clock/skew", json!({"millis": -86_400_000})).await;
    ask(&url, "GET", "/indexes", KEY, "").await;
    assert_eq!(get(&url, "/requests").await.as_array().unwrap().len(), 1);
    change(&url, "DELETE", "/requests", Value::Null).await;
    assert_eq!(get(&url, "/requests").await, json!([]));
}

#[tokio::test]
async fn admin_paths_change_habits_and_plan() {
    let emulator = Emulator::start(Config::default()).await.unwrap();
    let url = emulator.url();
    let job = json!({"backup_id": "b", "index_name": "gone"});
    create_resource(&url, "/projects/default/restore-jobs", job).await;
    let listed = async || {
        let page = ask(&url, "GET", "/restore-jobs", KEY, "").await.json();
        page["data"].as_array().unwrap().len()
    };
    assert_eq!(listed().await, 0);
    let habits = json!({"keeps_jobs_of_deleted_indexes": true, "row_order": "oldest_first", "unique_hosts": true});
    change(&url, "PUT", "/settings/habits", habits).await;
    assert_eq!(listed().await, 1);
    change(&url, "PUT", "/settings/habits", json!({})).await;
    assert_eq!(listed().await, 0);

    let plan = |without: bool| json!({"without_backups": without});
    change(&url, "PUT", "/projects/default/plan", plan(true)).await;
    assert_eq!(ask(&url, "GET", "/backups", KEY, "").await.status, 403);
    change(&url, "PUT", "/projects/default/plan", plan(false)).await;
    assert_eq!(ask(&url, "GET", "/backups", KEY, "").await.status, 200);
}

#[tokio::test]
async fn admin_paths_return_errors_for_invalid_requests() {
    let emulator = Emulator::start(Config::default()).await.unwrap();
    let url = emulator.url();
    let cases = [
        ("GET", "/nowhere", Value::Null, 404),
        ("GET", "/projects/none/backups", Value::Null, 404),
        ("POST", "/projects/none/backups", json!({}), 404),
        ("POST", "/projects/default/backups", json!({"typo": 1}), 422),
        ("POST", "/projects/default/indexes", json!({}), 400),
        (
            "POST",
            "/projects/default/indexes",
            json!({"name": "a", "typo": 1}),
            422,
        ),
        (
            "POST",
            "/faults",
            json!({"route": "nowhere", "kind": "job_fails"}),
            422,
        ),
        ("POST", "/projects", json!({"name": "default"}), 409),
        ("DELETE", "/faults/7", Value::Null, 404),
        ("PUT", "/settings/restore", json!({}), 422),
        ("PUT", "/settings/habits", json!({"typo": 1}), 422),
        (
            "PUT",
            "/projects/none/plan",
            json!({"without_backups": true}),
            404,
        ),
    ];
    for (method, path, body, status) in cases {
        let answer = admin(&url, method, path, body).await;
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
        assert!(answer.json()["error"]["message"].is_string());
    }
}
