//! The loop around the machine: it turns effects into tasks and timers, and their outcomes into inputs.
//!
//! It owns the one task in flight, the timer and the callers' channels. It guarantees that a cancelled task's result never
//! reaches the machine, that the next piece of work starts only after a cancelled one has really ended, that a panic in
//! the work is an error of the round, that every caller gets exactly one answer, and that after [`DriverHandle::close`] has
//! returned nothing runs and nothing is emitted. It refuses to decide anything: what and when is the machine's business.

use crate::clock::{Clock, Jitter};
use crate::transport::BoxFuture;
use omnii_sync_core::error::{ErrorCode, SyncError};
use omnii_sync_core::machine::{Effect, Input, Machine, RequestId, RoundError};
use omnii_sync_core::status::Status;
use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinError, JoinHandle};
use tokio::time::Instant;
use tracing::{Instrument, Span};

/// Longest sleep at a time; a wall clock that was set back by years must not become an endless timer.
const MAX_SLEEP: Duration = Duration::from_secs(7 * 24 * 3600);

/// The two halves of a round. Both are cancelled by dropping their future at an await; work that was handed to a blocking
/// thread outlives that, so the implementor lets no such work change anything after its future is gone.
pub trait Work: Send + Sync + 'static {
    /// Sends what the outbox holds. `Ok` also if it held nothing.
    fn push(&self) -> BoxFuture<'_, Result<(), RoundError>>;
    /// Fetches and applies every page.
    fn pull(&self) -> BoxFuture<'_, Result<(), RoundError>>;
}

/// Called on the driver's task after each change of the status; must return quickly.
pub type OnStatus = Box<dyn Fn(&Status) + Send + Sync>;

enum Message {
    Input(Input),
    Trigger(oneshot::Sender<Result<(), SyncError>>),
    Upload(oneshot::Sender<Result<(), SyncError>>),
    /// To be answered when what came before has been dealt with.
    Settled(oneshot::Sender<()>),
    /// To be answered when nothing is in flight.
    Idle(oneshot::Sender<()>),
}

/// Starts drivers; see [`Driver::spawn`].
pub struct Driver {
    machine: Machine,
    work: Arc<dyn Work>,
    clock: Arc<dyn Clock>,
    jitter: Jitter,
    on_status: OnStatus,
    snapshot: Arc<Mutex<Arc<Status>>>,
    waiting: HashMap<RequestId, oneshot::Sender<Result<(), SyncError>>>,
    last_request: RequestId,
    timer: Option<Instant>,
    slot: Slot,
    /// Who waits for the slot to be empty.
    idle: Vec<oneshot::Sender<()>>,
    /// The span of the round in flight.
    round: Span,
    rounds: u64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Half {
    Push,
    Pull,
}

type Task = JoinHandle<Result<(), RoundError>>;

/// What is in flight.
enum Slot {
    Empty,
    Running {
        half: Half,
        task: Task,
    },
    /// Cancelled, but not at its end yet; `next` starts when it is.
    Draining {
        task: Task,
        next: Option<Half>,
    },
}

impl Slot {
    /// The end of the task in flight; never, if there is none. May be dropped and called again.
    async fn ended(&mut self) -> Result<Result<(), RoundError>, JoinError> {
        match self {
            Self::Empty => std::future::pending().await,
            Self::Running { task, .. } | Self::Draining { task, .. } => task.await,
        }
    }
}

impl Driver {
    /// Runs `machine` on `runtime` until it is closed or every handle is gone. Emits nothing before the first input.
    pub fn spawn(
        runtime: &Handle,
        machine: Machine,
        work: Arc<dyn Work>,
        clock: Arc<dyn Clock>,
        jitter: Jitter,
        on_status: OnStatus,
    ) -> DriverHandle {
        let (inbox, messages) = mpsc::unbounded_channel();
        let (alive, ended) = watch::channel(());
        let snapshot = Arc::new(Mutex::new(Arc::new(machine.status().clone())));
        let driver = Self {
            machine,
            work,
            clock,
            jitter,
            on_status,
            snapshot: Arc::clone(&snapshot),
            waiting: HashMap::new(),
            last_request: 0,
            timer: None,
            slot: Slot::Empty,
            idle: Vec::new(),
            round: Span::none(),
            rounds: 0,
        };
        runtime.spawn(async move {
            driver.run(messages).await;
            drop(alive);
        });
        DriverHandle { inbox, snapshot, ended }
    }

