use super::*;
use crate::habits::{Habits, RowOrder};

impl Stage {
    /// Restores into these indexes, one second apart.
    fn restores(&mut self, names: &[&str]) {
        for name in names {
            self.restore(name);
            self.pass(1);
        }
    }

    fn remove_index(&mut self, name: &str) {
        let tenant = self.world.tenant("mine").unwrap();
        tenant.indexes.retain(|index| index.name != name);
    }

    /// The index names on a page of restore jobs, and the token for the next page.
    fn jobs(&mut self, query: &str) -> (Vec<String>, Option<String>) {
        let page = self.get(&format!("/restore-jobs?{query}"));
        let rows = page["data"].as_array().unwrap().iter();
        let names = rows
            .map(|row| row["target_index_name"].as_str().unwrap().to_owned())
            .collect();
        let next = page["pagination"]["next"].as_str().map(str::to_owned);
        (names, next)
    }
}

#[test]
fn a_deleted_index_ends_the_list_on_the_page_of_its_job() {
    let mut stage = Stage::new();
    stage.restores(&["a", "b", "c", "d"]);
    assert_eq!(stage.jobs("limit=2").0, ["d", "c"]);
    assert!(stage.jobs("limit=2").1.is_some());
    stage.remove_index("c");
    assert_eq!(stage.jobs("limit=2"), (vec!["d".to_owned()], None));
    // The rows behind it can be reached by a larger page only.
    assert_eq!(
        stage.jobs("limit=4"),
        (["d", "b", "a"].map(str::to_owned).to_vec(), None)
    );
}

#[test]
fn one_deleted_index_among_the_first_hundred_hides_the_other_jobs() {
    let mut stage = Stage::new();
    for i in 0..101 {
        stage.restore(&format!("i{i}"));
    }
    let (names, next) = stage.jobs("");
    assert_eq!((names.len(), next.is_some()), (100, true));
    stage.remove_index("i50");
    let (names, next) = stage.jobs("");
    assert_eq!((names.len(), next), (99, None));
}

#[test]
fn jobs_of_deleted_indexes_are_listed_on_request() {
    let mut stage = Stage::new();
    stage.restores(&["a", "b", "c"]);
    stage.remove_index("b");
    stage.world.set_habits(Habits {
        keeps_jobs_of_deleted_indexes: true,
        ..Habits::default()
    });
    let (names, next) = stage.jobs("limit=2");
    assert_eq!(
        (names, next.is_some()),
        (vec!["c".to_owned(), "b".to_owned()], true)
    );
}

#[test]
fn the_job_of_a_deleted_index_is_404_with_another_text() {
    let mut stage = Stage::new();
    let (job, index) = stage.restore("a");
    stage.remove_index("a");
    let message = |stage: &mut Stage, id: &str| {
        let (status, body) = stage.json("GET", &format!("/restore-jobs/{id}"), "");
        assert_eq!(status, 404);
        body["error"]["message"].as_str().unwrap().to_owned()
    };
    let deleted = message(&mut stage, &job);
    assert!(
        deleted.contains("Index metadata") && deleted.contains(&index),
        "{deleted}"
    );
    assert_eq!(message(&mut stage, "none"), "Restore job none not found.");
}

#[test]
fn lists_can_be_oldest_first() {
    let mut stage = Stage::new();
    stage.restores(&["a", "b", "c"]);
    let seed = BackupSeed::new("second", "books").id("b2");
    let backup = seed.build(stage.now);
    stage.world.tenant("mine").unwrap().backups.push(backup);
    assert_eq!(stage.get("/backups")["data"][0]["backup_id"], "b2");
    stage.world.set_habits(Habits {
        row_order: RowOrder::OldestFirst,
        ..Habits::default()
    });
    assert_eq!(stage.jobs("").0, ["a", "b", "c"]);
    assert_eq!(stage.get("/backups")["data"][0]["backup_id"], BACKUP);
}

#[test]
fn rows_created_or_deleted_between_requests_shift_the_next_page() {
    let mut stage = Stage::new();
    stage.restores(&["a", "b", "c", "d"]);
    let (_, token) = stage.jobs("limit=2");
    let second = format!("paginationToken={}", token.unwrap());
    assert_eq!(stage.jobs(&second).0, ["b", "a"]);
    stage.restores(&["e"]);
    assert_eq!(stage.jobs(&second).0, ["c", "b"]);
    for name in ["e", "d"] {
        let tenant = stage.world.tenant("mine").unwrap();
        tenant.jobs.retain(|job| job.index_name != name);
    }
    assert_eq!(stage.jobs(&second).0, ["a"]);
}

