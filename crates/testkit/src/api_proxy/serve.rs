//! Requests in, requests on, answers back.

use std::io;
use std::sync::Arc;

use anyhow::Result;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::State;
use super::answer::{Parcel, assemble, json_headers, refuse, respond};
use super::call::Call;
use super::rule::{Applies, Armed, Fault, Reply};
use super::stream::filtered;
use super::upstream::Outgoing;

/// An answer of the API server, whole.
struct Whole {
    code: u16,
    headers: http::HeaderMap,
    body: Bytes,
}

/// Serves until it is dropped; the connections end with it.
pub(super) async fn accept(listener: TcpListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(connection(stream, Arc::clone(&state)));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, state: Arc<State>) {
    let _ = stream.set_nodelay(true);
    let mut away = state.away.subscribe();
    let service = service_fn(move |request| exchange(Arc::clone(&state), request));
    let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // Its end is the client's affair.
        _ = served => {}
        _ = away.wait_for(|away| *away) => {}
    }
}

async fn exchange(state: Arc<State>, request: Request<Incoming>) -> io::Result<Response<Parcel>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let call = Call::new(
        head.method.clone(),
        head.uri.path(),
        head.uri.query(),
        &body,
    );
    let outgoing = Outgoing {
        method: head.method,
        target: head.uri.to_string(),
        headers: head.headers,
        body,
    };
    answer(state, call, outgoing).await
}

async fn answer(state: Arc<State>, call: Call, outgoing: Outgoing) -> io::Result<Response<Parcel>> {
    if let Some((armed, fault)) = state.fault(&call) {
        return faulty(&state, &call, outgoing, &armed, fault).await;
    }
    if call.is_watch() {
        return watch(&state, &call, outgoing).await;
    }
    if call.is_list()
        && call.resource == super::RESOURCE
        && let Some(list) = state.view.list()
    {
        return Ok(respond(200, json_headers(), list.to_string().into()));
    }
    let whole = forward(&state, &call, outgoing).await?;
    Ok(respond(whole.code, whole.headers, whole.body))
}

async fn faulty(
    state: &Arc<State>,
    call: &Call,
    mut outgoing: Outgoing,
    armed: &Arc<Armed>,
    fault: Fault,
) -> io::Result<Response<Parcel>> {
    if !fault.prunes.is_empty() {
        outgoing.body = pruned(&call.body, &fault.prunes);
    }
    let whole = match fault.applies {
        Applies::Never => None,
        Applies::Now => Some(forward(state, call, outgoing).await?),
        Applies::Late => {
            let (state, call, armed) = (Arc::clone(state), call.clone(), Arc::clone(armed));
            tokio::spawn(async move {
                armed.until_lifted().await;
                // Its sender has been answered, or is gone.
                let _ = forward(&state, &call, outgoing).await;
            });
            None
        }
    };
    match (fault.reply, whole) {
        (Reply::Own, Some(whole)) => Ok(respond(whole.code, whole.headers, whole.body)),
        (Reply::Code(code), _) => Ok(refuse(code, None)),
        (Reply::CodeAfter(code, seconds), _) => Ok(refuse(code, Some(seconds))),
        (Reply::Silence, _) => std::future::pending().await,
        (Reply::Closed | Reply::Own, _) => Err(io::Error::other("closed")),
    }
}

async fn watch(state: &State, call: &Call, outgoing: Outgoing) -> io::Result<Response<Parcel>> {
    let response = state
        .reads()
        .send(outgoing)
        .await
        .map_err(io::Error::other)?;
    let (head, body) = response.into_parts();
    let body = match call.resource == super::RESOURCE {
        true => filtered(body, Arc::clone(&state.view)),
        false => body.map_err(io::Error::other).boxed_unsync(),
    };
    Ok(assemble(head.status.as_u16(), head.headers, body))
}

/// In a task of its own: the API server goes on working when its client hangs up.
async fn forward(state: &Arc<State>, call: &Call, outgoing: Outgoing) -> io::Result<Whole> {
    let (state, call) = (Arc::clone(state), call.clone());
    let sent = tokio::spawn(async move { send(&state, &call, outgoing).await }).await;
    sent.map_err(io::Error::other)?.map_err(io::Error::other)
}

/// Sends it on once, and notes the answer.
async fn send(state: &State, call: &Call, outgoing: Outgoing) -> Result<Whole> {
    let upstream = match call.is_list() {
        true => state.reads(),
        false => state.upstream.clone(),
    };
    let response = upstream.send(outgoing).await?;
    let (head, body) = response.into_parts();
    let body = body.collect().await?.to_bytes();
    let object = match call.is_list() {
        true => Value::Null,
        false => serde_json::from_slice(&body).unwrap_or_default(),
    };
    state.journal.note(call, head.status.as_u16(), object);
    Ok(Whole {
        code: head.status.as_u16(),
        headers: head.headers,
        body,
    })
}

fn pruned(body: &Value, pointers: &[&'static str]) -> Bytes {
    let mut body = body.clone();
    for pointer in pointers {
        if let Some((parent, field)) = pointer.rsplit_once('/')
            && let Some(Value::Object(parent)) = body.pointer_mut(parent)
        {
            parent.remove(field);
        }
    }
    body.to_string().into()
}
