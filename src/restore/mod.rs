//! The protocol of one restore.
//!
//! An object is parsed into a [`Situation`]; [`ask()`] says what has to be read for it; `observe`
//! reads it; what was seen is added to the [`Evidence`]; [`decide()`] says what to do; `act` does
//! it: it writes a [`Report`], or submits the restore under a claim.
//!
//! [`Situation::of`], [`ask()`], [`decide()`] and [`Report::status`] are pure: no
//! clock, no I/O, and total. `observe` and `act` do what they say to do.

mod act;
mod announce;
pub mod answer;
pub mod ask;
mod claim;
pub mod decide;
pub mod evidence;
pub mod intervals;
pub mod jobs;
pub mod messages;
mod observe;
mod record;
pub mod report;
pub mod rivals;
pub mod situation;
pub mod submission;

pub use act::{Acted, Actor, Done, act};
pub use answer::Answer;
pub use ask::{Question, ask};
pub use claim::{CLAIM_LIFE, holds};
pub use decide::{Decision, Rules, Step, after_post, after_unsent, decide};
pub use evidence::Evidence;
pub use intervals::{Intervals, Patience};
pub use observe::{ObservationRequest, observe};
pub use record::{RecordTarget, record_target};
pub use report::{Change, Report};
pub use rivals::Rivals;
pub use situation::{Situation, Stage};
