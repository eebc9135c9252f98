//! Indexes: making, describing, configuring and deleting them.

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::habits::project_id;
use crate::page::{Row, visible};
use crate::reply::{Outcome, Refusal, Reply};
use crate::rules::{Tags, check_name, check_tag_count, check_tags, read};
use crate::seed::IndexSeed;
use crate::tenant::{Moment, Tenant, later, new_id};

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
        };
        Self {
            id: seed.id.unwrap_or_else(new_id),
            tags: seed.tags,
            protected: seed.deletion_protection,
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

    /// The `IndexModel` of 2025-10.
    pub(crate) fn json(&self, now: Timestamp) -> Value {
        let (state, ready) = self.state(now);
        let mut model = json!({
            "name": self.name,
            "metric": self.shape.metric,
            "host": self.host,
            "vector_type": if self.shape.dimension.is_some() { "dense" } else { "sparse" },
            "deletion_protection": if self.protected { "enabled" } else { "disabled" },
            "tags": tags_json(&self.tags),
            "status": {"ready": ready, "state": state},
            "spec": {"serverless": {
                "cloud": self.shape.cloud,
                "region": self.shape.region,
                "read_capacity": {"mode": "OnDemand", "status": {"state": "Ready"}},
            }},
        });
        if let Some(dimension) = self.shape.dimension {
            model["dimension"] = json!(dimension);
        }
        model
    }

    fn terminate(&mut self, now: Timestamp, termination: Duration) {
        self.gone_at.get_or_insert(later(now, termination));
    }
}

/// No tags are `null`, as in Pinecone's answers.
pub(crate) fn tags_json(tags: &Tags) -> Value {
    if tags.is_empty() {
        Value::Null
    } else {
        json!(tags)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Protection {
    Enabled,
    Disabled,
}

#[derive(Deserialize)]
struct CreateIndex {
    name: String,
    spec: CreateSpec,
    dimension: Option<u32>,
    metric: Option<String>,
    vector_type: Option<String>,
    deletion_protection: Option<Protection>,
    tags: Option<Tags>,
}

#[derive(Deserialize)]
struct CreateSpec {
    serverless: Option<ServerlessSpec>,
}

#[derive(Deserialize)]
struct ServerlessSpec {
    cloud: String,
    region: String,
}

impl CreateIndex {
    fn shape(&self) -> Result<Shape, Refusal> {
        let Some(serverless) = &self.spec.serverless else {
            return Err(Refusal::invalid(
                "This emulator has serverless indexes only.",
            ));
        };
        let sparse = self.vector_type.as_deref() == Some("sparse");
        let (dimension, usual) = match (sparse, self.dimension) {
            (true, None) => (None, "dotproduct"),
            (true, Some(_)) => return Err(Refusal::invalid("Sparse indexes have no dimension.")),
            (false, Some(dimension @ 1..=20_000)) => (Some(dimension), "cosine"),
            (false, _) => return Err(Refusal::invalid("Dimension must be between 1 and 20000.")),
        };
        let metric = self.metric.as_deref().unwrap_or(usual);
        if !["cosine", "euclidean", "dotproduct"].contains(&metric) || (sparse && metric != usual) {
            return Err(Refusal::invalid(format!("Invalid metric: {metric}.")));
        }
        Ok(Shape {
            dimension,
            metric: metric.to_owned(),
            cloud: serverless.cloud.clone(),
            region: serverless.region.clone(),
        })
    }
}

#[derive(Deserialize)]
struct ConfigureIndex {
    deletion_protection: Option<Protection>,
    tags: Option<Tags>,
}

fn row(index: &Index, now: Timestamp) -> Row<'_> {
    Row {
        names: vec![index.id.clone(), index.name.clone()],
        born: index.born,
        listed: true,
        json: Box::new(move || index.json(now)),
    }
}

impl Tenant {
    pub(crate) fn list_indexes(&self, at: &Moment<'_>) -> Reply {
        let row = |index| row(index, at.now);
        let rows = visible(
            self.indexes.iter().map(row).collect(),
            &at.plan.view,
            at.now,
        );
        let indexes: Vec<Value> = rows.iter().map(|row| (row.json)()).collect();
        Reply::json(200, json!({"indexes": indexes}))
    }

    pub(crate) fn create_index(&mut self, at: &Moment<'_>) -> Outcome {
        let request: CreateIndex = read(&at.call.body)?;
        check_name(&request.name)?;
        let shape = request.shape()?;
        let tags = request.tags.unwrap_or_default();
        check_tags(&tags)?;
        self.check_room(&request.name)?;
        let mut index = Index::new(&request.name, shape, at.now);
        index.tags = given(tags);
        index.protected = request.deletion_protection == Some(Protection::Enabled);
        index.ready_at = Some(later(at.now, at.times.index_creation));
        let index = self.admit(index);
        Ok(Reply::json(201, index.json(at.now)).effective())
    }

    /// Adds an index and gives it a host of Pinecone's form; nothing listens there.
    pub(crate) fn admit(&mut self, mut index: Index) -> &Index {
        let id = if self.habits.unique_hosts {
            let hex = index.id.chars().filter(char::is_ascii_hexdigit);
            hex.take(7).collect()
        } else {
            project_id(&self.name)
        };
        index.host = format!("{}-{id}.svc.aped-4627-b74a.pinecone.io", index.name);
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
        Ok(Reply::json(200, index.json(at.now)))
    }

    pub(crate) fn configure_index(&mut self, name: &str, at: &Moment<'_>) -> Outcome {
        let request: ConfigureIndex = read(&at.call.body)?;
        let tags = request.tags.unwrap_or_default();
        check_tags(&tags)?;
        let index = self.index_mut(name).ok_or_else(|| missing(name))?;
        let mut merged = index.tags.clone();
        merged.extend(tags);
        check_tag_count(&merged)?;
        index.tags = given(merged);
        if let Some(protection) = request.deletion_protection {
            index.protected = protection == Protection::Enabled;
        }
        Ok(Reply::json(200, index.json(at.now)).effective())
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
