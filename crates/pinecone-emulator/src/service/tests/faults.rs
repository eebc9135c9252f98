use super::*;

/// Returns the job's status and the index's state when the restore starts, after its duration, and after twice its duration.
fn outcome(kind: FaultKind) -> [String; 3] {
    let mut fixture = Fixture::new();
    fixture.inject(kind);
    let (job, _) = fixture.restore("a");
    let mut observe = || {
        let job = fixture.get(&format!("/restore-jobs/{job}"));
        let status = job["status"].as_str().unwrap().to_owned();
        assert_eq!(job.get("percent_complete").is_some(), status == "Completed");
        let index = fixture.get("/indexes/a");
        let state = index["status"]["state"].as_str().unwrap();
        fixture.advance(10);
        format!("{status} {state}")
    };
    [observe(), observe(), observe()]
}

#[test]
fn faults_choose_the_outcome_of_a_restore() {
    let late = FaultKind::IndexNotReadyAfter(Duration::from_secs(5));
    let cases = [
        (
            late,
            "Pending Initializing, Completed Initializing, Completed Ready",
        ),
        (
            FaultKind::IndexReadyEarly,
            "Pending Ready, Completed Ready, Completed Ready",
        ),
        (
            FaultKind::JobFails,
            "Pending Initializing, Failed Initializing, Failed Initializing",
        ),
        (
            FaultKind::JobCancelled,
            "Pending Initializing, Cancelled Initializing, Cancelled Initializing",
        ),
        (
            FaultKind::IndexInitializationFailed,
            "Pending Initializing, Pending InitializationFailed, Pending InitializationFailed",
        ),
    ];
    for (kind, expected) in cases {
        assert_eq!(outcome(kind.clone()).join(", "), expected, "{kind:?}");
    }
}

#[test]
fn faults_lose_answers_before_or_after_the_effect() {
    let create = |kind: FaultKind| {
        let mut fixture = Fixture::new();
        fixture.inject(kind);
        let answer = fixture.answer("POST", "/backups/b1/create-index", r#"{"name":"a"}"#);
        let entry = fixture.service.journal.requests().remove(0);
        let accepted = fixture.accepted();
        assert_eq!(entry.effect, accepted == 1);
        (answer, entry.status, accepted)
    };
    assert_eq!(
        create(FaultKind::LoseAnswer),
        (Answer::Close(Disconnect::Fin), None, 1)
    );
    assert_eq!(
        create(FaultKind::ResetAnswer),
        (Answer::Close(Disconnect::Reset), None, 1)
    );
    assert_eq!(
        create(FaultKind::DropBefore),
        (Answer::Close(Disconnect::Fin), None, 0)
    );
    assert_eq!(
        create(FaultKind::ResetBefore),
        (Answer::Close(Disconnect::Reset), None, 0)
    );
    let before = create(FaultKind::status(503));
    assert_eq!((before.1, before.2), (Some(503), 0));
    let after = create(FaultKind::Status(StatusAnswer::new(500).after_effect()));
    assert_eq!((after.1, after.2), (Some(500), 1));
    let missing = create(FaultKind::MissingIds);
    assert_eq!(missing.2, 1);
    assert!(
        matches!(missing.0, Answer::Send(Reply { status: 202, content: Content::Json(body), .. }, _) if body == json!({}))
    );
}

#[test]
fn faults_hide_jobs_and_their_times() {
    let mut fixture = Fixture::new();
    let (job, _) = fixture.restore("a");
    let path = format!("/restore-jobs/{job}");
    fixture.inject(FaultKind::JobNotFound);
    assert_eq!(fixture.error("GET", &path, "").0, 404);
    fixture.inject(FaultKind::NullCreatedAt);
    assert_eq!(fixture.get(&path)["created_at"], Value::Null);
    assert!(fixture.get(&path)["created_at"].is_string());
    fixture.inject(FaultKind::ListLag(Duration::from_secs(60)));
    assert_eq!(fixture.get("/restore-jobs")["data"], json!([]));
    fixture.inject(FaultKind::ListDrop(Some(vec![job])));
    assert_eq!(fixture.get("/restore-jobs")["data"], json!([]));
    assert_eq!(
        fixture.get("/restore-jobs")["data"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}
