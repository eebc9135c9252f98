//! What became of each IndexRestore: every version of it, its claims, and what Pinecone got for it.

use index_restore_operator::api::IndexRestore;
use index_restore_operator::api::SubmissionOutcome;
use jiff::{SignedDuration, Timestamp};
use pinecone_emulator::{AcceptedCreate, Request};

use crate::rules;

/// The tag in `spec.tags` by which a create request tells the object it was sent for.
pub const LIFE: &str = "soak-life";
/// The tag that tells what its life is to be.
pub const KIND: &str = "soak-kind";

/// How much later than it was stored a claim may be seen here.
const SIGHT: SignedDuration = SignedDuration::from_secs(10);

/// One object, from its creation to its deletion.
#[derive(Debug, Default)]
pub struct Biography {
    pub uid: String,
    /// Empty once it is long gone.
    pub versions: Vec<Version>,
    pub gone: Option<Timestamp>,
    /// Each claim that was seen open, once.
    pub claims: Vec<Opened>,
    /// When a claim was seen given up, after it had left no trace for long.
    pub abandoned: Vec<Timestamp>,
    pub posts: Vec<Request>,
    pub accepted: Vec<AcceptedCreate>,
    /// Whether people took its status away.
    pub wiped: bool,
}

/// What etcd stored, and when that was seen here.
#[derive(Debug)]
pub struct Version {
    pub revision: i64,
    pub seen: Timestamp,
    pub object: IndexRestore,
}

/// A claim of the right to send one create request.
#[derive(Debug)]
pub struct Opened {
    pub nonce: String,
    pub seen: Timestamp,
    pub backup_id: String,
    pub index_name: String,
}

impl Biography {
    pub fn latest(&self) -> Option<&IndexRestore> {
        self.versions.last().map(|version| &version.object)
    }

    /// Whether its index was once recorded without a job.
    pub fn was_jobless(&self) -> bool {
        let mut versions = self.versions.iter();
        versions.any(|version| rules::is_jobless(&version.object))
    }

    /// Whether a create of its own was answered 409.
    pub fn was_taken(&self) -> bool {
        let outcomes = self.versions.iter().filter_map(|version| {
            let status = version.object.status.as_ref()?;
            Some(status.submission.as_ref()?.outcome)
        });
        outcomes
            .into_iter()
            .any(|outcome| outcome == SubmissionOutcome::Taken)
    }

    /// Notes the claim in `object`, if it is a new one that is open.
    pub fn note_claim(&mut self, object: &IndexRestore, seen: Timestamp) {
        let Some(claim) = object.status.as_ref().and_then(|s| s.submission.as_ref()) else {
            return;
        };
        if claim.outcome == SubmissionOutcome::Abandoned {
            self.abandoned.push(seen);
        }
        let is_own = Some(claim.uid.as_str()) == object.metadata.uid.as_deref();
        let is_known = self.claims.iter().any(|known| known.nonce == claim.nonce);
        if is_own && !is_known && claim.outcome == SubmissionOutcome::Open {
            self.claims.push(Opened {
                nonce: claim.nonce.clone(),
                seen,
                backup_id: claim.backup_id.clone(),
                index_name: claim.index_name.clone(),
            });
        }
    }

    /// What the last of its create requests breaks: each needs a claim of its own, made before it
    /// and for the same restore.
    pub fn unclaimed_post(&self) -> Option<String> {
        let post = self.posts.last()?;
        let before = |claim: &&Opened| claim.seen <= post.time + SIGHT;
        let entitling = self.claims.iter().filter(before);
        let posts = self.posts.len();
        if posts > entitling.clone().count() {
            return Some(format!(
                "{posts} create requests by {}, and {} claims",
                post.time,
                entitling.count()
            ));
        }
        let is_asked = |claim: &Opened| {
            let name = post.body.as_ref().map(|body| &body["name"]);
            name.is_some_and(|name| *name == claim.index_name)
                && post.path.contains(&claim.backup_id)
        };
        let as_claimed = self.claims.iter().any(is_asked);
        (!as_claimed).then(|| format!("no claim was for {} {:?}", post.path, post.body))
    }

    /// Whether a claim was given up although its request had arrived, and took effect.
    pub fn abandoned_too_soon(&self) -> Option<String> {
        let abandoned = self.abandoned.last()?;
        let is_earlier = |post: &&Request| post.effect && post.time < *abandoned;
        let post = self.posts.iter().find(is_earlier);
        let accepted = self.accepted.iter().find(|create| create.time < *abandoned);
        (post.is_some() || accepted.is_some())
            .then(|| format!("given up at {abandoned}; {post:?} {accepted:?}"))
    }

    /// Everything that is known of it, for a person.
    pub fn tell(&self) -> String {
        let mut text = format!("IndexRestore {}\n", self.uid);
        for version in &self.versions {
            let object = serde_json::to_string(&version.object).unwrap_or_default();
            text += &format!("  {} {} {object}\n", version.seen, version.revision);
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

/// One of the tags in the spec.
pub fn tag<'a>(object: &'a IndexRestore, name: &str) -> &'a str {
    let tags = object.spec.tags.as_ref();
    tags.and_then(|tags| tags.get(name))
        .map_or("", String::as_str)
}

/// The project whose key the object uses.
pub fn project(object: &IndexRestore) -> &str {
    let secret = &object.spec.api_key_secret_ref.name;
    secret.strip_prefix("pinecone-").unwrap_or(secret)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn post(second: i64, name: &str) -> Request {
        serde_json::from_value(json!({
            "seq": 1, "time": at(second), "method": "POST", "path": "/backups/b/create-index",
            "route": "create_index_from_backup", "body": {"name": name},
            "effect": false, "delivered": true,
        }))
        .unwrap()
    }

    fn claimed(second: i64) -> Opened {
        Opened {
            nonce: second.to_string(),
            seen: at(second),
            backup_id: "b".into(),
            index_name: "i".into(),
        }
    }

    #[test]
    fn each_request_needs_a_claim_of_its_own_before_it() {
        let mut life = Biography {
            claims: vec![claimed(10)],
            posts: vec![post(11, "i")],
            ..Biography::default()
        };
        assert_eq!(life.unclaimed_post(), None);
        life.posts.push(post(12, "i"));
        assert!(life.unclaimed_post().is_some());
        life.claims.push(claimed(30));
        assert!(life.unclaimed_post().is_some(), "claimed afterwards");
        life.claims.push(claimed(12));
        assert_eq!(life.unclaimed_post(), None);
    }

    #[test]
    fn a_request_that_arrived_is_not_given_up() {
        let mut life = Biography {
            posts: vec![post(11, "i")],
            abandoned: vec![at(20)],
            ..Biography::default()
        };
        assert_eq!(life.abandoned_too_soon(), None, "it had no effect");
        life.posts[0].effect = true;
        assert!(life.abandoned_too_soon().is_some());
        life.abandoned = vec![at(5)];
        assert_eq!(life.abandoned_too_soon(), None, "the next attempt");
    }

    #[test]
    fn a_request_for_something_else_was_not_claimed() {
        let life = Biography {
            claims: vec![claimed(10)],
            posts: vec![post(11, "other")],
            ..Biography::default()
        };
        assert!(life.unclaimed_post().is_some());
    }
}
