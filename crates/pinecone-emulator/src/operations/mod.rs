//! The operations of Pinecone's API: each has a handler.

use crate::api::error::{Outcome, Refusal};
use crate::api::route::Route;
use crate::operations::context::Moment;
use crate::project::Tenant;

mod backups;
pub(crate) mod context;
mod indexes;
mod page;
mod restores;

/// Answers a request of a valid key.
pub(crate) fn serve(tenant: &mut Tenant, route: Route, subject: &str, at: &Moment<'_>) -> Outcome {
    if tenant.plan_without_backups && route.needs_backup_plan() {
        return Err(Refusal::new(
            403,
            "PERMISSION_DENIED",
            "Your organization's plan does not include backups. Upgrade your plan to create backups.",
        ));
    }
    match route {
        Route::ListIndexes => Ok(tenant.list_indexes(at)),
        Route::CreateIndex => tenant.create_index(at),
        Route::DescribeIndex => tenant.describe_index(subject, at),
        Route::ConfigureIndex => tenant.configure_index(subject, at),
        Route::DeleteIndex => tenant.delete_index(subject, at),
        Route::ListIndexBackups => tenant.list_index_backups(subject, at),
        Route::CreateBackup => tenant.create_backup(subject, at),
        Route::ListBackups => tenant.list_backups(at),
        Route::DescribeBackup => tenant.describe_backup(subject, at),
        Route::DeleteBackup => tenant.delete_backup(subject, at),
        Route::CreateIndexFromBackup => tenant.create_index_from_backup(subject, at),
        Route::ListRestoreJobs => tenant.list_restore_jobs(at),
        Route::DescribeRestoreJob => tenant.describe_restore_job(subject, at),
        Route::Any | Route::Unknown => Err(Refusal::not_found("Not found.")),
    }
}
