//! Carrying out one fault on one request. Owns the two ways of breaking a connection: without an answer, by cutting the
//! task that serves it, and within an answer, by a body that ends in an error.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt as _;
use tokio::sync::Notify;

use crate::faults::{Answer, Fault};

/// In every request's extensions: cuts the connection that it came in on.
#[derive(Clone)]
pub(crate) struct Connection(pub Arc<Notify>);

/// In a request's extensions: tables whose query is to fail.
#[derive(Clone, Default)]
pub(crate) struct FailTables(pub Vec<String>);

pub(crate) async fn run(fault: Fault, mut request: Request, next: Next) -> Response {
    let connection = request.extensions().get::<Connection>().cloned();
    match fault {
        Fault::Answer(answer) => answer.into_response(),
        Fault::AnswerAfter(answer) => {
            next.run(request).await;
            answer.into_response()
        }
        Fault::TruncateBody { keep_bytes } => truncated(next.run(request).await, keep_bytes).await,
        Fault::RewriteBody(rewrite) => {
            let (mut parts, bytes) = collected(next.run(request).await).await;
            parts.headers.remove(header::CONTENT_LENGTH);
            Response::from_parts(parts, Body::from(rewrite(&bytes)))
        }
        Fault::Delay(delay) => {
            tokio::time::sleep(delay).await;
            next.run(request).await
        }
        Fault::HoldBefore(gate) => {
            gate.pass().await;
            next.run(request).await
        }
        Fault::HoldAfter(gate) => {
            let response = next.run(request).await;
            gate.pass().await;
            response
        }
        Fault::DropBefore => cut(connection).await,
        Fault::DropAfter => {
            next.run(request).await;
            cut(connection).await
        }
        Fault::FailTables(tables) => {
            request.extensions_mut().insert(FailTables(tables));
            next.run(request).await
        }
    }
}

/// Ends the connection's task, and with it this very future: never returns where there is a connection.
async fn cut(connection: Option<Connection>) -> Response {
    let connection = connection.expect("the server puts the connection into every request");
    connection.0.notify_one();
    std::future::pending().await
}

async fn collected(response: Response) -> (axum::http::response::Parts, Bytes) {
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    (parts, bytes)
}

async fn truncated(response: Response, keep_bytes: usize) -> Response {
    let (mut parts, bytes) = collected(response).await;
    parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    let kept = bytes.slice(..keep_bytes.min(bytes.len()));
    Response::from_parts(parts, Body::new(BrokenBody { kept: Some(kept), flushed: false }))
}

/// Yields what is kept, lets it be flushed, then fails.
struct BrokenBody {
    kept: Option<Bytes>,
    flushed: bool,
}

impl HttpBody for BrokenBody {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, std::io::Error>>> {
        if let Some(kept) = self.kept.take() {
            return Poll::Ready(Some(Ok(http_body::Frame::data(kept))));
        }
        if !self.flushed {
            self.flushed = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(std::io::Error::other("broken off by a test"))))
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, self.body).into_response();
        let fields = [(header::CONTENT_TYPE, Some(self.content_type)), (header::RETRY_AFTER, self.retry_after)];
        for (name, value) in fields {
            if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}
