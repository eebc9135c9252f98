//! Watches that hide, delay, repeat and reorder, expire and break.

use std::time::Duration;

use pinecone_emulator::{BackupSeed, DEFAULT_PROJECT, JobOutcome};
use serde_json::json;
use testkit::judge::ONE_CREATE;
use testkit::proxied::{Proxied, posts};
use testkit::scene::{Running, ready, status};
use testkit::{DEADLINE, Event, Fault, Reply, Rule, Treatment, eventually};

async fn watch_errors(operator: &Running, least: u64) {
    eventually("the watch fails", DEADLINE, async || {
        let (_, text) = operator.get("/metrics").await?;
        let line = text
            .lines()
            .find(|line| line.starts_with("indexrestore_watch_errors_total"));
        let count = line.and_then(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
        Ok((count.unwrap_or_default() >= least).then_some(()))
    })
    .await
    .unwrap();
}

/// What happens to the events of the object that has this name.
fn wronged(event: &Event) -> Treatment {
    let name = event.name().to_owned();
    match (name.as_str(), event.kind.as_str()) {
        ("add-held", "ADDED")
        | ("change-held" | "change-reversed", "MODIFIED")
        | ("all-held", _) => Treatment::Hold,
        ("change-dropped", "MODIFIED") => Treatment::Drop,
        ("add-twice", "ADDED") | ("change-twice", "MODIFIED") | ("all-twice", _) => {
            Treatment::Twice
        }
        _ => Treatment::Pass,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_are_late_lost_repeated_or_in_disorder() {
    let proxied = Proxied::new().await;
    let _operator = proxied.scene.start().await;
    // Lists, which come now and then, show nothing new either.
    proxied.freeze(&proxied.proxy).await;
    proxied.proxy.treat(wronged);
    let seen = [
        "add-twice",
        "all-twice",
        "change-held",
        "change-reversed",
        "change-dropped",
        "change-twice",
    ];
    let unseen = ["add-held", "all-held"];
    for name in seen.into_iter().chain(unseen) {
        proxied.scene.create(name, json!({})).await;
    }
    for name in seen {
        proxied.restored_once(name).await;
    }
    assert_eq!(proxied.scene.posts(), seen.len());
    proxied.proxy.show(None);
    proxied.proxy.deliver_reversed();
    for name in unseen {
        proxied.restored_once(name).await;
    }
    // What it believes now is put to the test: each has something new to report.
    for name in seen.into_iter().chain(unseen) {
        proxied
            .scene
            .pinecone
            .delete_index(DEFAULT_PROJECT, name)
            .unwrap();
    }
    for name in seen.into_iter().chain(unseen) {
        let object = proxied.until(name, "IndexDeleted").await;
        assert_eq!(proxied.check_claimed(&object).await, 1);
    }
    println!("events: {} cells", seen.len() + unseen.len());
}

/// Objects that are deleted and recreated while no event shows it, at three stages.
#[tokio::test(flavor = "multi_thread")]
async fn objects_made_again_unseen() {
    for merged in [false, true] {
        let proxied = Proxied::new().await;
        let pinecone = &proxied.scene.pinecone;
        pinecone.set_restore_duration(None);
        let operator = proxied.scene.start().await;
        proxied
            .scene
            .create("waits", json!({"backupId": "late"}))
            .await;
        proxied.until("waits", "BackupNotFound").await;
        proxied.scene.create("ends", json!({})).await;
        proxied.until("ends", "Restoring").await;
        finish(&proxied, "ends");
        proxied.restored_once("ends").await;
        proxied.scene.create("runs", json!({})).await;
        proxied.until("runs", "Restoring").await;
        // What its first look adds to the status must not come while there is no object.
        let looked_at = proxied.scene.until_that("runs", |object| {
            let restore = status(object).restore;
            restore.is_some_and(|restore| restore.start_time.is_some())
        });
        looked_at.await.unwrap();

        proxied.freeze(&proxied.proxy).await;
        for (name, backup) in [
            ("waits", "late"),
            ("ends", testkit::scene::BACKUP),
            ("runs", testkit::scene::BACKUP),
        ] {
            proxied.scene.delete(name).await;
            proxied
                .scene
                .create(name, json!({"backupId": backup}))
                .await;
        }
        let backup = BackupSeed::new("nightly", "products").id("late");
        pinecone.add_backup(DEFAULT_PROJECT, backup).unwrap();
        finish(&proxied, "runs");
        // It acts on what it sees, and is refused: the first by a claim, the other by
        // a report.
        for name in ["waits", "runs"] {
            eventually("a write is refused", DEADLINE, async || {
                let journal = proxied.proxy.journal();
                let mut refused = journal.iter().filter(|seen| seen.call.name == name);
                Ok(refused.any(|seen| seen.code == 409).then_some(()))
            })
            .await
            .unwrap_or_else(|error| panic!("{name}: {error:#}\n{}", operator.process.logs()));
        }
        assert_eq!(posts(&proxied.scene, "waits").len(), 0);
        for name in ["waits", "ends", "runs"] {
            let object = proxied.scene.get(name).await;
            assert_eq!(status(&object).submission, None, "{name}");
        }
        // Merged: the deletion of the first is never delivered.
        proxied.proxy.show(None);
        proxied.proxy.treat(move |event| match event.kind.as_str() {
            "DELETED" if merged => Treatment::Drop,
            _ => Treatment::Pass,
        });
        proxied.until("waits", "Restoring").await;
        finish(&proxied, "waits");
        proxied.restored_once("waits").await;
        for name in ["ends", "runs"] {
            let object = proxied.until(name, "Adopted").await;
            proxied.scene.check_recorded_once(&object);
            assert_eq!(posts(&proxied.scene, name).len(), 1);
        }
    }
    println!("made again unseen: 6 cells");
}

fn finish(proxied: &Proxied, name: &str) {
    let pinecone = &proxied.scene.pinecone;
    for create in proxied.scene.accepted(name) {
        pinecone
            .finish_job(&create.restore_job_id, JobOutcome::Completed)
            .unwrap();
    }
}

/// Somebody wipes statuses, unseen; what was made is not made again.
#[tokio::test(flavor = "multi_thread")]
async fn statuses_that_others_write_unseen() {
    let proxied = Proxied::new().await;
    proxied.scene.pinecone.set_restore_duration(None);
    let _operator = proxied.scene.start().await;
    let names = ["runs", "ends"];
    // Neither the status nor the index is left of its first restore.
    proxied.scene.waive("ends", ONE_CREATE);
    for name in names {
        proxied.scene.create(name, json!({})).await;
        proxied.until(name, "Restoring").await;
    }
    finish(&proxied, "ends");
    proxied.restored_once("ends").await;
    proxied.freeze(&proxied.proxy).await;
    for name in names {
        proxied
            .scene
            .overwrite_status(name, |status| *status = None)
            .await;
    }
    finish(&proxied, "runs");
    proxied
        .scene
        .pinecone
        .delete_index(DEFAULT_PROJECT, "ends")
        .unwrap();
    for name in names {
        // Its report loses, and then it reads what there is.
        eventually("it is reported again", DEADLINE, async || {
            let object = proxied.scene.get(name).await;
            Ok((!ready(&object).1.is_empty()).then_some(()))
        })
        .await
        .unwrap();
    }
    proxied.thaw();
    proxied.until("runs", "Adopted").await;
    assert_eq!(posts(&proxied.scene, "runs").len(), 1);
    println!("written by others, unseen: 2 cells");
}

/// Dropped for good, and overtaken by later events: only a new list shows them.
#[tokio::test(flavor = "multi_thread")]
async fn events_that_never_come() {
    let proxied = Proxied::new().await;
    let _operator = proxied.scene.start().await;
    proxied
        .scene
        .create("edited", json!({"backupId": "none"}))
        .await;
    proxied.until("edited", "BackupNotFound").await;
    proxied.scene.create("deleted", json!({})).await;
    proxied.restored_once("deleted").await;
    proxied.proxy.treat(|event| match event.name() {
        "new" | "edited" | "deleted" => Treatment::Drop,
        _ => Treatment::Pass,
    });
    proxied.scene.create("new", json!({})).await;
    let mut edited = proxied.scene.get("edited").await;
    edited.spec.backup_id = testkit::scene::BACKUP.into();
    let params = kube::api::PostParams::default();
    proxied
        .scene
        .restores
        .replace("edited", &params, &edited)
        .await
        .unwrap();
    proxied.scene.delete("deleted").await;
    proxied.scene.create("later", json!({})).await;
    for name in ["later", "new", "edited"] {
        proxied.restored_once(name).await;
    }
    println!("events that never come: 3 cells");
}

#[tokio::test(flavor = "multi_thread")]
async fn watches_that_expire_or_break() {
    let proxied = Proxied::new().await;
    let operator = proxied.scene.start().await;
    let settle = async |name: &str| {
        proxied.scene.create(name, json!({})).await;
        proxied.restored_once(name).await;
    };
    settle("before").await;
    proxied.proxy.expire_watches();
    settle("expired-in-the-stream").await;
    watch_errors(&operator, 1).await;
    let gone = Rule::new(Fault::reply(Reply::Code(410)), |call| {
        call.is_watch() && call.resource == "indexrestores"
    });
    let gone = proxied.proxy.arm(gone.times(3));
    proxied.proxy.cut_watches();
    settle("expired-at-once").await;
    eventually("three watches are refused", DEADLINE, async || {
        proxied.proxy.cut_watches();
        Ok((gone.hits() == 3).then_some(()))
    })
    .await
    .unwrap();
    let unlisted = Rule::new(Fault::reply(Reply::Code(410)), |call| {
        call.is_list() && call.resource == "indexrestores"
    });
    let unlisted = proxied.proxy.arm(unlisted.times(1));
    // Again and again: between two watches there is none to expire.
    eventually("a list is refused", DEADLINE, async || {
        proxied.proxy.expire_watches();
        Ok((unlisted.hits() == 1).then_some(()))
    })
    .await
    .unwrap();
    settle("expired-list").await;
    for n in 0..3 {
        proxied.proxy.cut_watches();
        settle(&format!("cut-{n}")).await;
    }
    println!("expired and broken watches: 6 cells");
}

/// Everything happens while the operator has no API server.
async fn disconnected_for(time: Duration) {
    let proxied = Proxied::new().await;
    let pinecone = &proxied.scene.pinecone;
    pinecone.set_restore_duration(None);
    let mut operator = proxied.scene.start().await;
    proxied
        .scene
        .create("waits", json!({"backupId": "late"}))
        .await;
    proxied.until("waits", "BackupNotFound").await;
    for name in ["runs", "again"] {
        proxied.scene.create(name, json!({})).await;
        proxied.until(name, "Restoring").await;
    }
    proxied.proxy.set_away(true);
    let backup = BackupSeed::new("nightly", "products").id("late");
    pinecone.add_backup(DEFAULT_PROJECT, backup).unwrap();
    proxied.scene.create("new", json!({})).await;
    proxied.scene.delete("again").await;
    proxied.scene.create("again", json!({})).await;
    for name in ["runs", "again"] {
        finish(&proxied, name);
    }
    tokio::time::sleep(time).await;
    assert_eq!(proxied.scene.posts(), 2);
    proxied.proxy.set_away(false);
    pinecone.set_restore_duration(Duration::from_millis(300));
    for name in ["runs", "new", "waits"] {
        proxied.restored_once(name).await;
    }
    let again = proxied.until("again", "Adopted").await;
    proxied.scene.check_recorded_once(&again);
    assert_eq!(proxied.scene.posts(), 4);
    assert_eq!(operator.process.exited().unwrap(), None);
    println!("disconnected for {time:?}: 4 cells");
}

#[tokio::test(flavor = "multi_thread")]
async fn disconnected_for_a_second() {
    disconnected_for(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn disconnected_for_half_a_minute() {
    disconnected_for(Duration::from_secs(30)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "five minutes of real time: cargo kubernetes-faults -- --ignored"]
async fn disconnected_for_five_minutes() {
    disconnected_for(Duration::from_secs(300)).await;
}
