//! What is sent to a client.

use std::time::Duration;

use jiff::Timestamp;

use crate::api::reply::Reply;
use crate::faults::plan::{AnswerFault, Disconnect};

/// What is sent to a client: nothing, or an answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    Close(Disconnect),
    Send(Reply, BodyMode),
}

impl Answer {
    /// Returns the reply, or what `fault` makes of it.
    pub(crate) fn new(reply: Reply, fault: Option<&AnswerFault>, now: Timestamp) -> Self {
        match fault {
            Some(AnswerFault::Close(disconnect)) => Self::Close(*disconnect),
            Some(AnswerFault::Answer(other)) => Self::Send(other.reply(now), BodyMode::Whole),
            Some(AnswerFault::Truncated) => Self::Send(reply, BodyMode::Truncated),
            Some(AnswerFault::Garbage) => Self::Send(reply, BodyMode::Garbage),
            Some(AnswerFault::Slow(over)) => Self::Send(reply, BodyMode::Slow(*over)),
            Some(AnswerFault::Huge) => Self::Send(reply, BodyMode::Huge),
            Some(AnswerFault::MissingIds) | None => Self::Send(reply, BodyMode::Whole),
        }
    }
}

/// How the body of an answer is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyMode {
    Whole,
    Truncated,
    Garbage,
    Slow(Duration),
    Huge,
}
