//! `/metrics`, `/livez` and `/readyz`.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::runtime::exposition::Format;
use crate::runtime::readiness::Readiness;
use crate::runtime::{metrics, process};

/// The state that the endpoints report.
#[derive(Clone)]
pub struct Served {
    /// Metrics that `/metrics` returns.
    pub registry: Arc<Registry>,
    /// Whether the caches are synced.
    pub readiness: Arc<Readiness>,
}

/// Serves until the shutdown.
///
/// # Errors
/// If the listener fails.
pub async fn serve(
    listener: TcpListener,
    served: Served,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    let process = Arc::new(process::registry());
    let scrape = async move |State(served): State<Served>, headers: HeaderMap| {
        scrape([&process, &served.registry], &headers)
    };
    let router = Router::new()
        .route("/metrics", get(scrape))
        .route("/livez", get(async || "ok"))
        .route("/readyz", get(readyz))
        .with_state(served);
    axum::serve(listener, router)
        .with_graceful_shutdown(shutdown.cancelled_owned())
        .await
}

fn scrape(registries: [&Registry; 2], headers: &HeaderMap) -> Response {
    let accept = headers.get_all(header::ACCEPT).iter();
    let accept: Vec<_> = accept.filter_map(|value| value.to_str().ok()).collect();
    let format = Format::accepted(&accept.join(","));
    match metrics::encode(registries) {
        Ok(text) => {
            let text = format.of_open_metrics(text);
            ([(header::CONTENT_TYPE, format.content_type())], text).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn readyz(State(served): State<Served>) -> (StatusCode, String) {
    match served.readiness.report() {
        (true, text) => (StatusCode::OK, text),
        (false, text) => (StatusCode::SERVICE_UNAVAILABLE, text),
    }
}
