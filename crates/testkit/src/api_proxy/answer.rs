//! Answers that look like the API server's.

use std::io;

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};

pub(super) type Parcel = UnsyncBoxBody<Bytes, io::Error>;

/// A Kubernetes Status of that code.
pub(super) fn status(code: u16) -> Value {
    let reason = match code {
        403 => "Forbidden",
        404 => "NotFound",
        409 => "Conflict",
        410 => "Expired",
        422 => "Invalid",
        429 => "TooManyRequests",
        503 => "ServiceUnavailable",
        504 => "Timeout",
        _ => "InternalError",
    };
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": format!("the proxy of the tests answers {code}"), "reason": reason, "code": code,
    })
}

pub(super) fn respond(code: u16, headers: HeaderMap, body: Bytes) -> Response<Parcel> {
    let body = Full::new(body).map_err(|never| match never {});
    assemble(code, headers, body.boxed_unsync())
}

pub(super) fn refuse(code: u16, retry_after: Option<u32>) -> Response<Parcel> {
    let mut headers = json_headers();
    if let Some(seconds) = retry_after {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    respond(code, headers, status(code).to_string().into())
}

pub(super) fn json_headers() -> HeaderMap {
    let json = header::HeaderValue::from_static("application/json");
    HeaderMap::from_iter([(header::CONTENT_TYPE, json)])
}

pub(super) fn assemble(code: u16, headers: HeaderMap, body: Parcel) -> Response<Parcel> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or_default();
    *response.headers_mut() = headers;
    // They belong to the other connection.
    for name in [
        header::TRANSFER_ENCODING,
        header::CONTENT_LENGTH,
        header::CONNECTION,
    ] {
        response.headers_mut().remove(name);
    }
    response
}
