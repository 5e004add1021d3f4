//! Faults on order, for tests: what goes wrong with the next requests of a route. Reached only through the library
//! (`Running::faults`), never over HTTP. Each route has a queue; a request takes the first fault of its route's queue
//! that has uses left, or none.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::gate::Gate;
use crate::traffic::Route;

/// What goes wrong with one request. "Processed" means that the request had its effect on the database.
#[derive(Clone)]
pub enum Fault {
    /// Answers this instead; not processed.
    Answer(Answer),
    /// Processes the request, then answers this instead (a proxy that lost the real answer).
    AnswerAfter(Answer),
    /// Processed, but the body breaks off after `keep_bytes`, with the connection, though `Content-Length` promised all.
    TruncateBody {
        /// How much of the body arrives.
        keep_bytes: usize,
    },
    /// Processed, and the real answer's body passes through this (with a matching `Content-Length`).
    RewriteBody(Rewrite),
    /// Waits, then goes on as usual.
    Delay(Duration),
    /// Waits at the gate before it is processed.
    HoldBefore(Gate),
    /// Is processed, then waits at the gate with its answer.
    HoldAfter(Gate),
    /// Closes the connection without an answer; not processed.
    DropBefore,
    /// Processed, then the connection is closed without an answer.
    DropAfter,
    /// The query of these tables "fails": they are missing from `changes`, with status 200 (protocol 1, sync 5).
    /// For [`Route::Sync`] only; elsewhere it does nothing.
    FailTables(Vec<String>),
}

/// A function on an answer's body.
pub type Rewrite = Arc<dyn Fn(&[u8]) -> Vec<u8> + Send + Sync>;

/// A made-up answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: String,
    /// The body.
    pub body: String,
    /// `Retry-After`, verbatim: seconds or an HTTP date.
    pub retry_after: Option<String>,
}

impl Answer {
    /// This status with a JSON error body.
    pub fn status(status: u16) -> Self {
        Self {
            status,
            content_type: "application/json".into(),
            body: r#"{"error":"Fault","message":"ordered by a test"}"#.into(),
            retry_after: None,
        }
    }

    /// Status 200 with an HTML page, as captive portals and proxies answer.
    pub fn html() -> Self {
        Self { content_type: "text/html".into(), body: "<html>Sign in to Wi-Fi</html>".into(), ..Self::status(200) }
    }

    /// The same with `Retry-After`.
    pub fn retry_after(self, value: impl Into<String>) -> Self {
        Self { retry_after: Some(value.into()), ..self }
    }

    /// The same with another body.
    pub fn body(self, body: impl Into<String>) -> Self {
        Self { body: body.into(), ..self }
    }
}

impl Fault {
    /// Answers with this status; not processed.
    pub fn status(status: u16) -> Self {
        Self::Answer(Answer::status(status))
    }

    /// [`Fault::FailTables`] for one table.
    pub fn fail_table(table: &str) -> Self {
        Self::FailTables(vec![table.to_owned()])
    }

    /// [`Fault::RewriteBody`].
    pub fn rewrite(rewrite: impl Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::RewriteBody(Arc::new(rewrite))
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer(answer) => f.debug_tuple("Answer").field(answer).finish(),
            Self::AnswerAfter(answer) => f.debug_tuple("AnswerAfter").field(answer).finish(),
            Self::TruncateBody { keep_bytes } => f.debug_tuple("TruncateBody").field(keep_bytes).finish(),
            Self::RewriteBody(_) => f.write_str("RewriteBody"),
            Self::Delay(delay) => f.debug_tuple("Delay").field(delay).finish(),
            Self::HoldBefore(_) => f.write_str("HoldBefore"),
            Self::HoldAfter(_) => f.write_str("HoldAfter"),
            Self::DropBefore => f.write_str("DropBefore"),
            Self::DropAfter => f.write_str("DropAfter"),
            Self::FailTables(tables) => f.debug_tuple("FailTables").field(tables).finish(),
        }
    }
}

/// The queues of faults of one server; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<Vec<Ordered>>>);

#[derive(Debug)]
struct Ordered {
    route: Route,
    queue: VecDeque<(usize, Fault)>,
}

impl Faults {
    /// The next `times` requests of `route` that no earlier order claims get `fault`. `usize::MAX`: until
    /// [`Faults::clear`].
    pub fn next(&self, route: Route, times: usize, fault: Fault) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match all.iter_mut().find(|ordered| ordered.route == route) {
            Some(ordered) => ordered.queue.push_back((times, fault)),
            None => all.push(Ordered { route, queue: VecDeque::from([(times, fault)]) }),
        }
    }

    /// Takes back all orders.
    pub fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(crate) fn take(&self, route: Route) -> Option<Fault> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = &mut all.iter_mut().find(|ordered| ordered.route == route)?.queue;
        while queue.front().is_some_and(|(times, _)| *times == 0) {
            queue.pop_front();
        }
        let (times, fault) = queue.front_mut()?;
        *times -= 1;
        Some(fault.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_served_in_turn_per_route() {
        let faults = Faults::default();
        faults.next(Route::Sync, 0, Fault::DropBefore);
        faults.next(Route::Sync, 2, Fault::status(503));
        faults.next(Route::Sync, 1, Fault::DropAfter);
        let taken: Vec<_> = (0..4).map(|_| faults.take(Route::Sync)).collect();
        assert!(matches!(
            taken.as_slice(),
            [Some(Fault::Answer(_)), Some(Fault::Answer(_)), Some(Fault::DropAfter), None]
        ));
        faults.next(Route::Upload, 1, Fault::DropBefore);
        assert!(faults.take(Route::Sync).is_none());
        faults.clear();
        assert!(faults.take(Route::Upload).is_none());
    }
}
