//! The operations of Pinecone's API that the emulator supports.

use serde::{Deserialize, Serialize};

/// An operation of Pinecone's API, or a wildcard. It is the same in all API versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// In a fault: all requests. No request has this route.
    Any,
    /// A path or method that Pinecone does not have.
    Unknown,
    /// `GET /indexes`
    ListIndexes,
    /// `POST /indexes`
    CreateIndex,
    /// `GET /indexes/{name}`
    DescribeIndex,
    /// `PATCH /indexes/{name}`
    ConfigureIndex,
    /// `DELETE /indexes/{name}`
    DeleteIndex,
    /// `GET /indexes/{name}/backups`
    ListIndexBackups,
    /// `POST /indexes/{name}/backups`
    CreateBackup,
    /// `GET /backups`
    ListBackups,
    /// `GET /backups/{id}`
    DescribeBackup,
    /// `DELETE /backups/{id}`
    DeleteBackup,
    /// `POST /backups/{id}/create-index`
    CreateIndexFromBackup,
    /// `GET /restore-jobs`
    ListRestoreJobs,
    /// `GET /restore-jobs/{id}`
    DescribeRestoreJob,
}

impl Route {
    /// Whether the answer is a list of rows.
    pub(crate) fn is_list(self) -> bool {
        matches!(
            self,
            Self::ListIndexes | Self::ListIndexBackups | Self::ListBackups | Self::ListRestoreJobs
        )
    }

    /// Whether a project whose plan has no backups gets a 403.
    pub(crate) fn needs_backup_plan(self) -> bool {
        matches!(
            self,
            Self::ListIndexBackups
                | Self::CreateBackup
                | Self::ListBackups
                | Self::DescribeBackup
                | Self::CreateIndexFromBackup
                | Self::ListRestoreJobs
                | Self::DescribeRestoreJob
        )
    }

    /// Whether the answer is paginated; the list of indexes is not.
    pub(crate) fn is_paged(self) -> bool {
        self.is_list() && self != Self::ListIndexes
    }
}

/// The route of a request, and the index name, backup ID or job ID in its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    Found(Route, String),
    /// The path exists, with these methods.
    MethodNotAllowed(Vec<&'static str>),
    NotFound,
}

impl Target {
    pub(crate) fn route(&self) -> Route {
        match self {
            Self::Found(route, _) => *route,
            Self::MethodNotAllowed(_) | Self::NotFound => Route::Unknown,
        }
    }

    /// Finds the route of decoded path `segments`.
    pub(crate) fn resolve(method: &str, segments: &[String]) -> Self {
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let (subject, routes) = match segments.as_slice() {
            ["indexes"] => (
                "",
                &[("GET", Route::ListIndexes), ("POST", Route::CreateIndex)][..],
            ),
            ["indexes", name] => (
                *name,
                &[
                    ("GET", Route::DescribeIndex),
                    ("PATCH", Route::ConfigureIndex),
                    ("DELETE", Route::DeleteIndex),
                ][..],
            ),
            ["indexes", name, "backups"] => (
                *name,
                &[
                    ("GET", Route::ListIndexBackups),
                    ("POST", Route::CreateBackup),
                ][..],
            ),
            ["backups"] => ("", &[("GET", Route::ListBackups)][..]),
            ["backups", id] => (
                *id,
                &[
                    ("GET", Route::DescribeBackup),
                    ("DELETE", Route::DeleteBackup),
                ][..],
            ),
            ["backups", id, "create-index"] => (*id, &[("POST", Route::CreateIndexFromBackup)][..]),
            ["restore-jobs"] => ("", &[("GET", Route::ListRestoreJobs)][..]),
            ["restore-jobs", id] => (*id, &[("GET", Route::DescribeRestoreJob)][..]),
            _ => return Self::NotFound,
        };
        if segments.len() > 1 && subject.is_empty() {
            return Self::NotFound;
        }
        match routes.iter().find(|(allowed, _)| *allowed == method) {
            Some((_, route)) => Self::Found(*route, subject.to_owned()),
            None => Self::MethodNotAllowed(routes.iter().map(|(allowed, _)| *allowed).collect()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(method: &str, path: &str) -> Target {
        let segments: Vec<String> = path.split('/').skip(1).map(str::to_owned).collect();
        Target::resolve(method, &segments)
    }

    #[test]
    fn resolves_paths_to_operations() {
        let found = |route, subject: &str| Target::Found(route, subject.to_owned());
        assert_eq!(resolve("GET", "/indexes"), found(Route::ListIndexes, ""));
        assert_eq!(
            resolve("PATCH", "/indexes/a"),
            found(Route::ConfigureIndex, "a")
        );
        assert_eq!(
            resolve("POST", "/backups/b/create-index"),
            found(Route::CreateIndexFromBackup, "b")
        );
        assert_eq!(
            resolve("GET", "/restore-jobs/j"),
            found(Route::DescribeRestoreJob, "j")
        );
    }

    #[test]
    fn does_not_resolve_other_paths_and_methods() {
        assert_eq!(resolve("GET", "/indexes/"), Target::NotFound);
        assert_eq!(resolve("GET", "/collections"), Target::NotFound);
        assert_eq!(
            resolve("DELETE", "/restore-jobs/j"),
            Target::MethodNotAllowed(vec!["GET"])
        );
    }
}
