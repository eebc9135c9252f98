//! The client against the emulator: what each answer, and each way to get none,
//! is taken for.

use std::time::Duration;

use pinecone_emulator::{
    AnswerBody, BackupSeed, Config, Control, DEFAULT_API_KEY, DEFAULT_PROJECT, Emulator, Fault,
    FaultKind, Habits, IndexSeed, JobSeed, RetryAfter, Route, StatusAnswer,
};

use crate::pinecone::*;

const BACKUP: &str = "670e8400-e29b-41d4-a716-446655440000";

fn client(url: &str) -> Client {
    client_that_waits(url, Duration::from_millis(1_500))
}

fn client_that_waits(url: &str, request_timeout: Duration) -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let endpoint = Endpoint {
        url: url.into(),
        api_version: ApiVersion::V2025_10,
        ca_file: None,
        request_timeout,
        requests_per_second: None,
    };
    Client::new(&endpoint, RequestMetrics::default()).unwrap()
}

fn key() -> ApiKey {
    ApiKey::new(DEFAULT_API_KEY.as_bytes()).unwrap()
}

async fn emulator() -> (Emulator, Control, Client) {
    let emulator = Emulator::start(Config::default()).await.unwrap();
    let control = emulator.control();
    let backup = BackupSeed::new("nightly", "products").id(BACKUP);
    control.add_backup(DEFAULT_PROJECT, backup).unwrap();
    let client = client(&emulator.url());
    (emulator, control, client)
}

fn request(name: &str) -> CreateIndex {
    CreateIndex {
        name: name.into(),
        tags: None,
        is_protected: false,
    }
}

async fn post(client: &Client, name: &str) -> Posted {
    classify(
        client
            .create_index_from_backup(&key(), BACKUP, &request(name))
            .await,
    )
}

#[tokio::test]
async fn an_accepted_create_gives_both_ids_and_sends_no_tags_unasked() {
    let (_emulator, control, client) = emulator().await;
    let Posted::Accepted(created) = post(&client, "index").await else {
        panic!("not accepted");
    };
    let accepted = &control.accepted_creates()[0];
    assert_eq!(created.restore_job_id, accepted.restore_job_id);
    assert_eq!(created.index_id, accepted.index_id);
    assert!(created.request_id.is_some());
    assert_eq!(accepted.tags, None);
}

/// Returns the outcome of a POST as a label.
fn word(posted: &Posted) -> (&'static str, &'static str) {
    match posted {
        Posted::Accepted(_) => ("accepted", ""),
        Posted::NoEffect(failure) => ("no effect", failure.kind.label()),
        Posted::Taken(failure) => ("taken", failure.kind.label()),
        Posted::Unknown(failure) => ("unknown", failure.kind.label()),
    }
}

#[tokio::test]
async fn each_answer_to_the_post_is_taken_for_what_it_proves() {
    let (_emulator, control, client) = emulator().await;
    let own = |status| FaultKind::status(status);
    let other = |status, body| FaultKind::Status(StatusAnswer::new(status).body(body));
    let text = |text: &str| AnswerBody::Text(text.into());
    let long = Duration::from_secs(60);
    let redirect = StatusAnswer::new(307).header("location", "/indexes");
    for (kind, expected) in [
        (own(400), ("no effect", "invalid")),
        (own(401), ("no effect", "unauthorized")),
        (own(402), ("no effect", "payment_required")),
        (own(403), ("no effect", "forbidden")),
        (own(404), ("no effect", "not_found")),
        (own(408), ("unknown", "unavailable")),
        (own(409), ("taken", "already_exists")),
        (own(412), ("no effect", "precondition_failed")),
        (own(418), ("unknown", "unavailable")),
        (own(422), ("no effect", "invalid")),
        (own(429), ("no effect", "rate_limited")),
        (own(500), ("unknown", "unavailable")),
        (own(502), ("unknown", "unavailable")),
        (own(503), ("unknown", "unavailable")),
        (own(504), ("unknown", "unavailable")),
        (
            other(401, text("Invalid API key")),
            ("no effect", "unauthorized"),
        ),
        (other(401, AnswerBody::Html), ("unknown", "unavailable")),
        (other(403, AnswerBody::Html), ("unknown", "unavailable")),
        (other(404, text("not here")), ("unknown", "unavailable")),
        (other(409, AnswerBody::Html), ("unknown", "unavailable")),
        (other(429, text("slow down")), ("unknown", "unavailable")),
        (other(200, AnswerBody::Html), ("unknown", "unavailable")),
        (FaultKind::Status(redirect), ("unknown", "unavailable")),
        (FaultKind::LoseAnswer, ("unknown", "unavailable")),
        (FaultKind::ResetAnswer, ("unknown", "unavailable")),
        (FaultKind::DropBefore, ("unknown", "unavailable")),
        (FaultKind::ResetBefore, ("unknown", "unavailable")),
        (FaultKind::DelayAnswer(long), ("unknown", "unavailable")),
        (FaultKind::SlowBody(long), ("unknown", "unavailable")),
        (FaultKind::TruncatedBody, ("unknown", "unavailable")),
        (FaultKind::GarbageBody, ("unknown", "unavailable")),
        (FaultKind::MissingIds, ("unknown", "unavailable")),
        (FaultKind::HugeBody, ("unknown", "unavailable")),
    ] {
        control.inject(Fault::new(Route::CreateIndexFromBackup, kind.clone()).times(1));
        let name = format!("index-{}", control.requests().len());
        assert_eq!(word(&post(&client, &name).await), expected, "{kind:?}");
    }
    let posts = control.requests();
    let posts: Vec<_> = posts
        .iter()
        .filter(|request| request.method == "POST")
        .collect();
    assert_eq!(posts.len(), 33, "each was sent once: nothing is retried");
}

