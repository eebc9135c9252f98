//! The claim, and the one request that it entitles to.

use std::time::Duration;

use kube::Api;

use super::messages;
use super::submission::{ClaimRequest, holds};
use super::write::{put_in, reread_in, with_status};
use crate::api::{DeletionProtection, IndexRestore, Trimmed};
use crate::pinecone::{ApiKey, Client, CreateIndex, Posted, classify};
use crate::runtime::api_server::{Error, Turn};
use crate::runtime::clock::BootTime;
use crate::runtime::failpoint::{Site, around};
use crate::runtime::leader::Term;

/// How old a claim may be when its request is sent, counted from before the claim
/// was written. A process that was frozen in between must not send: another may
/// have taken over.
pub const CLAIM_LIFE: Duration = Duration::from_secs(5);

/// The right to send one create request. Only a status write that won, and whose
/// answer shows the claim, makes one; sending uses it up.
#[must_use = "a claim that is not sent stays open until the confirm patience has passed"]
pub struct Claim {
    object: IndexRestore,
    began: BootTime,
}

/// The outcome of an attempt to claim.
pub enum ClaimOutcome {
    Won(Box<Claim>),
    /// The object changed, or another process claimed it.
    Lost,
    /// The write landed and the claim is not in it: the installed CRD is too old
    /// and drops it, or something rewrites statuses.
    Pruned(Box<IndexRestore>),
}

/// What sending the claim's request gave, and the object as the claim left it.
pub struct UsedClaim {
    pub object: IndexRestore,
    pub result: SendResult,
}

/// Whether the request was sent, and what it did as far as its answer shows.
pub enum SendResult {
    Posted(Posted),
    /// The claim was too old, or the lease was lost; nothing was sent.
    TooLate,
}

impl Claim {
    /// Writes the claim by a PUT with the resource version of `seen`: whoever saw
    /// an older object loses. The claim ages from here, so the caller has its turn already: behind
    /// hundreds of other calls, each claim would be too old once it is written.
    ///
    /// # Errors
    /// If the API server refuses the write, or the outcome of the write cannot be read.
    pub async fn acquire(
        turn: Turn,
        api: &Api<Trimmed>,
        seen: &IndexRestore,
        request: &ClaimRequest,
    ) -> Result<ClaimOutcome, Error> {
        let began = BootTime::now();
        let claimed = with_status(seen, request.status(seen, &messages::pending()));
        match put_in(&turn, api, Site::CLAIM_PUT, claimed).await {
            Ok(object) if holds(&object, request) => {
                Ok(ClaimOutcome::Won(Box::new(Self { object, began })))
            }
            Ok(object) => Ok(ClaimOutcome::Pruned(Box::new(object))),
            Err(error) if error.is_refusal() => Err(error),
            // A conflict may be the answer to our own write: the client repeats a
            // write that was answered 504, applied or not. The nonce shows whose it is.
            Err(_) => match reread_in(&turn, api, Site::CLAIM_GET, seen).await? {
                Some(object) if holds(&object, request) => {
                    Ok(ClaimOutcome::Won(Box::new(Self { object, began })))
                }
                _ => Ok(ClaimOutcome::Lost),
            },
        }
    }

    /// Sends the create request, once, for what the claim says.
    pub async fn send(self, pinecone: &Client, key: &ApiKey, term: &Term) -> UsedClaim {
        let spec = &self.object.spec;
        let body = CreateIndex {
            name: spec.index_name.clone(),
            tags: spec.tags.clone(),
            is_protected: spec.deletion_protection == DeletionProtection::Enabled,
        };
        let now = BootTime::now();
        if now.since(self.began) > CLAIM_LIFE || !term.lasts(now) {
            return UsedClaim {
                object: self.object,
                result: SendResult::TooLate,
            };
        }
        let post = pinecone.create_index_from_backup(key, &spec.backup_id, &body);
        let sent = around(Site::CREATE_POST, post).await;
        UsedClaim {
            result: SendResult::Posted(classify(sent)),
            object: self.object,
        }
    }
}

#[cfg(test)]
mod tests;
