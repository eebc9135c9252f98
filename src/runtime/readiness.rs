//! Whether the caches of all watched scopes are synced, and which scopes cannot be watched.

use std::sync::{Mutex, MutexGuard, PoisonError};

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// The state of every watched scope: of the cluster, or of each namespace.
#[derive(Debug)]
pub struct Readiness {
    scopes: Mutex<Vec<Scope>>,
    forbidden: Gauge,
}

#[derive(Debug)]
struct Scope {
    name: String,
    is_synced: bool,
    /// Why the API server does not let the operator watch it.
    forbidden: Option<String>,
}

impl Readiness {
    /// Returns the state of scopes of these names, none of which is synced yet. `registry` shows the
    /// number of scopes that cannot be watched.
    pub fn register(registry: &mut Registry, names: impl IntoIterator<Item = String>) -> Self {
        let forbidden = Gauge::default();
        registry.register(
            "forbidden_namespaces",
            "Watched namespaces that the API server does not let the operator watch",
            forbidden.clone(),
        );
        let scopes = names.into_iter().map(|name| Scope {
            name,
            is_synced: false,
            forbidden: None,
        });
        Self {
            scopes: Mutex::new(scopes.collect()),
            forbidden,
        }
    }

    /// Notes that the objects of scope number `index` are listed.
    pub fn synced(&self, index: usize) {
        let mut scopes = self.lock();
        let was_ready = is_ready(&scopes);
        if let Some(scope) = scopes.get_mut(index) {
            scope.is_synced = true;
            if scope.forbidden.take().is_some() {
                tracing::info!(namespace = scope.name, "the namespace is watched again");
            }
        }
        if !was_ready && is_ready(&scopes) {
            tracing::info!("cache synced; ready");
        }
        self.count(&scopes);
    }

    /// Notes that the API server does not let the operator watch scope number `index`.
    pub fn forbidden(&self, index: usize, why: &str) {
        let mut scopes = self.lock();
        if let Some(scope) = scopes.get_mut(index)
            && scope.forbidden.replace(why.to_owned()).is_none()
        {
            tracing::error!(
                namespace = scope.name,
                "the namespace cannot be watched: {why}; retrying every 30 s"
            );
        }
        self.count(&scopes);
    }

    /// Returns whether the operator is ready, and a line for each scope that is not synced. It is
    /// ready once each scope is synced or forbidden, and one is synced.
    pub fn report(&self) -> (bool, String) {
        let scopes = self.lock();
        let lines = scopes.iter().filter_map(|scope| match &scope.forbidden {
            Some(why) => Some(format!(
                "\n[-]namespace {} cannot be watched: {why}",
                scope.name
            )),
            None if scope.is_synced => None,
            None => Some(format!("\n[-]namespace {} is not listed yet", scope.name)),
        });
        let lines: String = lines.collect();
        match is_ready(&scopes) {
            true => (true, format!("ok{lines}")),
            false => (false, format!("cache not synced{lines}")),
        }
    }

    fn count(&self, scopes: &[Scope]) {
        let count = scopes.iter().filter(|scope| scope.forbidden.is_some());
        self.forbidden
            .set(i64::try_from(count.count()).unwrap_or(i64::MAX));
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Scope>> {
        self.scopes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_ready(scopes: &[Scope]) -> bool {
    let is_settled = |scope: &Scope| scope.is_synced || scope.forbidden.is_some();
    scopes.iter().any(|scope| scope.is_synced) && scopes.iter().all(is_settled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_ready_once_each_scope_is_synced_or_forbidden_and_one_is_synced() {
        let mut registry = Registry::default();
        let names = ["a", "b"].map(str::to_owned);
        let readiness = Readiness::register(&mut registry, names);
        assert!(!readiness.report().0);
        readiness.forbidden(1, "no Role");
        assert!(!readiness.report().0, "none is synced");
        readiness.synced(0);
        let (is_ready, text) = readiness.report();
        assert!(
            is_ready && text.contains("namespace b cannot be watched: no Role"),
            "{text}"
        );
        readiness.synced(1);
        assert_eq!(readiness.report(), (true, "ok".to_owned()));
    }
}
