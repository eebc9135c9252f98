//! API 2025-10, and API 2026-04, which differs only in what the emulator does not support.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::call::Call;
use crate::api::error::{ErrorResponse, parse};
use crate::model::backup::Backup;
use crate::model::index::{DeletionProtection, Index, Shape};
use crate::model::job::{Job, JobOutcome};
use crate::model::limits::{TagValues, Tags, check_dimension, check_metric, check_name};
use crate::model::time::rfc3339;
use crate::wire::common::{backup_base, index_base, job_base};
use crate::wire::version::{ApiVersion, IndexChange, NewIndex};

pub(super) struct V2025_10;

#[derive(Deserialize)]
struct CreateIndex {
    name: String,
    spec: Spec,
    dimension: Option<u32>,
    metric: Option<String>,
    vector_type: Option<String>,
    deletion_protection: Option<DeletionProtection>,
    tags: Option<Tags>,
}

#[derive(Deserialize)]
struct Spec {
    serverless: Option<Serverless>,
}

#[derive(Deserialize)]
struct Serverless {
    cloud: String,
    region: String,
}

#[derive(Deserialize)]
struct ConfigureIndex {
    deletion_protection: Option<DeletionProtection>,
    tags: Option<Tags>,
}

impl CreateIndex {
    fn shape(&self) -> Result<Shape, ErrorResponse> {
        let Some(serverless) = &self.spec.serverless else {
            return Err(ErrorResponse::invalid_argument(
                "This emulator has serverless indexes only.",
            ));
        };
        let sparse = self.vector_type.as_deref() == Some("sparse");
        let (dimension, usual) = match (sparse, self.dimension) {
            (true, None) => (None, "dotproduct"),
            (true, Some(_)) => {
                return Err(ErrorResponse::invalid_argument(
                    "Sparse indexes have no dimension.",
                ));
            }
            (false, dimension) => (Some(check_dimension(dimension)?), "cosine"),
        };
        let metric = self.metric.as_deref().unwrap_or(usual);
        check_metric(metric)?;
        if sparse && metric != usual {
            return Err(ErrorResponse::invalid_argument(format!(
                "Invalid metric: {metric}."
            )));
        }
        Ok(Shape {
            dimension,
            metric: metric.to_owned(),
            cloud: serverless.cloud.clone(),
            region: serverless.region.clone(),
            fields: None,
        })
    }
}

impl ApiVersion for V2025_10 {
    fn tag_values(&self) -> TagValues {
        TagValues::Listed
    }

    fn create_index(&self, body: &[u8]) -> Result<NewIndex, ErrorResponse> {
        let request: CreateIndex = parse(body)?;
        check_name(&request.name)?;
        Ok(NewIndex {
            shape: request.shape()?,
            name: request.name,
            tags: request.tags.unwrap_or_default(),
            protected: request.deletion_protection == Some(DeletionProtection::Enabled),
        })
    }

    fn configure_index(&self, body: &[u8]) -> Result<IndexChange, ErrorResponse> {
        let request: ConfigureIndex = parse(body)?;
        Ok(IndexChange {
            tags: request.tags.unwrap_or_default(),
            deletion_protection: request.deletion_protection,
        })
    }

    fn includes_deleted(&self, _call: &Call) -> Result<bool, ErrorResponse> {
        Ok(false)
    }

    fn index(&self, index: &Index, now: Timestamp) -> Value {
        let mut model = index_base(index, now);
        let shape = &index.shape;
        model["metric"] = json!(shape.metric);
        model["vector_type"] = json!(if shape.dimension.is_some() {
            "dense"
        } else {
            "sparse"
        });
        model["spec"] = json!({"serverless": {
            "cloud": shape.cloud,
            "region": shape.region,
            "read_capacity": {"mode": "OnDemand", "status": {"state": "Ready"}},
        }});
        if let Some(dimension) = shape.dimension {
            model["dimension"] = json!(dimension);
        }
        model
    }

    fn backup(&self, backup: &Backup, _deleted_at: Option<Timestamp>, now: Timestamp) -> Value {
        let mut model = backup_base(backup, now);
        model["metric"] = json!(backup.shape.metric);
        if let Some(dimension) = backup.shape.dimension {
            model["dimension"] = json!(dimension);
        }
        model
    }

    /// Progress is shown only once it is 100.
    fn job(&self, job: &Job, created_at: Option<Timestamp>, now: Timestamp) -> Value {
        let mut model = job_base(job, created_at, now);
        if let Some((at, JobOutcome::Completed)) = job.ended(now) {
            model["completed_at"] = json!(rfc3339(at));
            model["percent_complete"] = json!(100.0);
        }
        model
    }
}
