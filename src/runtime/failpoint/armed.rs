use std::pin::Pin;
use std::str::FromStr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::{Signal, getpid, kill_process};
use tokio::signal::unix::{SignalKind, signal};

use super::Site;

/// Comma-separated: `SITE/SIDE[:NTH][=abort|stop]`.
const VARIABLE: &str = "INDEX_RESTORE_FAILPOINT";

/// Before or after the I/O.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The I/O has not begun.
    Before,
    /// The I/O is complete; its result is not used yet.
    After,
}

impl Side {
    /// Both sides, in order.
    pub const BOTH: [Self; 2] = [Self::Before, Self::After];

    /// Returns the name by which `INDEX_RESTORE_FAILPOINT` selects the side.
    pub fn name(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
        }
    }
}

/// What happens to the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    /// SIGKILL.
    Abort,
    /// SIGSTOP; it continues after SIGCONT.
    Stop,
}

#[derive(Debug)]
struct Armed {
    site: Site,
    side: Side,
    /// The time at which it acts, from 1 on; it acts once.
    nth: u32,
    action: Action,
    reached: AtomicU32,
}

static ARMED: OnceLock<Vec<Armed>> = OnceLock::new();

/// Why no failpoint is armed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArmError {
    /// A failpoint that cannot be parsed, or names an unknown site or side, as it was given.
    #[error("{VARIABLE}: {0:?} is not SITE/SIDE[:NTH][=abort|stop]")]
    Malformed(String),
    /// [`arm`] was called before.
    #[error("armed a second time")]
    Twice,
}

/// Reads the environment.
///
/// # Errors
/// If what it says is not a list of failpoints.
pub fn arm() -> Result<(), ArmError> {
    let list = std::env::var(VARIABLE).unwrap_or_default();
    let words = list.split(',').filter(|word| !word.is_empty());
    let armed = words.map(str::parse).collect::<Result<_, _>>()?;
    ARMED.set(armed).map_err(|_| ArmError::Twice)
}

/// Does the I/O; a failpoint on either side of it. On the heap: it would make every
/// future that it is in larger.
pub fn around<F: Future>(site: Site, io: F) -> Pin<Box<impl Future<Output = F::Output>>> {
    Box::pin(async move {
        reach(site, Side::Before).await;
        let output = io.await;
        reach(site, Side::After).await;
        output
    })
}

async fn reach(site: Site, side: Side) {
    for armed in ARMED.get().into_iter().flatten() {
        if (armed.site, armed.side) == (site, side)
            && armed.reached.fetch_add(1, Ordering::Relaxed) + 1 == armed.nth
        {
            armed.act().await;
        }
    }
}

impl Armed {
    async fn act(&self) {
        let (site, side) = (self.site.name(), self.side.name());
        // Whoever comes past this line has got SIGCONT: the signal that stops the
        // process may be taken by another thread, some time later.
        let mut passed = match signal(SignalKind::from_raw(Signal::CONT.as_raw())) {
            Ok(continued) => continued,
            Err(error) => return tracing::error!(%error, "failpoint {site}/{side} cannot wait"),
        };
        tracing::warn!("failpoint {site}/{side}:{} reached", self.nth);
        let sent = match self.action {
            Action::Abort => Signal::KILL,
            Action::Stop => Signal::STOP,
        };
        if let Err(error) = kill_process(getpid(), sent) {
            return tracing::error!(%error, "failpoint {site}/{side} cannot act");
        }
        passed.recv().await;
        tracing::warn!("failpoint {site}/{side}:{} passed", self.nth);
    }
}

impl FromStr for Armed {
    type Err = ArmError;

    fn from_str(text: &str) -> Result<Self, ArmError> {
        let wrong = || ArmError::Malformed(text.to_owned());
        let (place, action) = text.split_once('=').unwrap_or((text, "abort"));
        let (point, nth) = place.split_once(':').unwrap_or((place, "1"));
        let (site, side) = point.split_once('/').ok_or_else(wrong)?;
        let site = Site::ALL.iter().find(|known| known.name() == site);
        let side = Side::BOTH.into_iter().find(|known| known.name() == side);
        Ok(Self {
            site: *site.ok_or_else(wrong)?,
            side: side.ok_or_else(wrong)?,
            nth: nth.parse().map_err(|_| wrong())?,
            action: match action {
                "abort" => Action::Abort,
                "stop" => Action::Stop,
                _ => return Err(wrong()),
            },
            reached: AtomicU32::new(0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failpoint_is_a_site_a_side_and_what_happens() {
        let armed: Armed = "create.post/after:2=stop".parse().unwrap();
        assert_eq!((armed.site, armed.side), (Site::CREATE_POST, Side::After));
        assert_eq!((armed.nth, armed.action), (2, Action::Stop));
        let armed: Armed = "claim.put/before".parse().unwrap();
        assert_eq!((armed.nth, armed.action), (1, Action::Abort));
    }

    #[test]
    fn what_is_not_one_is_refused() {
        for bad in [
            "create.post",
            "create/before",
            "create.post/during",
            "create.post/before:x",
            "create.post/before=panic",
        ] {
            let error = bad.parse::<Armed>().unwrap_err().to_string();
            assert!(error.contains(bad), "{error}");
        }
    }
}
