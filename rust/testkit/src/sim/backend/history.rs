//! What happened to each row on the backend, in order: the truth that the invariants go by.

use super::Origin;
use std::collections::BTreeMap;

/// One thing that was done to a row, or refused.
#[derive(Debug, Clone)]
pub struct Event {
    /// Order among all events of the backend; 1 is the first.
    pub seq: u64,
    /// Who did it.
    pub origin: Origin,
    /// What.
    pub what: What,
}

/// See [`Event`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// These columns (by index) were set.
    Put(Vec<(usize, Option<String>)>),
    /// A PUT was refused, and counted as success.
    Refused,
    /// A DELETE was processed; whether there was a row.
    Delete(bool),
    /// The row went with its parent.
    Cascaded,
}

/// All events by (table, id).
#[derive(Debug, Default)]
pub struct History {
    rows: BTreeMap<(usize, String), Vec<Event>>,
    last: u64,
}

impl History {
    /// The number of the last event.
    pub fn last(&self) -> u64 {
        self.last
    }

    pub(super) fn note(&mut self, table: usize, id: &str, origin: Origin, what: What) -> u64 {
        self.last += 1;
        let event = Event { seq: self.last, origin, what };
        match self.rows.get_mut(&(table, id.to_owned())) {
            Some(events) => events.push(event),
            None => {
                self.rows.insert((table, id.to_owned()), vec![event]);
            }
        }
        self.last
    }

    /// Whether the row was there after event `seq`.
    pub fn was_there(&self, table: usize, id: &str, seq: u64) -> bool {
        let events = self.of(table, id).iter().rev().skip_while(|event| event.seq > seq);
        let mut deciding = events.filter_map(|event| match event.what {
            What::Put(_) => Some(true),
            What::Delete(true) | What::Cascaded => Some(false),
            What::Delete(false) | What::Refused => None,
        });
        deciding.next().unwrap_or(false)
    }

    /// What happened to a row, oldest first.
    pub fn of(&self, table: usize, id: &str) -> &[Event] {
        self.rows.get(&(table, id.to_owned())).map_or(&[], Vec::as_slice)
    }
}
