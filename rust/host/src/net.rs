//! `fetch` underneath: requests on reqwest, off the JS thread, answered through the event loop.
//!
//! Guarantees that a fetch which was aborted delivers nothing, and that each other one delivers exactly once. Bodies are
//! whole: no streaming in either direction. Certificates are checked against webpki-roots; proxies of the environment are
//! ignored, since what scripts talk to is on the loopback interface.

use std::cell::RefCell;
use std::collections::HashMap;
use std::error::Error as _;
use std::sync::Arc;

use reqwest::redirect::Policy;
use reqwest::{Client, Method};
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime as Tokio;
use tokio::task::AbortHandle;

use crate::event_loop::{LoopSender, Message};
use crate::host::Failure;

/// What a fetch came to; the error is a sentence about the network, without the URL.
pub type Fetched = Result<Response, String>;

/// A response with its whole body.
pub struct Response {
    /// JSON of `{status, statusText, url, redirected, headers: [name, value][]}`.
    pub head: String,
    /// The body as received, after content decoding.
    pub body: Vec<u8>,
}

/// A request as the prelude describes it; the body travels beside it.
#[derive(Deserialize)]
pub struct FetchRequest {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    redirect: Redirect,
    has_body: bool,
}

/// What to do with a 3xx answer that names another place.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Redirect {
    Follow,
    Manual,
    Error,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Head<'a> {
    status: u16,
    status_text: &'a str,
    url: &'a str,
    redirected: bool,
    headers: &'a [(String, String)],
}

/// The fetches of one runtime.
pub struct Net {
    sender: LoopSender,
    in_flight: RefCell<HashMap<u32, AbortHandle>>,
    /// Made on the first fetch: most scripts need no network threads of the host's.
    stack: RefCell<Option<Stack>>,
}

struct Stack {
    tokio: Tokio,
    following: Client,
    staying: Client,
}

impl Net {
    /// Answers go to `sender`.
    pub fn new(sender: LoopSender) -> Self {
        Self { sender, in_flight: RefCell::default(), stack: RefCell::default() }
    }

    /// Starts a fetch under an id the prelude has chosen. Fails at once on a malformed request.
    pub fn start(&self, id: u32, request: FetchRequest, body: &[u8]) -> Result<(), Failure> {
        let mut stack = self.stack.borrow_mut();
        let stack = match &mut *stack {
            Some(stack) => stack,
            empty => empty.insert(Stack::new()?),
        };
        let client = if request.redirect == Redirect::Follow { &stack.following } else { &stack.staying };
        let method = Method::from_bytes(request.method.as_bytes())?;
        let mut builder = client.request(method, &request.url);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        if request.has_body {
            builder = builder.body(body.to_vec());
        }
        let sender = self.sender.clone();
        let task = stack.tokio.spawn(async move {
            let fetched = fetch(builder, &request).await;
            sender.send(Message::Fetch(id, fetched));
        });
        self.in_flight.borrow_mut().insert(id, task.abort_handle());
        Ok(())
    }

    /// Drops a fetch: its connection is closed and nothing is delivered. An unknown id is fine.
    pub fn abort(&self, id: u32) {
        if let Some(task) = self.in_flight.borrow_mut().remove(&id) {
            task.abort();
        }
    }

    /// Marks a fetch as answered; false if it was aborted after its answer had been queued.
    pub fn finish(&self, id: u32) -> bool {
        self.in_flight.borrow_mut().remove(&id).is_some()
    }

    /// How many fetches are neither answered nor aborted.
    pub fn in_flight(&self) -> usize {
        self.in_flight.borrow().len()
    }
}

impl Stack {
    fn new() -> Result<Self, Failure> {
        Ok(Self {
            tokio: tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .thread_name("host-net")
                .enable_all()
                .build()?,
            following: client(Policy::limited(20))?,
            staying: client(Policy::none())?,
        })
    }
}

fn client(redirects: Policy) -> Result<Client, Failure> {
    let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Client::builder().tls_backend_preconfigured(tls).redirect(redirects).no_proxy().build()?)
}

async fn fetch(builder: reqwest::RequestBuilder, request: &FetchRequest) -> Fetched {
    let asked = reqwest::Url::parse(&request.url).map(String::from).unwrap_or_default();
    let response = builder.send().await.map_err(sentence)?;
    let status = response.status();
    if request.redirect == Redirect::Error && status.is_redirection() {
        return Err(format!("unexpected redirect ({status})"));
    }
    let url = response.url().to_string();
    let headers: Vec<(String, String)> = response
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let body = response.bytes().await.map_err(sentence)?.to_vec();
    let head = Head {
        status: status.as_u16(),
        status_text: status.canonical_reason().unwrap_or_default(),
        redirected: request.redirect == Redirect::Follow && url != asked,
        url: &url,
        headers: &headers,
    };
    let head = serde_json::to_string(&head).map_err(|error| error.to_string())?;
    Ok(Response { head, body })
}

/// The error and its causes in one line, without the URL (it may carry secrets).
fn sentence(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
