//! One restore, from the object to its end.
//!
//! [`Situation::of`], [`ask`], [`decide`] and [`Report::status`] are pure: no
//! clock, no I/O, and total. `observe` and `act` do what they say to do.

mod act;
pub mod answer;
pub mod ask;
mod claim;
pub mod decide;
pub mod evidence;
pub mod findings;
pub mod history;
mod observe;
pub mod pace;
pub mod presence;
mod record;
pub mod report;
pub mod stage;

pub use act::{Acted, Actor, Done, act};
pub use answer::{Answer, Rivals};
pub use ask::{Question, ask};
pub use claim::{CLAIM_LIFE, holds};
pub use decide::{Decision, Rules, Step, after_post, after_unsent, decide};
pub use evidence::Evidence;
pub use observe::{Wish, observe};
pub use pace::{Pace, Patience};
pub use record::{Standing, standing};
pub use report::{Change, Report};
pub use stage::{Situation, Stage};