#[tokio::test]
async fn a_request_that_never_connected_had_no_effect() {
    // Held and not listened on: nobody else can get the port meanwhile.
    let held = tokio::net::TcpSocket::new_v4().unwrap();
    held.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let dead = format!("http://{}", held.local_addr().unwrap());
    for nowhere in [dead.as_str(), "http://pinecone.invalid"] {
        let posted = post(&client(nowhere), "index").await;
        assert_eq!(word(&posted), ("no effect", "not_connected"), "{nowhere}");
    }
}

#[tokio::test]
async fn distinguishes_a_server_without_tls_from_a_lost_answer() {
    let (emulator, ..) = emulator().await;
    let https = emulator.url().replace("http://", "https://");
    let posted = post(&client(&https), "index").await;
    assert_eq!(word(&posted), ("no effect", "not_connected"));
}

#[tokio::test]
async fn the_emulators_own_refusals_are_understood() {
    let (_emulator, control, client) = emulator().await;
    control
        .add_index(DEFAULT_PROJECT, IndexSeed::new("taken"))
        .unwrap();
    assert_eq!(
        word(&post(&client, "taken").await),
        ("taken", "already_exists")
    );
    assert_eq!(
        word(&post(&client, "Bad_Name").await),
        ("no effect", "invalid")
    );
    let wrong = ApiKey::new(b"wrong").unwrap();
    let sent = client
        .create_index_from_backup(&wrong, BACKUP, &request("index"))
        .await;
    assert_eq!(word(&classify(sent)), ("no effect", "unauthorized"));
    let sent = client
        .create_index_from_backup(&key(), "a b/c", &request("index"))
        .await;
    assert_eq!(word(&classify(sent)), ("no effect", "not_found"));
    let sent = client
        .create_index_from_backup(&key(), "..", &request("index"))
        .await;
    assert_eq!(word(&classify(sent)), ("no effect", "invalid"));
    control.set_quotas(DEFAULT_PROJECT, 1, 1).unwrap();
    assert_eq!(
        word(&post(&client, "one-more").await),
        ("no effect", "forbidden")
    );
}

#[tokio::test]
async fn every_page_of_the_list_is_read_and_each_job_of_the_name_once() {
    let (_emulator, control, client) = emulator().await;
    control.set_habits(Habits {
        keeps_jobs_of_deleted_indexes: true,
        ..Habits::default()
    });
    for n in 0..250 {
        let job = JobSeed::new(BACKUP, format!("index-{}", n % 5));
        control.add_restore_job(DEFAULT_PROJECT, job).unwrap();
    }
    let ids = async || {
        let listing = client.restore_jobs(&key(), "index-3").await.unwrap();
        assert!(listing.is_complete);
        let jobs = listing.jobs.into_iter();
        let mut ids: Vec<_> = jobs
            .inspect(|job| assert_eq!(job.target_index_name, "index-3"))
            .map(|job| job.restore_job_id)
            .collect();
        let listed = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), listed);
        listed
    };
    assert_eq!(ids().await, 50);
    control.inject(Fault::new(Route::ListRestoreJobs, FaultKind::ListRepeat));
    assert_eq!(ids().await, 50);
    control.clear_faults();
    let pages = control.requests();
    let with_both = |query: &str| query.contains("limit") && query.contains("paginationToken");
    assert!(
        !pages
            .iter()
            .any(|page| page.query.as_deref().is_some_and(with_both))
    );
    // The listing ends although the tokens repeat, and proves no absence.
    control.inject(Fault::new(
        Route::ListRestoreJobs,
        FaultKind::ListStuckToken,
    ));
    assert!(
        !client
            .restore_jobs(&key(), "index-3")
            .await
            .unwrap()
            .is_complete
    );
    control.clear_faults();
    // Half a list is no list.
    control.inject(Fault::new(Route::ListRestoreJobs, FaultKind::status(500)).after(1));
    assert!(client.restore_jobs(&key(), "index-3").await.is_err());
}

