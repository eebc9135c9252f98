//! What any operator needs: leader election, calls to the API server, events, metrics, the
//! endpoints, clocks, logs and failpoints. Nothing here knows of restores.

pub mod api_server;
pub mod clock;
pub mod events;
pub mod exposition;
pub mod failpoint;
pub mod leader;
pub mod metrics;
pub mod process;
pub mod readiness;
pub mod serve;
pub mod telemetry;
