//! Protocol 1 over HTTP: one push and one pull, as the driver runs them.
//!
//! Owns the order of requests and what an answer does to the store. Decisions about bodies, cursors and pages are
//! `omnii_sync_core::protocol1`'s. No lock of the store is held while the network is awaited; each step commits by itself,
//! so a push or pull that is dropped at any await leaves a consistent file.

use crate::client::Client;
use crate::driver::Work;
use crate::store::{Complete, Load, PulledPage, Store, Writer};
use crate::transport::BoxFuture;
use omnii_sync_core::machine::RoundError;
use omnii_sync_core::protocol1::page;
use omnii_sync_core::protocol1::pull::{Next, TablePull};
use omnii_sync_core::protocol1::upload::{self, Limits, TableAnswer, UploadAnswer, UploadRequest};
use omnii_sync_core::{Change, ErrorCode, Operation, SyncError, SyncOptions, Table};
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

/// Changes read from the outbox at a time.
const PUSH_BATCH: u32 = 2000;

/// First pages on their way at once.
const CONCURRENT_TABLES: usize = 4;

type RoundResult<T> = Result<T, RoundError>;

/// The two halves of a round, for the driver.
pub(crate) struct Protocol1 {
    store: Arc<Store>,
    client: Arc<Client>,
    options: SyncOptions,
}

impl Work for Protocol1 {
    fn push(&self) -> BoxFuture<'_, RoundResult<()>> {
        Box::pin(self.push_all())
    }

    fn pull(&self) -> BoxFuture<'_, RoundResult<()>> {
        Box::pin(self.pull_all())
    }
}

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
    pub(crate) fn new(store: Arc<Store>, client: Arc<Client>, options: SyncOptions) -> Self {
        Self { store, client, options }
    }

    // ---- push

    async fn push_all(&self) -> RoundResult<()> {
        let mut limits = Limits::default();
        loop {
            let batch = self.store.write(|w| w.queued(PUSH_BATCH)).await?;
            if batch.changes.is_empty() {
                return Ok(());
            }
            let deletes: HashSet<i64> =
                batch.changes.iter().filter(|c| c.operation == Operation::Delete).map(|c: &Change| c.id).collect();
            let requests = upload::plan(self.store.schema(), &batch.changes, &batch.bases, limits);
            if requests.is_empty() {
                // changes of tables that have left the schema are parked when the file is opened
                return Err(SyncError::new(ErrorCode::Internal, "queued changes could not be planned").into());
            }
            for request in requests {
                match self.client.post("/upload", request.body.clone()).await {
                    Ok(response) => {
                        let answer = upload::read_answer(&request, &response.body)?;
                        self.settle(request, answer, &deletes).await?;
                    }
                    Err(failure) if matches!(failure.error.code, ErrorCode::TooLarge | ErrorCode::Rejected) => {
                        let ids: Vec<i64> = request.change_ids().collect();
                        if let [id] = ids[..] {
                            tracing::warn!(code = failure.error.code.as_str(), "a change was parked");
                            self.store.write(move |w| w.transaction(|w| w.park(&[id], &failure.error.message))).await?;
                            // the culprit is out of the way
                            limits = Limits::default();
                        } else {
                            // smaller requests until the operation that is refused stands alone
                            limits =
                                Limits { operations: ids.len().div_ceil(2), bytes: request.body.len().div_ceil(2) };
                        }
                        break;
                    }
                    Err(failure) => return Err(failure),
                }
            }
        }
    }

    /// Notes what the backend said about a request: PUTs wait for read-back, DELETEs are done, refusals are parked.
    async fn settle(&self, request: UploadRequest, answer: UploadAnswer, deletes: &HashSet<i64>) -> RoundResult<()> {
        let (pull, answered_at) = (self.store.last_pull(), answer.answered_at);
        let steps: Vec<_> = request
            .tables
            .into_iter()
            .zip(answer.tables)
            .map(|((_, ids), answer)| {
                let (gone, put): (Vec<i64>, Vec<i64>) = ids.into_iter().partition(|id| deletes.contains(id));
                (gone, put, answer)
            })
            .collect();
        let job = move |w: &mut Writer| {
            for (gone, put, answer) in &steps {
                match answer {
                    TableAnswer::Accepted => {
                        w.mark_sent(put, pull, answered_at)?;
                        w.acknowledge_deletes(gone)?;
                    }
                    TableAnswer::UnknownTable(why) => {
                        w.park(put, why)?;
                        w.park(gone, why)?;
                    }
                    // which operations failed is not said: alone, it was this one; else read-back finds out for PUTs
                    TableAnswer::Refused(why) if put.len() + gone.len() == 1 => {
                        w.park(put, why)?;
                        w.park(gone, why)?;
                    }
                    TableAnswer::Refused(why) => {
                        w.mark_sent(put, pull, answered_at)?;
                        w.park(gone, &format!("one of {} operations was refused: {why}", put.len() + gone.len()))?;
                    }
                }
            }
            Ok(())
        };
        Ok(self.store.write(move |w| w.transaction(job)).await?)
    }

    // ---- pull

    async fn pull_all(&self) -> RoundResult<()> {
        // dropped with this future: pages that are still on their way to the writer are then refused
        let pull = self.store.begin_pull();
        let schema = self.store.schema().clone();
        let tables: Vec<Table> = schema.parents_first().into_iter().cloned().collect();
        let names: Vec<String> = tables.iter().map(|t| t.name.clone()).collect();
        let cursors =
            self.store.write(move |w| names.iter().map(|t| w.cursor(t)).collect::<Result<Vec<_>, _>>()).await?;
        let mut waiting: VecDeque<(Table, TablePull)> = tables
            .into_iter()
            .zip(cursors)
            .map(|(table, cursor)| (table, TablePull::new(cursor, self.options.overlap_ms, self.options.page_limit)))
            .collect();
        let mut ahead: VecDeque<(Table, TablePull, InFlight)> = VecDeque::new();
        let mut failure: Option<RoundError> = None;
        loop {
            while ahead.len() < CONCURRENT_TABLES
                && let Some((table, position)) = waiting.pop_front()
            {
                let request = self.request(&table, &position);
                ahead.push_back((table, position, request));
            }
            let Some((table, position, first)) = ahead.pop_front() else { break };
            if let Err(error) = self.pull_table(Arc::new(table), position, first, pull.number()).await {
                match error.error.code {
                    // what one table suffers from; the others go on (docs/protocol.md, pull 5)
                    ErrorCode::TableFailed | ErrorCode::CursorStalled | ErrorCode::ForeignRow => {
                        failure.get_or_insert(error);
                    }
                    _ => return Err(error),
                }
            }
        }
        failure.map_or(Ok(()), Err)
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
    async fn pull_table(&self, table: Arc<Table>, position: TablePull, first: InFlight, pull: i64) -> RoundResult<()> {
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
        refused.into_result(&table)
    }
}

