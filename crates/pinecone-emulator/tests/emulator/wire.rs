use std::io::ErrorKind;
use std::time::Duration;

use pinecone_emulator::{
    AnswerBody, BackupSeed, Config, Control, DEFAULT_API_KEY as KEY, DEFAULT_PROJECT as PROJECT,
    Emulator, Fault, FaultKind, RetryAfter, Route, StatusAnswer,
};

use crate::client::{Answer, ask, eventually, raw, send};

const CREATE: &str = "/backups/b/create-index";
const BODY: &str = r#"{"name":"books"}"#;

async fn start() -> (Emulator, Control, String) {
    let emulator = Emulator::start(Config::default()).await.unwrap();
    let (control, url) = (emulator.control(), emulator.url());
    control
        .add_backup(PROJECT, BackupSeed::new("nightly", "books").id("b"))
        .unwrap();
    (emulator, control, url)
}

async fn create(url: &str) -> Answer {
    ask(url, "POST", CREATE, KEY, BODY).await
}

fn inject(control: &Control, kind: FaultKind) -> u64 {
    control.inject(Fault::new(Route::CreateIndexFromBackup, kind).times(1))
}

#[tokio::test]
async fn an_answer_has_pinecones_headers_and_body() {
    let (_emulator, control, url) = start().await;
    let answer = create(&url).await;
    assert_eq!(answer.status, 202);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert!(answer.header("date").unwrap().ends_with(" GMT"));
    assert_eq!(answer.header("x-pinecone-request-id").unwrap().len(), 36);
    let accepted = control.accepted_creates();
    assert_eq!(accepted.len(), 1);
    assert_eq!(
        answer.json()["restore_job_id"],
        accepted[0].restore_job_id.as_str()
    );
    assert_eq!(accepted[0].user_agent.as_deref(), Some("test"));

    let wrong = ask(&url, "GET", "/indexes", "wrong", "").await;
    assert_eq!(
        (wrong.status, wrong.body.as_str()),
        (401, "Invalid API key")
    );
    assert!(
        wrong
            .header("content-type")
            .unwrap()
            .starts_with("text/plain")
    );
}

#[tokio::test]
async fn the_journal_records_all_requests_without_api_keys() {
    let (_emulator, control, url) = start().await;
    create(&url).await;
    ask(&url, "GET", "/restore-jobs?limit=3", "canary-key", "").await;
    let requests = control.requests();
    let seen: Vec<_> = requests
        .iter()
        .map(|r| (r.seq, r.route, r.status, r.effect, r.delivered))
        .collect();
    let expected = [
        (1, Route::CreateIndexFromBackup, Some(202), true, true),
        (2, Route::ListRestoreJobs, Some(401), false, true),
    ];
    assert_eq!(seen, expected);
    assert_eq!(requests[0].body, serde_json::from_str(BODY).unwrap());
    assert_eq!(requests[0].project.as_deref(), Some(PROJECT));
    assert_eq!(requests[1].query.as_deref(), Some("limit=3"));
    let text = format!(
        "{requests:?} {control:?} {}",
        serde_json::to_string(&requests).unwrap()
    );
    assert!(!text.contains("canary-key") && !text.contains(KEY));
}

#[tokio::test]
async fn a_lost_answer_closes_the_connection_after_the_effect() {
    let (_emulator, control, url) = start().await;
    inject(&control, FaultKind::LoseAnswer);
    assert_eq!(raw(&url, "POST", CREATE, KEY, BODY).await.unwrap(), b"");
    assert_eq!(control.accepted_creates().len(), 1);
    let entry = control.requests().remove(0);
    assert_eq!(
        (entry.status, entry.effect, entry.delivered),
        (None, true, false)
    );
    assert_eq!(create(&url).await.status, 409);
}

#[tokio::test]
async fn faults_reset_or_close_the_connection_before_the_effect() {
    let (_emulator, control, url) = start().await;
    inject(&control, FaultKind::ResetBefore);
    let error = raw(&url, "POST", CREATE, KEY, BODY).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(control.accepted_creates(), []);
    inject(&control, FaultKind::DropBefore);
    assert_eq!(raw(&url, "POST", CREATE, KEY, BODY).await.unwrap(), b"");
    assert_eq!(control.accepted_creates(), []);
}

#[tokio::test]
async fn faults_break_the_body() {
    let (_emulator, control, url) = start().await;
    let length = |answer: &Answer| {
        answer
            .header("content-length")
            .unwrap()
            .parse::<usize>()
            .unwrap()
    };

    inject(&control, FaultKind::TruncatedBody);
    let answer = create(&url).await;
    assert_eq!(answer.status, 202);
    assert!(!answer.body.is_empty() && answer.body.len() < length(&answer));
    assert!(!control.requests()[0].delivered);
    assert_eq!(control.accepted_creates().len(), 1);

    control.delete_index(PROJECT, "books").unwrap();
    inject(&control, FaultKind::GarbageBody);
    let answer = create(&url).await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert!(answer.body.starts_with("<html>"));

    control.delete_index(PROJECT, "books").unwrap();
    inject(&control, FaultKind::HugeBody);
    let answer = create(&url).await;
    assert!(answer.body.len() > 10 << 20 && answer.body.len() == length(&answer));
    assert!(answer.json()["index_id"].is_string());

    control.delete_index(PROJECT, "books").unwrap();
    inject(&control, FaultKind::SlowBody(Duration::from_millis(40)));
    let answer = create(&url).await;
    assert!(answer.json()["index_id"].is_string());
    assert!(control.requests()[3].delivered);
}

