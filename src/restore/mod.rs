//! The protocol of one restore.
//!
//! An object is parsed into a [`Situation`]; [`observe()`] reads what that needs, as an
//! [`Observation`]; the [`Evidence`] learns from it; [`decide()`] says what to do; [`act()`] does
//! it: it writes a [`Report`], or submits the restore under a claim.
//!
//! [`Situation::of`], [`ask()`], [`decide()`] and [`Report::status`] are pure: no
//! clock, no I/O, and total. `observe` and `act` do what they say to do.

mod act;
mod announce;
mod claim;
pub mod decide;
pub mod evidence;
pub mod intervals;
pub mod jobs;
pub mod messages;
pub mod metrics;
pub mod observation;
mod observe;
mod record;
pub mod report;
pub mod rivals;
pub mod situation;
pub mod submission;
mod write;

pub use act::{Actor, Done, act};
pub use claim::CLAIM_LIFE;
pub use decide::{Decision, Rules, Step, after_post, after_unsent, decide};
pub use evidence::Evidence;
pub use intervals::{Intervals, Patience};
pub use observation::{Observation, Question, ask};
pub use observe::{Sources, observe};
pub use report::{Change, Report};
pub use rivals::Rivals;
pub use situation::{Situation, Stage};
pub use submission::{RecordTarget, holds, record_target};
pub use write::{Acted, StatusWriter, Target, reread};
