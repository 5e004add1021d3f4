//! Live queries: results that are kept up to date, and announced when they have changed.
//!
//! Guarantees: a change that is committed after a run of the query began makes another run, so the last result is that of the
//! last commit; at most one run of a watch is under way, and at most [`MAX_RUNS`] in all, so that queries of the app find a
//! reader; the first change after a pause is seen at once, later ones at most every `throttle`; a result equal to the one the
//! app has is not announced, and one that is announced is not announced again before it is taken. Comparing is done by the
//! reader's thread, taking only hands over. Refuses to know of JavaScript.
//!
//! Locks: what is under `state` is short and calls nobody but the observer, who must not block.

mod difference;
mod point;
mod watch;

use crate::store::{Changes, Inspected, Parameter, Rows, Store, Watched, closed};
use difference::Snapshot;
use omnii_sync_core::error::Result;
use omnii_sync_core::{ErrorCode, SyncError};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::Instant;
use watch::{Phase, Watch};

/// Runs under way at once; one less than there are readers.
const MAX_RUNS: usize = 3;

/// Who hears that a watch has something, or has failed. Must not block.
type OnChange = Box<dyn Fn(u64, Option<&SyncError>) + Send + Sync>;

/// What is watched.
#[derive(Debug, Clone)]
pub struct WatchOptions {
    /// The time from one run to the next, at least; zero: after every commit.
    pub throttle: Duration,
    /// Tables whose changes count, instead of those that the statement reads.
    pub tables: Option<Vec<String>>,
}

/// A result to be handed over.
#[derive(Debug)]
pub struct Fresh {
    snapshot: Arc<Snapshot>,
    /// For each row its index in the result taken before, or -1; `None`: all rows are new.
    pub kept: Option<Vec<i32>>,
}

impl Fresh {
    /// All rows of the result.
    pub fn rows(&self) -> &Rows {
        &self.snapshot.rows
    }
}

/// The watches of one database.
pub(crate) struct Live {
    state: Mutex<State>,
    /// Set once, before anybody watches.
    store: OnceLock<Weak<Store>>,
    runtime: Handle,
    on_change: OnChange,
    /// Whether change sets must name rows: for lookups by id, or because the app listens.
    ids_wanted: AtomicBool,
    tables_wanted: AtomicBool,
    this: Weak<Self>,
}

#[derive(Default)]
struct State {
    last: u64,
    watches: BTreeMap<u64, Watch>,
    index: Index,
    /// Watches that are due, in the order in which they came to be.
    due: VecDeque<u64>,
    running: usize,
    /// Commits heard of.
    commits: u64,
    closed: bool,
}

/// Who depends on what; names in lower case.
#[derive(Default)]
struct Index {
    tables: HashMap<String, Dependants>,
    /// How many look rows up.
    lookups: usize,
}

#[derive(Default)]
struct Dependants {
    all: BTreeSet<u64>,
    by_row: HashMap<String, BTreeSet<u64>>,
}

impl Index {
    fn set(&mut self, id: u64, plan: &watch::Plan, there: bool) {
        if plan.lookup.is_some() {
            if there {
                self.lookups += 1;
            } else {
                self.lookups -= 1;
            }
        }
        for table in &plan.tables {
            let dependants = self.tables.entry(table.clone()).or_default();
            let Some(ids) = &plan.lookup else {
                if there {
                    dependants.all.insert(id)
                } else {
                    dependants.all.remove(&id)
                };
                continue;
            };
            for row in ids {
                let of_row = dependants.by_row.entry(row.clone()).or_default();
                if there {
                    of_row.insert(id)
                } else {
                    of_row.remove(&id)
                };
                if of_row.is_empty() {
                    dependants.by_row.remove(row);
                }
            }
        }
        if !there {
            self.tables.retain(|_, d| !d.all.is_empty() || !d.by_row.is_empty());
        }
    }

    /// Whom these changes may concern.
    fn concerned(&self, changes: &Changes) -> BTreeSet<u64> {
        let mut concerned = BTreeSet::new();
        let outbox = changes.outbox.then_some(("omnii_outbox", None));
        for (table, ids) in changes.tables.iter().map(|t| (t.table.as_str(), t.ids.as_deref())).chain(outbox) {
            let Some(dependants) = self.tables.get(&table.to_ascii_lowercase()) else { continue };
            concerned.extend(&dependants.all);
            match ids {
                // whichever are fewer
                Some(ids) if ids.len() <= dependants.by_row.len() => {
                    concerned.extend(ids.iter().filter_map(|id| dependants.by_row.get(id)).flatten());
                }
                Some(ids) => {
                    let changed = |row: &String| ids.binary_search(row).is_ok();
                    concerned.extend(dependants.by_row.iter().filter(|(row, _)| changed(row)).flat_map(|(_, w)| w));
                }
                None => concerned.extend(dependants.by_row.values().flatten()),
            }
        }
        concerned
    }
}

