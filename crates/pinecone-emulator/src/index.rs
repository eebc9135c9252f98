//! Indexes: making, describing, configuring and deleting them.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::habits::project_id;
use crate::page::{Row, visible};
use crate::reply::{Outcome, Refusal, Reply};
use crate::rules::{Tags, check_tag_count, check_tags};
use crate::seed::IndexSeed;
use crate::tenant::{Moment, Tenant, later, new_id};
use crate::wire::{Field, Protection};

/// The part of a host that names the place of an index.
pub(crate) const ENVIRONMENT: &str = "aped-4627-b74a";

/// An index; its state follows from the times in it.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    pub id: String,
    pub name: String,
    /// Given by [`Tenant::admit`].
    pub host: String,
    pub shape: Shape,
    pub tags: Tags,
    pub protected: bool,
    pub born: Timestamp,
    pub source_backup_id: Option<String>,
    /// When it gets ready; `None`: not known yet.
    pub ready_at: Option<Timestamp>,
    /// How long after its job's completion it gets ready.
    pub ready_lag: Duration,
    /// When it becomes `InitializationFailed`.
    pub fails_at: Option<Timestamp>,
    /// A state and readiness set from outside.
    pub forced: Option<(String, bool)>,
    /// When its termination ends.
    pub gone_at: Option<Timestamp>,
}

/// What is stored, and where.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shape {
    pub dimension: Option<u32>,
    pub metric: String,
    pub cloud: String,
    pub region: String,
    /// The schema's fields if it was declared with names of its own, as of API 2026-07; none of a classic vector index.
    pub fields: Option<BTreeMap<String, Field>>,
}

impl Index {
    pub(crate) fn new(name: &str, shape: Shape, now: Timestamp) -> Self {
        Self {
            id: new_id(),
            name: name.to_owned(),
            host: String::new(),
            shape,
            tags: Tags::new(),
            protected: false,
            born: now,
            source_backup_id: None,
            ready_at: None,
            ready_lag: Duration::ZERO,
            fails_at: None,
            forced: None,
            gone_at: None,
        }
    }

    pub(crate) fn seeded(seed: IndexSeed, now: Timestamp) -> Self {
        let shape = Shape {
            dimension: seed.dimension,
            metric: seed.metric,
            cloud: seed.cloud,
            region: seed.region,
            fields: None,
        };
        Self {
            id: seed.id.unwrap_or_else(new_id),
            tags: seed.tags,
            protected: seed.deletion_protection,
            source_backup_id: seed.source_backup_id,
            ready_at: Some(now),
            forced: seed.state.map(|state| (state, false)),
            ..Self::new(&seed.name, shape, now)
        }
    }

    /// Pinecone's name for its state, and whether it is ready.
    pub(crate) fn state(&self, now: Timestamp) -> (&str, bool) {
        if self.gone_at.is_some() {
            return ("Terminating", false);
        }
        if let Some((state, ready)) = &self.forced {
            return (state, *ready);
        }
        if self.fails_at.is_some_and(|at| at <= now) {
            return ("InitializationFailed", false);
        }
        if self.ready_at.is_some_and(|at| at <= now) {
            return ("Ready", true);
        }
        ("Initializing", false)
    }

    fn terminate(&mut self, now: Timestamp, termination: Duration) {
        self.gone_at.get_or_insert(later(now, termination));
    }
}

fn row<'a>(index: &'a Index, at: &'a Moment<'_>) -> Row<'a> {
    Row {
        names: vec![index.id.clone(), index.name.clone()],
        born: index.born,
        listed: true,
        json: Box::new(move || at.wire.index(index, at.now)),
    }
}

impl Tenant {
    pub(crate) fn list_indexes(&self, at: &Moment<'_>) -> Reply {
        let rows = self.indexes.iter().map(|index| row(index, at)).collect();
        let rows = visible(rows, &at.plan.view, at.now);
        let indexes: Vec<Value> = rows.iter().map(|row| (row.json)()).collect();
        Reply::json(200, json!({"indexes": indexes}))
    }

    pub(crate) fn create_index(&mut self, at: &Moment<'_>) -> Outcome {
        let request = at.wire.create_index(&at.call.body)?;
        check_tags(&request.tags, at.wire.tag_values())?;
        self.check_room(&request.name)?;
        let mut index = Index::new(&request.name, request.shape, at.now);
        index.tags = given(request.tags);
        index.protected = request.protected;
        index.ready_at = Some(later(at.now, at.times.index_creation));
        let index = self.admit(index);
        Ok(Reply::json(201, at.wire.index(index, at.now)).effective())
    }

    /// Adds an index and gives it a host of Pinecone's form; nothing listens there.
    pub(crate) fn admit(&mut self, mut index: Index) -> &Index {
        let id = if self.habits.unique_hosts {
            let hex = index.id.chars().filter(char::is_ascii_hexdigit);
            hex.take(7).collect()
        } else {
            project_id(&self.name)
        };
        index.host = format!("{}-{id}.svc.{ENVIRONMENT}.pinecone.io", index.name);
        let place = self.indexes.len();
        self.indexes.push(index);
        &self.indexes[place]
    }

    /// Whether one more index, of this name, may be made. A name stays taken while its index terminates.
    pub(crate) fn check_room(&self, name: &str) -> Result<(), Refusal> {
        if self.index(name).is_some() {
            return Err(Refusal::already_exists());
        }
        if self.indexes.len() >= self.index_quota {
            return Err(Refusal::forbidden(
                "Increase your quota or upgrade to create more indexes.",
            ));
        }
        Ok(())
    }

    pub(crate) fn describe_index(&self, name: &str, at: &Moment<'_>) -> Outcome {
        let index = self.index(name).ok_or_else(|| missing(name))?;
        Ok(Reply::json(200, at.wire.index(index, at.now)))
    }

    pub(crate) fn configure_index(&mut self, name: &str, at: &Moment<'_>) -> Outcome {
        let request = at.wire.configure_index(&at.call.body)?;
        check_tags(&request.tags, at.wire.tag_values())?;
        let index = self.index_mut(name).ok_or_else(|| missing(name))?;
        let mut merged = index.tags.clone();
        merged.extend(request.tags);
        check_tag_count(&merged)?;
        index.tags = given(merged);
        if let Some(protection) = request.deletion_protection {
            index.protected = protection == Protection::Enabled;
        }
        Ok(Reply::json(200, at.wire.index(index, at.now)).effective())
    }

    pub(crate) fn delete_index(&mut self, name: &str, at: &Moment<'_>) -> Outcome {
        let index = self.index_mut(name).ok_or_else(|| missing(name))?;
        if index.protected {
            return Err(Refusal::forbidden(
                "Deletion protection is enabled for this index. Disable deletion protection before retrying.",
            ));
        }
        index.terminate(at.now, at.times.termination);
        Ok(Reply::empty(202).effective())
    }
}

/// Tags without the ones an empty value unsets.
pub(crate) fn given(mut tags: Tags) -> Tags {
    tags.retain(|_, value| !value.is_empty());
    tags
}

pub(crate) fn missing(name: &str) -> Refusal {
    Refusal::not_found(format!("Index {name} not found."))
}
