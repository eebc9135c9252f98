//! The handlers of Pinecone's operations, and the choice among them.

use crate::api::error::{ErrorResponse, HandlerResult};
use crate::api::route::Route;
use crate::operations::context::Context;
use crate::project::ProjectState;

mod backups;
pub(crate) mod context;
mod indexes;
mod page;
mod restores;

/// Handles a request with a valid API key. `subject` is the index name, backup ID or job ID in its path.
pub(crate) fn serve(
    project: &mut ProjectState,
    route: Route,
    subject: &str,
    context: &Context<'_>,
) -> HandlerResult {
    if project.plan_without_backups && route.needs_backup_plan() {
        return Err(ErrorResponse::new(
            403,
            "PERMISSION_DENIED",
            "Your organization's plan does not include backups. Upgrade your plan to create backups.",
        ));
    }
    match route {
        Route::ListIndexes => Ok(project.list_indexes(context)),
        Route::CreateIndex => project.create_index(context),
        Route::DescribeIndex => project.describe_index(subject, context),
        Route::ConfigureIndex => project.configure_index(subject, context),
        Route::DeleteIndex => project.delete_index(subject, context),
        Route::ListIndexBackups => project.list_index_backups(subject, context),
        Route::CreateBackup => project.create_backup(subject, context),
        Route::ListBackups => project.list_backups(context),
        Route::DescribeBackup => project.describe_backup(subject, context),
        Route::DeleteBackup => project.delete_backup(subject, context),
        Route::CreateIndexFromBackup => project.create_index_from_backup(subject, context),
        Route::ListRestoreJobs => project.list_restore_jobs(context),
        Route::DescribeRestoreJob => project.describe_restore_job(subject, context),
        Route::Any | Route::Unknown => Err(ErrorResponse::not_found("Not found.")),
    }
}
