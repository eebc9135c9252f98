//! Text from Pinecone or a proxy, made safe to show: free of the API key, and printable.

use serde::de::{Deserialize, Deserializer, Error as _};
use serde_json::Value;

use super::api_key::ApiKey;
use super::redact::REDACTED;

/// Longest text of Pinecone that the operator shows, in characters.
pub(super) const MAX_WORDS: usize = 300;
/// Longest ID, name, host or page token that is accepted, in bytes. A longer one could
/// make the status too large to be stored.
const MAX_IDENTIFIER: usize = 4_096;

/// Returns `text` as one printable line of at most [`MAX_WORDS`] characters.
pub(super) fn one_line(text: &str) -> String {
    let spaced = text.replace(is_hidden, " ");
    let line = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MAX_WORDS) {
        Some((cut, _)) => format!("{}…", &line[..cut]),
        None => line,
    }
}

/// Whether a terminal or a browser would act on the character instead of showing it:
/// controls, line separators, and what changes the direction of text or is invisible.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// The body of a success, before it becomes a typed value.
#[derive(Clone, Debug)]
pub(super) enum Body {
    /// Has nothing to clean: it is parsed once, straight into its type.
    Clean(String),
    /// Was parsed, and each string in it cleaned.
    Cleaned(Value),
    /// Is no JSON, for this reason. It is not parsed into a type: a parser that fails
    /// late may quote a string that comes early.
    Invalid(String),
}

impl Body {
    pub(super) fn new(text: String, key: &ApiKey) -> Self {
        if is_clean(&text, key) {
            return Self::Clean(text);
        }
        match serde_json::from_str(&text) {
            Ok(mut value) => {
                clean(&mut value, key);
                Self::Cleaned(value)
            }
            Err(error) => Self::Invalid(error.to_string()),
        }
    }
}

/// Whether no string of this JSON text can need cleaning. A backslash may stand for any
/// character; below the space, JSON allows none within a string.
fn is_clean(text: &str, key: &ApiKey) -> bool {
    let is_suspect = |c: char| c == '\\' || c >= ' ' && is_hidden(c);
    !text.contains(is_suspect) && key.redact(text) == text
}

fn clean(value: &mut Value, key: &ApiKey) {
    match value {
        Value::String(text) => {
            let redacted = key.redact(text);
            *text = redacted.replace(is_hidden, "\u{fffd}");
        }
        Value::Array(items) => items.iter_mut().for_each(|item| clean(item, key)),
        Value::Object(members) => members.values_mut().for_each(|member| clean(member, key)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Reads an ID, a name, a host or a page token.
///
/// # Errors
/// If it was changed by cleaning. A changed ID names something else, or nothing, and
/// must not be recorded or become part of a URL. The whole answer is then unreadable:
/// the outcome of a create request is unknown, and a list with such a row is no list,
/// because that row may be the wanted one.
pub(super) fn identifier<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text = String::deserialize(from)?;
    match text.contains(REDACTED) || text.contains('\u{fffd}') || text.len() > MAX_IDENTIFIER {
        true => Err(D::Error::custom("an ID or a name in it cannot be used")),
        false => Ok(text),
    }
}

/// Reads an ID, a name, a host or a page token that may be null. Its field needs
/// `#[serde(default)]` to be left out.
///
/// # Errors
/// As for [`identifier`].
pub(super) fn optional_identifier<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<String>, D::Error> {
    #[derive(serde::Deserialize)]
    struct Identifier(#[serde(deserialize_with = "identifier")] String);
    Ok(Option::<Identifier>::deserialize(from)?.map(|identifier| identifier.0))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Ids {
        #[serde(deserialize_with = "identifier")]
        one: String,
        #[serde(default, deserialize_with = "optional_identifier")]
        two: Option<String>,
    }

    fn key() -> ApiKey {
        ApiKey::new(b"pcsk_canary").unwrap()
    }

    /// What a body is, and its values.
    fn body(text: &str) -> (&'static str, Value) {
        match Body::new(text.into(), &key()) {
            Body::Clean(text) => ("clean", json!(text)),
            Body::Cleaned(value) => ("cleaned", value),
            Body::Invalid(why) => ("invalid", json!(why)),
        }
    }

    #[test]
    fn words_are_one_printable_line_and_cut() {
        let hidden =
            "a\r\n\u{1b}b\u{7f}\u{9b}c\u{2028}d\u{2029}\u{202e}e\u{2066}f\u{2069}\u{200e}g\u{feff}";
        assert_eq!(one_line(hidden), "a b c d e f g");
        let long = one_line(&"\u{e9}".repeat(1_000));
        assert_eq!(long.chars().count(), MAX_WORDS + 1);
        assert!(long.ends_with('…'));
    }

    #[test]
    fn a_body_with_nothing_to_clean_stays_text() {
        let text = "{\r\n\t\"status\": \"Ready \u{e9}\"}";
        assert_eq!(body(text), ("clean", json!(text)));
    }

    #[test]
    fn every_string_of_a_body_is_cleaned() {
        let text = r#"{"n": 1, "no": null, "yes": true,
            "rows": [{"id": "x\u0070csk_canary"}, {"id": "pcsk%5Fcanary"}],
            "state": "a\u001b\n\u009b\u202eb\u2028", "quote": "\"c\\"}"#;
        let clean = json!({"n": 1, "no": null, "yes": true,
            "rows": [{"id": "x[REDACTED]"}, {"id": "[REDACTED]"}],
            "state": "a\u{fffd}\u{fffd}\u{fffd}\u{fffd}b\u{fffd}", "quote": "\"c\\"});
        assert_eq!(body(text), ("cleaned", clean));
        for text in [r#"["pcsk_canary"]"#, "[\"\u{202e}\"]", "[\"\u{7f}\"]"] {
            assert_eq!(body(text).0, "cleaned", "{text}");
        }
    }

    #[test]
    fn does_not_quote_a_body_that_is_not_json() {
        let text = r#"{"one": {"pcsk_canary": "\u0070csk_canary"#;
        let why = "EOF while parsing a string at line 1 column 41";
        assert_eq!(body(text), ("invalid", json!(why)));
    }

    #[test]
    fn an_identifier_that_was_changed_is_an_error() {
        let ids = |one: &str, two: Value| {
            serde_json::from_value::<Ids>(json!({"one": one, "two": two})).is_ok()
        };
        let long = "x".repeat(MAX_IDENTIFIER + 1);
        assert!(ids(&long[1..], json!("two")));
        assert!(ids("", Value::Null));
        for bad in ["a\u{fffd}", "x[REDACTED]", &long] {
            assert!(!ids(bad, Value::Null), "{bad}");
            assert!(!ids("one", json!(bad)), "{bad}");
        }
        assert!(!ids("one", json!(2)));
        assert!(serde_json::from_str::<Ids>(r#"{"one": 1}"#).is_err());
        let left_out: Ids = serde_json::from_str(r#"{"one": "1"}"#).unwrap();
        assert_eq!((left_out.one.as_str(), left_out.two), ("1", None));
    }
}
