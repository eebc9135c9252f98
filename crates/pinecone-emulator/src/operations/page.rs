//! Lists, and their pages.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::call::Call;
use crate::api::error::{ErrorResponse, HandlerResult};
use crate::api::reply::Reply;
use crate::faults::plan::ReadFaults;

/// The default of the real service; the OpenAPI document of 2025-10 says 10.
const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 100;

/// A row of a list, and the names that a fault may drop it by. Its JSON is built only for the page that shows it.
pub(crate) struct Row<'a> {
    pub names: Vec<String>,
    pub created_at: Timestamp,
    /// Whether its page shows it; if not, the page is shorter by one row.
    pub listed: bool,
    pub json: Box<dyn Fn() -> Value + 'a>,
}

/// The content of a page token, as in Pinecone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    limit: usize,
    offset: usize,
}

impl Cursor {
    /// Parses the query. A token contains its limit, so a `limit` next to it is ignored.
    fn parse(call: &Call) -> Result<Self, ErrorResponse> {
        match call.parameter("paginationToken") {
            Some(token) => Self::decode(&token)
                .ok_or_else(|| ErrorResponse::invalid_argument("Invalid pagination token.")),
            None => Ok(Self {
                limit: limit(call.parameter("limit").as_deref())?,
                offset: 0,
            }),
        }
    }

    fn decode(token: &str) -> Option<Self> {
        let bytes = BASE64_STANDARD.decode(token).ok()?;
        let cursor: Self = serde_json::from_slice(&bytes).ok()?;
        (1..=MAX_LIMIT).contains(&cursor.limit).then_some(cursor)
    }

    fn encode(self) -> String {
        BASE64_STANDARD.encode(json!(self).to_string())
    }
}

fn limit(parameter: Option<&str>) -> Result<usize, ErrorResponse> {
    let Some(text) = parameter else {
        return Ok(DEFAULT_LIMIT);
    };
    match text.parse() {
        Ok(limit) if (1..=MAX_LIMIT).contains(&limit) => Ok(limit),
        _ => Err(ErrorResponse::invalid_argument(
            "limit must be between 1 and 100.",
        )),
    }
}

/// Returns the rows that no fault hides.
pub(crate) fn visible<'a>(
    mut rows: Vec<Row<'a>>,
    reads: &ReadFaults,
    now: Timestamp,
) -> Vec<Row<'a>> {
    rows.retain(|row| {
        let hidden = reads.list_drop_all
            || row
                .names
                .iter()
                .any(|name| reads.list_dropped.contains(name));
        !hidden
            && (reads.list_lag.is_zero()
                || now.duration_since(row.created_at)
                    >= jiff::SignedDuration::try_from(reads.list_lag)
                        .unwrap_or(jiff::SignedDuration::MAX))
    });
    rows
}

