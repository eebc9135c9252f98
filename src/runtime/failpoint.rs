//! Where a process can be killed or frozen by tests: before and after each I/O. Without the
//! feature `failpoints` nothing of it is in the program.

/// An I/O before and after which a test can kill or freeze the process. `src/sites.rs` lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Site(&'static str);

impl Site {
    /// Only `src/sites.rs` makes sites, so that its list is complete.
    pub(crate) const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// Returns the name by which `INDEX_RESTORE_FAILPOINT` selects the site, and by which errors
    /// name the call.
    pub const fn name(self) -> &'static str {
        self.0
    }
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
