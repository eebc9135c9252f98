//! Where a process can be killed or frozen by tests: before and after each I/O of
//! a restore. Without the feature `failpoints` nothing of it is in the program.

macro_rules! sites {
    ($($(#[$doc:meta])* $site:ident = $name:literal,)*) => {
        /// An I/O of a restore or of the election.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Site {
            $($(#[$doc])* $site,)*
        }

        #[cfg(feature = "failpoints")]
        impl Site {
            /// Every site, in the order of their declaration.
            pub const ALL: &[Self] = &[$(Self::$site,)*];

            /// Returns the name by which `INDEX_RESTORE_FAILPOINT` selects the site.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$site => $name,)*
                }
            }
        }
    };
}

sites! {
    /// The Lease is read.
    LeaseGet = "lease.get",
    /// The Lease is created, acquired or renewed.
    LeasePut = "lease.put",
    /// The lease is given up.
    LeaseRelease = "lease.release",
    /// The Secret with the API key is read, because its key is not cached.
    SecretGet = "secret.get",
    /// The object is read again because the cache was found behind.
    ObjectGet = "object.get",
    /// One index is read by its name.
    IndexGet = "index.get",
    /// All indexes of an API key are listed, for the cache.
    IndexesList = "indexes.list",
    /// The backup is read.
    BackupGet = "backup.get",
    /// The recorded restore job is read by its ID.
    JobGet = "job.get",
    /// An older job is read by its ID, before its index is adopted.
    JobConfirm = "job.confirm",
    /// One page of restore jobs.
    JobsList = "jobs.list",
    /// Other IndexRestores of the same index name.
    RivalsList = "rivals.list",
    /// The claim is written.
    ClaimPut = "claim.put",
    /// The object is read again because the claim's write was not answered by it.
    ClaimGet = "claim.get",
    /// The create request is sent.
    CreatePost = "create.post",
    /// The outcome of the create request is written.
    RecordPut = "record.put",
    /// The object is read again because the outcome could not be written.
    RecordGet = "record.get",
    /// Any other status is written.
    ReportPut = "report.put",
    /// An event is published.
    EventPost = "event.post",
}

/// Returns `io` unchanged: without the feature `failpoints` there are none.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub fn around<F>(_: Site, io: F) -> F {
    io
}

#[cfg(feature = "failpoints")]
pub use armed::{ArmError, Side, arm, around};

#[cfg(feature = "failpoints")]
mod armed;
