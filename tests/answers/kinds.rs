//! The answers, and what each is taken for.

use std::time::Duration;

use pinecone_emulator::{AnswerBody, FaultKind, RetryAfter, StatusAnswer};

/// What an answer to the create request proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Nothing was created: sent again, and reported with this reason meanwhile.
    NoEffect(&'static str),
    /// Nothing was created, and this spec is not sent again.
    Rejected,
    /// The name is taken, perhaps by this very request.
    Taken,
    /// Nothing.
    Unknown,
}

/// How an answer to a read is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    Failure(&'static str),
    /// An answer: it is not there.
    NotThere,
}

/// One row of the matrix.
#[derive(Clone, Debug)]
pub struct Kind {
    pub name: &'static str,
    pub fault: FaultKind,
    pub post: Class,
    pub read: Read,
}

/// The seconds that each Retry-After asks for.
pub const ASKED: u32 = 2;

const AWAY: Read = Read::Failure("ApiUnavailable");

impl Kind {
    /// The status in it, where it is an answer with one.
    pub fn status(&self) -> Option<u16> {
        match &self.fault {
            FaultKind::Status(answer) => Some(answer.status),
            _ => None,
        }
    }

    /// How long no request of that sort may follow, at least; a date has whole seconds.
    pub fn pause(&self) -> Option<Duration> {
        let FaultKind::Status(answer) = &self.fault else {
            return None;
        };
        Some(Duration::from_secs(match answer.retry_after? {
            RetryAfter::Seconds(seconds) => seconds.into(),
            RetryAfter::DateIn(seconds) => seconds.saturating_sub(1).into(),
        }))
    }

    /// The same answer given after the effect, where it is one instead of the effect.
    pub fn after_effect(&self) -> Option<FaultKind> {
        match &self.fault {
            FaultKind::Status(answer) => Some(FaultKind::Status(answer.clone().after_effect())),
            _ => None,
        }
    }

    /// Whether the request takes effect before it is answered in this way.
    pub fn is_after_effect(&self) -> bool {
        !matches!(
            self.fault,
            FaultKind::Status(_) | FaultKind::DropBefore | FaultKind::ResetBefore
        )
    }
}

fn row(name: &'static str, fault: FaultKind, post: Class, read: Read) -> Kind {
    Kind {
        name,
        fault,
        post,
        read,
    }
}

fn own(name: &'static str, post: Class, read: Read) -> Kind {
    let digits = name.split('-').next().unwrap();
    row(name, FaultKind::status(digits.parse().unwrap()), post, read)
}

/// Not Pinecone's form, so that its sender cannot be determined.
fn foreign(name: &'static str, body: AnswerBody) -> Kind {
    let digits = name.split('-').next().unwrap();
    let answer = StatusAnswer::new(digits.parse().unwrap()).body(body);
    row(name, FaultKind::Status(answer), Class::Unknown, AWAY)
}

fn asking(name: &'static str, retry_after: RetryAfter, post: Class, read: Read) -> Kind {
    let digits = name.split('-').next().unwrap();
    let answer = StatusAnswer::new(digits.parse().unwrap()).retry_after(retry_after);
    row(name, FaultKind::Status(answer), post, read)
}

/// Leads back to the same path: whoever follows it sends the request again.
fn redirect(name: &'static str, status: u16) -> Kind {
    let answer = StatusAnswer::new(status).header("location", "?again");
    row(name, FaultKind::Status(answer), Class::Unknown, AWAY)
}

/// Those that both a create request and a read can meet.
pub fn kinds() -> Vec<Kind> {
    let reported = |reason| (Class::NoEffect(reason), Read::Failure(reason));
    let (key, key_read) = reported("InvalidApiKey");
    let (limited, limited_read) = reported("RateLimited");
    let (unpaid, unpaid_read) = reported("PaymentRequired");
    let (denied, denied_read) = reported("PermissionDenied");
    let text = |text: &str| AnswerBody::Text(text.into());
    let broken = |name, fault| row(name, fault, Class::Unknown, AWAY);
    let plain_401 = StatusAnswer::new(401).body(text("Invalid API key"));
    let denial = StatusAnswer::new(403).body(AnswerBody::Json {
        code: "PERMISSION_DENIED".into(),
        message: "Access denied: Permission control::backups::list is required".into(),
    });
    let long = Duration::from_secs(60);
    let (in_seconds, at_date) = (RetryAfter::Seconds(ASKED), RetryAfter::DateIn(ASKED));
    vec![
        own("400", Class::Rejected, AWAY),
        own("401", key, key_read),
        row("401-text", FaultKind::Status(plain_401), key, key_read),
        foreign("401-html", AnswerBody::Html),
        own("402", unpaid, unpaid_read),
        own("403", Class::NoEffect("QuotaExceeded"), denied_read),
        row("403-denied", FaultKind::Status(denial), denied, denied_read),
        foreign("403-html", AnswerBody::Html),
        own("404", Class::NoEffect("BackupNotFound"), Read::NotThere),
        foreign("404-text", text("no such page")),
        own("408", Class::Unknown, AWAY),
        own("409", Class::Taken, AWAY),
        foreign("409-html", AnswerBody::Html),
        own("412", Class::NoEffect("BackupNotReady"), AWAY),
        own("418", Class::Unknown, AWAY),
        own("422", Class::Rejected, AWAY),
        own("429", limited, limited_read),
        asking("429-seconds", in_seconds, limited, limited_read),
        asking("429-date", at_date, limited, limited_read),
        foreign("429-html", AnswerBody::Html),
        own("500", Class::Unknown, AWAY),
        foreign("502-html", AnswerBody::Html),
        own("503", Class::Unknown, AWAY),
        asking("503-seconds", in_seconds, Class::Unknown, AWAY),
        asking("503-date", at_date, Class::Unknown, AWAY),
        own("504", Class::Unknown, AWAY),
        redirect("307", 307),
        redirect("308", 308),
        foreign("200-html", AnswerBody::Html),
        foreign("200-empty", AnswerBody::Empty),
        foreign("200-null", text("null")),
        foreign("200-braces", text("{}")),
        foreign("204-empty", AnswerBody::Empty),
        broken("closed", FaultKind::DropBefore),
        broken("reset", FaultKind::ResetBefore),
        broken("cut", FaultKind::TruncatedBody),
        broken("garbage", FaultKind::GarbageBody),
        broken("slow", FaultKind::SlowBody(long)),
        broken("huge", FaultKind::HugeBody),
        broken("late", FaultKind::DelayAnswer(long)),
    ]
}

/// Those that only a create request can meet.
pub fn kinds_of_create() -> Vec<Kind> {
    let lost = |name, fault| row(name, fault, Class::Unknown, AWAY);
    vec![
        lost("no-ids", FaultKind::MissingIds),
        lost("lost", FaultKind::LoseAnswer),
        lost("lost-reset", FaultKind::ResetAnswer),
    ]
}
