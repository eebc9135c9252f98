use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap};
use serde::de::DeserializeOwned;

use super::api_key::ApiKey;
use super::failure::{Failure, FailureKind, request_id};
use super::untrusted::Body;

/// A complete answer with a status of 2xx, free of the API key.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status, always 2xx: Pinecone answers 202 to an accepted create and 200 to a read.
    pub status: StatusCode,
    request_id: Option<String>,
    date: Option<Timestamp>,
    body: Body,
}

impl Reply {
    pub(super) fn new(status: StatusCode, headers: &HeaderMap, body: String, key: &ApiKey) -> Self {
        Self {
            status,
            request_id: request_id(headers, key),
            date: date(headers),
            body: Body::new(body, key),
        }
    }

    /// Parses the body, in which every string is free of the API key and of control characters.
    ///
    /// # Errors
    /// If the body is not what the documentation promises.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        let parsed = match &self.body {
            Body::Clean(text) => serde_json::from_str(text).map_err(|error| error.to_string()),
            Body::Cleaned(value) => T::deserialize(value).map_err(|error| error.to_string()),
            Body::Invalid(why) => Err(why.clone()),
        };
        parsed.map_err(|why| self.unreadable(&format!("the answer cannot be read: {why}")))
    }

    /// This answer as a failure, in `words`.
    pub(super) fn unreadable(&self, words: &str) -> Failure {
        Failure {
            http: Some(self.status.as_u16()),
            request_id: self.request_id(),
            ..Failure::without_answer(FailureKind::Unavailable, words)
        }
    }

    pub(super) fn request_id(&self) -> Option<String> {
        self.request_id.clone()
    }

    /// Pinecone's clock when it answered, in whole seconds.
    pub fn date(&self) -> Option<Timestamp> {
        self.date
    }

    #[cfg(test)]
    pub(super) fn for_tests(status: u16, body: &str) -> Self {
        Self::with_header(status, body, None)
    }

    #[cfg(test)]
    pub(super) fn with_header(
        status: u16,
        body: &str,
        header: Option<(&'static str, &str)>,
    ) -> Self {
        let status = StatusCode::from_u16(status).unwrap();
        let header = header.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let key = ApiKey::new(b"pcsk_canary").unwrap();
        Self::new(status, &header.into_iter().collect(), body.into(), &key)
    }
}

fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let value = headers.get(DATE)?.to_str().ok()?;
    Timestamp::try_from(httpdate::parse_http_date(value).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_pinecones_clock_from_the_date_header() {
        for (header, parsed) in [
            (None, None),
            (
                Some("Sun, 22 Nov 2026 10:00:30 GMT"),
                Some("2026-11-22T10:00:30Z"),
            ),
            (Some("today"), None),
            (Some("\u{e9}"), None),
            (Some("Fri, 31 Dec 9999 23:59:59 GMT"), None),
        ] {
            let reply = Reply::with_header(200, "{}", header.map(|value| ("date", value)));
            assert_eq!(
                reply.date(),
                parsed.map(|time| time.parse().unwrap()),
                "{header:?}"
            );
        }
    }

    #[test]
    fn an_unreadable_answer_is_reported_with_its_status_and_request_id() {
        let header = Some(("x-pinecone-request-id", "r-1"));
        let reply = Reply::with_header(202, "<html>", header);
        let failure = reply.json::<Vec<u8>>().unwrap_err();
        let shown = failure.to_string();
        assert!(
            shown.starts_with("HTTP 202: the answer cannot be read"),
            "{shown}"
        );
        assert!(shown.ends_with(", request ID r-1"), "{shown}");
    }

    #[test]
    fn neither_the_key_nor_a_control_character_becomes_a_value() {
        let read = |body: &str| Reply::for_tests(200, body).json::<Vec<String>>();
        let echoed = r#"["Ready", "pcsk_canary", "\u0070csk%5Fcanary", "\u001b[2J"]"#;
        let clean = ["Ready", "[REDACTED]", "[REDACTED]", "\u{fffd}[2J"];
        assert_eq!(read(echoed).unwrap(), clean);
        assert_eq!(read(r#"["Ready"]"#).unwrap(), ["Ready"]);
        for body in [
            "{}",
            r#"["\u0070csk_canary""#,
            r#"{"pcsk_canary": "pcsk_canary"}"#,
            r#""\u0070csk_canary\u001b""#,
        ] {
            let failure = read(body).unwrap_err().to_string();
            assert!(failure.contains("cannot be read"), "{failure}");
            assert!(!failure.contains("canary"), "{failure}");
        }
        let header = Some(("x-request-id", "pcsk_canary-1"));
        let reply = Reply::with_header(200, "{}", header);
        assert_eq!(reply.request_id().as_deref(), Some("[REDACTED]-1"));
    }
}
