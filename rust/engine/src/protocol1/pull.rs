//! The pull and the sweep: pages on their way while others are applied.
//!
//! A table's page is parsed on the writer's thread, which then announces what to ask for next before it applies the rows:
//! download, parsing and applying overlap. What one table suffers from does not stop the others; a page of a pull that
//! was given up is never applied.

use super::{Progress, Protocol1, RoundResult, sync_path};
use crate::store::{Complete, Load, PulledPage, Store, Writer};
use omnii_sync_core::machine::{Pulled, RoundError};
use omnii_sync_core::protocol1::pull::{Next, TablePull};
use omnii_sync_core::protocol1::{PAGE_LIMIT, page};
use omnii_sync_core::{ErrorCode, SyncError, Table};
use std::collections::VecDeque;
use std::sync::{Arc, PoisonError};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

/// First pages on their way at once.
const CONCURRENT_TABLES: usize = 4;

/// A page as it came.
struct Fetched {
    body: Vec<u8>,
    took_ms: u64,
}

/// A spawned request that ends with whoever waits for it.
struct InFlight(JoinHandle<RoundResult<Fetched>>);

impl InFlight {
    async fn page(mut self) -> RoundResult<Fetched> {
        (&mut self.0)
            .await
            .unwrap_or_else(|_| Err(SyncError::new(ErrorCode::Internal, "a download task failed").into()))
    }

