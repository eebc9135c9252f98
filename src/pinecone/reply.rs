use jiff::Timestamp;
use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap};
use serde::de::DeserializeOwned;

use super::failure::{Failure, FailureKind, request_id};

/// An answer with a status of 2xx, whole.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Reply {
    /// # Errors
    /// If the body is not what the documentation promises.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body)
            .map_err(|error| self.unreadable(&format!("the answer cannot be read: {error}")))
    }

    /// This answer as a failure, in `words`.
    pub(super) fn unreadable(&self, words: &str) -> Failure {
        Failure {
            http: Some(self.status.as_u16()),
            request_id: request_id(&self.headers),
            ..Failure::without_answer(FailureKind::Unavailable, words)
        }
    }

    pub(super) fn request_id(&self) -> Option<String> {
        request_id(&self.headers)
    }

    /// Pinecone's clock when it answered, in whole seconds.
    pub fn date(&self) -> Option<Timestamp> {
        let value = self.headers.get(DATE)?.to_str().ok()?;
        Timestamp::try_from(httpdate::parse_http_date(value).ok()?).ok()
    }

    #[cfg(test)]
    pub(super) fn for_tests(status: u16, body: &str) -> Self {
        Self {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: body.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pinecones_clock_is_read_where_it_is_told() {
        for (told, read) in [
            (None, None),
            (
                Some("Sun, 22 Nov 2026 10:00:30 GMT"),
                Some("2026-11-22T10:00:30Z"),
            ),
            (Some("today"), None),
            (Some("\u{e9}"), None),
            (Some("Fri, 31 Dec 9999 23:59:59 GMT"), None),
        ] {
            let mut reply = Reply::for_tests(200, "{}");
            let value = told.map(|told| told.parse().unwrap());
            value.map(|value| reply.headers.insert(DATE, value));
            assert_eq!(
                reply.date(),
                read.map(|read| read.parse().unwrap()),
                "{told:?}"
            );
        }
    }

    #[test]
    fn an_answer_that_cannot_be_read_is_told_with_its_status_and_request_id() {
        let mut reply = Reply::for_tests(202, "<html>");
        let id = "r-1".parse().unwrap();
        reply.headers.insert("x-pinecone-request-id", id);
        let failure = reply.json::<Vec<u8>>().unwrap_err();
        let told = failure.to_string();
        assert!(
            told.starts_with("HTTP 202: the answer cannot be read"),
            "{told}"
        );
        assert!(told.ends_with(", request ID r-1"), "{told}");
    }
}