/// Returns a page of `rows`, `{data, pagination}`: `pagination` is null only on a page that is not full. Rows that are not listed
/// are removed after limit and offset were applied, as in Pinecone.
pub(crate) fn paginate(
    rows: Vec<Row<'_>>,
    call: &Call,
    reads: &ReadFaults,
    now: Timestamp,
) -> HandlerResult {
    let Cursor { limit, offset } = Cursor::parse(call)?;
    let rows = visible(rows, reads, now);
    let start = offset.min(rows.len());
    let end = start.saturating_add(limit).min(rows.len());
    let listed = rows[start..end].iter().filter(|row| row.listed);
    let full = listed.count() == limit;
    let from = if reads.list_repeat {
        start.saturating_sub(1)
    } else {
        start
    };
    let next = if reads.list_stuck_token {
        Some(Cursor {
            limit,
            offset: limit,
        })
    } else if full && !reads.list_ends_early {
        Some(Cursor { limit, offset: end })
    } else {
        None
    };
    let listed = rows[from..end].iter().filter(|row| row.listed);
    let data: Vec<Value> = listed.map(|row| (row.json)()).collect();
    let pagination = next.map(|cursor| json!({"next": cursor.encode()}));
    Ok(Reply::json(
        200,
        json!({"data": data, "pagination": pagination}),
    ))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::api::reply::Content;

    fn rows(count: usize) -> Vec<Row<'static>> {
        let row = |i| Row {
            names: vec![format!("id-{i}")],
            created_at: Timestamp::UNIX_EPOCH,
            listed: true,
            json: Box::new(move || json!(i)),
        };
        (0..count).map(row).collect()
    }

    fn page(
        count: usize,
        query: &str,
        reads: &ReadFaults,
    ) -> Result<(Vec<u64>, Option<String>), ErrorResponse> {
        let call = Call::new("GET", "/restore-jobs", Some(query), Bytes::new());
        let Content::Json(body) =
            paginate(rows(count), &call, reads, Timestamp::UNIX_EPOCH)?.content
        else {
            panic!("a list is JSON");
        };
        let data = serde_json::from_value(body["data"].clone()).unwrap();
        let next = body["pagination"]["next"].as_str().map(str::to_owned);
        assert_eq!(body["pagination"].is_null(), next.is_none());
        Ok((data, next))
    }

    fn walk(count: usize, query: &str, reads: &ReadFaults) -> Vec<Vec<u64>> {
        let mut query = query.to_owned();
        let mut pages = Vec::new();
        while pages.len() < 9 {
            let (data, next) = page(count, &query, reads).unwrap();
            pages.push(data);
            let Some(next) = next else { break };
            query = form_urlencoded::Serializer::new(String::new())
                .append_pair("paginationToken", &next)
                .finish();
        }
        pages
    }

    #[test]
    fn all_pages_together_have_each_row_once() {
        assert_eq!(
            walk(5, "limit=2", &ReadFaults::default()),
            [vec![0, 1], vec![2, 3], vec![4]]
        );
    }

    #[test]
    fn a_full_last_page_has_a_token() {
        assert_eq!(
            walk(4, "limit=2", &ReadFaults::default()),
            [vec![0, 1], vec![2, 3], vec![]]
        );
    }

    #[test]
    fn the_default_limit_is_100() {
        assert_eq!(page(101, "", &ReadFaults::default()).unwrap().0.len(), 100);
    }

    #[test]
    fn rejects_invalid_limits_and_tokens() {
        for query in [
            "limit=0",
            "limit=101",
            "limit=-1",
            "limit=x",
            "paginationToken=x",
            "paginationToken=bnVsbA==",
        ] {
            assert_eq!(
                page(1, query, &ReadFaults::default()).unwrap_err().status,
                400,
                "{query}"
            );
        }
    }

    #[test]
    fn faults_change_lists() {
        let view = |set: fn(&mut ReadFaults)| {
            let mut view = ReadFaults::default();
            set(&mut view);
            view
        };
        let repeat = view(|reads| reads.list_repeat = true);
        assert_eq!(walk(3, "limit=2", &repeat), [vec![0, 1], vec![1, 2]]);
        let early = view(|reads| reads.list_ends_early = true);
        assert_eq!(walk(3, "limit=2", &early), [vec![0, 1]]);
        let dropped = view(|reads| reads.list_dropped = vec!["id-1".to_owned()]);
        assert_eq!(walk(3, "limit=9", &dropped), [vec![0, 2]]);
        assert_eq!(
            walk(3, "limit=9", &view(|reads| reads.list_drop_all = true)),
            [Vec::<u64>::new()]
        );
        let lag = view(|reads| reads.list_lag = std::time::Duration::from_secs(1));
        assert_eq!(walk(3, "limit=9", &lag), [Vec::<u64>::new()]);
        let stuck = view(|reads| reads.list_stuck_token = true);
        let (_, first) = page(9, "limit=2", &stuck).unwrap();
        let (_, again) = page(
            9,
            &format!("paginationToken={}", first.clone().unwrap()),
            &stuck,
        )
        .unwrap();
        assert_eq!(first, again);
    }
}
