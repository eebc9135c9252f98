mod faults;
mod habits;
mod resources;
mod restores;
mod versions;

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Service;
use crate::api::call::Call;
use crate::api::reply::{Content, Reply};
use crate::api::route::Route;
use crate::config::{Config, Project};
use crate::faults::answer::{Answer, BodyMode};
use crate::faults::fault::{Fault, FaultKind};
use crate::faults::plan::Disconnect;
use crate::faults::status::StatusAnswer;
use crate::model::backup::BackupStatus;
use crate::model::job::JobOutcome;
use crate::seed::BackupSeed;

const BACKUP: &str = "b1";

/// A service whose time the test sets.
struct Fixture {
    service: Service,
    now: Timestamp,
    key: &'static str,
    version: Option<&'static str>,
}

impl Fixture {
    fn new() -> Self {
        Self::with(Config {
            restore: Some(Duration::from_secs(10)),
            ..Config::default()
        })
    }

    fn with(config: Config) -> Self {
        let mut service = Service::new(&config);
        service.add_project(Project::new("mine", "key"));
        service.add_project(Project::new("other", "other-key"));
        let now: Timestamp = "2026-01-02T03:04:05.006007Z".parse().unwrap();
        let seed = BackupSeed::new("nightly", "books")
            .id(BACKUP)
            .tag("team", "blue");
        service
            .project("mine")
            .unwrap()
            .backups
            .push(seed.build(now));
        Self {
            service,
            now,
            key: "key",
            version: Some("2025-10"),
        }
    }

    fn answer(&mut self, method: &str, path: &str, body: &str) -> Answer {
        let (path, query) = path
            .split_once('?')
            .map_or((path, None), |(path, query)| (path, Some(query)));
        let mut call = Call::new(method, path, query, Bytes::from(body.to_owned()));
        call.api_key = Some(self.key.to_owned());
        call.api_version = self.version.map(str::to_owned);
        let (seq, plan) = self.service.receive(self.now, &call);
        self.service.perform(self.now, seq, &call, &plan)
    }

    fn ask(&mut self, method: &str, path: &str, body: &str) -> Reply {
        match self.answer(method, path, body) {
            Answer::Send(reply, BodyMode::Whole) => reply,
            other => panic!("not a whole answer: {other:?}"),
        }
    }

    /// Returns status and JSON of an answer.
    fn json(&mut self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let reply = self.ask(method, path, body);
        match reply.content {
            Content::Json(value) => (reply.status, value),
            Content::Empty => (reply.status, Value::Null),
            other => panic!("not JSON: {other:?}"),
        }
    }

    fn get(&mut self, path: &str) -> Value {
        let (status, value) = self.json("GET", path, "");
        assert_eq!(status, 200, "{path}: {value}");
        value
    }

    /// Returns status and code of an `ErrorResponse`.
    fn error(&mut self, method: &str, path: &str, body: &str) -> (u16, String) {
        let (status, value) = self.json(method, path, body);
        assert_eq!(value["status"], status, "{value}");
        (status, value["error"]["code"].as_str().unwrap().to_owned())
    }

    fn restore(&mut self, name: &str) -> (String, String) {
        let body = json!({"name": name}).to_string();
        let (status, value) = self.json("POST", "/backups/b1/create-index", &body);
        assert_eq!(status, 202, "{value}");
        let id = |key: &str| value[key].as_str().unwrap().to_owned();
        (id("restore_job_id"), id("index_id"))
    }

    fn advance(&mut self, seconds: i64) {
        self.now += jiff::SignedDuration::from_secs(seconds);
    }

    fn inject(&mut self, kind: FaultKind) {
        self.service.inject(Fault::new(Route::Any, kind).times(1));
    }

    fn accepted(&mut self) -> usize {
        self.service.project("mine").unwrap().accepted.len()
    }
}
