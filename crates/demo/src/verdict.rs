//! Whether everything came out as promised, and what exists in the end.

use std::fmt::Display;

use anyhow::Result;
use index_restore_operator::api::conditions::find;
use index_restore_operator::api::{DeletionProtection, IndexRestore, Reason};
use pinecone_emulator::IndexSnapshot;
use serde_json::json;
use testkit::judge::{Trial, Violation};

use crate::account::Account;
use crate::performance::Performance;
use crate::stories::{self, Story, TAGS_AND_PROTECTION};

/// Expectations that did not come true.
#[derive(Debug, Default)]
struct Expectations {
    met: usize,
    failed: Vec<String>,
}

impl Expectations {
    fn expect(&mut self, what: impl Display, is_met: bool) {
        match is_met {
            true => self.met += 1,
            false => self.failed.push(what.to_string()),
        }
    }
}

impl Performance<'_> {
    /// Shows what exists, checks it, and says whether all is as it should be.
    pub async fn verdict(&mut self) -> Result<bool> {
        self.screen.heading("What Pinecone has now");
        let indexes = self.account.indexes();
        let lines: Vec<String> =
            std::iter::once(line(["INDEX", "STATE", "PROTECTED", "FROM BACKUP", "TAGS"]))
                .chain(indexes.iter().map(|index| describe(&self.account, index)))
                .collect();
        self.screen.lines(&lines);
        let accepted = self.account.accepted(None);
        self.screen
            .say(&format!("Creates that Pinecone accepted: {accepted}"));

        let expectations = self.check().await?;
        self.screen.heading("Verdict");
        for failed in &expectations.failed {
            self.screen.failure(failed);
        }
        if !expectations.failed.is_empty() {
            return Ok(false);
        }
        self.screen.success(&format!(
            "All {} expectations came true. Three restores took three creates: none was sent twice, no index was taken \
             over, and every ID, host, tag and protection is as it should be.",
            expectations.met
        ));
        Ok(true)
    }

    async fn check(&self) -> Result<Expectations> {
        let mut all = Expectations::default();
        for violation in self.judged().await? {
            all.expect(violation, false);
        }
        let mut restored = 0;
        for story in stories::ALL {
            let restore = self.cluster.restores.get(story.name).await?;
            check_end(&mut all, &story, &restore);
            if story.end == Reason::Restored {
                restored += 1;
                self.check_index(&mut all, &restore);
            }
        }
        all.expect(
            "the operator was killed before the answer to plain's create arrived",
            !self.account.is_answered("products-restored"),
        );
        let refused = self.cluster.restores.get_opt("refused").await?;
        all.expect(
            "the API server refuses refused.yaml",
            self.refusal.is_some(),
        );
        all.expect("nothing of refused.yaml is stored", refused.is_none());
        let accepted = self.account.accepted(None);
        all.expect(
            format!("Pinecone accepts {restored} creates, but it accepted {accepted}"),
            accepted == restored,
        );
        let foreign = self.account.index(&self.account.foreign.name);
        all.expect(
            "the index articles is as it was before",
            foreign.as_ref() == Some(&self.account.foreign),
        );
        let indexes = self.account.indexes().len();
        all.expect(
            format!(
                "there are {} indexes, but there are {indexes}",
                restored + 1
            ),
            indexes == restored + 1,
        );
        Ok(all)
    }

    /// The rules of the judge that the history breaks.
    async fn judged(&self) -> Result<Vec<Violation>> {
        self.history.complete().await?;
        let trial = Trial {
            versions: self.history.all(),
            has_gap: self.history.has_gap(),
            deleted: self.history.deleted(),
            ..Trial::default()
        };
        let control = self.account.emulator.control();
        Ok(trial.with_pinecone(&control).judge())
    }

    /// The index is what the manifest asks for, and the status names it.
    fn check_index(&self, all: &mut Expectations, restore: &IndexRestore) {
        let spec = &restore.spec;
        let name = &spec.index_name;
        let creates = self.account.emulator.control().accepted_creates();
        let mut creates = creates.iter().filter(|create| create.index_name == *name);
        let (Some(create), None, Some(index)) =
            (creates.next(), creates.next(), self.account.index(name))
        else {
            all.expect(format!("{name} exists and was created exactly once"), false);
            return;
        };
        all.expect(name, true);
        let status = restore.status.clone().unwrap_or_default();
        let mut expect = |what: &str, is_met| all.expect(format!("{name}: {what}"), is_met);
        expect(
            "the job's ID in the status is Pinecone's",
            status.restore_job_id.as_ref() == Some(&create.restore_job_id),
        );
        expect(
            "the index's ID in the status is Pinecone's",
            status.index_id.as_ref() == Some(&index.id) && create.index_id == index.id,
        );
        expect(
            "the host in the status is Pinecone's",
            status.index_host.as_ref() == Some(&index.host),
        );
        expect("it is ready", index.ready);
        expect(
            "it came from the backup",
            index.source_backup_id.as_ref() == Some(&spec.backup_id),
        );
        expect("tags were sent only if given", create.tags == spec.tags);
        let tags = match &spec.tags {
            Some(tags) => json!(tags),
            None => self.account.backup_tags(&spec.backup_id),
        };
        expect(
            "its tags are those given, or else the backup's",
            json!(index.tags) == tags,
        );
        let protected = spec.deletion_protection == DeletionProtection::Enabled;
        expect(
            "its protection is as given",
            index.deletion_protection == protected,
        );
    }
}

/// The conditions at the very end.
fn check_end(all: &mut Expectations, story: &Story, restore: &IndexRestore) {
    // The second of its name, created after the first was deleted.
    let end = match story.name == TAGS_AND_PROTECTION.name {
        true => Reason::Adopted,
        false => story.end,
    };
    let conditions = restore
        .status
        .as_ref()
        .map(|status| status.conditions.as_slice());
    let ready = find(conditions.unwrap_or_default(), "Ready");
    let reason = ready.map_or("nothing", |ready| ready.reason.as_str());
    all.expect(
        format!(
            "{} ends as {}, but it says {reason}",
            story.name,
            end.as_str()
        ),
        reason == end.as_str(),
    );
    let expected = end.condition_states().ready.as_str();
    all.expect(
        format!("{} has Ready={expected}", story.name),
        ready.is_some_and(|ready| ready.status == expected),
    );
}

fn describe(account: &Account, index: &IndexSnapshot) -> String {
    let tags: Vec<String> = index
        .tags
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let backup = index
        .source_backup_id
        .as_deref()
        .map(|id| account.backup_name(id));
    line([
        &index.name,
        &index.state,
        if index.deletion_protection {
            "yes"
        } else {
            "no"
        },
        backup.as_deref().unwrap_or("-"),
        &tags.join(" "),
    ])
}

fn line([name, state, protected, backup, tags]: [&str; 5]) -> String {
    format!("  {name:<20}{state:<8}{protected:<12}{backup:<14}{tags}")
        .trim_end()
        .to_owned()
}
