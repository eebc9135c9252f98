//! Pinecone's documented limits of names, tags, metrics and dimensions.

use std::collections::BTreeMap;

use crate::api::error::ErrorResponse;

/// Tags of an index or a backup.
pub(crate) type Tags = BTreeMap<String, String>;

const NAME_MAX: usize = 45;
const TAGS_MAX: usize = 20;
const TAG_KEY_MAX: usize = 80;
const TAG_VALUE_MAX: usize = 120;

/// Checks the name of an index or a backup.
pub(crate) fn check_name(name: &str) -> Result<(), ErrorResponse> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = name.as_bytes();
    let ends = bytes.first().is_some_and(|b| plain(*b)) && bytes.last().is_some_and(|b| plain(*b));
    let fits = bytes.len() <= NAME_MAX && bytes.iter().all(|b| plain(*b) || *b == b'-');
    if ends && fits {
        return Ok(());
    }
    Err(ErrorResponse::invalid_argument(
        "Resource name must be 1-45 characters long, start and end with an alphanumeric character, and consist only of lower \
         case alphanumeric characters or '-'.",
    ))
}

/// The characters that tag values may have, which depend on the API version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TagValues {
    /// Letters, digits and `;@_-.+` and space.
    Listed,
    /// All printable ASCII characters.
    Printable,
}

/// Checks the tags in a request. An empty value is valid: it removes the key.
pub(crate) fn check_tags(tags: &Tags, values: TagValues) -> Result<(), ErrorResponse> {
    for (key, value) in tags {
        check_tag_key(key)?;
        check_tag_value(value, values)?;
    }
    check_tag_count(tags)
}

/// Checks the number of tags of an index.
pub(crate) fn check_tag_count(tags: &Tags) -> Result<(), ErrorResponse> {
    if tags.values().filter(|value| !value.is_empty()).count() > TAGS_MAX {
        return Err(ErrorResponse::invalid_argument(
            "An index may have at most 20 tags.",
        ));
    }
    Ok(())
}

fn check_tag_key(key: &str) -> Result<(), ErrorResponse> {
    if key.is_empty() || key.chars().count() > TAG_KEY_MAX {
        return Err(ErrorResponse::invalid_argument(
            "Tag keys must be 1 to 80 characters.",
        ));
    }
    if key
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
    {
        return Ok(());
    }
    Err(ErrorResponse::invalid_argument(
        "Tag keys must be alphanumeric, '_', or '-'.",
    ))
}

fn check_tag_value(value: &str, values: TagValues) -> Result<(), ErrorResponse> {
    if value.chars().count() > TAG_VALUE_MAX {
        return Err(ErrorResponse::invalid_argument(
            "Tag values must be 120 characters or less.",
        ));
    }
    let (allowed, rule): (fn(char) -> bool, _) = match values {
        TagValues::Listed => (
            |c| c.is_ascii_alphanumeric() || ";@_-.+ ".contains(c),
            "Tag values must be alphanumeric, ';', '@', '_', '-', '.', '+', or ' '.",
        ),
        TagValues::Printable => (
            |c| matches!(c, ' '..='~'),
            "Tag values must consist of printable ASCII characters or spaces.",
        ),
    };
    match value.chars().all(allowed) {
        true => Ok(()),
        false => Err(ErrorResponse::invalid_argument(rule)),
    }
}

/// Returns the tags without those whose value is empty.
pub(crate) fn without_empty(mut tags: Tags) -> Tags {
    tags.retain(|_, value| !value.is_empty());
    tags
}

/// Checks the metric of an index.
pub(crate) fn check_metric(metric: &str) -> Result<(), ErrorResponse> {
    if ["cosine", "euclidean", "dotproduct"].contains(&metric) {
        return Ok(());
    }
    Err(ErrorResponse::invalid_argument(format!(
        "Invalid metric: {metric}."
    )))
}

pub(crate) fn check_dimension(dimension: Option<u32>) -> Result<u32, ErrorResponse> {
    dimension
        .filter(|dimension| (1..=20_000).contains(dimension))
        .ok_or_else(|| ErrorResponse::invalid_argument("Dimension must be between 1 and 20000."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_only_names_that_pinecone_documents() {
        for good in ["a", "0", "a-b", &"a".repeat(45)] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        for bad in ["", "-", "a-", "-a", "A", "a_b", "a.b", "ä", &"a".repeat(46)] {
            assert_eq!(check_name(bad).unwrap_err().status, 400, "{bad}");
        }
    }

    #[test]
    fn accepts_only_tags_that_pinecone_documents() {
        let one = |key: &str, value: &str| {
            let tags = Tags::from([(key.to_owned(), value.to_owned())]);
            check_tags(&tags, TagValues::Listed)
        };
        assert_eq!(one("k_-1", "v;@_-.+ 1"), Ok(()));
        assert_eq!(one(&"k".repeat(80), &"v".repeat(120)), Ok(()));
        assert_eq!(one("k", ""), Ok(()));
        for (key, value) in [
            ("", "v"),
            ("k k", "v"),
            ("k.k", "v"),
            ("k", "a/b"),
            ("k", "ü"),
        ] {
            assert_eq!(one(key, value).unwrap_err().status, 400, "{key}={value}");
        }
        assert_eq!(one(&"k".repeat(81), "v").unwrap_err().status, 400);
        assert_eq!(one("k", &"v".repeat(121)).unwrap_err().status, 400);
    }

    #[test]
    fn newer_versions_accept_all_printable_ascii_in_tag_values() {
        let one = |value: &str| {
            let tags = Tags::from([("k".to_owned(), value.to_owned())]);
            check_tags(&tags, TagValues::Printable)
        };
        assert_eq!(one("team/search {~}"), Ok(()));
        assert_eq!(one("ü").unwrap_err().status, 400);
        assert_eq!(one("a\tb").unwrap_err().status, 400);
    }

    #[test]
    fn rejects_more_than_twenty_tags() {
        let many = |n: usize| {
            (0..n)
                .map(|i| (format!("k{i}"), "v".to_owned()))
                .collect::<Tags>()
        };
        assert_eq!(check_tags(&many(20), TagValues::Listed), Ok(()));
        let refused = check_tags(&many(21), TagValues::Listed).unwrap_err();
        assert_eq!(refused.code, "INVALID_ARGUMENT");
    }
}