#[tokio::test]
async fn obeys_a_pause_for_every_request_of_that_api_key() {
    let (_emulator, control, client) = emulator().await;
    let answer = StatusAnswer::new(429).retry_after(RetryAfter::DateIn(30));
    control.inject(Fault::new(Route::DescribeIndex, FaultKind::Status(answer)).times(1));
    let failure = client.index(&key(), "index").await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::RateLimited);
    assert!(failure.retry_after.unwrap() > Duration::from_secs(20));
    let before = control.requests().len();
    let held = client.indexes(&key()).await.unwrap_err();
    assert_eq!(held.kind, FailureKind::RateLimited);
    assert_eq!(control.requests().len(), before, "nothing was sent");
    let other = ApiKey::new(b"another").unwrap();
    let failure = client.indexes(&other).await.unwrap_err();
    assert_eq!(
        failure.kind,
        FailureKind::Unauthorized,
        "another key is not held back"
    );
}

#[tokio::test]
async fn redacts_an_api_key_echoed_in_a_success() {
    let (_emulator, control, client) = emulator().await;
    let echo = AnswerBody::Text(format!("{DEFAULT_API_KEY:?}"));
    let answer = FaultKind::Status(StatusAnswer::new(200).body(echo));
    control.inject(Fault::new(Route::DescribeIndex, answer));
    let failure = client.index(&key(), "index").await.unwrap_err();
    assert!(!failure.to_string().contains(DEFAULT_API_KEY), "{failure}");
}

#[tokio::test]
async fn rejects_a_list_with_an_unusable_id() {
    let (_emulator, control, client) = emulator().await;
    let row = |id: &str, name: &str| {
        format!(
            r#"{{"restore_job_id":"{id}","backup_id":"b","target_index_name":"{name}","target_index_id":"i","status":"Pending\u0007"}}"#
        )
    };
    let good = row("j", "index");
    let escaped = DEFAULT_API_KEY.replacen('e', "\\u0065", 1);
    for (rows, next, is_list) in [
        (good.clone(), "t", true),
        (format!("{good},{}", row("j\\u001b", "other")), "t", false),
        (format!("{good},{}", row("k", "inde\\u202ex")), "t", false),
        (good.clone(), &escaped, false),
    ] {
        let body = format!(r#"{{"data":[{rows}],"pagination":{{"next":"{next}"}}}}"#);
        let answer = StatusAnswer::new(200).body(AnswerBody::Text(body));
        let fault = Fault::new(Route::ListRestoreJobs, FaultKind::Status(answer)).times(2);
        let fault = control.inject(fault);
        let listing = client.restore_jobs(&key(), "index").await;
        control.clear_fault(fault);
        match listing {
            Ok(listing) => {
                assert!(is_list, "{rows} {next}");
                assert_eq!(listing.jobs[0].word, "Pending\u{fffd}");
            }
            Err(failure) => {
                assert!(!is_list, "{failure}");
                assert_eq!(failure.kind, FailureKind::Unavailable);
                assert!(failure.words.contains("an ID or a name"), "{failure}");
            }
        }
    }
}

#[tokio::test]
async fn only_the_list_of_indexes_may_be_long() {
    let (emulator, control, _) = emulator().await;
    control.inject(Fault::new(Route::Any, FaultKind::HugeBody));
    // Megabytes take long on a busy machine.
    let client = client_that_waits(&emulator.url(), Duration::from_secs(60));
    let list = client.indexes(&key()).await.unwrap_err();
    assert!(format!("{list:?}").contains("8388608 bytes"), "{list:?}");
    let backup = client.backup(&key(), BACKUP).await.unwrap_err();
    assert!(
        format!("{backup:?}").contains("1048576 bytes"),
        "{backup:?}"
    );
}
