//! Carrying out a plan: the steps one after the other, then peace, then the reckoning.

use super::app::Author;
use super::client::Client;
use super::complete;
use super::fault::{Armed, Fault};
use super::invariants;
use super::schedule::{Features, Plan, Step};
use super::steps;
use super::view::View;
use super::world::Shared;
use omnii_sync_engine::{ErrorCode, SyncError, SyncFrequency};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// How a simulation ended.
#[derive(Debug)]
pub struct Outcome {
    /// The first violated invariant.
    pub failure: Option<String>,
    /// What happened, if that was asked for.
    pub trace: Vec<String>,
    /// The same for the same trace.
    pub hash: u64,
    /// Virtual time.
    pub lasted_ms: u64,
}

/// Runs a plan on this thread. `keep_trace` makes it several times slower.
pub fn run(plan: &Plan, features: Features, keep_trace: bool) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime without IO needs nothing");
    // memory is faster than a disk, and a simulated death loses nothing that a real one would not
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    let directory = made.expect("a directory for temporary files");
    let simulation =
        std::panic::AssertUnwindSafe(|| runtime.block_on(simulate(plan, features, keep_trace, directory.path())));
    match std::panic::catch_unwind(simulation) {
        Ok(outcome) => outcome,
        Err(panic) => {
            let words = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
            let failure = Some(format!("a panic: {}", words.unwrap_or("?")));
            Outcome { failure, trace: Vec::new(), hash: 0, lasted_ms: 0 }
        }
    }
}

/// The clients and what they share.
pub(super) struct Simulation {
    pub(super) shared: Arc<Shared>,
    pub(super) clients: Vec<Client>,
}

async fn simulate(plan: &Plan, features: Features, keep_trace: bool, directory: &Path) -> Outcome {
    let shared = Shared::new(plan.seed, plan.setting.clone(), features, keep_trace);
    shared.note(|| format!("seed {}: {:?}", plan.seed, plan.setting));
    steps::furnish(&shared, plan.seed);
    let mut clients = Vec::new();
    for index in 0..plan.setting.users.len() {
        match Client::start(&shared, index, directory) {
            Ok(client) => clients.push(client),
            Err(error) => shared.fail(|| format!("client {index} can't be opened: {error}")),
        }
    }
    let mut simulation = Simulation { shared: shared.clone(), clients };
    for step in &plan.steps {
        if shared.lock().trace.failed() {
            break;
        }
        simulation.wait(step.wait_ms).await;
        shared.note(|| format!("step {}: client {} {:?}", step.id, step.client, step.act));
        steps::take(&mut simulation, step).await;
        simulation.revive().await;
        simulation.check(step.client);
    }
    if !shared.lock().trace.failed() {
        simulation.settle().await;
    }
    let lasted_ms = shared.now_ms();
    drop(simulation);
    for _ in 0..4 {
        tokio::task::yield_now().await;
    }
    let (failure, trace, hash) = shared.finish().finish();
    Outcome { failure, trace, hash, lasted_ms }
}

impl Simulation {
    /// Lets virtual time pass; starts processes again that die meanwhile.
    pub(super) async fn wait(&mut self, ms: u64) {
        let until = tokio::time::Instant::now() + Duration::from_millis(ms);
        loop {
            let shared = self.shared.clone();
            tokio::select! {
                biased;
                () = shared.died.notified() => self.revive().await,
                () = tokio::time::sleep_until(until) => return,
            }
        }
    }

    /// Starts processes again that have died.
    pub(super) async fn revive(&mut self) {
        for index in 0..self.clients.len() {
            if self.shared.lock().devices[index].dead {
                if let Err(error) = self.clients[index].restart(&self.shared).await {
                    return self.shared.fail(|| format!("client {index} can't be opened after its death: {error}"));
                }
                self.shared.note(|| format!("client {index} starts again"));
                self.check(index);
            }
        }
    }

    /// Checks what must always hold.
    pub(super) fn check(&mut self, index: usize) -> Option<View> {
        if self.shared.lock().devices[index].dead {
            return None;
        }
        invariants::check(&self.shared, &mut self.clients[index])
    }

    /// `triggerSync()` or `reconcile()`, its answer judged when it comes.
    pub(super) fn round(&self, index: usize, sweep: bool) {
        let (shared, database) = (self.shared.clone(), self.clients[index].database.clone());
        let (seq, generation, clears, user) = {
            let mut world = shared.lock();
            world.unanswered += 1;
            let device = &world.devices[index];
            (world.backend.history().last(), device.generation, device.clears, self.clients[index].user)
        };
        let round: Pin<Box<dyn Future<Output = Result<(), SyncError>> + Send>> =
            if sweep { Box::pin(database.reconcile()) } else { Box::pin(database.trigger_sync()) };
        // must not keep the database of a dead process alive
        let database = Arc::downgrade(&database);
        tokio::spawn(async move {
            let outcome = round.await;
            let name = if sweep { "reconcile" } else { "triggerSync" };
            shared.note(|| format!("client {index}:   {name}: {:?}", outcome.as_ref().map_err(|e| e.code)));
            let same = {
                let mut world = shared.lock();
                world.unanswered -= 1;
                let device = &world.devices[index];
                !device.dead && device.generation == generation && device.clears == clears
            };
            let view = database.upgrade().and_then(|database| View::read(&database));
            if let (Ok(()), true, Some(view)) = (outcome, same, view) {
                match sweep {
                    true => complete::has_swept(&shared, index, user, &view, seq),
                    false => complete::has_caught_up(&shared, index, user, &view, seq, false),
                }
            }
        });
    }

