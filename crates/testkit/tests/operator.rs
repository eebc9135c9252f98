//! The operator's process is started clean, observed and ended by its handle. A shell stands in for it.

use std::os::unix::process::ExitStatusExt as _;

use anyhow::{Result, anyhow};
use testkit::{DEADLINE, Operator, OperatorBuilder, eventually};

fn shell(script: &str) -> OperatorBuilder {
    Operator::builder("/bin/sh").args(["-c", script])
}

async fn has_said(operator: &Operator, text: &str) -> Result<()> {
    eventually(&format!("it says {text}"), DEADLINE, async || {
        let logs = operator.logs();
        if logs.contains(text) {
            Ok(Some(()))
        } else {
            Err(anyhow!(logs))
        }
    })
    .await
}

#[tokio::test]
async fn it_gets_the_environment_that_is_given_and_path() -> Result<()> {
    let mut operator = shell("env; echo on stderr >&2")
        .env("GIVEN", "yes")
        .kubeconfig("/k".as_ref())
        .start()?;
    assert!(operator.wait_exit(DEADLINE).await?.success());
    let logs = operator.logs();
    for line in ["GIVEN=yes", "KUBECONFIG=/k", "PATH=", "on stderr"] {
        assert!(logs.contains(line), "{line} in {logs}");
    }
    assert!(
        !logs.contains("CARGO_MANIFEST_DIR") && !logs.contains("HOME="),
        "{logs}"
    );
    Ok(())
}

#[tokio::test]
async fn it_ends_by_signal() -> Result<()> {
    let waits = shell("trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.05; done");
    let mut operator = waits.start()?;
    has_said(&operator, "up").await?;
    operator.suspend()?;
    operator.terminate()?;
    assert_eq!(
        operator.exited()?,
        None,
        "a suspended process handles no signal"
    );
    operator.resume()?;
    assert_eq!(operator.wait_exit(DEADLINE).await?.code(), Some(7));
    has_said(&operator, "bye").await?;
    assert!(
        operator.terminate().is_err(),
        "the process has ended already"
    );

    let mut again = waits.start()?;
    has_said(&again, "up").await?;
    again.suspend()?;
    assert_eq!(
        again.kill()?.signal(),
        Some(9),
        "a suspended process can be killed"
    );
    assert_eq!(again.kill()?.signal(), Some(9));
    Ok(())
}

#[tokio::test]
async fn a_deadline_that_passes_shows_the_log() -> Result<()> {
    let mut operator = shell("echo working; exec sleep 600").start()?;
    has_said(&operator, "working").await?;
    let error = operator
        .wait_exit(std::time::Duration::ZERO)
        .await
        .map_err(|error| format!("{error:#}"));
    assert!(
        error.as_ref().is_err_and(|text| text.contains("working")),
        "{error:?}"
    );
    Ok(())
}

#[tokio::test]
async fn waiting_in_vain_shows_what_was_seen_last() {
    let result: Result<()> = eventually("pigs fly", std::time::Duration::ZERO, async || {
        Err(anyhow!("altitude 0 m"))
    })
    .await;
    let error = result.map_err(|error| format!("{error:#}"));
    assert!(
        error
            .as_ref()
            .is_err_and(|text| text.contains("pigs fly") && text.contains("altitude 0 m")),
        "{error:?}"
    );
}

#[test]
fn a_missing_binary_is_named() {
    let error = Operator::builder("/nowhere/operator")
        .start()
        .err()
        .map(|error| format!("{error:#}"));
    assert!(error.is_some_and(|text| text.contains("/nowhere/operator")));
}
