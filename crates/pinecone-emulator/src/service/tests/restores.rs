use super::*;

#[test]
fn a_restore_goes_from_pending_to_completed() {
    let mut fixture = Fixture::new();
    let (job, index) = fixture.restore("books-2");
    let path = format!("/restore-jobs/{job}");
    let pending = fixture.get(&path);
    assert_eq!(
        pending,
        json!({
            "restore_job_id": job, "backup_id": "b1", "target_index_name": "books-2", "target_index_id": index,
            "status": "Pending", "created_at": "2026-01-02T03:04:05.006007000Z"
        })
    );
    let model = fixture.get("/indexes/books-2");
    assert_eq!(
        model["status"],
        json!({"ready": false, "state": "Initializing"})
    );
    assert_eq!(model["tags"], json!({"team": "blue"}));
    assert_eq!(model["deletion_protection"], "disabled");

    fixture.advance(10);
    let done = fixture.get(&path);
    assert_eq!(done["status"], "Completed");
    assert_eq!(done["percent_complete"], 100.0);
    assert_eq!(done["completed_at"], "2026-01-02T03:04:15.006007000Z");
    assert_eq!(
        fixture.get("/indexes/books-2")["status"],
        json!({"ready": true, "state": "Ready"})
    );
    assert_eq!(fixture.get("/restore-jobs")["data"], json!([done]));
}

#[test]
fn create_index_checks_in_the_documented_order() {
    let mut fixture = Fixture::new();
    let path = "/backups/b1/create-index";
    let unprocessable = (422, "UNPROCESSABLE_ENTITY".to_owned());
    for body in [
        "",
        "{",
        "[]",
        "{}",
        r#"{"name":1}"#,
        r#"{"name":"a","tags":{"k":1}}"#,
        r#"{"name":"a","deletion_protection":"x"}"#,
    ] {
        assert_eq!(fixture.error("POST", path, body), unprocessable, "{body}");
    }
    let invalid = (400, "INVALID_ARGUMENT".to_owned());
    for body in [
        r#"{"name":""}"#,
        r#"{"name":"A"}"#,
        r#"{"name":"a","tags":{"k":"/"}}"#,
    ] {
        assert_eq!(
            fixture.error("POST", "/backups/none/create-index", body),
            invalid,
            "{body}"
        );
    }
    let body = r#"{"name":"a","unknown":true}"#;
    assert_eq!(
        fixture.error("POST", "/backups/none/create-index", body),
        (404, "NOT_FOUND".to_owned())
    );
    fixture.service.project("mine").unwrap().backups[0].status = BackupStatus::Initializing;
    assert_eq!(
        fixture.error("POST", path, body),
        (412, "FAILED_PRECONDITION".to_owned())
    );
    fixture.service.project("mine").unwrap().backups[0].status = BackupStatus::Ready;
    fixture.restore("a");
    fixture.service.project("mine").unwrap().index_quota = 1;
    assert_eq!(
        fixture.error("POST", path, body),
        (409, "ALREADY_EXISTS".to_owned())
    );
    assert_eq!(
        fixture.error("POST", path, r#"{"name":"b"}"#),
        (403, "FORBIDDEN".to_owned())
    );
    assert_eq!(fixture.accepted(), 1);
}

#[test]
fn sent_tags_replace_the_tags_of_the_backup() {
    let mut fixture = Fixture::new();
    let body = r#"{"name":"a","tags":{"x":"1"},"deletion_protection":"enabled"}"#;
    assert_eq!(
        fixture.json("POST", "/backups/b1/create-index", body).0,
        202
    );
    let model = fixture.get("/indexes/a");
    assert_eq!(model["tags"], json!({"x": "1"}));
    assert_eq!(model["deletion_protection"], "enabled");
    let accepted = fixture.service.project("mine").unwrap().accepted[0].clone();
    assert_eq!(
        accepted.tags,
        Some([("x".to_owned(), "1".to_owned())].into())
    );
    assert_eq!(accepted.api_version.as_deref(), Some("2025-10"));
}

#[test]
fn does_not_delete_a_backup_with_a_pending_job() {
    let mut fixture = Fixture::new();
    let (job, _) = fixture.restore("a");
    let (status, body) = fixture.json("DELETE", "/backups/b1", "");
    assert_eq!(status, 412);
    assert!(
        body["error"]["message"]
            .as_str()
            .unwrap()
            .contains(&format!("['{job}']"))
    );
    fixture.advance(10);
    assert_eq!(fixture.json("DELETE", "/backups/b1", "").0, 202);
    assert_eq!(fixture.error("GET", "/backups/b1", "").0, 404);
}

#[test]
fn a_restore_without_duration_ends_by_hand() {
    let mut fixture = Fixture::with(Config {
        restore: None,
        ..Config::default()
    });
    let (job, _) = fixture.restore("a");
    fixture.advance(1_000_000);
    let path = format!("/restore-jobs/{job}");
    assert_eq!(fixture.get(&path)["status"], "Pending");
    let now = fixture.now;
    let mine = fixture.service.project("mine").unwrap();
    assert!(mine.finish_job(&job, JobOutcome::Completed, now));
    assert!(!mine.finish_job(&job, JobOutcome::Failed, now));
    assert_eq!(fixture.get(&path)["status"], "Completed");
    assert_eq!(fixture.get("/indexes/a")["status"]["ready"], true);
}

#[test]
fn lists_jobs_newest_first_in_pages() {
    let mut fixture = Fixture::new();
    for name in ["a", "b", "c"] {
        fixture.restore(name);
        fixture.advance(1);
    }
    let first = fixture.get("/restore-jobs?limit=2");
    assert_eq!(first["data"][0]["target_index_name"], "c");
    let token = first["pagination"]["next"].as_str().unwrap();
    let second = fixture.get(&format!("/restore-jobs?paginationToken={token}"));
    assert_eq!(second["data"][0]["target_index_name"], "a");
    assert_eq!(second["pagination"], Value::Null);
    assert_eq!(fixture.error("GET", "/restore-jobs?limit=0", "").0, 400);
}
