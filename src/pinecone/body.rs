use reqwest::Response;

/// Longest body that is read, in bytes: some 10,000 rows of `GET /indexes`.
const MAX_BODY: usize = 8 * 1024 * 1024;

/// Why a body was not read to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyError {
    #[error("the answer is longer than {MAX_BODY} bytes")]
    TooLong,
    #[error("the answer broke off")]
    Broken(#[source] reqwest::Error),
}

/// Reads the body, within bounds.
pub(super) async fn read(mut response: Response) -> Result<Vec<u8>, BodyError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(BodyError::Broken)? {
        if body.len() + chunk.len() > MAX_BODY {
            return Err(BodyError::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
