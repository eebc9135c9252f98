//! The cache of API keys, which are read from Secrets by name when a request needs one. `get` is the
//! only verb used: no Secret is watched or listed.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};

use crate::api::ApiKeySecretRef;
use crate::pinecone::{ApiKey, InvalidKey};
use crate::runtime::api_server::{Error, call};
use crate::runtime::clock::BootTime;
use crate::runtime::failpoint::Site;

/// How long an API key is cached, and so how late a changed Secret is noticed.
const TIME_TO_LIVE: Duration = Duration::from_secs(20);

/// Why there is no key: a clause for the middle of a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyProblem {
    /// No Secret of this name in the namespace of the IndexRestore.
    #[error("Secret {0:?} does not exist in this namespace")]
    NoSecret(String),
    /// The Secret exists and has no such entry in its data.
    #[error("Secret {name:?} has no key {key:?}")]
    NoKey {
        /// Name of the Secret.
        name: String,
        /// Key that is missing in the Secret's data.
        key: String,
    },
    /// The entry exists and is no API key that can be sent.
    #[error("Secret {name:?} has no usable API key in {key:?} ({why})")]
    Invalid {
        /// Name of the Secret.
        name: String,
        /// Key of the entry in the Secret's data, not the API key.
        key: String,
        /// What is wrong with the value, without the value.
        why: InvalidKey,
    },
    /// The API server answered 403 to `get` on the Secret of this name.
    #[error("the operator may not read Secret {0:?}")]
    Forbidden(String),
}

impl KeyProblem {
    /// Returns what to do about it: the beginning of a sentence.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::NoSecret(_) => "Create it with the Pinecone API key",
            Self::NoKey { .. } => "Add the key, or correct apiKeySecretRef.key",
            Self::Invalid { .. } => "Store the API key alone",
            Self::Forbidden(_) => "Grant its ServiceAccount permission to get this Secret",
        }
    }
}

type Place = (String, ApiKeySecretRef);

/// API keys by Secret and key in it, each for 20 s at most.
pub struct ApiKeyCache {
    client: Client,
    cached: Mutex<HashMap<Place, (BootTime, ApiKey)>>,
}

impl ApiKeyCache {
    /// Returns an empty cache that reads Secrets with `client`.
    pub fn new(client: Client) -> Self {
        Self {
            client,
            cached: Mutex::default(),
        }
    }

    /// Returns the API key that `reference` names, or why there is none.
    ///
    /// # Errors
    /// If the API server does not answer.
    pub async fn get(
        &self,
        namespace: &str,
        reference: &ApiKeySecretRef,
    ) -> Result<Result<ApiKey, KeyProblem>, Error> {
        self.evict_expired();
        let place = (namespace.to_owned(), reference.clone());
        if let Some((_, key)) = self.lock().get(&place) {
            return Ok(Ok(key.clone()));
        }
        let api: Api<Secret> = Api::namespaced(self.client.clone(), namespace);
        let secret = match call(Site::SECRET_GET, api.get_opt(&reference.name)).await {
            Ok(secret) => secret,
            Err(error) if error.is_forbidden() => {
                return Ok(Err(KeyProblem::Forbidden(reference.name.clone())));
            }
            Err(error) => return Err(error),
        };
        let key = read(secret, reference);
        if let Ok(key) = &key {
            self.lock().insert(place, (BootTime::now(), key.clone()));
        }
        Ok(key)
    }

    /// Reads from Pinecone with the key that `reference` names. Where Pinecone rejected the key,
    /// the Secret is read again at once, and Pinecone once more if the key has changed. Returns
    /// the key that was used last.
    ///
    /// # Errors
    /// Those of `read`, and if the API server gives no answer. That there is no key is an answer.
    pub async fn read_with<T, F>(
        &self,
        namespace: &str,
        reference: &ApiKeySecretRef,
        read: impl Fn(ApiKey) -> F,
        is_rejected: impl Fn(&T) -> bool,
    ) -> Result<Result<(T, ApiKey), KeyProblem>, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let key = match self.get(namespace, reference).await? {
            Ok(key) => key,
            Err(problem) => return Ok(Err(problem)),
        };
        let seen = read(key.clone()).await?;
        if !is_rejected(&seen) {
            return Ok(Ok((seen, key)));
        }
        self.invalidate(namespace, reference);
        match self.get(namespace, reference).await? {
            Ok(fresh) if fresh.id() != key.id() => Ok(Ok((read(fresh.clone()).await?, fresh))),
            _ => Ok(Ok((seen, key))),
        }
    }

    /// Removes a key that Pinecone rejected, so that the next call reads the Secret.
    fn invalidate(&self, namespace: &str, reference: &ApiKeySecretRef) {
        self.lock()
            .remove(&(namespace.to_owned(), reference.clone()));
    }

    /// Removes the expired keys from memory.
    pub fn evict_expired(&self) {
        let now = BootTime::now();
        self.lock()
            .retain(|_, (read, _)| now.since(*read) < TIME_TO_LIVE);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Place, (BootTime, ApiKey)>> {
        self.cached.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(secret: Option<Secret>, reference: &ApiKeySecretRef) -> Result<ApiKey, KeyProblem> {
    let name = reference.name.clone();
    let key = reference.key.clone();
    let data = secret
        .ok_or_else(|| KeyProblem::NoSecret(name.clone()))?
        .data
        .unwrap_or_default();
    let Some(bytes) = data.get(&key) else {
        return Err(KeyProblem::NoKey { name, key });
    };
    ApiKey::new(&bytes.0).map_err(|why| KeyProblem::Invalid { name, key, why })
}
