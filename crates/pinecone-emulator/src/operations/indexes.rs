//! Indexes: making, describing, configuring and deleting them.

use serde_json::{Value, json};

use crate::api::error::{Outcome, Refusal};
use crate::api::reply::Reply;
use crate::model::index::{Index, Protection};
use crate::model::limits::{check_tag_count, check_tags, given};
use crate::model::time::later;
use crate::operations::context::Moment;
use crate::operations::page::{Row, visible};
use crate::project::Tenant;

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

    pub(crate) fn describe_index(&self, name: &str, at: &Moment<'_>) -> Outcome {
        let index = self.index(name).ok_or_else(|| Refusal::no_index(name))?;
        Ok(Reply::json(200, at.wire.index(index, at.now)))
    }

    pub(crate) fn configure_index(&mut self, name: &str, at: &Moment<'_>) -> Outcome {
        let request = at.wire.configure_index(&at.call.body)?;
        check_tags(&request.tags, at.wire.tag_values())?;
        let index = self
            .index_mut(name)
            .ok_or_else(|| Refusal::no_index(name))?;
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
        let index = self
            .index_mut(name)
            .ok_or_else(|| Refusal::no_index(name))?;
        if index.protected {
            return Err(Refusal::forbidden(
                "Deletion protection is enabled for this index. Disable deletion protection before retrying.",
            ));
        }
        index.terminate(at.now, at.times.termination);
        Ok(Reply::empty(202).effective())
    }
}