#[test]
fn a_recreated_index_has_the_host_of_the_previous_one() {
    let mut stage = Stage::new();
    let host = |stage: &mut Stage| {
        stage.restore("a");
        let host = stage.get("/indexes/a")["host"].as_str().unwrap().to_owned();
        stage.remove_index("a");
        host
    };
    let first = host(&mut stage);
    let id = first.strip_prefix("a-").unwrap();
    let id = id.strip_suffix(".svc.aped-4627-b74a.pinecone.io").unwrap();
    assert!(id.len() == 7 && !id.contains('-'), "{first}");
    assert_eq!(host(&mut stage), first);
    stage.world.set_habits(Habits {
        unique_hosts: true,
        ..Habits::default()
    });
    let unique = host(&mut stage);
    assert_ne!(unique, first);
    assert_ne!(host(&mut stage), unique);
}

#[test]
fn an_index_of_another_project_has_another_host() {
    let mut stage = Stage::new();
    let body =
        r#"{"name":"a","dimension":3,"spec":{"serverless":{"cloud":"aws","region":"us-east-1"}}}"#;
    let (_, mine) = stage.json("POST", "/indexes", body);
    stage.key = "other-key";
    let (_, other) = stage.json("POST", "/indexes", body);
    assert_ne!(mine["host"], other["host"]);
}

#[test]
fn an_outage_of_the_job_store_hides_jobs_that_are_still_listed() {
    let mut stage = Stage::new();
    let (job, _) = stage.restore("a");
    let path = format!("/restore-jobs/{job}");
    let outage = Fault::new(Route::DescribeRestoreJob, FaultKind::JobNotFound);
    stage.world.inject(outage);
    for _ in 0..3 {
        assert_eq!(
            stage.refused("GET", &path, ""),
            (404, "NOT_FOUND".to_owned())
        );
        assert_eq!(stage.jobs("").0, ["a"]);
    }
    stage.world.faults.clear();
    assert_eq!(stage.get(&path)["status"], "Pending");
}

#[test]
fn a_backup_in_any_state_but_ready_is_not_restored() {
    let mut stage = Stage::new();
    let other = BackupStatus::Other("Replicating".to_owned());
    let states = [
        (BackupStatus::Scheduled, "Scheduled"),
        (BackupStatus::Initializing, "Initializing"),
        (BackupStatus::InitializationFailed, "InitializationFailed"),
        (other, "Replicating"),
    ];
    for (status, word) in states {
        let read: BackupStatus = serde_json::from_value(json!(word)).unwrap();
        assert_eq!(read, status);
        stage.world.tenant("mine").unwrap().backups[0].status = status;
        assert_eq!(stage.get("/backups/b1")["status"], word);
        let (code, body) = stage.json("POST", "/backups/b1/create-index", r#"{"name":"a"}"#);
        assert_eq!(code, 412);
        assert_eq!(body["error"]["message"], "Backup b1 is not completed");
    }
}

#[test]
fn a_plan_without_backups_refuses_their_operations() {
    let mut stage = Stage::new();
    let (job, _) = stage.restore("a");
    let denied = (403, "PERMISSION_DENIED".to_owned());
    let job = format!("/restore-jobs/{job}");
    stage.world.tenant("mine").unwrap().plan_without_backups = true;
    let requests = [
        ("POST", "/indexes/none/backups", r#"{"name":"x"}"#),
        ("POST", "/backups/b1/create-index", r#"{"name":"b"}"#),
        ("GET", "/indexes/a/backups", ""),
        ("GET", "/backups", ""),
        ("GET", "/backups/b1", ""),
        ("GET", "/restore-jobs", ""),
        ("GET", job.as_str(), ""),
    ];
    for (method, path, body) in requests {
        assert_eq!(stage.refused(method, path, body), denied, "{path}");
    }
    let (_, body) = stage.json("GET", "/backups", "");
    assert_eq!(
        body["error"]["message"],
        "Your organization's plan does not include backups. Upgrade your plan to create backups."
    );
    assert_eq!(stage.get("/indexes/a")["name"], "a");
    stage.world.tenant("mine").unwrap().plan_without_backups = false;
    assert_eq!(stage.get("/backups/b1")["status"], "Ready");
}
