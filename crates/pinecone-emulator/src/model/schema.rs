//! The fields of a schema, as API 2026-07 declares them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A field of a supported type; any other type returns a 422.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Field {
    DenseVector {
        description: Option<String>,
        dimension: u32,
        metric: String,
    },
    SparseVector {
        description: Option<String>,
    },
    String {
        description: Option<String>,
        full_text_search: FullTextSearch,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FullTextSearch {
    #[serde(default = "english")]
    language: String,
    #[serde(default)]
    stemming: bool,
    #[serde(default)]
    stop_words: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    ngram: Option<Value>,
}

fn english() -> String {
    "en".to_owned()
}
