//! A campaign of operations that are generated from the definition's own schema, on
//! the real parts: see docs/design/campaign.md.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod consistency;
mod differential;
mod ground;
mod health;
mod installations;
mod kubectl;
mod operation;
mod recovery;
mod schema;
mod semantics;
mod sequences;
mod singles;
mod tally;
mod updates;

use tally::{Oracle, Tally};

#[tokio::test(flavor = "multi_thread")]
async fn the_campaign() {
    let schema = schema::of_spec();
    let tally = Tally::default();
    tokio::join!(
        singles::run(&schema, &tally),
        updates::run(&schema, &tally),
        sequences::run(&schema, &tally),
        recovery::run(&schema, &tally),
        kubectl::run(&schema, &tally),
    );
    installations::run(&tally).await;
    println!("{}", tally.summary());
    assert_eq!(tally.violations(), [""; 0]);
    assert!(tally.operations() >= 250, "too few operations");
    // An oracle that was never asked proves nothing.
    for (oracle, least) in [
        (Oracle::Validation, 250),
        (Oracle::Consistency, 100),
        (Oracle::Differential, 30),
        (Oracle::Recovery, 12),
        (Oracle::Health, 100),
    ] {
        let checks = tally.checks(oracle);
        assert!(checks >= least, "{oracle:?} judged {checks} times");
    }
}
