//! The JSON of requests and answers in each API version. Everything else is the same in all versions.

mod common;
mod schema;
mod v2025_10;
mod v2026_07;
pub(crate) mod version;

use crate::api::call::Call;
use crate::api::error::ErrorResponse;
use crate::wire::version::ApiVersion;

/// Returns the version that a request asks for; without the header the oldest, as Pinecone documents.
pub(crate) fn version_of(call: &Call) -> Result<&'static dyn ApiVersion, ErrorResponse> {
    match call.api_version.as_deref() {
        // 2026-04 has the shapes of 2025-10.
        None | Some("2025-10" | "2026-04") => Ok(&v2025_10::V2025_10),
        Some("2026-07") => Ok(&v2026_07::V2026_07),
        Some(other) => Err(ErrorResponse::invalid_argument(format!(
            "API version {other} is not supported. Supported versions: 2025-10, 2026-04, 2026-07."
        ))),
    }
}
