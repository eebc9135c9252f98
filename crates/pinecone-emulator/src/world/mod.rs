//! The whole state, and what a request makes of it. No HTTP, no clock: the time is an argument.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use crate::api::call::Call;
use crate::api::error::Refusal;
use crate::api::reply::Reply;
use crate::api::route::Target;
use crate::config::{Config, Project, Times};
use crate::faults::answer::{Answer, Manner, ended};
use crate::faults::fault::Fault;
use crate::faults::injected::Armed;
use crate::faults::plan::{Instead, Plan};
use crate::faults::status;
use crate::habits::Habits;
use crate::journal::Journal;
use crate::operations;
use crate::operations::context::Moment;
use crate::project::Tenant;
use crate::wire;

/// The state of an emulator. No `Debug`: it holds API keys.
pub(crate) struct World {
    pub times: Times,
    habits: Habits,
    /// How far its clock is from the machine's.
    pub skew: SignedDuration,
    pub tenants: Vec<Tenant>,
    /// Which project a key belongs to.
    pub keys: HashMap<String, String>,
    pub faults: Vec<Armed>,
    last_fault: u64,
    pub journal: Journal,
}

impl World {
    /// An empty world; `config` gives its times.
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            times: Times {
                restore: config.restore,
                backup: config.backup,
                index_creation: config.index_creation,
                termination: config.termination,
            },
            habits: config.habits,
            skew: SignedDuration::ZERO,
            tenants: Vec::new(),
            keys: HashMap::new(),
            faults: Vec::new(),
            last_fault: 0,
            journal: Journal::default(),
        }
    }

    pub(crate) fn add_project(&mut self, project: Project) {
        let tenant = Tenant::new(&project, self.habits);
        self.tenants.push(tenant);
        let keys = project.api_keys.into_iter();
        self.keys
            .extend(keys.map(|key| (key, project.name.clone())));
    }

    pub(crate) fn set_habits(&mut self, habits: Habits) {
        self.habits = habits;
        for tenant in &mut self.tenants {
            tenant.habits = habits;
        }
    }

    pub(crate) fn tenant(&mut self, name: &str) -> Option<&mut Tenant> {
        self.tenants.iter_mut().find(|tenant| tenant.name == name)
    }

    pub(crate) fn inject(&mut self, fault: Fault) -> u64 {
        self.last_fault += 1;
        let id = self.last_fault;
        self.faults.push(Armed { id, fault, seen: 0 });
        id
    }

    /// A request arrives: it gets its number, and its fate is settled.
    pub(crate) fn receive(&mut self, now: Timestamp, call: &Call) -> (u64, Plan) {
        let project = self.project(call).map(str::to_owned);
        let plan = Plan::draw(&mut self.faults, call, project.as_deref());
        (self.journal.arrived(call, project, now), plan)
    }

    /// A request takes effect.
    pub(crate) fn perform(&mut self, now: Timestamp, seq: u64, call: &Call, plan: &Plan) -> Answer {
        let (mut answer, effect) = match &plan.instead {
            Some(Instead::Close(closing)) => (Answer::Close(*closing), false),
            Some(Instead::Answer(fault)) => (
                Answer::Send(status::answer(fault, now), Manner::Whole),
                false,
            ),
            None => {
                let reply = self.serve(now, seq, call, plan);
                let effect = reply.effect;
                (ended(reply, plan.ending.as_ref(), now), effect)
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

    fn project(&self, call: &Call) -> Option<&str> {
        let key = call.api_key.as_deref()?;
        self.keys.get(key).map(String::as_str)
    }

    fn serve(&mut self, now: Timestamp, seq: u64, call: &Call, plan: &Plan) -> Reply {
        let Some(project) = self.project(call).map(str::to_owned) else {
            return Reply::unauthorized();
        };
        let wire = match wire::of(call) {
            Ok(wire) => wire,
            Err(refusal) => return refusal.into(),
        };
        let times = self.times;
        let Some(tenant) = self.tenant(&project) else {
            return Reply::unauthorized();
        };
        tenant.settle(now);
        let at = Moment {
            now,
            seq,
            times: &times,
            call,
            plan,
            wire,
        };
        match &call.target {
            Target::Found(route, subject) => {
                operations::serve(tenant, *route, subject, &at).unwrap_or_else(Reply::from)
            }
            Target::OtherMethods(methods) => {
                let mut reply =
                    Reply::from(Refusal::new(405, "UNIMPLEMENTED", "Method not allowed."));
                reply.headers.push(("allow".to_owned(), methods.join(", ")));
                reply
            }
            Target::Nowhere => Refusal::not_found(format!("{} not found.", call.path)).into(),
        }
    }
}

#[cfg(test)]
mod tests;