    /// As [`Self::page`]; ends the load when its time is over, also while the page does not come.
    async fn page_during(self, load: &mut Option<Load>) -> RoundResult<Fetched> {
        let mut page = std::pin::pin!(self.page());
        if let Some(end) = load.as_ref().map(Load::end) {
            if end > Instant::now()
                && let Ok(page) = timeout_at(end, &mut page).await
            {
                return page;
            }
            if let Some(load) = load.take() {
                load.finish().await?;
            }
        }
        page.await
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Protocol1 {
    /// Everything that is new.
    pub(super) async fn pull_all(&self) -> RoundResult<Pulled> {
        let fresh = self.store.write(|w| w.knows_nothing()).await?;
        let mut refused = Refused::default();
        for (table, page) in self.pull_tables(&[]).await? {
            let early = self.refused_early.lock().unwrap_or_else(PoisonError::into_inner).remove(&table);
            refused.add(page.or_more(early));
        }
        // what was fetched into an empty file is all there is
        Ok(Pulled { swept: fresh, ..refused.into_pulled() })
    }

    /// Pulls one table on behalf of a push; the next pull reports what was refused.
    pub(super) async fn pull_early(&self, table: &str) -> RoundResult<()> {
        for (table, refused) in self.pull_tables(&[table]).await? {
            let mut early = self.refused_early.lock().unwrap_or_else(PoisonError::into_inner);
            let before = early.remove(&table);
            early.insert(table, refused.or_more(before));
        }
        Ok(())
    }

    /// What is new in these tables, or in all if none is named. Answers what was refused, by table.
    async fn pull_tables(&self, only: &[&str]) -> RoundResult<Vec<(String, Refused)>> {
        let schema = self.store.schema().clone();
        let tables: Vec<Table> = schema
            .parents_first()
            .into_iter()
            .filter(|t| t.is_pulled() && (only.is_empty() || only.contains(&t.name.as_str())))
            .cloned()
            .collect();
        let names: Vec<String> = tables.iter().map(|t| t.name.clone()).collect();
        let cursors =
            self.store.write(move |w| names.iter().map(|t| w.cursor(t)).collect::<Result<Vec<_>, _>>()).await?;
        let limit = self.page_limit();
        let position = |cursor| TablePull::new(cursor, self.options.overlap_ms, limit);
        self.walk(tables.into_iter().zip(cursors.into_iter().map(position)).collect(), false).await
    }

    /// Every row of every table, and then the rows that were not among them are deleted here (docs/protocol.md, pull 6).
    /// Anything incomplete deletes nothing.
    pub(super) async fn sweep_all(&self) -> RoundResult<Pulled> {
        self.is_our_own().await?;
        self.store.write(|w| w.begin_sweep()).await?;
        let schema = self.store.schema().clone();
        let sweep = |table: &Table| (table.clone(), TablePull::sweep(self.options.overlap_ms, self.page_limit()));
        let pulls = schema.parents_first().into_iter().filter(|t| t.is_pulled()).map(sweep).collect();
        let mut refused = Refused::default();
        for (_, page) in self.walk(pulls, true).await? {
            refused.add(page);
        }
        if refused.unidentified + refused.foreign > 0 {
            let message = format!(
                "the backend sent {} rows without a usable id and {} of another user, so it can't be said which rows were \
                 deleted there; nothing was deleted here",
                refused.unidentified, refused.foreign
            );
            let code = if refused.foreign > 0 { ErrorCode::ForeignRow } else { ErrorCode::TableFailed };
            return Err(SyncError::new(code, message).into());
        }
        let deleted = self.store.write(|w| w.transaction(|w| w.delete_unseen())).await?;
        tracing::info!(deleted, "rows deleted on the backend were removed");
        Ok(Pulled { swept: true, ..refused.into_pulled() })
    }

    /// Fails if the backend takes us for another user than the one this file belongs to: to that one, none of our rows exist.
    async fn is_our_own(&self) -> RoundResult<()> {
        #[derive(serde::Deserialize)]
        struct Health<'a> {
            #[serde(rename = "userId", borrow)]
            user_id: std::borrow::Cow<'a, str>,
        }
        let response = match self.client.get("/health").await {
            // it has no such address
            Err(failure) if failure.error.code == ErrorCode::BadResponse => return Ok(()),
            answer => answer?,
        };
        match serde_json::from_slice::<Health<'_>>(&response.body) {
            Ok(health) if health.user_id != self.store.user_id() => Err(SyncError::new(
                ErrorCode::ForeignRow,
                "the credentials are another user's; what was deleted on the backend can't be told with them",
            )
            .into()),
            // a backend that does not say whom it serves refuses rows one by one
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Pulls the tables one after another, the first pages of the next ones ahead.
    async fn walk(&self, tables: Vec<(Table, TablePull)>, sweep: bool) -> RoundResult<Vec<(String, Refused)>> {
        // dropped with this future: pages that are still on their way to the writer are then refused
        let pull = self.store.begin_pull();
        let mut waiting: VecDeque<_> = tables.into();
        let mut ahead: VecDeque<(Table, TablePull, InFlight)> = VecDeque::new();
        let mut failure: Option<RoundError> = None;
        let mut refused = Vec::new();
        let mut progress = Progress::new(self.on_progress.get());
        loop {
            while ahead.len() < CONCURRENT_TABLES
                && let Some((table, position)) = waiting.pop_front()
            {
                let request = self.request(&table, &position);
                ahead.push_back((table, position, request));
            }
            let Some((table, position, first)) = ahead.pop_front() else { break };
            let name = table.name.clone();
            match self.pull_table(Arc::new(table), position, first, pull.number(), sweep, &mut progress).await {
                Ok(more) => refused.push((name, more)),
                // what one table suffers from; the others go on (docs/protocol.md, pull 5)
                Err(error) if matches!(error.error.code, ErrorCode::TableFailed | ErrorCode::CursorStalled) => {
                    failure.get_or_insert(error);
                }
                Err(error) => return Err(self.with_smaller_pages(error)),
            }
        }
        self.pages.got_through();
        failure.map_or(Ok(refused), Err)
    }

    /// Rows to ask for at a time: what the app wants, or less after pages that did not get through.
    fn page_limit(&self) -> Option<u32> {
        let wanted = self.options.page_limit;
        let cut = self.pages.cut(wanted.unwrap_or(PAGE_LIMIT) as usize);
        cut.map_or(wanted, |rows| u32::try_from(rows).ok())
    }

    /// A page that takes too long, or more memory than any answer may, will do so again: the next ones are smaller.
    fn with_smaller_pages(&self, failure: RoundError) -> RoundError {
        match failure.error.code {
            ErrorCode::Timeout => self.pages.too_large(),
            ErrorCode::TooLarge => {
                self.pages.too_large();
                let message = format!("{}; smaller pages will be asked for", failure.error.message);
                return RoundError { error: SyncError::new(ErrorCode::BadResponse, message), ..failure };
            }
            _ => {}
        }
        failure
    }

    fn request(&self, table: &Table, position: &TablePull) -> InFlight {
        let path = sync_path(position.since().as_deref(), Some(&table.name), position.limit());
        let client = self.client.clone();
        InFlight(tokio::spawn(async move {
            let asked = Instant::now();
            let body = client.get(&path).await?.body;
            Ok(Fetched { body, took_ms: u64::try_from(asked.elapsed().as_millis()).unwrap_or(u64::MAX) })
        }))
    }

    /// All pages of one table. While the writer applies a page, the next one is on its way.
    async fn pull_table(
        &self,
        table: Arc<Table>,
        position: TablePull,
        first: InFlight,
        pull: i64,
        sweep: bool,
        progress: &mut Progress<'_>,
    ) -> RoundResult<Refused> {
        let mut position = position;
        let mut refused = Refused::default();
        // dropped with this future: a load that is given up gets its indexes all the same
        let mut load: Option<Load> = None;
        let mut fetched = first.page().await?;
        loop {
            let (announce, next) = oneshot::channel();
            let job = PageJob {
                table: table.clone(),
                position: position.clone(),
                fetched,
                timeout_ms: self.options.request_timeout_ms,
                pull,
                sweep,
                overlap_ms: self.options.overlap_ms,
                store: self.store.clone(),
                announce,
            };
            let applied = self.store.write(move |w| job.run(w));
            // the page is parsed first and says what to ask for next; then it is applied while that is on its way
            let request = match next.await {
                Ok((advanced, more)) => {
                    position = advanced;
                    more.then(|| self.request(&table, &position))
                }
                Err(_) => None, // the job has ended with an error
            };
            let (page, began) = applied.await?;
            progress.page(page.received, if request.is_some() { position.limit() } else { 0 });
            refused.add(page);
            load = load.or(began);
            match request {
                Some(request) => fetched = request.page_during(&mut load).await?,
                None => break,
            }
        }
        if let Some(load) = load {
            load.finish().await?;
        }
        Ok(refused)
    }
}

/// A page on the writer's thread.
struct PageJob {
    table: Arc<Table>,
    position: TablePull,
    fetched: Fetched,
    timeout_ms: u64,
    pull: i64,
    sweep: bool,
    overlap_ms: u64,
    store: Arc<Store>,
    announce: oneshot::Sender<(TablePull, bool)>,
}

impl PageJob {
    fn run(mut self, writer: &mut Writer) -> Result<(Refused, Option<Load>), SyncError> {
        if !self.store.is_active(self.pull) {
            return Err(SyncError::new(ErrorCode::Disconnected, "the pull was given up"));
        }
        let Some(page) = page::read(&self.fetched.body, &self.table, self.store.user_id())? else {
            return Err(SyncError::new(
                ErrorCode::TableFailed,
                format!("the backend failed to answer for table '{}'; its other tables go on", self.table.name),
            )
            .of_table(&self.table.name));
        };
        let from_the_beginning = self.position.since().is_none();
        self.position.measured(self.fetched.body.len(), self.fetched.took_ms, self.timeout_ms);
        let advanced = self.position.advance(&page, &self.table.name);
        let much_to_come = from_the_beginning && advanced == Ok(Next::More);
        let complete = (advanced == Ok(Next::Done))
            .then(|| Complete { began_at: self.position.began_at(), overlap_ms: self.overlap_ms });
        if let Ok(next) = &advanced {
            // nobody listens any more when the pull was cancelled
            let _ = self.announce.send((self.position.clone(), *next == Next::More));
        }
        let pulled = PulledPage { table: &self.table, page: &page, pull: self.pull, complete, sweep: self.sweep };
        let (applied, loading) = writer.transaction(|w| {
            let loading = much_to_come && w.begin_load(&self.table)?;
            Ok((w.apply(&pulled)?, loading))
        })?;
        let load = loading.then(|| Load::new(self.store.clone(), self.table.clone()));
        tracing::debug!(
            table = self.table.name,
            received = page.received,
            written = applied.written,
            acknowledged = applied.acknowledged,
            parked = applied.parked,
            "page applied"
        );
        advanced?;
        Ok((Refused::of(&self.table, &page, applied), load))
    }
}

/// What came of pages, above all the rows that were not applied.
#[derive(Default)]
pub(super) struct Refused {
    foreign: usize,
    unusable: usize,
    unidentified: usize,
    /// Rows that came, refused ones included.
    received: usize,
    /// Rows that are not as they were before.
    written: usize,
    /// Where the first of them went wrong.
    warning: Option<SyncError>,
}

impl Refused {
    fn of(table: &Table, page: &page::Page<'_>, applied: crate::store::Applied) -> Self {
        let name = &table.name;
        let unusable = page.malformed + applied.refused;
        let written = applied.written;
        let fault = || page.first_fault.clone().or(applied.fault).unwrap_or_default();
        let warning = if page.foreign > 0 {
            let message =
                format!("the backend sent {} rows of another user in table '{name}'; they were refused", page.foreign);
            Some(SyncError::new(ErrorCode::ForeignRow, message).of_table(name))
        } else {
            let told =
                || format!("table '{name}': {unusable} rows could not be used and were left out; first {}", fault());
            (unusable > 0).then(|| SyncError::new(ErrorCode::TableFailed, told()).of_table(name))
        };
        Self {
            foreign: page.foreign,
            unusable,
            unidentified: page.unidentified,
            received: page.received,
            written,
            warning,
        }
    }

    fn add(&mut self, page: Self) {
        self.foreign += page.foreign;
        self.unusable += page.unusable;
        self.unidentified += page.unidentified;
        self.received += page.received;
        self.written += page.written;
        // rows of another user are the graver fault
        let graver = |e: &SyncError| e.code == ErrorCode::ForeignRow;
        if self.warning.as_ref().is_none_or(|mine| !graver(mine) && page.warning.as_ref().is_some_and(graver)) {
            self.warning = page.warning.or(self.warning.take());
        }
    }

    /// This, or what an earlier download of the same table refused if that was more: within the overlap both see the same rows.
    fn or_more(self, early: Option<Self>) -> Self {
        match early {
            Some(early) if early.foreign + early.unusable > self.foreign + self.unusable => early,
            Some(_) | None => self,
        }
    }

    /// What could be used was applied: the pull is complete.
    fn into_pulled(self) -> Pulled {
        Pulled {
            refused_rows: (self.foreign + self.unusable) as u64,
            warning: self.warning,
            swept: false,
            changed_rows: self.written as u64,
        }
    }
}
