//! The whole state, and how a request changes it. It uses no HTTP and no clock: the time is an argument.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use crate::api::call::Call;
use crate::api::error::ErrorResponse;
use crate::api::reply::Reply;
use crate::api::route::Target;
use crate::config::{Config, Durations, Project};
use crate::faults::answer::{Answer, BodyMode};
use crate::faults::fault::Fault;
use crate::faults::injected::InjectedFault;
use crate::faults::plan::{Instead, Plan};
use crate::habits::Habits;
use crate::journal::Journal;
use crate::model::request_limit::RequestLimit;
use crate::operations;
use crate::operations::context::Context;
use crate::project::ProjectState;
use crate::wire;

/// The state of an emulator. It has no `Debug`, because it contains API keys.
pub(crate) struct Service {
    pub durations: Durations,
    habits: Habits,
    /// The offset of its clock from the machine's.
    pub skew: SignedDuration,
    pub projects: Vec<ProjectState>,
    /// The project of each API key.
    pub keys: HashMap<String, String>,
    pub faults: Vec<InjectedFault>,
    last_fault: u64,
    pub journal: Journal,
}

impl Service {
    /// Returns a service without projects.
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            durations: Durations {
                restore: config.restore,
                backup: config.backup,
                index_creation: config.index_creation,
                termination: config.termination,
            },
            habits: config.habits,
            skew: SignedDuration::ZERO,
            projects: Vec::new(),
            keys: HashMap::new(),
            faults: Vec::new(),
            last_fault: 0,
            journal: Journal::default(),
        }
    }

    pub(crate) fn add_project(&mut self, project: Project) {
        let state = ProjectState::new(&project, self.habits);
        self.projects.push(state);
        let keys = project.api_keys.into_iter();
        self.keys
            .extend(keys.map(|key| (key, project.name.clone())));
    }

    pub(crate) fn set_habits(&mut self, habits: Habits) {
        self.habits = habits;
        for project in &mut self.projects {
            project.habits = habits;
        }
    }

    pub(crate) fn project(&mut self, name: &str) -> Option<&mut ProjectState> {
        self.projects
            .iter_mut()
            .find(|project| project.name == name)
    }

    pub(crate) fn inject(&mut self, fault: Fault) -> u64 {
        self.last_fault += 1;
        let id = self.last_fault;
        self.faults.push(InjectedFault {
            id,
            fault,
            matched: 0,
        });
        id
    }

    /// Records a request that arrived. Returns its number, and what faults do to it.
    pub(crate) fn receive(&mut self, now: Timestamp, call: &Call) -> (u64, Plan) {
        let project = self.project_name(call).map(str::to_owned);
        let plan = Plan::of(&mut self.faults, call, project.as_deref());
        (self.journal.arrived(call, project, now), plan)
    }

    /// Handles a request, and returns its answer.
    pub(crate) fn perform(&mut self, now: Timestamp, seq: u64, call: &Call, plan: &Plan) -> Answer {
        let (mut answer, effect) = match &plan.instead {
            Some(Instead::Close(disconnect)) => (Answer::Close(*disconnect), false),
            Some(Instead::Answer(fault)) => {
                (Answer::Send(fault.reply(now), BodyMode::Whole), false)
            }
            None => {
                let reply = self.serve(now, seq, call, plan);
                let effect = reply.effect;
                (Answer::new(reply, plan.answer.as_ref(), now), effect)
            }
        };
        let status = match &mut answer {
            Answer::Close(_) => None,
            Answer::Send(reply, _) => {
                reply.headers.extend(plan.headers.iter().cloned());
                Some(reply.status)
            }
        };
        self.journal.answered(seq, status, effect);
        answer
    }

    fn project_name(&self, call: &Call) -> Option<&str> {
        let key = call.api_key.as_deref()?;
        self.keys.get(key).map(String::as_str)
    }

    fn serve(&mut self, now: Timestamp, seq: u64, call: &Call, plan: &Plan) -> Reply {
        let Some(project) = self.project_name(call).map(str::to_owned) else {
            return Reply::unauthorized();
        };
        let version = match wire::version_of(call) {
            Ok(version) => version,
            Err(error) => return error.into(),
        };
        let durations = self.durations;
        let Some(project) = self.project(&project) else {
            return Reply::unauthorized();
        };
        if let Some(allowance) = &mut project.allowance
            && !allowance.take(now)
        {
            return too_many(allowance.limit);
        }
        project.remove_terminated(now);
        let context = Context {
            now,
            seq,
            durations: &durations,
            call,
            plan,
            version,
        };
        match &call.target {
            Target::Found(route, subject) => {
                operations::serve(project, *route, subject, &context).unwrap_or_else(Reply::from)
            }
            Target::MethodNotAllowed(methods) => {
                let mut reply = Reply::from(ErrorResponse::new(
                    405,
                    "UNIMPLEMENTED",
                    "Method not allowed.",
                ));
                reply.headers.push(("allow".to_owned(), methods.join(", ")));
                reply
            }
            Target::NotFound => {
                ErrorResponse::not_found(format!("{} not found.", call.path)).into()
            }
        }
    }
}

fn too_many(limit: RequestLimit) -> Reply {
    let message = "Too many requests.";
    let mut reply = Reply::from(ErrorResponse::new(429, "RESOURCE_EXHAUSTED", message));
    let header = limit
        .retry_after
        .map(|seconds| ("retry-after".to_owned(), seconds.to_string()));
    reply.headers.extend(header);
    reply
}

#[cfg(test)]
mod tests;
