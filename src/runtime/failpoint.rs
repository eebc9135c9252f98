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
            pub const ALL: &[Self] = &[$(Self::$site,)*];

            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$site => $name,)*
                }
            }
        }
    };
}

sites! {
    LeaseGet = "lease.get",
    LeasePut = "lease.put",
    /// The lease is given up.
    LeaseRelease = "lease.release",
    SecretGet = "secret.get",
    /// The object is read again because the cache was found behind.
    ObjectGet = "object.get",
    IndexGet = "index.get",
    IndexesList = "indexes.list",
    BackupGet = "backup.get",
    JobGet = "job.get",
    /// An older job is read by its ID, before its index is adopted.
    JobConfirm = "job.confirm",
    /// One page of restore jobs.
    JobsList = "jobs.list",
    /// Other IndexRestores of the same index name.
    RivalsList = "rivals.list",
    ClaimPut = "claim.put",
    /// The object is read again because the claim's write was not answered by it.
    ClaimGet = "claim.get",
    CreatePost = "create.post",
    /// What came of the request is written.
    RecordPut = "record.put",
    RecordGet = "record.get",
    ReportPut = "report.put",
    EventPost = "event.post",
}

/// Does the I/O; a failpoint on either side of it.
#[cfg(not(feature = "failpoints"))]
#[inline(always)]
pub fn around<F>(_: Site, io: F) -> F {
    io
}

#[cfg(feature = "failpoints")]
pub use armed::{ArmError, Side, arm, around};

#[cfg(feature = "failpoints")]
mod armed;
