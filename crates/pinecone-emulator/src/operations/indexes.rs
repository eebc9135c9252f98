//! Creating, listing, describing, configuring and deleting indexes.

use serde_json::{Value, json};

use crate::api::error::{ErrorResponse, HandlerResult};
use crate::api::reply::Reply;
use crate::model::index::{DeletionProtection, Index};
use crate::model::limits::{check_tag_count, check_tags, without_empty};
use crate::model::time::later;
use crate::operations::context::Context;
use crate::operations::page::{Row, visible};
use crate::project::ProjectState;

fn row<'a>(index: &'a Index, context: &'a Context<'_>) -> Row<'a> {
    Row {
        names: vec![index.id.clone(), index.name.clone()],
        created_at: index.created_at,
        listed: true,
        json: Box::new(move || context.version.index(index, context.now)),
    }
}

impl ProjectState {
    pub(crate) fn list_indexes(&self, context: &Context<'_>) -> Reply {
        let rows = self
            .indexes
            .iter()
            .map(|index| row(index, context))
            .collect();
        let rows = visible(rows, &context.plan.reads, context.now);
        let indexes: Vec<Value> = rows.iter().map(|row| (row.json)()).collect();
        Reply::json(200, json!({"indexes": indexes}))
    }

    pub(crate) fn create_index(&mut self, context: &Context<'_>) -> HandlerResult {
        let request = context.version.create_index(&context.call.body)?;
        check_tags(&request.tags, context.version.tag_values())?;
        self.check_new_index(&request.name)?;
        let mut index = Index::new(&request.name, request.shape, context.now);
        index.tags = without_empty(request.tags);
        index.protected = request.protected;
        index.ready_at = Some(later(context.now, context.durations.index_creation));
        let index = self.add_index(index);
        Ok(Reply::json(201, context.version.index(index, context.now)).with_effect())
    }

    pub(crate) fn describe_index(&self, name: &str, context: &Context<'_>) -> HandlerResult {
        let index = self
            .index(name)
            .ok_or_else(|| ErrorResponse::no_index(name))?;
        Ok(Reply::json(200, context.version.index(index, context.now)))
    }

    pub(crate) fn configure_index(&mut self, name: &str, context: &Context<'_>) -> HandlerResult {
        let request = context.version.configure_index(&context.call.body)?;
        check_tags(&request.tags, context.version.tag_values())?;
        let index = self
            .index_mut(name)
            .ok_or_else(|| ErrorResponse::no_index(name))?;
        let mut merged = index.tags.clone();
        merged.extend(request.tags);
        check_tag_count(&merged)?;
        index.tags = without_empty(merged);
        if let Some(protection) = request.deletion_protection {
            index.protected = protection == DeletionProtection::Enabled;
        }
        Ok(Reply::json(200, context.version.index(index, context.now)).with_effect())
    }

    pub(crate) fn delete_index(&mut self, name: &str, context: &Context<'_>) -> HandlerResult {
        let index = self
            .index_mut(name)
            .ok_or_else(|| ErrorResponse::no_index(name))?;
        if index.protected {
            return Err(ErrorResponse::forbidden(
                "Deletion protection is enabled for this index. Disable deletion protection before retrying.",
            ));
        }
        index.terminate(context.now, context.durations.termination);
        Ok(Reply::empty(202).with_effect())
    }
}
