//! The API key.

use anyhow::{Context as _, Result, bail};
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString};

/// A Pinecone API key: printed as `[REDACTED]`, and sent in a header that is marked sensitive.
#[derive(Clone, Debug)]
pub struct ApiKey(SecretString);

impl ApiKey {
    /// Reads the key from an environment variable; white space around it is ignored.
    ///
    /// # Errors
    /// If the variable is not set or its value cannot be sent in a header. The error never contains the value.
    pub fn from_env(variable: &str) -> Result<Self> {
        let Some(value) = std::env::var_os(variable) else {
            bail!("The environment variable {variable} is not set. Set it to a Pinecone API key.");
        };
        let value = value.to_str().map(str::trim).unwrap_or_default();
        if value.is_empty() || HeaderValue::from_str(value).is_err() {
            bail!(
                "The environment variable {variable} is empty or contains characters that an HTTP header cannot carry."
            );
        }
        Ok(Self(SecretString::from(value)))
    }

    /// A key that no project has, to see how Pinecone rejects it.
    pub fn wrong() -> Self {
        Self(SecretString::from("live-check-wrong-key"))
    }

    /// The value of the `Api-Key` header.
    ///
    /// # Errors
    /// Never for a key of [`from_env`](Self::from_env).
    pub fn header(&self) -> Result<HeaderValue> {
        let mut value = HeaderValue::from_str(self.0.expose_secret())
            .context("the key is not a valid header value")?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// The text without the key, should a server or a proxy have repeated it.
    pub fn redact(&self, text: &str) -> String {
        text.replace(self.0.expose_secret(), "[REDACTED]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_prints_the_key() {
        let key = ApiKey(SecretString::from("canary"));
        assert!(!format!("{key:?} {:?}", key.header()).contains("canary"));
        assert_eq!(key.redact("key canary."), "key [REDACTED].");
    }
}
