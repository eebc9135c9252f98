use std::path::PathBuf;
use std::time::Duration;

use super::version::ApiVersion;

/// The address of Pinecone, and how to connect to it.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Base URL, `http` or `https`, such as `https://api.pinecone.io`; paths are appended to it.
    pub url: String,
    /// Sent as `X-Pinecone-Api-Version` with every request.
    pub api_version: ApiVersion,
    /// PEM file of certificates to trust in addition to the system's.
    pub ca_file: Option<PathBuf>,
    /// Timeout of one request, from connecting to the end of the answer.
    pub request_timeout: Duration,
    /// Most requests per second of one API key; none: only Pinecone's 429s limit them.
    pub requests_per_second: Option<f64>,
}

/// Why an [`Endpoint`] cannot be used; the message names the flag to correct.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// Not a URL of scheme `http` or `https` with a host; has the value of the flag.
    #[error("--pinecone-endpoint must be a URL such as https://api.pinecone.io, not {0:?}")]
    Url(String),
    /// The file of `--pinecone-ca-file` cannot be read.
    #[error("--pinecone-ca-file {path:?} cannot be read: {source}")]
    CaFile {
        /// Path in the flag.
        path: PathBuf,
        /// Error of the operating system.
        source: std::io::Error,
    },
    /// The file of `--pinecone-ca-file` has no certificate, or one that is not PEM.
    #[error("--pinecone-ca-file {0:?} must have at least one certificate in PEM")]
    NoCertificate(PathBuf),
    /// reqwest rejected the configuration, most likely a certificate.
    #[error("the HTTP client cannot be created; check the certificates of --pinecone-ca-file: {0}")]
    Client(#[from] reqwest::Error),
}
