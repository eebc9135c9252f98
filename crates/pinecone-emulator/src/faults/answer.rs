//! What goes back to a client.

use std::time::Duration;

use jiff::Timestamp;

use crate::api::reply::Reply;
use crate::faults::plan::{Closing, Ending};
use crate::faults::status;

/// What goes back to the client.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    Close(Closing),
    Send(Reply, Manner),
}

/// How an answer is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    Whole,
    Truncated,
    Garbage,
    Slow(Duration),
    Huge,
}

pub(crate) fn ended(reply: Reply, ending: Option<&Ending>, now: Timestamp) -> Answer {
    match ending {
        Some(Ending::Close(closing)) => Answer::Close(*closing),
        Some(Ending::Answer(fault)) => Answer::Send(status::answer(fault, now), Manner::Whole),
        Some(Ending::Truncated) => Answer::Send(reply, Manner::Truncated),
        Some(Ending::Garbage) => Answer::Send(reply, Manner::Garbage),
        Some(Ending::Slow(over)) => Answer::Send(reply, Manner::Slow(*over)),
        Some(Ending::Huge) => Answer::Send(reply, Manner::Huge),
        Some(Ending::MissingIds) | None => Answer::Send(reply, Manner::Whole),
    }
}
