//! [`Control`] over HTTP, under a path that Pinecone does not have.

use std::time::Duration;

use jiff::SignedDuration;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::api::call::{Call, segments};
use crate::api::error::{ErrorResponse, HandlerResult};
use crate::api::reply::Reply;
use crate::control::handle::{Control, ControlError};
use crate::faults::fault::Fault;
use crate::model::backup::BackupStatus;
use crate::model::job::JobOutcome;
use crate::seed::{BackupSeed, IndexSeed, JobSeed, ProjectSeed, Seed};

pub(crate) const ROOT: &str = "/_emulator";
pub(crate) const PREFIX: &str = "/_emulator/";

/// Answers a request under [`ROOT`]. It needs no API key, and is not recorded in the journal.
pub(crate) fn answer(control: &Control, call: &Call) -> Reply {
    let segments = segments(&call.path);
    let path: Vec<&str> = segments.iter().skip(1).map(String::as_str).collect();
    let admin = Admin { control, call };
    let outcome = match path.as_slice() {
        ["projects", project, rest @ ..] => admin.project(project, rest),
        rest => admin.emulator(rest),
    };
    outcome.unwrap_or_else(Reply::from)
}

struct Admin<'a> {
    control: &'a Control,
    call: &'a Call,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    key: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Quotas {
    index_quota: usize,
    backup_quota: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlanChange {
    without_backups: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BackupChange {
    status: BackupStatus,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IndexChange {
    state: String,
    ready: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JobChange {
    outcome: JobOutcome,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Millis {
    millis: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignedMillis {
    millis: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RestoreDuration {
    /// Required; null: restores end by hand.
    #[serde(deserialize_with = "Option::deserialize")]
    millis: Option<u64>,
}

impl Admin<'_> {
    fn emulator(&self, path: &[&str]) -> HandlerResult {
        let control = self.control;
        match (self.call.method.as_str(), path) {
            ("GET", ["health"]) => Ok(Reply::json(
                200,
                json!({"status": "ok", "now": control.now()}),
            )),
            ("GET", ["requests"]) => Ok(Reply::of(200, &control.requests())),
            ("DELETE", ["requests"]) => {
                control.clear_requests();
                no_content()
            }
            ("GET", ["accepted-creates"]) => Ok(Reply::of(200, &control.accepted_creates())),
            ("GET", ["projects"]) => Ok(Reply::of(200, &control.projects())),
            ("POST", ["projects"]) => self.add_project(),
            ("POST", ["keys", "revoke"]) => {
                match control.revoke_api_key(&self.body::<Key>()?.key) {
                    true => no_content(),
                    false => Err(ErrorResponse::not_found("The API key is not valid.")),
                }
            }
            ("POST", ["restore-jobs", id, "finish"]) => {
                control.finish_job(id, self.body::<JobChange>()?.outcome)?;
                no_content()
            }
            (_, ["faults", rest @ ..]) => self.faults(rest),
            ("PUT", ["settings" | "clock", ..]) | ("POST", ["clock", ..]) => self.settings(path),
            _ => self.unknown_path(),
        }
    }

    fn faults(&self, path: &[&str]) -> HandlerResult {
        let control = self.control;
        match (self.call.method.as_str(), path) {
            ("GET", []) => {
                let faults = control.faults().into_iter();
                let faults =
                    faults.map(|(id, fault, hits)| json!({"id": id, "fault": fault, "hits": hits}));
                Ok(Reply::json(200, Value::Array(faults.collect())))
            }
            ("POST", []) => {
                let id = control.inject(self.body::<Fault>()?);
                Ok(Reply::json(201, json!({"id": id})))
            }
            ("DELETE", []) => {
                control.clear_faults();
                no_content()
            }
            ("DELETE", [id]) => match id.parse().is_ok_and(|id| control.clear_fault(id)) {
                true => no_content(),
                false => Err(ErrorResponse::not_found(format!(
                    "Fault {id} does not exist."
                ))),
            },
            _ => self.unknown_path(),
        }
    }

    fn settings(&self, path: &[&str]) -> HandlerResult {
        let control = self.control;
        match (self.call.method.as_str(), path) {
            ("PUT", ["settings", "restore"]) => {
                let millis = self.body::<RestoreDuration>()?.millis;
                control.set_restore_duration(millis.map(Duration::from_millis));
            }
            ("PUT", ["settings", "termination"]) => {
                control.set_termination(Duration::from_millis(self.body::<Millis>()?.millis));
            }
            ("PUT", ["settings", "habits"]) => control.set_habits(self.body()?),
            ("PUT", ["clock", "skew"]) => {
                control.set_clock_skew(SignedDuration::from_millis(
                    self.body::<SignedMillis>()?.millis,
                ));
            }
            ("POST", ["clock", "advance"]) => {
                control.advance(Duration::from_millis(self.body::<Millis>()?.millis));
            }
            _ => return self.unknown_path(),
        }
        no_content()
    }

    fn project(&self, project: &str, path: &[&str]) -> HandlerResult {
        let control = self.control;
        let method = self.call.method.as_str();
        match (method, path) {
            ("PUT", ["quotas"]) => {
                let quotas = self.body::<Quotas>()?;
                control.set_quotas(project, quotas.index_quota, quotas.backup_quota)?;
            }
            ("PUT", ["plan"]) => {
                let plan = self.body::<PlanChange>()?;
                control.set_plan_without_backups(project, plan.without_backups)?;
            }
            ("POST", ["keys"]) => control.add_api_key(project, &self.body::<Key>()?.key)?,
            ("GET", _) => return self.resources(project, path),
            ("POST", ["backups"]) => {
                return created(control.add_backup(project, self.body::<BackupSeed>()?)?);
            }
            ("PATCH", ["backups", id]) => {
                control.set_backup_status(project, id, self.body::<BackupChange>()?.status)?;
            }
            ("DELETE", ["backups", id]) => control.remove_backup(project, id)?,
            ("POST", ["indexes"]) => {
                return created(control.add_index(project, self.body::<IndexSeed>()?)?);
            }
            ("PATCH", ["indexes", name]) => {
                let change: IndexChange = self.body()?;
                control.set_index_state(project, name, &change.state, change.ready)?;
            }
            ("DELETE", ["indexes", name]) => control.delete_index(project, name)?,
            ("POST", ["restore-jobs"]) => {
                return created(control.add_restore_job(project, self.body::<JobSeed>()?)?);
            }
            _ => return self.unknown_path(),
        }
        no_content()
    }

    fn resources(&self, project: &str, path: &[&str]) -> HandlerResult {
        let control = self.control;
        if !control.projects().iter().any(|name| name == project) {
            return Err(ControlError::NoProject(project.to_owned()).into());
        }
        match path {
            ["backups"] => Ok(Reply::of(200, &control.backups(project))),
            ["indexes"] => Ok(Reply::of(200, &control.indexes(project))),
            ["restore-jobs"] => Ok(Reply::of(200, &control.restore_jobs(project))),
            _ => self.unknown_path(),
        }
    }

    fn add_project(&self) -> HandlerResult {
        let seed = Seed {
            projects: vec![self.body::<ProjectSeed>()?],
            faults: Vec::new(),
        };
        self.control.plant(seed)?;
        Ok(Reply::json(201, json!({})))
    }

    fn body<T: DeserializeOwned>(&self) -> Result<T, ErrorResponse> {
        serde_json::from_slice(&self.call.body)
            .map_err(|error| ErrorResponse::unprocessable(&error))
    }

    fn unknown_path(&self) -> HandlerResult {
        let Call { method, path, .. } = self.call;
        Err(ErrorResponse::not_found(format!(
            "The emulator has no {method} {path}."
        )))
    }
}

fn no_content() -> HandlerResult {
    Ok(Reply::empty(204))
}

fn created(id: String) -> HandlerResult {
    Ok(Reply::json(201, json!({"id": id})))
}

impl From<ControlError> for ErrorResponse {
    fn from(error: ControlError) -> Self {
        match error {
            ControlError::Taken(..) | ControlError::KeyTaken => {
                Self::new(409, "ALREADY_EXISTS", error.to_string())
            }
            ControlError::BadName(_) => Self::invalid_argument(error.to_string()),
            ControlError::NoProject(_)
            | ControlError::NoIndex(_)
            | ControlError::NoBackup(_)
            | ControlError::NoPendingJob(_) => Self::not_found(error.to_string()),
        }
    }
}
