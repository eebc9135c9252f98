//! Every I/O of a restore and of the election, at which the crash matrix kills or freezes the
//! process. One list, so that the matrix can prove that it reached all of them.

use crate::runtime::failpoint::Site;

macro_rules! sites {
    ($($(#[$doc:meta])* $site:ident = $name:literal,)*) => {
        impl Site {
            $($(#[$doc])* pub const $site: Self = Self::new($name);)*

            /// Every site, in the order of their declaration.
            #[cfg(feature = "failpoints")]
            pub const ALL: &[Self] = &[$(Self::$site,)*];
        }
    };
}

sites! {
    /// The Lease is read.
    LEASE_GET = "lease.get",
    /// The Lease is created, acquired or renewed.
    LEASE_PUT = "lease.put",
    /// The lease is given up.
    LEASE_RELEASE = "lease.release",
    /// The Secret with the API key is read, because its key is not cached.
    SECRET_GET = "secret.get",
    /// The object is read again because the cache was found behind.
    OBJECT_GET = "object.get",
    /// One index is read by its name.
    INDEX_GET = "index.get",
    /// All indexes of an API key are listed, for the cache.
    INDEXES_LIST = "indexes.list",
    /// The backup is read.
    BACKUP_GET = "backup.get",
    /// The recorded restore job is read by its ID.
    JOB_GET = "job.get",
    /// An older job is read by its ID, before its index is adopted.
    JOB_CONFIRM = "job.confirm",
    /// One page of restore jobs.
    JOBS_LIST = "jobs.list",
    /// Other IndexRestores of the same index name.
    RIVALS_LIST = "rivals.list",
    /// The claim is written.
    CLAIM_PUT = "claim.put",
    /// The object is read again because the claim's write was not answered by it.
    CLAIM_GET = "claim.get",
    /// The create request is sent.
    CREATE_POST = "create.post",
    /// The outcome of the create request is written.
    RECORD_PUT = "record.put",
    /// The object is read again because the outcome could not be written.
    RECORD_GET = "record.get",
    /// Any other status is written.
    REPORT_PUT = "report.put",
    /// An event is published.
    EVENT_POST = "event.post",
}
