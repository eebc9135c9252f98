use super::*;
use crate::habits::{Habits, RowOrder};

impl Fixture {
    /// Restores into these indexes, one second apart.
    fn restores(&mut self, names: &[&str]) {
        for name in names {
            self.restore(name);
            self.advance(1);
        }
    }

    fn remove_index(&mut self, name: &str) {
        let project = self.service.project("mine").unwrap();
        project.indexes.retain(|index| index.name != name);
    }

    /// Returns the index names on a page of restore jobs, and the token for the next page.
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
fn a_deleted_index_ends_the_job_list_on_the_page_of_its_job() {
    let mut fixture = Fixture::new();
    fixture.restores(&["a", "b", "c", "d"]);
    assert_eq!(fixture.jobs("limit=2").0, ["d", "c"]);
    assert!(fixture.jobs("limit=2").1.is_some());
    fixture.remove_index("c");
    assert_eq!(fixture.jobs("limit=2"), (vec!["d".to_owned()], None));
    // Only a larger page has the rows behind it.
    assert_eq!(
        fixture.jobs("limit=4"),
        (["d", "b", "a"].map(str::to_owned).to_vec(), None)
    );
}

#[test]
fn one_deleted_index_among_the_first_hundred_hides_the_other_jobs() {
    let mut fixture = Fixture::new();
    for i in 0..101 {
        fixture.restore(&format!("i{i}"));
    }
    let (names, next) = fixture.jobs("");
    assert_eq!((names.len(), next.is_some()), (100, true));
    fixture.remove_index("i50");
    let (names, next) = fixture.jobs("");
    assert_eq!((names.len(), next), (99, None));
}

#[test]
fn jobs_of_deleted_indexes_are_listed_on_request() {
    let mut fixture = Fixture::new();
    fixture.restores(&["a", "b", "c"]);
    fixture.remove_index("b");
    fixture.service.set_habits(Habits {
        keeps_jobs_of_deleted_indexes: true,
        ..Habits::default()
    });
    let (names, next) = fixture.jobs("limit=2");
    assert_eq!(
        (names, next.is_some()),
        (vec!["c".to_owned(), "b".to_owned()], true)
    );
}

#[test]
fn describing_the_job_of_a_deleted_index_returns_a_404_about_metadata() {
    let mut fixture = Fixture::new();
    let (job, index) = fixture.restore("a");
    fixture.remove_index("a");
    let message = |fixture: &mut Fixture, id: &str| {
        let (status, body) = fixture.json("GET", &format!("/restore-jobs/{id}"), "");
        assert_eq!(status, 404);
        body["error"]["message"].as_str().unwrap().to_owned()
    };
    let deleted = message(&mut fixture, &job);
    assert!(
        deleted.contains("Index metadata") && deleted.contains(&index),
        "{deleted}"
    );
    assert_eq!(message(&mut fixture, "none"), "Restore job none not found.");
}

#[test]
fn lists_can_be_oldest_first() {
    let mut fixture = Fixture::new();
    fixture.restores(&["a", "b", "c"]);
    let seed = BackupSeed::new("second", "books").id("b2");
    let backup = seed.build(fixture.now);
    fixture
        .service
        .project("mine")
        .unwrap()
        .backups
        .push(backup);
    assert_eq!(fixture.get("/backups")["data"][0]["backup_id"], "b2");
    fixture.service.set_habits(Habits {
        row_order: RowOrder::OldestFirst,
        ..Habits::default()
    });
    assert_eq!(fixture.jobs("").0, ["a", "b", "c"]);
    assert_eq!(fixture.get("/backups")["data"][0]["backup_id"], BACKUP);
}

#[test]
fn rows_created_or_deleted_between_requests_shift_the_next_page() {
    let mut fixture = Fixture::new();
    fixture.restores(&["a", "b", "c", "d"]);
    let (_, token) = fixture.jobs("limit=2");
    let second = format!("paginationToken={}", token.unwrap());
    assert_eq!(fixture.jobs(&second).0, ["b", "a"]);
    fixture.restores(&["e"]);
    assert_eq!(fixture.jobs(&second).0, ["c", "b"]);
    for name in ["e", "d"] {
        let project = fixture.service.project("mine").unwrap();
        project.jobs.retain(|job| job.index_name != name);
    }
    assert_eq!(fixture.jobs(&second).0, ["a"]);
}

#[test]
fn a_recreated_index_has_the_host_of_the_previous_one() {
    let mut fixture = Fixture::new();
    let host = |fixture: &mut Fixture| {
        fixture.restore("a");
        let host = fixture.get("/indexes/a")["host"]
            .as_str()
            .unwrap()
            .to_owned();
        fixture.remove_index("a");
        host
    };
    let first = host(&mut fixture);
    let id = first.strip_prefix("a-").unwrap();
    let id = id.strip_suffix(".svc.aped-4627-b74a.pinecone.io").unwrap();
    assert!(id.len() == 7 && !id.contains('-'), "{first}");
    assert_eq!(host(&mut fixture), first);
    fixture.service.set_habits(Habits {
        unique_hosts: true,
        ..Habits::default()
    });
    let unique = host(&mut fixture);
    assert_ne!(unique, first);
    assert_ne!(host(&mut fixture), unique);
}

#[test]
fn an_index_of_another_project_has_another_host() {
    let mut fixture = Fixture::new();
    let body =
        r#"{"name":"a","dimension":3,"spec":{"serverless":{"cloud":"aws","region":"us-east-1"}}}"#;
    let (_, mine) = fixture.json("POST", "/indexes", body);
    fixture.key = "other-key";
    let (_, other) = fixture.json("POST", "/indexes", body);
    assert_ne!(mine["host"], other["host"]);
}

#[test]
fn an_outage_of_the_job_store_hides_jobs_that_are_still_listed() {
    let mut fixture = Fixture::new();
    let (job, _) = fixture.restore("a");
    let path = format!("/restore-jobs/{job}");
    let outage = Fault::new(Route::DescribeRestoreJob, FaultKind::JobNotFound);
    fixture.service.inject(outage);
    for _ in 0..3 {
        assert_eq!(
            fixture.error("GET", &path, ""),
            (404, "NOT_FOUND".to_owned())
        );
        assert_eq!(fixture.jobs("").0, ["a"]);
    }
    fixture.service.faults.clear();
    assert_eq!(fixture.get(&path)["status"], "Pending");
}

#[test]
fn rejects_a_restore_from_a_backup_that_is_not_ready() {
    let mut fixture = Fixture::new();
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
        fixture.service.project("mine").unwrap().backups[0].status = status;
        assert_eq!(fixture.get("/backups/b1")["status"], word);
        let (code, body) = fixture.json("POST", "/backups/b1/create-index", r#"{"name":"a"}"#);
        assert_eq!(code, 412);
        assert_eq!(body["error"]["message"], "Backup b1 is not completed");
    }
}

#[test]
fn rejects_backup_operations_for_a_plan_without_backups() {
    let mut fixture = Fixture::new();
    let (job, _) = fixture.restore("a");
    let denied = (403, "PERMISSION_DENIED".to_owned());
    let job = format!("/restore-jobs/{job}");
    fixture
        .service
        .project("mine")
        .unwrap()
        .plan_without_backups = true;
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
        assert_eq!(fixture.error(method, path, body), denied, "{path}");
    }
    let (_, body) = fixture.json("GET", "/backups", "");
    assert_eq!(
        body["error"]["message"],
        "Your organization's plan does not include backups. Upgrade your plan to create backups."
    );
    assert_eq!(fixture.get("/indexes/a")["name"], "a");
    fixture
        .service
        .project("mine")
        .unwrap()
        .plan_without_backups = false;
    assert_eq!(fixture.get("/backups/b1")["status"], "Ready");
}
