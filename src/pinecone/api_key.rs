use std::borrow::Cow;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;

use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};

use super::redact::redact;

/// A Pinecone API key: printed as `[REDACTED]`, wiped from memory when dropped,
/// sent in a header that is marked sensitive.
#[derive(Clone, Debug)]
pub struct ApiKey {
    secret: SecretString,
    id: KeyId,
}

/// The identity of an API key within this process: a hash with a random key of the process, so that
/// it reveals nothing about the API key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyId(u64);

/// What is wrong with a value, without the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// Nothing but white space.
    #[error("the value is empty")]
    Empty,
    /// Not UTF-8, or with characters that are not allowed in a header value.
    #[error("the value has characters that an HTTP header cannot carry, such as a line break")]
    NotAHeader,
}

impl ApiKey {
    /// Returns the API key in the bytes of a Secret, without white space around it: `kubectl create
    /// secret --from-file` includes the file's last line break.
    ///
    /// # Errors
    /// If nothing is left, or something that cannot be sent.
    pub fn new(bytes: &[u8]) -> Result<Self, InvalidKey> {
        static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        let text = std::str::from_utf8(bytes)
            .map_err(|_| InvalidKey::NotAHeader)?
            .trim();
        if text.is_empty() {
            return Err(InvalidKey::Empty);
        }
        HeaderValue::from_str(text).map_err(|_| InvalidKey::NotAHeader)?;
        Ok(Self {
            id: KeyId(HASHER.hash_one(text)),
            secret: SecretString::from(text),
        })
    }

    /// Returns the key's identity in this process, to compare keys and to index caches.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// Returns the header's value, marked sensitive: no client logs it.
    pub(super) fn header(&self) -> Option<HeaderValue> {
        let mut value = HeaderValue::from_str(self.secret.expose_secret()).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Returns `text` without the key, in case a server echoed it.
    pub(super) fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        redact(self.secret.expose_secret(), text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_never_printed() {
        let key = ApiKey::new(b"pcsk_canary").unwrap();
        assert!(!format!("{key:?}").contains("canary"));
        assert!(!format!("{:?}", key.header()).contains("canary"));
        assert_eq!(key.redact("bad key pcsk_canary!"), "bad key [REDACTED]!");
    }

    #[test]
    fn accepts_stored_keys_and_rejects_those_that_cannot_be_sent() {
        let plain = ApiKey::new(b"pcsk_a").unwrap();
        assert_eq!(ApiKey::new(b" pcsk_a\n").unwrap().id(), plain.id());
        assert_ne!(ApiKey::new(b"pcsk_b").unwrap().id(), plain.id());
        assert_eq!(ApiKey::new(b" \n").unwrap_err(), InvalidKey::Empty);
        assert_eq!(ApiKey::new(b"a\nb").unwrap_err(), InvalidKey::NotAHeader);
        assert_eq!(
            ApiKey::new(&[0xff, 0xfe]).unwrap_err(),
            InvalidKey::NotAHeader
        );
    }
}