#[tokio::test]
async fn faults_replace_the_answer() {
    let (_emulator, control, url) = start().await;
    let status = |answer: StatusAnswer| inject(&control, FaultKind::Status(answer));

    status(StatusAnswer::new(502).body(AnswerBody::Html));
    let answer = create(&url).await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (502, Some("text/html"))
    );
    status(StatusAnswer::new(429).retry_after(RetryAfter::Seconds(3)));
    let answer = create(&url).await;
    assert_eq!(
        (answer.status, answer.header("retry-after")),
        (429, Some("3"))
    );
    status(StatusAnswer::new(503).retry_after(RetryAfter::DateIn(3)));
    assert!(
        create(&url)
            .await
            .header("retry-after")
            .unwrap()
            .ends_with(" GMT")
    );
    status(
        StatusAnswer::new(307)
            .body(AnswerBody::Empty)
            .header("location", "http://127.0.0.1:1/"),
    );
    let answer = create(&url).await;
    assert_eq!(
        (answer.header("location"), answer.body.as_str()),
        (Some("http://127.0.0.1:1/"), "")
    );
    assert_eq!(control.accepted_creates(), []);
    status(StatusAnswer::new(500).after_effect());
    assert_eq!(create(&url).await.json()["error"]["code"], "UNKNOWN");
    assert_eq!(control.accepted_creates().len(), 1);
}

#[tokio::test]
async fn a_fault_sends_any_text_or_byte_as_a_request_id() {
    let (_emulator, control, url) = start().await;
    let instead = StatusAnswer::new(401).header("x-request-id", format!("echo {KEY}"));
    inject(&control, FaultKind::Status(instead));
    let answer = create(&url).await;
    let echo = format!("echo {KEY}");
    assert_eq!(
        (answer.status, answer.header("x-request-id")),
        (401, Some(echo.as_str()))
    );

    // Also on the service's own answer. The byte of \u{ff} is not UTF-8.
    let headers = [("x-request-id".to_owned(), "a\u{ff}\t\"b".to_owned())];
    inject(&control, FaultKind::Headers(headers.into()));
    let bytes = raw(&url, "POST", CREATE, KEY, BODY).await.unwrap();
    let want = b"x-request-id: a\xff\t\"b\r\n";
    assert!(bytes.windows(want.len()).any(|window| window == want));
    assert!(bytes.starts_with(b"HTTP/1.1 202"));
}

#[tokio::test]
async fn a_delayed_request_takes_effect_after_the_client_disconnected() {
    let (_emulator, control, url) = start().await;
    inject(&control, FaultKind::Delay(Duration::from_secs(1)));
    let stream = send(&url, "POST", CREATE, KEY, BODY).await.unwrap();
    eventually("the request arrived", || control.requests().len() == 1).await;
    assert_eq!(control.accepted_creates(), []);
    drop(stream);
    eventually("the create took effect", || {
        control.accepted_creates().len() == 1
    })
    .await;
    assert!(!control.requests()[0].delivered);
}

#[tokio::test]
async fn a_delayed_answer_follows_its_effect() {
    let (_emulator, control, url) = start().await;
    inject(&control, FaultKind::DelayAnswer(Duration::from_secs(3600)));
    let _stream = send(&url, "POST", CREATE, KEY, BODY).await.unwrap();
    eventually("the create took effect", || {
        control.accepted_creates().len() == 1
    })
    .await;
    assert!(!control.requests()[0].delivered);
}

#[tokio::test]
async fn api_keys_can_be_added_and_revoked() {
    let (_emulator, control, url) = start().await;
    control
        .add_project(pinecone_emulator::Project::new("other", "other-key"))
        .unwrap();
    control.add_api_key(PROJECT, "second").unwrap();
    assert!(control.add_api_key("other", "second").is_err());
    assert!(control.revoke_api_key(KEY));
    assert_eq!(ask(&url, "GET", "/backups/b", KEY, "").await.status, 401);
    assert_eq!(
        ask(&url, "GET", "/backups/b", "second", "").await.status,
        200
    );
    assert_eq!(
        ask(&url, "GET", "/backups/b", "other-key", "").await.status,
        404
    );
}

#[tokio::test]
async fn advancing_the_clock_completes_a_restore() {
    let (_emulator, control, url) = start().await;
    control.set_restore_duration(Duration::from_secs(3600));
    let job = create(&url).await.json()["restore_job_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/restore-jobs/{job}");
    assert_eq!(
        ask(&url, "GET", &path, KEY, "").await.json()["status"],
        "Pending"
    );
    control.advance(Duration::from_secs(3600));
    let answer = ask(&url, "GET", &path, KEY, "").await;
    assert_eq!(answer.json()["status"], "Completed");
    assert_eq!(control.restore_jobs(PROJECT)[0].status, "Completed");
    assert!(control.indexes(PROJECT)[0].ready);
}

#[tokio::test]
async fn a_stopped_emulator_frees_its_port() {
    let (emulator, _control, url) = start().await;
    emulator.stop().await;
    let listen = url.strip_prefix("http://").unwrap().parse().unwrap();
    let again = Emulator::start(Config {
        listen,
        ..Config::default()
    })
    .await
    .unwrap();
    assert_eq!(again.url(), url);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn accepts_one_of_many_concurrent_creates() {
    let (_emulator, control, url) = start().await;
    let mut creates = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let url = url.clone();
        creates.spawn(async move { create(&url).await.status });
    }
    let mut statuses = creates.join_all().await;
    statuses.sort_unstable();
    assert_eq!(statuses[0], 202);
    assert!(
        statuses[1..].iter().all(|status| *status == 409),
        "{statuses:?}"
    );
    assert_eq!(control.accepted_creates().len(), 1);
}