    async fn run(mut self, mut messages: mpsc::UnboundedReceiver<Message>) {
        loop {
            if matches!(self.slot, Slot::Empty) {
                for idle in self.idle.drain(..) {
                    // whoever asked may be gone
                    let _ = idle.send(());
                }
            }
            let timer = self.timer;
            let input = tokio::select! {
                // Wishes first: a Disconnect that is waiting already must win over a result that arrives with it.
                biased;
                message = messages.recv() => match message {
                    Some(Message::Input(input)) => input,
                    Some(Message::Trigger(answer)) => Input::Trigger(self.register(answer)),
                    Some(Message::Upload(answer)) => Input::Upload(self.register(answer)),
                    Some(Message::Settled(answer)) => {
                        // whoever asked may be gone
                        let _ = answer.send(());
                        continue;
                    }
                    Some(Message::Idle(answer)) => {
                        self.idle.push(answer);
                        continue;
                    }
                    None => Input::Close,
                },
                result = self.slot.ended() => match self.task_ended(result) {
                    Some(input) => input,
                    None => continue,
                },
                () = sleep_until(timer) => {
                    self.timer = None;
                    Input::Timer
                }
            };
            let closing = input == Input::Close;
            self.handle(input);
            if closing {
                break;
            }
        }
        // What still waits in the inbox is answered by dropping it: its callers see `Closed`.
        messages.close();
        // Closing has cancelled what was in flight; this is its real end.
        if let Slot::Draining { task, .. } | Slot::Running { task, .. } = self.slot {
            // A panic on the way out has nobody left to hear of it.
            let _ = task.await;
        }
    }

    fn register(&mut self, answer: oneshot::Sender<Result<(), SyncError>>) -> RequestId {
        self.last_request += 1;
        self.waiting.insert(self.last_request, answer);
        self.last_request
    }

    /// Empties the slot; says what the machine must hear of it.
    fn task_ended(&mut self, result: Result<Result<(), RoundError>, JoinError>) -> Option<Input> {
        match std::mem::replace(&mut self.slot, Slot::Empty) {
            Slot::Empty => None,
            Slot::Draining { next, .. } => {
                if let Some(half) = next {
                    self.start(half);
                }
                None
            }
            Slot::Running { half, .. } => {
                let result = result.unwrap_or_else(|e| Err(lost(&e, half)));
                let code = result.as_ref().err().map_or("ok", |e| e.error.code.as_str());
                match half {
                    Half::Push => {
                        self.round.record("push", code);
                        Some(Input::PushFinished(result))
                    }
                    Half::Pull => {
                        self.round.record("pull", code);
                        Some(Input::PullFinished(result))
                    }
                }
            }
        }
    }

    fn handle(&mut self, input: Input) {
        let now_ms = self.clock.now_ms();
        let jitter = self.jitter.next_unit();
        for effect in self.machine.handle(now_ms, jitter, input) {
            match effect {
                Effect::StartPush => self.start(Half::Push),
                Effect::StartPull => self.start(Half::Pull),
                Effect::Cancel => self.cancel(),
                Effect::SetTimer { at_ms } => {
                    let wait_ms = u64::try_from(at_ms.saturating_sub(now_ms)).unwrap_or(0);
                    self.timer = Some(Instant::now() + Duration::from_millis(wait_ms).min(MAX_SLEEP));
                }
                Effect::ClearTimer => self.timer = None,
                Effect::Publish => self.publish(),
                Effect::Settle { requests, outcome } => {
                    for answer in requests.iter().filter_map(|id| self.waiting.remove(id)) {
                        // The caller may have stopped waiting.
                        let _ = answer.send(outcome.clone());
                    }
                }
            }
        }
        if matches!(self.slot, Slot::Empty) {
            // The span ends with its round, not with the next one's beginning.
            self.round = Span::none();
        }
    }

    fn start(&mut self, half: Half) {
        if let Slot::Draining { next, .. } = &mut self.slot {
            *next = Some(half);
            return;
        }
        if half == Half::Push {
            self.rounds += 1;
            self.round = tracing::info_span!(
                "sync_round",
                round = self.rounds,
                pending = self.machine.status().pending_changes,
                push = tracing::field::Empty,
                pull = tracing::field::Empty,
            );
        }
        let work = Arc::clone(&self.work);
        let future = async move {
            match half {
                Half::Push => work.push().await,
                Half::Pull => work.pull().await,
            }
        };
        self.slot = Slot::Running { half, task: tokio::spawn(future.instrument(self.round.clone())) };
    }

    fn cancel(&mut self) {
        self.slot = match std::mem::replace(&mut self.slot, Slot::Empty) {
            Slot::Empty => Slot::Empty,
            Slot::Running { task, .. } => {
                task.abort();
                Slot::Draining { task, next: None }
            }
            Slot::Draining { task, .. } => Slot::Draining { task, next: None },
        };
    }