/// A page on the writer's thread.
struct PageJob {
    table: Arc<Table>,
    position: TablePull,
    fetched: Fetched,
    timeout_ms: u64,
    pull: i64,
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
            ));
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
        let pulled = PulledPage { table: &self.table, page: &page, pull: self.pull, complete };
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
        let refused = Refused {
            foreign: page.foreign,
            malformed: page.malformed + applied.refused,
            fault: page.first_fault.or(applied.fault),
        };
        Ok((refused, load))
    }
}

/// Rows of a table that were not applied.
#[derive(Default)]
struct Refused {
    foreign: usize,
    malformed: usize,
    fault: Option<String>,
}

impl Refused {
    fn add(&mut self, page: Self) {
        self.foreign += page.foreign;
        self.malformed += page.malformed;
        if self.fault.is_none() {
            self.fault = page.fault;
        }
    }

    fn into_result(self, table: &Table) -> RoundResult<()> {
        let name = &table.name;
        if self.foreign > 0 {
            let message =
                format!("the backend sent {} rows of another user in table '{name}'; they were refused", self.foreign);
            return Err(SyncError::new(ErrorCode::ForeignRow, message).into());
        }
        if self.malformed > 0 {
            let fault = self.fault.unwrap_or_default();
            let message =
                format!("table '{name}': {} rows could not be used and were left out; first {fault}", self.malformed);
            return Err(SyncError::new(ErrorCode::TableFailed, message).into());
        }
        Ok(())
    }
}

/// `/sync` with its query, encoded.
pub(crate) fn sync_path(since: Option<&str>, table: Option<&str>, limit: u32) -> String {
    let mut url = reqwest::Url::parse("http://localhost/sync").expect("a constant URL");
    {
        let mut query = url.query_pairs_mut();
        if let Some(since) = since {
            query.append_pair("since", since);
        }
        if let Some(table) = table {
            query.append_pair("tables", table);
        }
        query.append_pair("limit", &limit.to_string());
    }
    format!("/sync?{}", url.query().unwrap_or_default())
}
