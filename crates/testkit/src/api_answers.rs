//! The matrix: each write of a restore, met by each answer.

// A step that fails must fail the test at once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use http::Method;
use serde_json::Value;

use crate::api_proxy::{Armed, Call, Fault, Reply, Rule, Seen};
use crate::proxied::{LONG, Proxied};
use crate::scene::{Running, status};
use crate::wait::eventually;

/// A write in the life of a restore, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// The report that Pinecone asks for payment: the restore is blocked once.
    Report,
    /// The claim: the submission is open, and nothing was sent yet.
    Claim,
    /// The IDs of the restore job and of the index.
    Record,
    /// The report that it is restored.
    Finish,
    /// The event that goes with the record.
    Event,
}

impl Write {
    /// Whether the call is this write of the IndexRestore of that name.
    pub fn concerns(self, call: &Call, name: &str) -> bool {
        if self == Self::Event {
            return call.method == Method::POST
                && call.resource == "events"
                && call.body["reason"] == "Restoring"
                && call.body["regarding"]["name"] == name;
        }
        let status = &call.body["status"];
        let is_ours = call.writes_status_of("indexrestores") && call.name == name;
        is_ours
            && match self {
                Self::Report => reason(status) == "PaymentRequired",
                Self::Claim => {
                    reason(status) == "Pending" && status["submission"]["outcome"] == "Open"
                }
                Self::Record => reason(status) == "Restoring" && status["restoreJobId"].is_string(),
                Self::Finish => reason(status) == "Restored",
                Self::Event => false,
            }
    }

    fn letter(self) -> char {
        match self {
            Self::Report => 'p',
            Self::Claim => 'c',
            Self::Record => 'r',
            Self::Finish => 'f',
            Self::Event => 'e',
        }
    }
}

fn reason(status: &Value) -> &str {
    let conditions = status["conditions"].as_array();
    conditions
        .into_iter()
        .flatten()
        .find(|condition| condition["type"] == "Ready")
        .and_then(|ready| ready["reason"].as_str())
        .unwrap_or_default()
}

/// What one write meets.
#[derive(Clone)]
pub struct Answer {
    /// Names the cell's IndexRestore: the code or what else happens, `-applied` if the write is stored.
    pub label: String,
    /// What happens to the request.
    pub fault: Fault,
    /// The number of requests that meet it, the client's own retries included.
    pub times: u32,
}

fn answer(label: impl Into<String>, fault: Fault, times: u32) -> Answer {
    Answer {
        label: label.into(),
        fault,
        times,
    }
}

/// The answers that come at once; the client repeats 429, 503 and 504 by itself.
pub fn prompt() -> Vec<Answer> {
    let mut answers = Vec::new();
    for code in [409, 404, 403, 422, 429, 500, 503, 504] {
        let fault = Fault::reply(Reply::Code(code));
        answers.push(answer(format!("{code}"), fault.clone(), 1));
        answers.push(answer(format!("{code}-applied"), fault.applied(), 1));
    }
    let wait = Fault::reply(Reply::CodeAfter(429, 1));
    answers.push(answer("429-after", wait.clone(), 2));
    answers.push(answer("429-after-applied", wait.applied(), 2));
    let closed = Fault::reply(Reply::Closed);
    answers.push(answer("closed", closed.clone(), 1));
    answers.push(answer("closed-applied", closed.applied(), 1));
    answers
}

/// The answers that last longer than the operator waits for one call to the API server.
pub fn lasting() -> Vec<Answer> {
    let mut answers = Vec::new();
    for code in [429, 503, 504] {
        let fault = Fault::reply(Reply::Code(code));
        answers.push(answer(format!("{code}-long"), fault.clone(), 16));
        answers.push(answer(format!("{code}-long-applied"), fault.applied(), 16));
    }
    let silence = Fault::reply(Reply::Silence);
    answers.push(answer("silence", silence.clone(), 1));
    answers.push(answer("silence-applied", silence.clone().applied(), 1));
    answers.push(answer("silence-late", silence.applied_late(), 1));
    answers
}

/// A cell of the matrix, under way.
pub struct Cell {
    /// Name of the cell's IndexRestore and of its index.
    pub name: String,
    /// The fault in force: counts the requests that met it, and ends what it holds back.
    pub armed: Arc<Armed>,
}

/// Arms the fault and makes the restore that meets it.
pub async fn begin(proxied: &Proxied, write: Write, n: usize, answer: &Answer) -> Cell {
    let mark = format!("{}{n:02}-", write.letter());
    let name = format!("{mark}{}", answer.label);
    let concerned = name.clone();
    let rule = Rule::new(answer.fault.clone(), move |call| {
        write.concerns(call, &concerned)
    });
    let armed = proxied.proxy.arm(rule.times(answer.times));
    proxied.create_with_report(&name, &mark).await;
    Cell { name, armed }
}

/// Runs all cells of one write at the same time, panics at the first that is not restored once, and returns their number.
pub async fn run(write: Write, answers: &[Answer]) -> usize {
    let proxied = Proxied::new().await;
    let operator = proxied.scene.start_with(&["--concurrency=64"]).await;
    let mut cells = Vec::new();
    for (n, answer) in answers.iter().enumerate() {
        cells.push(begin(&proxied, write, n, answer).await);
    }
    // What comes late comes when it was given up.
    for (cell, answer) in cells.iter().zip(answers) {
        if answer.label.ends_with("late") {
            given_up(&proxied, &operator, cell).await;
            cell.armed.lift();
        }
    }
    for (cell, answer) in cells.iter().zip(answers) {
        let object = proxied.restored_once(&cell.name).await;
        let posts = proxied.check_claimed(&object).await;
        assert_eq!(posts, 1, "{}", cell.name);
        if write == Write::Claim && is_recognised(&answer.label) {
            let submission = status(&object).submission.unwrap();
            assert_eq!(submission.attempt, 1, "{} was submitted again", cell.name);
        }
        // Events are sent in the background.
        let all = answer.times.min(2);
        let met = eventually("it met the answer", LONG, async || {
            Ok((cell.armed.hits() >= all).then_some(()))
        });
        if let Err(error) = met.await {
            panic!("{} met {:?}: {error}", cell.name, cell.armed);
        }
    }
    println!("{write:?}: {} cells, each restored once", cells.len());
    cells.len()
}

/// Whether a claim that was stored, and answered so, is known by its nonce at once.
/// An answer like a refusal counts as one, and the outcome is read.
fn is_recognised(label: &str) -> bool {
    let is_refusal = ["403", "404", "422"]
        .iter()
        .any(|code| label.starts_with(code));
    let is_prompt = !label.contains("long") && !label.contains("silence");
    label.ends_with("applied") && is_prompt && !is_refusal
}

/// Waits until the operator waits no longer for the answer: it says so, or reads
/// the object again.
async fn given_up(proxied: &Proxied, operator: &Running, cell: &Cell) {
    eventually("it was given up", LONG, async || {
        let logs = operator.process.logs();
        let said = |line: &str| line.contains(&cell.name) && line.contains("did not answer");
        let journal = proxied.proxy.journal();
        let read = |seen: &Seen| seen.call.method == Method::GET && seen.call.name == cell.name;
        let over = logs.lines().any(said) || journal.iter().any(read);
        Ok((cell.armed.hits() > 0 && over).then_some(()))
    })
    .await
    .unwrap();
}
