//! Behaviour of the service that a test can change.

use serde::{Deserialize, Serialize};

/// Behaviour of the service that a test can change. The default is what Pinecone documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Habits {
    /// Lists the restore jobs of indexes that no longer exist. By default they are removed from a page after limit and offset
    /// were applied, which shortens the page and so ends the list there.
    pub keeps_jobs_of_deleted_indexes: bool,
    /// The order of rows in paginated lists. Default: newest first.
    pub row_order: RowOrder,
    /// Gives every index a unique host. By default the host consists of the index name and the project ID, so a
    /// recreated index has the host of the previous one. Affects indexes created from then on.
    pub unique_hosts: bool,
}

/// The order of rows in paginated lists. Pinecone documents none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowOrder {
    /// The row created last comes first.
    #[default]
    NewestFirst,
    /// The row created first comes first.
    OldestFirst,
}

impl RowOrder {
    /// Sorts rows, which must be in the order of creation.
    pub(crate) fn sort<T>(self, mut rows: Vec<T>) -> Vec<T> {
        if self == Self::NewestFirst {
            rows.reverse();
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_habits_have_the_documented_default() {
        assert_eq!(
            serde_json::from_str::<Habits>("{}").unwrap(),
            Habits::default()
        );
        let habits: Habits = serde_json::from_str(r#"{"row_order":"oldest_first"}"#).unwrap();
        assert_eq!(habits.row_order, RowOrder::OldestFirst);
        assert!(!habits.keeps_jobs_of_deleted_indexes && !habits.unique_hosts);
    }
}