    fn publish(&self) {
        let status = Arc::new(self.machine.status().clone());
        *self.snapshot.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&status);
        // A listener's panic must not end syncing.
        if catch_unwind(AssertUnwindSafe(|| (self.on_status)(&status))).is_err() {
            tracing::error!("the status listener panicked");
        }
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").field("machine", &self.machine).finish_non_exhaustive()
    }
}

async fn sleep_until(timer: Option<Instant>) {
    match timer {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// The error of a task that ended without a result. A panic's text may quote data, so it is not passed on.
fn lost(error: &JoinError, half: Half) -> RoundError {
    let what = if error.is_panic() { "panicked" } else { "was stopped from outside" };
    tracing::error!(?half, what, "sync work lost");
    let half = match half {
        Half::Push => "upload",
        Half::Pull => "download",
    };
    SyncError::new(ErrorCode::Internal, format!("the {half} {what}; this is a fault in the engine")).into()
}

/// The way to a running driver. Cheap to clone; callable from any thread. When the last one is dropped the driver closes.
#[derive(Clone)]
pub struct DriverHandle {
    inbox: mpsc::UnboundedSender<Message>,
    snapshot: Arc<Mutex<Arc<Status>>>,
    /// Its sender is dropped when the driver has ended.
    ended: watch::Receiver<()>,
}

impl DriverHandle {
    /// Feeds one input. Does nothing after close. Requests go through [`Self::trigger`] and [`Self::upload`], which know
    /// their ids; they are refused here, as are the inputs that only the driver itself may make.
    pub fn send(&self, input: Input) {
        match input {
            Input::Connect
            | Input::Disconnect
            | Input::LocalWrite
            | Input::Foreground
            | Input::NetworkRegained
            | Input::CredentialsChanged
            | Input::Contacted
            | Input::Counts { .. }
            | Input::Cleared
            | Input::Close => {
                // The driver has ended: everything is inert.
                let _ = self.inbox.send(Message::Input(input));
            }
            Input::Trigger(_) | Input::Upload(_) | Input::Timer | Input::PushFinished(_) | Input::PullFinished(_) => {
                tracing::error!("an input that belongs to the driver was refused");
            }
        }
    }

    /// Asks for a whole round at once (not first when the future is polled) and waits for its outcome.
    pub fn trigger(&self) -> impl Future<Output = Result<(), SyncError>> + Send + 'static + use<> {
        self.request(Message::Trigger)
    }

    /// Asks for a push alone at once and waits for its outcome.
    pub fn upload(&self) -> impl Future<Output = Result<(), SyncError>> + Send + 'static + use<> {
        self.request(Message::Upload)
    }

    fn request(
        &self,
        message: fn(oneshot::Sender<Result<(), SyncError>>) -> Message,
    ) -> impl Future<Output = Result<(), SyncError>> + Send + 'static + use<> {
        let (answer, outcome) = oneshot::channel();
        // If the driver has ended, the message and the sender in it are dropped.
        let _ = self.inbox.send(message(answer));
        async move { outcome.await.unwrap_or_else(|_| Err(SyncError::new(ErrorCode::Closed, "the database was closed"))) }
    }

    /// Resolves when all that was sent before this call has reached the status; at once if the driver has ended.
    pub fn settled(&self) -> impl Future<Output = ()> + Send + 'static + use<> {
        let (answer, settled) = oneshot::channel();
        let _ = self.inbox.send(Message::Settled(answer));
        async move {
            // an error says that the driver has ended, and all with it
            let _ = settled.await;
        }
    }

    /// Resolves when nothing is in flight any more, cancelled work included; at once if the driver has ended.
    pub fn idle(&self) -> impl Future<Output = ()> + Send + 'static + use<> {
        let (answer, idle) = oneshot::channel();
        let _ = self.inbox.send(Message::Idle(answer));
        async move {
            // an error says that the driver has ended, and all with it
            let _ = idle.await;
        }
    }

    /// The latest snapshot.
    pub fn status(&self) -> Arc<Status> {
        Arc::clone(&self.snapshot.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// For [`Client::on_contact`](crate::client::Client::on_contact). Does not keep the driver alive, which in turn keeps
    /// the client alive.
    pub fn contact_hook(&self) -> impl Fn() + Send + Sync + 'static {
        let inbox = self.inbox.downgrade();
        move || {
            if let Some(inbox) = inbox.upgrade() {
                let _ = inbox.send(Message::Input(Input::Contacted));
            }
        }
    }

    /// Cancels what is in flight, rejects who waits with `Closed`, and returns when the tasks have really ended. After
    /// that nothing is emitted. May be called more than once.
    pub async fn close(&self) {
        self.send(Input::Close);
        let mut ended = self.ended.clone();
        // Nothing is ever sent: the error is the end.
        while ended.changed().await.is_ok() {}
    }
}

impl fmt::Debug for DriverHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DriverHandle").field("status", &self.status()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
