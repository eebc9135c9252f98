//! Connections and their requests.

use std::error::Error as _;
use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::header::HeaderMap;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::api::call::Call;
use crate::api::error::ErrorResponse;
use crate::api::reply::Reply;
use crate::control::handle::Control;
use crate::faults::answer::{Answer, BodyMode};
use crate::faults::plan::Disconnect;
use crate::server::admin;
use crate::server::response::{Disconnected, StepBody, respond};

const BODY_MAX: usize = 2 * 1024 * 1024;

/// Accepts connections until the task is aborted, which closes them.
pub(super) async fn accept(listener: TcpListener, control: Control) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, control.clone()));
                }
                Err(error) => {
                    // Such as too many open files: without a pause the loop would spin.
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, control: Control) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    let service = service_fn(move |request| exchange(control.clone(), request));
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let Err(error) = (&mut connection).await else {
        return;
    };
    let disconnected = error
        .source()
        .and_then(|source| source.downcast_ref::<Disconnected>());
    if disconnected == Some(&Disconnected(Disconnect::Reset)) {
        let stream = connection.into_parts().io.into_inner();
        if let Err(error) = stream.set_zero_linger() {
            tracing::debug!(%error, "cannot reset a connection");
        }
    }
}

async fn exchange(
    control: Control,
    request: Request<Incoming>,
) -> Result<Response<StepBody>, Disconnected> {
    let call = match read(request).await {
        Ok(call) => call,
        Err(reply) => return Ok(respond(reply, BodyMode::Whole, control.now(), || {})),
    };
    if call.path == admin::ROOT || call.path.starts_with(admin::PREFIX) {
        let reply = admin::answer(&control, &call);
        tracing::debug!(
            method = call.method,
            path = call.path,
            status = reply.status,
            "admin"
        );
        return Ok(respond(reply, BodyMode::Whole, control.now(), || {}));
    }
    // A separate task, because Pinecone continues when the client disconnects.
    let work = tokio::spawn(work(control.clone(), call));
    match work.await {
        Ok((seq, Answer::Send(reply, mode))) => {
            let now = control.now();
            Ok(respond(reply, mode, now, move || control.delivered(seq)))
        }
        Ok((_, Answer::Close(disconnect))) => Err(Disconnected(disconnect)),
        Err(_) => Err(Disconnected(Disconnect::Fin)),
    }
}

async fn work(control: Control, call: Call) -> (u64, Answer) {
    let (seq, plan) = control.with(|service, now| service.receive(now, &call));
    if !plan.delay.is_zero() {
        tokio::time::sleep(plan.delay).await;
    }
    let answer = control.with(|service, now| service.perform(now, seq, &call, &plan));
    let status = match &answer {
        Answer::Send(reply, _) => Some(reply.status),
        Answer::Close(_) => None,
    };
    tracing::info!(
        seq,
        method = call.method,
        path = call.path,
        status,
        "answered"
    );
    if !plan.delay_answer.is_zero() {
        tokio::time::sleep(plan.delay_answer).await;
    }
    (seq, answer)
}

async fn read(request: Request<Incoming>) -> Result<Call, Reply> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, BODY_MAX).collect().await;
    let body = body.map_err(|_| {
        ErrorResponse::new(413, "INVALID_ARGUMENT", "The body is larger than 2 MB.")
    })?;
    let header = |name: &str| text(&head.headers, name);
    let mut call = Call::new(
        head.method.as_str(),
        head.uri.path(),
        head.uri.query(),
        body.to_bytes(),
    );
    call.api_key = header("api-key");
    call.api_version = header("x-pinecone-api-version");
    call.user_agent = header("user-agent");
    Ok(call)
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}
