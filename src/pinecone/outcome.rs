use super::failure::{Failure, FailureKind};
use super::model::Created;
use super::reply::Reply;
use super::wire;

/// The result of the create request: an answer, or the failure to get one.
pub type Sent = Result<Reply, Failure>;

/// The effect of the create request, as far as its answer shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Posted {
    /// Pinecone accepted the restore and gave both IDs.
    Accepted(Created),
    /// Nothing was created: Pinecone refused in its own form, or was never reached.
    NoEffect(Failure),
    /// An index of that name exists.
    Taken(Failure),
    /// The effect cannot be determined from the answer.
    Unknown(Failure),
}

/// Classifies the result of the create request by its effect.
///
/// It is "no effect" only if that is certain. Anything else, including an answer that cannot be parsed,
/// leaves the outcome open: the restore may run.
pub fn classify(sent: Sent) -> Posted {
    let reply = match sent {
        Ok(reply) => reply,
        Err(failure) => return by_failure(failure),
    };
    match reply.json::<wire::Created>() {
        Ok(created) if !created.restore_job_id.is_empty() && !created.index_id.is_empty() => {
            Posted::Accepted(Created {
                restore_job_id: created.restore_job_id,
                index_id: created.index_id,
                request_id: reply.request_id(),
            })
        }
        Ok(_) => Posted::Unknown(reply.unreadable("the answer names no restore job or index")),
        Err(failure) => Posted::Unknown(failure),
    }
}

fn by_failure(failure: Failure) -> Posted {
    match failure.kind {
        FailureKind::Unauthorized
        | FailureKind::PaymentRequired
        | FailureKind::PermissionDenied
        | FailureKind::Forbidden
        | FailureKind::NotFound
        | FailureKind::PreconditionFailed
        | FailureKind::Invalid
        | FailureKind::UnsupportedVersion
        | FailureKind::RateLimited
        | FailureKind::NotConnected => Posted::NoEffect(failure),
        FailureKind::AlreadyExists => Posted::Taken(failure),
        FailureKind::Unavailable => Posted::Unknown(failure),
    }
}

impl Posted {
    /// Returns a label from a fixed set, for metrics and logs.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Accepted(_) => "accepted",
            Self::NoEffect(_) => "no_effect",
            Self::Taken(_) => "taken",
            Self::Unknown(_) => "unknown",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn success(status: u16, body: &str) -> Posted {
        classify(Ok(Reply::for_tests(status, body)))
    }

    #[test]
    fn both_ids_are_needed_to_call_it_accepted() {
        let both = r#"{"restore_job_id":"j","index_id":"i","more":1}"#;
        let created = Created {
            restore_job_id: "j".into(),
            index_id: "i".into(),
            request_id: None,
        };
        assert_eq!(success(202, both), Posted::Accepted(created));
        assert_eq!(success(200, both).label(), "accepted");
        for body in [
            "",
            "{}",
            "<html></html>",
            r#"{"restore_job_id":"j"}"#,
            r#"{"restore_job_id":"j","index_id":""}"#,
            r#"{"restore_job_id":"j","index_id":"i"#,
        ] {
            assert_eq!(success(202, body).label(), "unknown", "{body}");
        }
    }

    #[test]
    fn only_certain_refusals_are_no_effect() {
        let by = |kind| by_failure(Failure::without_answer(kind, "")).label();
        for kind in [
            FailureKind::Unauthorized,
            FailureKind::PaymentRequired,
            FailureKind::PermissionDenied,
            FailureKind::Forbidden,
            FailureKind::NotFound,
            FailureKind::PreconditionFailed,
            FailureKind::Invalid,
            FailureKind::UnsupportedVersion,
            FailureKind::RateLimited,
            FailureKind::NotConnected,
        ] {
            assert_eq!(by(kind), "no_effect", "{kind:?}");
        }
        assert_eq!(by(FailureKind::AlreadyExists), "taken");
        assert_eq!(by(FailureKind::Unavailable), "unknown");
    }
}
