//! Requests as the protocols make them: authorised, classified, one answer or one typed error.
//!
//! It owns the rule what each status code means and how a rejected token is handled (one refresh, one more try). It
//! guarantees that an `Ok` is a 2xx answer whose body begins like a JSON object, and that everything a captive portal, a
//! proxy or a broken backend may say instead is an error of the right class. It refuses to retry anything else: when to
//! try again is the machine's decision.

use crate::credentials::{CredentialStore, Credentials};
use crate::transport::{HttpRequest, HttpResponse, Method, Transport};
use omnii_sync_core::error::{ErrorCode, SyncError};
use omnii_sync_core::machine::RoundError;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Longest piece of the server's own error message that is passed on, in characters.
const MAX_SERVER_MESSAGE: usize = 200;

/// Transport, credentials and timeout together.
pub struct Client {
    transport: Arc<dyn Transport>,
    credentials: Arc<CredentialStore>,
    timeout: Duration,
    on_contact: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl Client {
    /// `timeout` is for each single HTTP request.
    pub fn new(transport: Arc<dyn Transport>, credentials: Arc<CredentialStore>, timeout: Duration) -> Self {
        Self { transport, credentials, timeout, on_contact: OnceLock::new() }
    }

    /// Registers what is called at each good answer, on the thread that received it. The machine needs the first of a
    /// round and ignores the others. Only the first registration counts.
    pub fn on_contact(&self, hook: impl Fn() + Send + Sync + 'static) {
        if self.on_contact.set(Box::new(hook)).is_err() {
            tracing::warn!("a second contact hook was ignored");
        }
    }

    /// The credentials this client uses.
    pub fn credentials(&self) -> &Arc<CredentialStore> {
        &self.credentials
    }

    /// `GET {endpoint}{path_and_query}`; `path_and_query` begins with `/` and is encoded already.
    ///
    /// # Errors
    /// See [`Self::post`].
    pub async fn get(&self, path_and_query: &str) -> Result<HttpResponse, RoundError> {
        self.call(Method::Get, path_and_query, None).await
    }

    /// `POST {endpoint}{path}` with a JSON body.
    ///
    /// # Errors
    /// Of the credentials: `NoCredentials`, `CredentialsFailed`, `CredentialsTimeout`. Of the way: `Network`, `Timeout`.
    /// Of the answer: `Unauthorized` (401, also with refreshed credentials; 403), `TooLarge` (413), `Server` (408, 429, 5xx),
    /// `BadResponse` (not the protocol), `Rejected` (400, 409, 422).
    pub async fn post(&self, path: &str, body: Vec<u8>) -> Result<HttpResponse, RoundError> {
        self.call(Method::Post, path, Some(body)).await
    }

    async fn call(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Result<HttpResponse, RoundError> {
        let first = self.credentials.get().await?;
        let mut response = self.send(method, path, body.clone(), &first).await?;
        if response.status == 401 {
            let second = self.credentials.refresh(first.token()).await?;
            // The same token again from the same app can only be rejected again.
            if second.token() != first.token() || second.endpoint() != first.endpoint() {
                tracing::debug!("token rejected, trying the refreshed one");
                response = self.send(method, path, body, &second).await?;
            }
            if response.status == 401 {
                // The next attempt must ask the app, not this cache.
                self.credentials.reject(second.token());
            }
        }
        let response = classify(response)?;
        if let Some(hook) = self.on_contact.get() {
            hook();
        }
        Ok(response)
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
        credentials: &Credentials,
    ) -> Result<HttpResponse, SyncError> {
        let request = HttpRequest {
            method,
            url: format!("{}{path}", credentials.endpoint()),
            token: credentials.token().to_owned(),
            body,
            timeout: self.timeout,
        };
        self.transport.send(request).await
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

/// The meaning of a status code, and whether a 2xx body can be the protocol's at all.
fn classify(response: HttpResponse) -> Result<HttpResponse, RoundError> {
    let status = response.status;
    let (code, message) = match status {
        200..=299 if looks_like_json(&response.body) => return Ok(response),
        200..=299 => (
            ErrorCode::BadResponse,
            format!("the answer ({status}) is not JSON; perhaps a login page of the network stands in between"),
        ),
        401 => (ErrorCode::Unauthorized, said("the backend refused the token", status, &response.body)),
        413 => (ErrorCode::TooLarge, said("the backend refused the request for its size", status, &response.body)),
        408 | 429 | 500..=599 => {
            (ErrorCode::Server, said("the backend can't answer at present", status, &response.body))
        }
        403 => (ErrorCode::Unauthorized, said("the backend refuses this user", status, &response.body)),
        // nothing is wrong with the changes that were sent: they must not be parked for it
        404 | 405 | 410 => {
            (ErrorCode::BadResponse, format!("the backend knows no such address ({status}): is the endpoint right?"))
        }
        // an answer of the backend is an object; what a proxy in between says must not park anything
        400 | 409 | 422 if looks_like_json(&response.body) => {
            (ErrorCode::Rejected, said("the backend refused the request", status, &response.body))
        }
        _ => (ErrorCode::BadResponse, format!("the backend answered with status {status}, which is not the protocol")),
    };
    Err(RoundError { error: SyncError::new(code, message), retry_after_ms: response.retry_after_ms })
}

/// Both protocols answer with an object. Proxies are careless with content types, so the body itself is asked.
fn looks_like_json(body: &[u8]) -> bool {
    body.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'{')
}

/// `what (status: the server's own words)`.
fn said(what: &str, status: u16, body: &[u8]) -> String {
    let json: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let words = ["message", "error"].iter().find_map(|field| {
        let text = json.as_ref()?.get(field)?.as_str()?.trim();
        (!text.is_empty()).then(|| {
            let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
            plain.take(MAX_SERVER_MESSAGE).collect::<String>()
        })
    });
    match words {
        Some(words) => format!("{what} ({status}: {words})"),
        None => format!("{what} ({status})"),
    }
}

#[cfg(test)]
mod tests;
