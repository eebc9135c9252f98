//! One IndexRestore, from its creation to its deletion: its versions, its claims, and what
//! Pinecone received for it.

use index_restore_operator::api::{IndexRestore, SubmissionOutcome};
use jiff::{SignedDuration, Timestamp};
use pinecone_emulator::{AcceptedCreate, Request};

use super::rules::Broken;
use super::status::{is_jobless, outcome, submission};

/// See the text.
pub const OWN_CLAIM: &str = "each create request has a claim of its own, made before it";
/// See the text.
pub const NOT_ABANDONED: &str = "a claim whose request took effect is not abandoned";

/// How much later than it was stored a claim may be observed here.
const DELAY: SignedDuration = SignedDuration::from_secs(10);

/// The history of one object.
#[derive(Debug, Default)]
pub struct Life {
    /// Its UID.
    pub uid: String,
    /// Every version that etcd stored, oldest first.
    pub versions: Vec<Version>,
    /// When its deletion was observed.
    pub gone: Option<Timestamp>,
    /// Each claim that was observed open, once.
    pub claims: Vec<Claim>,
    pub(super) abandoned: Vec<Abandoned>,
    /// The create requests that were sent for it.
    pub posts: Vec<Request>,
    /// The create requests that Pinecone accepted for it.
    pub accepted: Vec<AcceptedCreate>,
    /// Whether a user replaced its status.
    pub wiped: bool,
}

/// What etcd stored, and when that was observed.
#[derive(Clone, Debug)]
pub struct Version {
    /// When it was observed, which is later than when it was stored.
    pub seen: Timestamp,
    /// The object.
    pub object: IndexRestore,
}

/// A claim of the right to send one create request.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Its random mark.
    pub nonce: String,
    /// The UID of the object that it was made for.
    pub uid: String,
    /// The latest moment at which it was stored.
    pub stored: Timestamp,
    /// The backup that it claims to restore.
    pub backup_id: String,
    /// The index name that it claims to restore to.
    pub index_name: String,
}

/// That a claim was observed abandoned, and how many claims there were by then.
#[derive(Debug)]
pub(super) struct Abandoned {
    pub(super) seen: Timestamp,
    pub(super) claims: usize,
}

impl Claim {
    /// Returns the claim that this version shows open, if it is the object's own.
    pub fn of(version: &Version) -> Option<Self> {
        let open = submission(&version.object)?;
        (open.outcome == SubmissionOutcome::Open).then(|| Self {
            nonce: open.nonce.clone(),
            uid: open.uid.clone(),
            stored: version.seen,
            backup_id: open.backup_id.clone(),
            index_name: open.index_name.clone(),
        })
    }
}

impl Life {
    /// Returns the latest version.
    pub fn latest(&self) -> Option<&IndexRestore> {
        self.versions.last().map(|version| &version.object)
    }

    /// Whether its index was once recorded without a job.
    pub(super) fn was_jobless(&self) -> bool {
        let mut versions = self.versions.iter();
        versions.any(|version| is_jobless(&version.object))
    }

    /// Whether a create request of its own was answered 409.
    pub(super) fn was_taken(&self) -> bool {
        let mut outcomes = self.versions.iter().map(|version| outcome(&version.object));
        outcomes.any(|outcome| outcome == Some(SubmissionOutcome::Taken))
    }

    /// Notes the claim that the version shows, if it is a new one, or that a claim is abandoned.
    pub(super) fn note_claim(&mut self, version: &Version) {
        if outcome(&version.object) == Some(SubmissionOutcome::Abandoned) {
            self.abandoned.push(Abandoned {
                seen: version.seen,
                claims: self.claims.len(),
            });
        }
        let claim = Claim::of(version);
        let is_new = |claim: &Claim| self.claims.iter().all(|known| known.nonce != claim.nonce);
        if let Some(claim) = claim.filter(is_new) {
            self.claims.push(claim);
        }
    }

    /// Whether a claim was abandoned although its request had arrived, and took effect.
    pub(super) fn abandoned_too_soon(&self) -> Option<Broken> {
        let abandoned = self.abandoned.last()?;
        // A request beyond the number of claims belongs to a later claim, which is observed late.
        let mut posts = self.posts.iter().take(abandoned.claims);
        let post = posts.find(|post| post.effect && post.time < abandoned.seen);
        let accepted = match self.claims.len() > abandoned.claims {
            true => None,
            false => self
                .accepted
                .iter()
                .find(|create| create.time < abandoned.seen),
        };
        let is_broken = post.is_some() || accepted.is_some();
        is_broken.then(|| {
            let detail = format!("abandoned at {}; {post:?} {accepted:?}", abandoned.seen);
            (NOT_ABANDONED, detail)
        })
    }

    /// Returns all that is known of it, for a report.
    pub fn describe(&self) -> String {
        let mut text = format!("IndexRestore {}\n", self.uid);
        for version in &self.versions {
            let object = serde_json::to_string(&version.object).unwrap_or_default();
            text += &format!("  {} {object}\n", version.seen);
        }
        if let Some(gone) = self.gone {
            text += &format!("  {gone} deleted\n");
        }
        for post in &self.posts {
            text += &format!("  journal: {post:?}\n");
        }
        for create in &self.accepted {
            text += &format!("  accepted: {create:?}\n");
        }
        text
    }
}

/// Whether the last of the create requests has no claim of its own, made before it, for its
/// backup and name. `exact`: when claims were stored is known exactly.
pub fn unclaimed(posts: &[Request], claims: &[Claim], exact: bool) -> Option<Broken> {
    let post = posts.last()?;
    let delay = if exact { SignedDuration::ZERO } else { DELAY };
    let before = claims
        .iter()
        .filter(|claim| claim.stored <= post.time + delay);
    let before = before.count();
    if posts.len() > before {
        let (sent, time) = (posts.len(), post.time);
        let detail = format!("{sent} create requests by {time}, and {before} claims: {claims:?}");
        return Some((OWN_CLAIM, detail));
    }
    let is_asked = |claim: &Claim| is_for(post, &claim.backup_id, &claim.index_name);
    (!claims.iter().any(is_asked)).then(|| {
        let detail = format!("no claim was for {} {:?}", post.path, post.body);
        (OWN_CLAIM, detail)
    })
}

/// Whether the create request is for that backup and name.
pub(super) fn is_for(post: &Request, backup_id: &str, index_name: &str) -> bool {
    let name = post.body.as_ref().map(|body| &body["name"]);
    name.is_some_and(|name| *name == index_name)
        && post.path.split('/').any(|part| decoded(part) == backup_id)
}

/// A part of a path without its percent-encoding.
fn decoded(part: &str) -> String {
    let mut pieces = part.split('%');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let code = piece
            .get(..2)
            .and_then(|code| u8::from_str_radix(code, 16).ok());
        match code {
            Some(code) => {
                bytes.push(code);
                bytes.extend_from_slice(&piece.as_bytes()[2..]);
            }
            None => bytes.extend_from_slice(piece.as_bytes()),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
