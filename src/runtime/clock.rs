//! Time, passed to every decision as an argument.

use std::time::Duration;

use jiff::Timestamp;

/// A point on this machine's clock that never steps and, on Linux, continues while the machine is
/// suspended: a process that resumes late must detect it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BootTime(Duration);

impl BootTime {
    /// A point that does not come.
    pub const NEVER: Self = Self(Duration::MAX);

    /// Reads the clock.
    pub fn now() -> Self {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let clock = rustix::time::ClockId::Boottime;
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        let clock = rustix::time::ClockId::Monotonic;
        let time = rustix::time::clock_gettime(clock);
        Self::after_boot(Duration::new(
            time.tv_sec.unsigned_abs(),
            u32::try_from(time.tv_nsec).unwrap_or(0),
        ))
    }

    /// The point that long after the machine's start.
    pub const fn after_boot(elapsed: Duration) -> Self {
        Self(elapsed)
    }

    /// How long after `earlier` this is; zero where it is before.
    pub fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    /// How many whole periods of `length` passed since the machine's start.
    pub fn period(self, length: Duration) -> u128 {
        self.0.as_nanos() / length.as_nanos().max(1)
    }

    /// How long until the next such period begins.
    pub fn until_next_period(self, length: Duration) -> Duration {
        let length = length.as_nanos().max(1);
        let left = length - self.0.as_nanos() % length;
        Duration::from_nanos(u64::try_from(left).unwrap_or(u64::MAX))
    }

    /// The point `span` later.
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span))
    }
}

/// Returns `first`, doubled that many times and at most `longest`.
pub fn doubled(first: Duration, times: u32, longest: Duration) -> Duration {
    first.saturating_mul(1 << times.min(16)).min(longest)
}

/// One moment on both clocks: `wall` for what is shown to people, `boot` for
/// what safety rests on.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Time of day, which may step.
    pub wall: Timestamp,
    /// Time since boot, which never steps.
    pub boot: BootTime,
}

impl Now {
    /// Reads both clocks, one after the other.
    pub fn read() -> Self {
        Self {
            wall: Timestamp::now(),
            boot: BootTime::now(),
        }
    }
}
