//! One HTTP request and its answer: the seam between the engine and the network.
//!
//! It owns connections and TLS. It guarantees that an error is typed (`Network`, `Timeout`, `BadResponse`), that its text
//! holds neither token nor path, and that no answer takes more memory than [`MAX_BODY_BYTES`]. It judges no status code,
//! retries nothing and follows no redirect: a redirect would carry the token to a host nobody has agreed to.

use crate::retry_after;
use omnii_sync_core::error::{ErrorCode, SyncError};
use reqwest::header;
use std::error::Error as _;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// The largest answer accepted, after decompression: 64 MiB.
pub const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;

/// An answer that a backend has not begun to accept after this long will not come; the request's own timeout may be shorter.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// A boxed future, for traits that are used as objects.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What carries requests: reqwest on devices, fakes in tests.
pub trait Transport: Send + Sync + 'static {
    /// Sends one request. Every status code is an `Ok`. Dropping the future abandons the request.
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, SyncError>>;
}

/// The two methods the protocols use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Reads; has no body.
    Get,
    /// Sends a JSON body.
    Post,
}

/// One request. `Debug` shows neither token nor query nor body.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// The method.
    pub method: Method,
    /// The full URL, query included.
    pub url: String,
    /// The bearer token.
    pub token: String,
    /// JSON, or nothing.
    pub body: Option<Vec<u8>>,
    /// From connecting to the last byte of the answer.
    pub timeout: Duration,
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("body_bytes", &self.body.as_ref().map(Vec::len))
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// One complete answer.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// Any status code.
    pub status: u16,
    /// `Retry-After`, in ms.
    pub retry_after_ms: Option<u64>,
    /// Decompressed.
    pub body: Vec<u8>,
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpResponse")
            .field("status", &self.status)
            .field("retry_after_ms", &self.retry_after_ms)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

/// The real network. Cheap to clone; clones share the connections.
#[derive(Debug, Clone)]
pub struct HttpTransport {
    client: reqwest::Client,
}

impl HttpTransport {
    /// A client with its own connection pool. Needs a tokio runtime only when sending.
    pub fn new() -> Result<Self, SyncError> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls_config()?)
            .redirect(reqwest::redirect::Policy::none())
            // Phones set no proxy variables, and a developer's proxy must not stand between a test and 127.0.0.1.
            .no_proxy()
            .gzip(true)
            .connect_timeout(CONNECT_TIMEOUT)
            // Mobile networks forget idle connections; a dead one costs a whole request timeout.
            .pool_idle_timeout(Duration::from_secs(45))
            .user_agent(concat!("omnii-sync/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|e| SyncError::new(ErrorCode::Internal, format!("the HTTP client can't start: {}", cause(&e))))?;
        Ok(Self { client })
    }

    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, SyncError> {
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
        };
        let mut builder = self
            .client
            .request(method, &request.url)
            .bearer_auth(&request.token)
            .header(header::ACCEPT, "application/json")
            .timeout(request.timeout);
        if let Some(body) = request.body {
            builder = builder.header(header::CONTENT_TYPE, "application/json").body(body);
        }
        let mut response = builder.send().await.map_err(|e| sending_failed(&e))?;

        let text = |name: header::HeaderName| response.headers().get(name).and_then(|value| value.to_str().ok());
        let retry_after_ms = text(header::RETRY_AFTER).and_then(|v| retry_after::parse_ms(v, text(header::DATE)));
        let status = response.status().as_u16();
        // A length announced for a compressed body is no measure of it, so it only sizes the buffer, within reason.
        let announced = response.content_length().and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
        let mut body = Vec::with_capacity(announced.min(1024 * 1024));
        while let Some(chunk) = response.chunk().await.map_err(|e| reading_failed(&e))? {
            if body.len() + chunk.len() > MAX_BODY_BYTES {
                return Err(SyncError::new(
                    ErrorCode::TooLarge,
                    format!("the backend's answer is larger than {} MiB", MAX_BODY_BYTES / (1024 * 1024)),
                ));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(HttpResponse { status, retry_after_ms, body })
    }
}

impl Transport for HttpTransport {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, SyncError>> {
        Box::pin(self.exchange(request))
    }
}

/// Mozilla's roots and ring: reqwest's default verifier needs a JNI context on Android that a plain library does not have.
fn tls_config() -> Result<rustls::ClientConfig, SyncError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| SyncError::new(ErrorCode::Internal, format!("TLS can't start: {e}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    // reqwest leaves a preconfigured backend's list alone, and an empty one means HTTP/1.1 for ever.
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn sending_failed(error: &reqwest::Error) -> SyncError {
    if error.is_timeout() {
        return timed_out();
    }
    if error.is_builder() {
        return SyncError::new(ErrorCode::CredentialsFailed, "the endpoint or the token can't be used in a request");
    }
    SyncError::new(ErrorCode::Network, format!("the backend can't be reached: {}", cause(error)))
}

fn reading_failed(error: &reqwest::Error) -> SyncError {
    if error.is_timeout() {
        return timed_out();
    }
    match io_kind(error) {
        // The end came early without a fault of the connection: a proxy or a crashed backend cut the answer short.
        None | Some(io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) => {
            SyncError::new(ErrorCode::BadResponse, format!("the backend's answer is incomplete: {}", cause(error)))
        }
        Some(_) => SyncError::new(ErrorCode::Network, format!("the connection was lost: {}", cause(error))),
    }
}

fn timed_out() -> SyncError {
    SyncError::new(ErrorCode::Timeout, "the backend did not answer in time")
}

/// The innermost reason. reqwest's own text would name the URL.
fn cause(error: &reqwest::Error) -> String {
    let mut innermost: Option<&(dyn std::error::Error + 'static)> = error.source();
    while let Some(next) = innermost.and_then(|e| e.source()) {
        innermost = Some(next);
    }
    innermost.map_or_else(|| "no further reason".to_owned(), ToString::to_string)
}

fn io_kind(error: &reqwest::Error) -> Option<io::ErrorKind> {
    let mut next: Option<&(dyn std::error::Error + 'static)> = error.source();
    let mut kind = None;
    while let Some(e) = next {
        kind = e.downcast_ref::<io::Error>().map(io::Error::kind).or(kind);
        next = e.source();
    }
    kind
}

#[cfg(test)]
mod tests;
