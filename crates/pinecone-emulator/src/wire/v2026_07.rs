//! API 2026-07: indexes have a schema and a deployment instead of dimension, metric and spec.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::call::Call;
use crate::api::error::{ErrorResponse, parse};
use crate::model::backup::Backup;
use crate::model::id::new_id;
use crate::model::index::{DeletionProtection, ENVIRONMENT, Index, Shape};
use crate::model::job::{Job, JobOutcome};
use crate::model::limits::{TagValues, Tags, check_name};
use crate::model::time::rfc3339;
use crate::wire::common::{backup_base, index_base, job_base};
use crate::wire::schema::{Schema, shown};
use crate::wire::version::{ApiVersion, IndexChange, NewIndex};

pub(super) struct V2026_07;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateIndex {
    name: Option<String>,
    schema: Schema,
    deployment: Option<Deployment>,
    cmek_id: Option<String>,
    read_capacity: Option<ReadCapacity>,
    tags: Option<Tags>,
    deletion_protection: Option<DeletionProtection>,
}

#[derive(Deserialize)]
#[serde(
    tag = "deployment_type",
    rename_all = "snake_case",
    deny_unknown_fields
)]
enum Deployment {
    Managed { cloud: String, region: String },
    Byoc {},
}

#[derive(Deserialize)]
struct ReadCapacity {
    mode: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ConfigureIndex {
    deployment: Option<Value>,
    schema: Option<Value>,
    read_capacity: Option<ReadCapacity>,
    tags: Option<Tags>,
    deletion_protection: Option<DeletionProtection>,
}

/// Rejects dedicated read capacity, which the emulator does not support.
fn check_read_capacity(read_capacity: Option<&ReadCapacity>) -> Result<(), ErrorResponse> {
    match read_capacity.map(|capacity| capacity.mode.as_str()) {
        None | Some("OnDemand") => Ok(()),
        Some(_) => Err(ErrorResponse::forbidden(
            "Dedicated read capacity is not enabled for the organization.",
        )),
    }
}

impl Deployment {
    /// Returns cloud and region. Default: `aws`, `us-east-1`.
    fn place(deployment: Option<Self>) -> Result<(String, String), ErrorResponse> {
        match deployment {
            None => Ok(("aws".to_owned(), "us-east-1".to_owned())),
            Some(Self::Managed { cloud, region }) => Ok((cloud, region)),
            Some(Self::Byoc {}) => Err(ErrorResponse::invalid_argument(
                "This emulator has managed deployments only.",
            )),
        }
    }
}

fn schema(shape: &Shape) -> Value {
    json!({"fields": shown(shape)})
}

impl ApiVersion for V2026_07 {
    fn tag_values(&self) -> TagValues {
        TagValues::Printable
    }

    fn create_index(&self, body: &[u8]) -> Result<NewIndex, ErrorResponse> {
        let request: CreateIndex = parse(body)?;
        let name = request
            .name
            .unwrap_or_else(|| format!("index-{}", new_id()));
        check_name(&name)?;
        if request.cmek_id.is_some() {
            return Err(ErrorResponse::invalid_argument(
                "This emulator has no customer-managed encryption keys.",
            ));
        }
        check_read_capacity(request.read_capacity.as_ref())?;
        let (cloud, region) = Deployment::place(request.deployment)?;
        Ok(NewIndex {
            name,
            shape: request.schema.shape(cloud, region)?,
            tags: request.tags.unwrap_or_default(),
            protected: request.deletion_protection == Some(DeletionProtection::Enabled),
        })
    }

    fn configure_index(&self, body: &[u8]) -> Result<IndexChange, ErrorResponse> {
        let request: ConfigureIndex = parse(body)?;
        if request.deployment.is_some() || request.schema.is_some() {
            return Err(ErrorResponse::invalid_argument(
                "Deployment and schema of this index cannot be changed.",
            ));
        }
        check_read_capacity(request.read_capacity.as_ref())?;
        Ok(IndexChange {
            tags: request.tags.unwrap_or_default(),
            deletion_protection: request.deletion_protection,
        })
    }

    fn includes_deleted(&self, call: &Call) -> Result<bool, ErrorResponse> {
        match call.parameter("include_deleted").as_deref() {
            None | Some("false") => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(ErrorResponse::invalid_argument(
                "include_deleted must be true or false.",
            )),
        }
    }

    fn index(&self, index: &Index, now: Timestamp) -> Value {
        let mut model = index_base(index, now);
        model["deployment"] = json!({
            "deployment_type": "managed",
            "cloud": index.shape.cloud,
            "region": index.shape.region,
            "environment": ENVIRONMENT,
        });
        model["read_capacity"] = json!({"mode": "OnDemand", "status": {"state": "Ready"}});
        model["schema"] = schema(&index.shape);
        if let Some(backup) = &index.source_backup_id {
            model["source_backup_id"] = json!(backup);
        }
        model
    }

    fn backup(&self, backup: &Backup, deleted_at: Option<Timestamp>, now: Timestamp) -> Value {
        let mut model = backup_base(backup, now);
        model["schema"] = schema(&backup.shape);
        if let Some(at) = deleted_at {
            model["source_index_deleted_at"] = json!(rfc3339(at));
        }
        model
    }

    fn job(&self, job: &Job, created_at: Option<Timestamp>, now: Timestamp) -> Value {
        let mut model = job_base(job, created_at, now);
        model["completed_at"] = Value::Null;
        if let Some((at, JobOutcome::Completed)) = job.ended(now) {
            model["completed_at"] = json!(rfc3339(at));
            model["percent_complete"] = json!(100);
        }
        model
    }
}
