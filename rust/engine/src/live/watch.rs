//! One watch: what it depends on, where it is, and what the app has of it.

use super::difference::Snapshot;
use super::point::lookup;
use super::{Fresh, WatchOptions};
use crate::store::{Inspected, Watched};
use std::sync::Arc;
use tokio::time::Instant;

/// What a watch depends on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// Names in lower case.
    pub(super) tables: Vec<String>,
    /// The ids of the rows of its only table that matter; `None`: all.
    pub(super) lookup: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Nothing to do.
    Idle,
    /// It will be due at `not_before`.
    Waiting,
    /// It waits for a reader.
    Due,
    Running,
}

#[derive(Debug)]
pub(super) struct Watch {
    pub(super) query: Arc<Watched>,
    pub(super) options: WatchOptions,
    pub(super) plan: Plan,
    pub(super) phase: Phase,
    /// Something has changed since the last run began.
    pub(super) dirty: bool,
    /// Tables or views have changed since the plan was made.
    pub(super) stale: bool,
    /// The commits heard of when the last run began.
    pub(super) commits: u64,
    /// The end of the throttle.
    pub(super) not_before: Instant,
    /// What the app took last.
    pub(super) taken: Option<Arc<Snapshot>>,
    /// What it may take.
    pub(super) fresh: Option<Fresh>,
    /// It has been told and has not taken.
    pub(super) announced: bool,
    /// The last run failed.
    pub(super) failed: bool,
}

impl Watch {
    /// A watch whose first run began at `began`.
    pub(super) fn new(query: Arc<Watched>, options: WatchOptions, began: Instant) -> Self {
        let not_before = began + options.throttle;
        Self {
            query,
            options,
            plan: Plan::default(),
            phase: Phase::Idle,
            dirty: false,
            stale: false,
            commits: 0,
            not_before,
            taken: None,
            fresh: None,
            announced: false,
            failed: false,
        }
    }

    /// Takes over what the query was found to depend on.
    pub(super) fn set_plan(&mut self, inspected: Inspected) {
        let lower = |names: &[String]| {
            let mut names: Vec<String> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
            names.sort_unstable();
            names.dedup();
            names
        };
        self.plan = match &self.options.tables {
            Some(tables) => Plan { tables: lower(tables), lookup: None },
            None => {
                let tables = lower(&inspected.tables);
                let found = lookup(&self.query.sql, &self.query.parameters);
                let only = |table: &str| inspected.synced && tables.len() == 1 && tables[0].eq_ignore_ascii_case(table);
                let lookup = found.filter(|found| only(&found.table)).map(|found| found.ids);
                Plan { tables, lookup }
            }
        };
    }
}
