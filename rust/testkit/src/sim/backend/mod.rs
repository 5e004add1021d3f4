//! A model of the backend: protocol 1 in memory, quirks included, with the history of every row.
//!
//! It owns tables, tokens and the backend's clock. A contract suite (`tests/contract.rs`) puts the same requests to it and to
//! the reference server, so that it can be trusted. It refuses nothing that the real backend lets pass: what the
//! engine gets wrong must become visible in it.

mod bad_rows;
mod history;
mod put;
mod sync;
pub mod tables;
mod upload;

pub use history::{Event, History, What};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;
use tables::{RELATIONSHIPS, TABLES, instant};
pub(crate) use upload::Upload;

/// Who wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A simulated device.
    Client(usize),
    /// Something else that has access to the backend.
    Server,
}

/// A stored row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Whose it is.
    pub user: Arc<str>,
    /// Declared columns in their normal form.
    pub cells: Vec<Option<String>>,
    /// Microseconds since the epoch.
    pub updated_us: i64,
    /// The event that made this version.
    pub seq: u64,
    /// Committed later than its `updated_at` says.
    pub late: bool,
    /// So late that no pull need find it (docs/protocol.md, pull 4).
    pub too_late: bool,
}

/// What came of a request.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
    /// For `/sync`: the rows in the body.
    pub rows: Vec<(usize, String, Arc<Row>)>,
    /// For `/sync`: the tables in the body.
    pub tables: Vec<usize>,
    /// For `/sync`: rows in the body that nobody can use.
    pub bad_rows: usize,
    /// For `/sync`: the last event before it.
    pub seq: u64,
    /// For `/upload`: the rows whose DELETE was processed.
    pub deleted: Vec<(usize, String)>,
}

/// What the backend does wrong to a request.
#[derive(Debug, Clone, Copy, Default)]
pub struct Mischief {
    /// Leave this table out of `changes`.
    pub missing_table: Option<usize>,
    /// Swallow every PUT whose place in the request leaves this rest modulo 3.
    pub swallow: Option<u64>,
    /// Throw at the first operation of each table.
    pub throws: bool,
    /// Put rows that nobody can use among those of `/sync`.
    pub bad_rows: Option<u64>,
}

/// See the module's documentation.
#[derive(Default)]
pub struct Backend {
    rows: [BTreeMap<String, Arc<Row>>; 3],
    history: History,
    users: BTreeMap<String, Arc<str>>,
    now_us: i64,
    last_stamp_us: i64,
    /// Whether stamps get microseconds within their millisecond.
    uneven: bool,
    invented: u64,
    /// Largest body taken; more is answered 413.
    pub body_limit: usize,
}

impl Backend {
    /// An empty backend whose clock stands at `now_us`. `uneven`: stamps have microseconds even if the clock has none.
    pub fn new(now_us: i64, uneven: bool) -> Self {
        Self { now_us, uneven, last_stamp_us: i64::MIN, body_limit: 5 << 20, ..Self::default() }
    }

    /// Sets the clock, microseconds since the epoch.
    pub fn set_now(&mut self, now_us: i64) {
        self.now_us = now_us;
    }

    /// From now on this token speaks for this user.
    pub fn admit(&mut self, token: &str, user: &str) {
        self.users.insert(token.to_owned(), user.into());
    }

    /// From now on this token is refused.
    pub fn expel(&mut self, token: &str) {
        self.users.remove(token);
    }

    /// Everything that happened.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// A row as it is now.
    pub fn row(&self, table: usize, id: &str) -> Option<&Arc<Row>> {
        self.rows[table].get(id)
    }

    /// A user's rows.
    pub fn rows_of<'a>(&'a self, table: usize, user: &'a str) -> impl Iterator<Item = (&'a String, &'a Arc<Row>)> {
        self.rows[table].iter().filter(move |(_, row)| &*row.user == user)
    }

    /// One request. `path` includes the query and begins behind the base.
    pub fn handle(
        &mut self,
        path: &str,
        token: &str,
        body: Option<&[u8]>,
        origin: Origin,
        mischief: Mischief,
    ) -> Answer {
        let Some(user) = self.users.get(token).cloned() else {
            return error(401, "Unauthorized", "Invalid token");
        };
        let (route, query) = path.split_once('?').unwrap_or((path, ""));
        match (route, body) {
            ("/sync", None) => self.sync(&user, query, mischief),
            ("/upload", Some(body)) if body.len() > self.body_limit => error(413, "Payload Too Large", "too large"),
            ("/upload", Some(body)) => self.upload(&user, body, origin, mischief),
            ("/health", None) => {
                let now = tables::instant_ms(self.now_us);
                let body = serde_json::json!({ "status": "ok", "userId": &*user, "timestamp": now });
                Answer { status: 200, body: body.to_string().into_bytes(), ..Answer::default() }
            }
            _ => error(404, "Not Found", "No such route"),
        }
    }

    /// Writes as something else than a device would: one transaction, one `updated_at`. `began_us` is when the transaction
    /// began, now by default; `overlap_us` says from which delay on a late commit can be missed.
    pub fn write(&mut self, user: &str, rows: &[(usize, Map<String, Value>)], began_us: Option<i64>, overlap_us: i64) {
        let stamp = match began_us {
            Some(began_us) => began_us,
            None => self.stamp(),
        };
        let late = began_us.map(|_| self.now_us - stamp > overlap_us);
        for (table, data) in rows {
            self.put(*table, user, data, stamp, Origin::Server, late);
        }
    }

    /// Deletes as something else than a device would.
    pub fn delete(&mut self, user: &str, table: usize, id: &str, origin: Origin) -> bool {
        let own = self.rows[table].get(id).is_some_and(|row| &*row.user == user);
        if own {
            self.rows[table].remove(id);
        }
        self.history.note(table, id, origin, What::Delete(own));
        if own && table == tables::ENTITIES {
            let children: Vec<String> = self.rows[RELATIONSHIPS]
                .iter()
                .filter(|(_, row)| row.cells[..2].iter().any(|cell| cell.as_deref() == Some(id)))
                .map(|(child, _)| child.clone())
                .collect();
            for child in children {
                self.rows[RELATIONSHIPS].remove(&child);
                self.history.note(RELATIONSHIPS, &child, origin, What::Cascaded);
            }
        }
        own
    }

    /// Now, or later by as much as it takes to be later than every stamp before.
    pub fn stamp(&mut self) -> i64 {
        let spread = if self.uneven { self.history.last() as i64 * 271 % 1000 } else { 0 };
        self.last_stamp_us = (self.now_us + spread).max(self.last_stamp_us.saturating_add(1));
        self.last_stamp_us
    }
}

/// A row as an answer shows it, appended to `out`.
fn write_row(table: usize, id: &str, row: &Row, out: &mut String) {
    out.push_str(&format!("{{\"id\":\"{id}\",\"user_id\":\"{}\"", row.user));
    for (column, cell) in TABLES[table].columns.iter().zip(&row.cells) {
        out.push_str(&format!(",\"{}\":", column.name));
        match cell {
            None => out.push_str("null"),
            Some(text) if column.kind == tables::Kind::Json => out.push_str(text),
            Some(text) => out.push_str(&Value::from(text.as_str()).to_string()),
        }
    }
    out.push_str(&format!(",\"updated_at\":\"{}\"}}", instant(row.updated_us)));
}

fn error(status: u16, error: &str, message: &str) -> Answer {
    let body = serde_json::json!({ "error": error, "message": message }).to_string();
    Answer { status, body: body.into_bytes(), ..Answer::default() }
}
