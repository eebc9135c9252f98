//! HTTP responses, whole or broken.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::Response;
use hyper::body::{Body, Frame};
use hyper::header::{
    CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderName, HeaderValue, InvalidHeaderValue,
};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::Sleep;

use crate::api::reply::{Content, Reply};
use crate::faults::answer::BodyMode;
use crate::faults::plan::Disconnect;
use crate::faults::status::html_page;
use crate::model::id::new_id;
use crate::model::time::http_date;

const HUGE: usize = 10 * 1024 * 1024;
const SLOW_PIECES: usize = 20;
/// Time for the first half to be sent before the connection is closed.
const TRUNCATION_PAUSE: Duration = Duration::from_millis(50);

/// Ends a connection before a whole answer was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Disconnected(pub Disconnect);

impl fmt::Display for Disconnected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a fault closed the connection")
    }
}

impl std::error::Error for Disconnected {}

enum Step {
    Send(Bytes),
    Wait(Duration),
    Break,
}

/// A body that is sent in steps, and calls back when it was sent whole.
pub(crate) struct StepBody {
    steps: VecDeque<Step>,
    pause: Option<Pin<Box<Sleep>>>,
    delivered: Option<Box<dyn FnOnce() + Send>>,
}

impl StepBody {
    fn new(
        steps: impl IntoIterator<Item = Step>,
        delivered: impl FnOnce() + Send + 'static,
    ) -> Self {
        let mut body = Self {
            steps: steps.into_iter().collect(),
            pause: None,
            delivered: Some(Box::new(delivered)),
        };
        body.report_if_sent();
        body
    }

    fn report_if_sent(&mut self) {
        if self.steps.is_empty()
            && let Some(delivered) = self.delivered.take()
        {
            delivered();
        }
    }
}

impl Body for StepBody {
    type Data = Bytes;
    type Error = Disconnected;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Disconnected>>> {
        loop {
            if let Some(pause) = &mut self.pause {
                std::task::ready!(pause.as_mut().poll(cx));
                self.pause = None;
            }
            match self.steps.pop_front() {
                Some(Step::Send(bytes)) => {
                    self.report_if_sent();
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
                Some(Step::Wait(pause)) => self.pause = Some(Box::pin(tokio::time::sleep(pause))),
                Some(Step::Break) => return Poll::Ready(Some(Err(Disconnected(Disconnect::Fin)))),
                None => return Poll::Ready(None),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.steps.is_empty() && self.pause.is_none()
    }
}

/// Returns the HTTP response. It calls `delivered` when the last byte was handed to the connection.
pub(crate) fn respond(
    reply: Reply,
    mode: BodyMode,
    now: Timestamp,
    delivered: impl FnOnce() + Send + 'static,
) -> Response<StepBody> {
    let (content_type, body) = render(reply.content, mode);
    let length = body.len();
    let mut response = Response::new(StepBody::new(steps(body, mode), delivered));
    // A fault may have any number as its status, but hyper sends no final response below 200.
    *response.status_mut() = hyper::StatusCode::from_u16(reply.status.max(200))
        .unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    if let Some(content_type) = content_type {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    let own = [
        (DATE.to_string(), http_date(now)),
        ("x-pinecone-request-id".to_owned(), new_id()),
    ];
    for (name, value) in own.into_iter().chain(reply.headers) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), header_value(&value)) {
            headers.insert(name, value);
        }
    }
    response
}

/// Encodes each character as one byte if all are below U+0100, so that a fault can send bytes that are not UTF-8.
fn header_value(text: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    let bytes: Result<Vec<u8>, _> = text.chars().map(u8::try_from).collect();
    match bytes {
        Ok(bytes) => HeaderValue::from_bytes(&bytes),
        Err(_) => HeaderValue::from_str(text),
    }
}

fn render(content: Content, mode: BodyMode) -> (Option<&'static str>, Bytes) {
    if mode == BodyMode::Garbage {
        return (Some("application/json"), Bytes::from(html_page(200)));
    }
    match content {
        Content::Json(mut value) => {
            if mode == BodyMode::Huge {
                pad(&mut value);
            }
            (Some("application/json"), Bytes::from(value.to_string()))
        }
        Content::Text(text) => (Some("text/plain; charset=utf-8"), Bytes::from(text)),
        Content::Html(html) => (Some("text/html"), Bytes::from(html)),
        Content::Empty => (None, Bytes::new()),
    }
}

fn pad(value: &mut Value) {
    let padding = json!("x".repeat(HUGE));
    match value {
        Value::Object(fields) => {
            fields.insert("padding".to_owned(), padding);
        }
        Value::Array(rows) => rows.push(padding),
        other => *other = padding,
    }
}

fn steps(body: Bytes, mode: BodyMode) -> Vec<Step> {
    if body.is_empty() {
        return Vec::new();
    }
    match mode {
        BodyMode::Truncated => vec![
            Step::Send(body.slice(..body.len() / 2)),
            Step::Wait(TRUNCATION_PAUSE),
            Step::Break,
        ],
        BodyMode::Slow(over) => {
            let size = body.len().div_ceil(SLOW_PIECES);
            let pieces = body.len().div_ceil(size);
            let pause = over / u32::try_from(pieces).unwrap_or(1).max(1);
            let piece = |i: usize| body.slice(i * size..((i + 1) * size).min(body.len()));
            (0..pieces)
                .flat_map(|i| [Step::Wait(pause), Step::Send(piece(i))])
                .collect()
        }
        BodyMode::Whole | BodyMode::Garbage | BodyMode::Huge => vec![Step::Send(body)],
    }
}