    /// A round with a sweep. A token may end while a slow request is on its way, and the one after it, too.
    async fn reconciled(&self, index: usize) -> Result<(), SyncError> {
        let database = self.clients[index].database.clone();
        for _ in 0..2 {
            match database.reconcile().await {
                Err(error) if error.code == ErrorCode::Unauthorized => {}
                outcome => return outcome,
            }
        }
        database.reconcile().await
    }

    /// The faults are over: everything must drain and converge by itself within bounded time.
    async fn settle(&mut self) {
        {
            let mut world = self.shared.lock();
            world.outage_until_ms = 0;
            for device in &mut world.devices {
                device.armed.clear();
                device.dies = None;
                device.signed_out_until_ms = 0;
            }
        }
        self.shared.note(|| "the faults are over".to_owned());
        for client in &mut self.clients {
            client.connected = true;
            client.database.connect();
        }
        let sync = self.shared.lock().setting.sync.clone();
        // a request that is out, the backoff it ends in, the credentials asked for, and the rounds that follow
        let bound_ms = 2 * (sync.request_timeout_ms + sync.max_backoff_ms + sync.credentials_timeout_ms)
            + 5 * sync.poll_interval_ms
            + 300_000;
        // who has nothing to push, and nobody there to see it, need not hurry; nor does who was told that there is no network
        let unhurried_ms = bound_ms + 5 * sync.background_poll_interval_ms.max(sync.idle_poll_interval_ms);
        let begun_ms = self.shared.now_ms();
        let rounds: Vec<Option<i64>> =
            self.clients.iter().map(|client| client.database.status().last_synced_at_ms).collect();
        let mut pause_ms = 100;
        loop {
            self.wait(pause_ms).await;
            let passed_ms = self.shared.now_ms() - begun_ms;
            let late = self.clients.iter().position(|client| {
                let status = client.database.status();
                let hurries = status.pending_changes > 0 && status.sync_frequency != SyncFrequency::Offline;
                passed_ms >= if hurries { bound_ms } else { unhurried_ms }
            });
            let busy = self.clients.iter().zip(&rounds).position(|(client, before)| {
                let status = client.database.status();
                // a sweep that failed, or was refused for good, is tried again much later, and its error stays so long
                let failing = status.error.is_some_and(|e| e.retryable && e.code != ErrorCode::TableFailed);
                status.pending_changes > 0 || failing || status.last_synced_at_ms == *before
            });
            match busy {
                None if self.shared.lock().unanswered == 0 => break,
                _ if late.is_none() => pause_ms = (pause_ms * 2).min(5_000),
                Some(index) => {
                    let index = late.unwrap_or(index);
                    let status = self.clients[index].database.status();
                    return self.shared.fail(|| format!("client {index} does not drain in {passed_ms} ms: {status:?}"));
                }
                None => return self.shared.fail(|| "a call was never answered".to_owned()),
            }
        }
        for index in 0..self.clients.len() {
            self.check(index);
        }
        self.converge().await;
    }

    async fn converge(&mut self) {
        // requests that were late or come twice may still be on their way
        while self.shared.lock().travelling > 0 {
            self.wait(1_000).await;
        }
        self.refuse_bad_rows().await;
        for _ in 0..5 {
            for index in 0..self.clients.len() {
                if let Err(error) = self.reconciled(index).await {
                    return self.shared.fail(|| format!("client {index}: a round without faults failed: {error:?}"));
                }
            }
            // proof of the last changes, or a row that is gone, may have asked for another push
            self.wait(100).await;
            if self.clients.iter().all(|client| client.database.status().pending_changes == 0) {
                break;
            }
        }
        for index in 0..self.clients.len() {
            if let Err(error) = self.reconciled(index).await {
                return self.shared.fail(|| format!("client {index}: the last round failed: {error:?}"));
            }
        }
        for index in 0..self.clients.len() {
            if let Some(view) = self.check(index) {
                let user = self.clients[index].user;
                complete::has_converged(&self.shared, index, user, &view);
            }
        }
    }

    /// Rows that can't be used fail no round, and are told of.
    async fn refuse_bad_rows(&mut self) {
        for index in 0..self.clients.len() {
            let seed = self.shared.lock().rng.number();
            let armed = Armed { fault: Fault::BadRows(seed), skip: 0, left: 20 };
            {
                let device = &mut self.shared.lock().devices[index];
                device.armed.push_back(armed);
                device.bad_rows = 0;
            }
            let outcome = self.clients[index].database.trigger_sync().await;
            let (met, refused) = {
                let device = &mut self.shared.lock().devices[index];
                device.armed.clear();
                (std::mem::take(&mut device.bad_rows), self.clients[index].database.status().refused_rows)
            };
            // met in a sweep, they are not counted but keep it from deleting
            if outcome.is_err() || (refused > 0 && met == 0) {
                self.shared.fail(|| format!("client {index}: {met} bad rows, {refused} refused: {outcome:?}"));
            }
            self.check(index);
        }
    }
}

pub(super) async fn pause(ms: u64) {
    sleep(Duration::from_millis(ms)).await;
}

/// Unused outcomes of a step: a refusal that an app must expect.
pub(super) fn expected_refusal(error: &SyncError) -> bool {
    matches!(error.code, ErrorCode::Constraint | ErrorCode::TransactionEnded)
}

/// The author of a step's statements.
pub(super) fn author<'a>(rng: &'a mut super::rng::Rng, step: &Step, view: &View) -> Author<'a> {
    let google = view.rows.iter().filter(|((table, _), _)| *table == super::backend::tables::EVENTS);
    let google_ids = google.filter_map(|(_, cells)| cells[6].clone()).collect();
    Author::new(rng, step.id, view.ids(), google_ids)
}
