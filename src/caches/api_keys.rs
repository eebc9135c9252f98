//! The cache of API keys, which are read from Secrets by name when a request needs one. `get` is the
//! only verb used: no Secret is watched or listed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client};

use crate::api::ApiKeySecretRef;
use crate::pinecone::{ApiKey, InvalidKey};
use crate::runtime::api_server::{Error, call};
use crate::runtime::clock::{BootTime, doubled};
use crate::runtime::failpoint::Site;

/// How long an API key is cached, and so how late a changed Secret is noticed.
const TIME_TO_LIVE: Duration = Duration::from_secs(20);

/// How long a Secret without a key counts the first time.
const FIRST_MISS: Duration = Duration::from_secs(2);

/// How long a Secret is not read again for a key that Pinecone rejects.
const REJECTED: Duration = Duration::from_secs(5);

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

/// API keys by Secret and key in it. What was read, a key or why there is none, counts for 20 s.
pub struct ApiKeyCache {
    client: Client,
    cells: Mutex<HashMap<Place, Arc<Cell>>>,
}

/// What was read of one Secret. The lock is held while it is read, so that it is read once for all
/// who ask meanwhile.
type Cell = tokio::sync::Mutex<Option<Entry>>;

struct Entry {
    read: BootTime,
    found: Result<ApiKey, KeyProblem>,
    /// How many reads in a row found no key.
    misses: u32,
    /// When it was read because Pinecone had rejected the key.
    reread: Option<BootTime>,
}

impl Entry {
    /// Until when it counts. A Secret without a key is read again after 2 s, and then after twice
    /// as long each time: the first may have been applied just before it.
    fn expires(&self) -> BootTime {
        self.read.plus(match self.found {
            Ok(_) => TIME_TO_LIVE,
            Err(_) => doubled(FIRST_MISS, self.misses.saturating_sub(1), TIME_TO_LIVE),
        })
    }
}

impl ApiKeyCache {
    /// Returns an empty cache that reads Secrets with `client`.
    pub fn new(client: Client) -> Self {
        Self {
            client,
            cells: Mutex::default(),
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
        let is_current = |entry: &Entry| BootTime::now() < entry.expires();
        self.get_unless(is_current, namespace, reference).await
    }

    /// Reads from Pinecone with the key that `reference` names. Where Pinecone rejected the key,
    /// the Secret is read again at once, unless that was done for another restore just now, and
    /// Pinecone once more if the key has changed. Returns the key that was used last.
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
        match self.reread(&key, namespace, reference).await? {
            Ok(fresh) if fresh.id() != key.id() => Ok(Ok((read(fresh.clone()).await?, fresh))),
            _ => Ok(Ok((seen, key))),
        }
    }

    /// Reads the Secret of a rejected key again, unless that was done just now, or another restore
    /// read another key since.
    async fn reread(
        &self,
        rejected: &ApiKey,
        namespace: &str,
        reference: &ApiKeySecretRef,
    ) -> Result<Result<ApiKey, KeyProblem>, Error> {
        let now = BootTime::now();
        let is_current = |entry: &Entry| {
            let is_recent = entry.reread.is_some_and(|at| now.since(at) < REJECTED);
            let found = entry.found.as_ref();
            is_recent || found.is_ok_and(|key| key.id() != rejected.id())
        };
        let found = self.get_unless(is_current, namespace, reference).await?;
        if let Some(entry) = &mut *self.cell(namespace, reference).lock().await
            && entry.read >= now
        {
            entry.reread = Some(entry.read);
        }
        Ok(found)
    }

    /// What was read of the Secret if `is_current`, or is read now.
    async fn get_unless(
        &self,
        is_current: impl Fn(&Entry) -> bool,
        namespace: &str,
        reference: &ApiKeySecretRef,
    ) -> Result<Result<ApiKey, KeyProblem>, Error> {
        let cell = self.cell(namespace, reference);
        let mut entry = cell.lock().await;
        if let Some(entry) = entry.as_ref().filter(|entry| is_current(entry)) {
            return Ok(entry.found.clone());
        }
        let found = self.read_secret(namespace, reference).await?;
        let misses = entry.as_ref().map_or(0, |entry| entry.misses);
        *entry = Some(Entry {
            read: BootTime::now(),
            misses: if found.is_ok() {
                0
            } else {
                misses.saturating_add(1)
            },
            found: found.clone(),
            reread: None,
        });
        Ok(found)
    }

    async fn read_secret(
        &self,
        namespace: &str,
        reference: &ApiKeySecretRef,
    ) -> Result<Result<ApiKey, KeyProblem>, Error> {
        let api: Api<Secret> = Api::namespaced(self.client.clone(), namespace);
        match call(Site::SECRET_GET, api.get_opt(&reference.name)).await {
            Ok(secret) => Ok(key_in(secret, reference)),
            Err(error) if error.is_forbidden() => {
                Ok(Err(KeyProblem::Forbidden(reference.name.clone())))
            }
            Err(error) => Err(error),
        }
    }

    fn cell(&self, namespace: &str, reference: &ApiKeySecretRef) -> Arc<Cell> {
        let mut cells = self.lock();
        let place = (namespace.to_owned(), reference.clone());
        Arc::clone(cells.entry(place).or_default())
    }

    /// Removes the expired keys from memory.
    pub fn evict_expired(&self) {
        let now = BootTime::now();
        let is_expired = |entry: &Option<Entry>| {
            let entry = entry.as_ref();
            entry.is_none_or(|entry| now.since(entry.read) >= 2 * TIME_TO_LIVE)
        };
        self.lock().retain(|_, cell| {
            let is_used = Arc::strong_count(cell) > 1;
            is_used || !cell.try_lock().is_ok_and(|entry| is_expired(&entry))
        });
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Place, Arc<Cell>>> {
        self.cells.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key_in(secret: Option<Secret>, reference: &ApiKeySecretRef) -> Result<ApiKey, KeyProblem> {
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

#[cfg(test)]
mod tests;