impl Live {
    pub(crate) fn new(runtime: Handle, on_change: OnChange) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            state: Mutex::default(),
            store: OnceLock::new(),
            runtime,
            on_change,
            ids_wanted: AtomicBool::new(false),
            tables_wanted: AtomicBool::new(false),
            this: this.clone(),
        })
    }

    pub(crate) fn serve(&self, store: &Arc<Store>) {
        // there is one store to a database
        let _ = self.store.set(Arc::downgrade(store));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a commit should name the rows it changed.
    pub(crate) fn row_ids_wanted(&self) -> bool {
        self.ids_wanted.load(Ordering::Relaxed)
    }

    /// Whether the app listens to commits.
    pub(crate) fn tables_wanted(&self) -> bool {
        self.tables_wanted.load(Ordering::Relaxed)
    }

    pub(crate) fn want_tables(&self, wanted: bool) {
        let state = self.lock();
        self.tables_wanted.store(wanted, Ordering::Relaxed);
        self.note_wishes(&state);
    }

    fn note_wishes(&self, state: &State) {
        self.ids_wanted.store(state.index.lookups > 0 || self.tables_wanted(), Ordering::Relaxed);
    }

    /// Watches a query. `done` gets the watch's id once its first run has ended, well or not; what came out is announced after
    /// that.
    pub(crate) fn watch(
        self: &Arc<Self>,
        sql: String,
        parameters: Vec<Parameter>,
        options: WatchOptions,
        done: impl FnOnce(Result<u64>) + Send + 'static,
    ) {
        let Some(store) = self.store.get().and_then(Weak::upgrade) else { return done(Err(closed())) };
        let query = Arc::new(Watched { sql, parameters });
        let (this, asked) = (self.clone(), query.clone());
        let began = Arc::new(Mutex::new((0, Instant::now())));
        let (noted, live) = (began.clone(), self.clone());
        let begin = move || {
            *noted.lock().unwrap_or_else(PoisonError::into_inner) = (live.lock().commits, Instant::now());
        };
        store.run_watched(query, true, begin, move |outcome| {
            let (plan, rows) = match outcome {
                Ok(outcome) => outcome,
                Err(error) => return done(Err(error)),
            };
            let (commits, at) = *began.lock().unwrap_or_else(PoisonError::into_inner);
            let id = {
                let mut state = this.lock();
                if state.closed {
                    drop(state);
                    return done(Err(closed()));
                }
                state.last += 1;
                let id = state.last;
                let mut watch = Watch::new(asked, options, at);
                watch.set_plan(plan.unwrap_or_default());
                // a commit that came between has found nobody to tell
                watch.dirty = state.commits != commits;
                watch.phase = Phase::Running;
                state.running += 1;
                state.index.set(id, &watch.plan, true);
                state.watches.insert(id, watch);
                this.note_wishes(&state);
                id
            };
            done(Ok(id));
            this.ended(id, Ok((None, rows)));
        });
    }

    /// The newest result, if it is not the one taken before.
    pub(crate) fn take(&self, id: u64) -> Option<Fresh> {
        let mut state = self.lock();
        let watch = state.watches.get_mut(&id)?;
        watch.announced = false;
        let fresh = watch.fresh.take()?;
        watch.taken = Some(fresh.snapshot.clone());
        Some(fresh)
    }

    /// Ends a watch; it is not announced any more.
    pub(crate) fn unwatch(&self, id: u64) {
        let mut state = self.lock();
        if let Some(watch) = state.watches.remove(&id) {
            state.index.set(id, &watch.plan, false);
            self.note_wishes(&state);
        }
    }

    /// Ends all watches; nothing is announced any more.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        *state = State { closed: true, running: state.running, ..State::default() };
    }

    /// A commit has changed something.
    pub(crate) fn committed(&self, changes: &Changes) {
        let mut state = self.lock();
        state.commits += 1;
        if state.watches.is_empty() {
            return;
        }
        let concerned = if changes.schema {
            for watch in state.watches.values_mut() {
                watch.stale = true;
            }
            state.watches.keys().copied().collect()
        } else {
            state.index.concerned(changes)
        };
        self.mark(state, concerned);
    }

    /// Anything may have changed: while the file was given up others may have written.
    pub(crate) fn resumed(&self) {
        let mut state = self.lock();
        state.commits += 1;
        let all = state.watches.keys().copied().collect();
        self.mark(state, all);
    }

    fn mark<'s>(&'s self, mut state: MutexGuard<'s, State>, concerned: BTreeSet<u64>) {
        let mut now = None;
        for id in concerned {
            let State { watches, due, .. } = &mut *state;
            let Some(watch) = watches.get_mut(&id) else { continue };
            watch.dirty = true;
            if watch.phase == Phase::Idle {
                self.schedule(id, watch, due, *now.get_or_insert_with(Instant::now));
            }
        }
        self.start_due(state);
    }

    /// Has an idle watch run, now or when its time has come.
    fn schedule(&self, id: u64, watch: &mut Watch, due: &mut VecDeque<u64>, now: Instant) {
        if now >= watch.not_before {
            watch.phase = Phase::Due;
            due.push_back(id);
            return;
        }
        watch.phase = Phase::Waiting;
        let (live, at) = (self.this.clone(), watch.not_before);
        self.runtime.spawn(async move {
            tokio::time::sleep_until(at).await;
            let Some(live) = live.upgrade() else { return };
            let mut state = live.lock();
            let State { watches, due, .. } = &mut *state;
            if let Some(watch) = watches.get_mut(&id)
                && watch.phase == Phase::Waiting
            {
                watch.phase = Phase::Due;
                due.push_back(id);
                live.start_due(state);
            }
        });
    }

    /// Has the readers run what is due, as far as they may.
    fn start_due<'s>(&'s self, mut state: MutexGuard<'s, State>) {
        let Some(this) = self.this.upgrade() else { return };
        while state.running < MAX_RUNS
            && let Some(id) = state.due.pop_front()
        {
            let Some(watch) = state.watches.get_mut(&id) else { continue };
            let Some(store) = self.store.get().and_then(Weak::upgrade) else { return };
            watch.phase = Phase::Running;
            let (query, inspect) = (watch.query.clone(), watch.stale);
            state.running += 1;
            drop(state);
            let (live, told) = (this.clone(), this.clone());
            let begin = move || live.begin(id);
            store.run_watched(query, inspect, begin, move |outcome| told.ended(id, outcome));
            state = self.lock();
        }
    }

    /// A run begins: it sees all that has been committed.
    fn begin(&self, id: u64) {
        let mut state = self.lock();
        let commits = state.commits;
        if let Some(watch) = state.watches.get_mut(&id) {
            watch.dirty = false;
            watch.commits = commits;
            watch.not_before = Instant::now() + watch.options.throttle;
        }
    }

    /// A run has ended.
    fn ended(&self, id: u64, outcome: Result<(Option<Inspected>, Result<Rows>)>) {
        let (inspected, result) = match outcome {
            Ok((inspected, result)) => (inspected, result.map(|rows| Arc::new(Snapshot::new(rows)))),
            Err(error) => (None, Err(error)),
        };
        let mut state = self.lock();
        if let Some(inspected) = inspected {
            let State { watches, index, commits, .. } = &mut *state;
            if let Some(watch) = watches.get_mut(&id) {
                index.set(id, &watch.plan, false);
                watch.set_plan(inspected);
                index.set(id, &watch.plan, true);
                watch.stale = watch.dirty && watch.stale;
                // a commit that came between was compared with what it depended on before
                watch.dirty |= watch.commits != *commits;
            }
            self.note_wishes(&state);
        }
        match result {
            Ok(snapshot) => state = self.compare(state, id, &snapshot),
            // interrupt() is about the app's own statements; this one only has to run once more
            Err(error) if error.code == ErrorCode::Interrupted => {
                if let Some(watch) = state.watches.get_mut(&id) {
                    watch.dirty = true;
                }
            }
            Err(error) => {
                if !state.closed
                    && let Some(watch) = state.watches.get_mut(&id)
                {
                    watch.failed = true;
                    (self.on_change)(id, Some(&error));
                }
            }
        }
        state.running -= 1;
        let State { watches, due, .. } = &mut *state;
        if let Some(watch) = watches.get_mut(&id) {
            watch.phase = Phase::Idle;
            if watch.dirty {
                self.schedule(id, watch, due, Instant::now());
            }
        }
        self.start_due(state);
    }

    /// Compares a result with what the app has, and says so if there is something for it.
    fn compare<'s>(
        &'s self,
        mut state: MutexGuard<'s, State>,
        id: u64,
        snapshot: &Arc<Snapshot>,
    ) -> MutexGuard<'s, State> {
        loop {
            let Some(watch) = state.watches.get(&id) else { return state };
            let (taken, failed) = (watch.taken.clone(), watch.failed);
            drop(state);
            // after a failure the app waits for word, also of what it has
            let same = !failed && taken.as_ref().is_some_and(|taken| snapshot.is_same(taken));
            let kept = if same { None } else { taken.as_ref().and_then(|taken| snapshot.kept_from(taken)) };
            state = self.lock();
            let Some(watch) = state.watches.get_mut(&id) else { return state };
            let unchanged = match (&watch.taken, &taken) {
                (Some(now), Some(then)) => Arc::ptr_eq(now, then),
                (None, None) => true,
                (Some(_), None) | (None, Some(_)) => false,
            };
            if !unchanged {
                // it has taken another meanwhile
                continue;
            }
            watch.failed = false;
            watch.fresh = (!same).then(|| Fresh { snapshot: snapshot.clone(), kept });
            if !same && !watch.announced {
                watch.announced = true;
                (self.on_change)(id, None);
            }
            return state;
        }
    }
}

#[cfg(test)]
mod tests;
