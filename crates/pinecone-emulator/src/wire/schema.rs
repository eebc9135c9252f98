//! The schema of an index, as API 2026-07 declares and shows it.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::api::error::ErrorResponse;
use crate::model::index::Shape;
use crate::model::limits::{check_dimension, check_metric};
use crate::model::schema::Field;

/// The name under which a classic index shows its dense vectors.
const DENSE: &str = "_values";
/// The name under which a classic index shows its sparse vectors.
const SPARSE: &str = "_sparse_values";
const FIELD_NAME_MAX: usize = 64;

#[derive(Deserialize)]
pub(super) struct Schema {
    fields: BTreeMap<String, Field>,
}

impl Schema {
    /// Checks the rules that Pinecone documents for schemas.
    pub(super) fn shape(self, cloud: String, region: String) -> Result<Shape, ErrorResponse> {
        let count = |wanted: fn(&Field) -> bool| self.fields.values().filter(|f| wanted(f)).count();
        if self.fields.is_empty() {
            return Err(ErrorResponse::invalid_argument(
                "schema.fields must not be empty.",
            ));
        }
        if count(|field| matches!(field, Field::DenseVector { .. })) > 1
            || count(|field| matches!(field, Field::SparseVector { .. })) > 1
        {
            return Err(ErrorResponse::invalid_argument(
                "A schema may have at most one dense_vector and one sparse_vector field.",
            ));
        }
        let classic = self.is_classic()?;
        let dense = self.fields.values().find_map(|field| match field {
            Field::DenseVector {
                dimension, metric, ..
            } => Some((*dimension, metric.clone())),
            _ => None,
        });
        if let Some((dimension, metric)) = &dense {
            check_dimension(Some(*dimension))?;
            check_metric(metric)?;
        }
        let (dimension, metric) = dense.unzip();
        Ok(Shape {
            dimension,
            metric: metric.unwrap_or_else(|| "dotproduct".to_owned()),
            cloud,
            region,
            fields: (!classic).then_some(self.fields),
        })
    }

    /// Whether it has only reserved names, and so declares an index of earlier API versions.
    fn is_classic(&self) -> Result<bool, ErrorResponse> {
        let invalid = |name: &str| {
            ErrorResponse::invalid_argument(format!("Invalid schema field: {name:?}."))
        };
        let mut reserved = 0;
        for (name, field) in &self.fields {
            match (name.as_str(), field) {
                (DENSE, Field::DenseVector { .. }) | (SPARSE, Field::SparseVector { .. }) => {
                    reserved += 1;
                }
                _ if name.is_empty() || name.len() > FIELD_NAME_MAX => return Err(invalid(name)),
                _ if name.starts_with(['_', '$']) => return Err(invalid(name)),
                _ => {}
            }
        }
        match reserved {
            0 => Ok(false),
            all if all == self.fields.len() => Ok(true),
            _ => Err(ErrorResponse::invalid_argument(
                "Reserved fields cannot be combined with other fields.",
            )),
        }
    }
}

/// Returns the fields that an index shows. A classic one shows the reserved names: a dense one both, a sparse one one of them.
pub(super) fn shown(shape: &Shape) -> BTreeMap<String, Field> {
    if let Some(fields) = &shape.fields {
        return fields.clone();
    }
    let sparse = Field::SparseVector { description: None };
    let dense = shape.dimension.map(|dimension| Field::DenseVector {
        description: None,
        dimension,
        metric: shape.metric.clone(),
    });
    let dense = dense.map(|field| (DENSE.to_owned(), field));
    dense
        .into_iter()
        .chain([(SPARSE.to_owned(), sparse)])
        .collect()
}
