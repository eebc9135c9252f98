use reqwest::Response;

/// Longest body that is read, in bytes. A page of a hundred restore jobs has some 50 KB.
const MAX_BODY: usize = 1024 * 1024;
/// The same of `GET /indexes`, which has no pages: some 10,000 rows.
const MAX_INDEXES: usize = 8 * 1024 * 1024;

/// Why a body was not read to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyError {
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
    #[error("the answer broke off")]
    Broken(#[source] reqwest::Error),
}

/// Reads the body, within bounds.
pub(super) async fn read(mut response: Response) -> Result<Vec<u8>, BodyError> {
    let most = match response.url().path().ends_with("/indexes") {
        true => MAX_INDEXES,
        false => MAX_BODY,
    };
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(BodyError::Broken)? {
        if body.len() + chunk.len() > most {
            return Err(BodyError::TooLong(most));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
