//! The loop around the machine: it turns effects into tasks and timers, and their outcomes into inputs.
//!
//! It owns the one task in flight, the timer and the callers' channels. It guarantees that a cancelled task's result never
//! reaches the machine, that the next piece of work starts only after a cancelled one has really ended, that a panic in
//! the work is an error of the round, that every caller gets exactly one answer, and that after [`DriverHandle::close`] has
//! returned nothing runs and nothing is emitted. It refuses to decide anything: what and when is the machine's business.

mod handle;
#[cfg(test)]
mod stall_tests;
#[cfg(test)]
mod suspend_tests;
#[cfg(test)]
mod tests;

use crate::clock::{Clock, Jitter};
use crate::transport::BoxFuture;
use omnii_sync_core::error::{ErrorCode, SyncError};
use omnii_sync_core::machine::{Effect, Input, Machine, Pulled, RequestId, RoundError};
use omnii_sync_core::status::Status;
use std::collections::HashMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinError, JoinHandle};
use tokio::time::Instant;
use tracing::{Instrument, Span};

pub use handle::DriverHandle;

/// Longest sleep at a time; a wall clock that was set back by years must not become an endless timer.
const MAX_SLEEP: Duration = Duration::from_secs(7 * 24 * 3600);

/// The parts of a round. Each is cancelled by dropping their future at an await; work that was handed to a blocking
/// thread outlives that, so the implementor lets no such work change anything after its future is gone.
pub trait Work: Send + Sync + 'static {
    /// Sends what the outbox holds. `Ok` also if it held nothing.
    fn push(&self) -> BoxFuture<'_, Result<(), RoundError>>;
    /// Fetches and applies every page that is new.
    fn pull(&self) -> BoxFuture<'_, Result<Pulled, RoundError>>;
    /// Fetches and applies everything, and removes what the backend no longer has.
    fn reconcile(&self) -> BoxFuture<'_, Result<Pulled, RoundError>>;
}

/// Called on the driver's task after each change of the status; must return quickly.
pub type OnStatus = Box<dyn Fn(&Status) + Send + Sync>;

enum Message {
    Input(Input),
    Trigger(oneshot::Sender<Result<(), SyncError>>),
    Upload(oneshot::Sender<Result<(), SyncError>>),
    Reconcile(oneshot::Sender<Result<(), SyncError>>),
    /// To be answered when nothing is in flight.
    Drained(oneshot::Sender<()>),
    /// To be answered when what came before has been dealt with.
    Settled(oneshot::Sender<()>),
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
    /// Who waits for an empty slot.
    drained: Vec<oneshot::Sender<()>>,
    /// The span of the round in flight.
    round: Span,
    rounds: u64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Part {
    Push,
    Pull,
    Reconcile,
}

/// A push has nothing to say but that it is done.
type Task = JoinHandle<Result<Pulled, RoundError>>;

/// What is in flight.
enum Slot {
    Empty,
    Running {
        part: Part,
        task: Task,
    },
    /// Cancelled, but not at its end yet; `next` starts when it is.
    Draining {
        task: Task,
        next: Option<Part>,
    },
}

impl Slot {
    /// The end of the task in flight; never, if there is none. May be dropped and called again.
    async fn ended(&mut self) -> Result<Result<Pulled, RoundError>, JoinError> {
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
            drained: Vec::new(),
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
            let timer = self.timer;
            let input = tokio::select! {
                // Wishes first: a Disconnect that is waiting already must win over a result that arrives with it.
                biased;
                message = messages.recv() => match message {
                    Some(Message::Input(input)) => input,
                    Some(Message::Trigger(answer)) => Input::Trigger(self.register(answer)),
                    Some(Message::Upload(answer)) => Input::Upload(self.register(answer)),
                    Some(Message::Reconcile(answer)) => Input::Reconcile(self.register(answer)),
                    Some(Message::Drained(answer)) => {
                        self.drained.push(answer);
                        self.answer_drained();
                        continue;
                    }
                    Some(Message::Settled(answer)) => {
                        // whoever asked may be gone
                        let _ = answer.send(());
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
    fn task_ended(&mut self, result: Result<Result<Pulled, RoundError>, JoinError>) -> Option<Input> {
        match std::mem::replace(&mut self.slot, Slot::Empty) {
            Slot::Empty => None,
            Slot::Draining { next, .. } => {
                if let Some(part) = next {
                    self.start(part);
                }
                self.answer_drained();
                None
            }
            Slot::Running { part, .. } => {
                let result = result.unwrap_or_else(|e| Err(lost(&e, part)));
                let code = result.as_ref().err().map_or("ok", |e| e.error.code.as_str());
                match part {
                    Part::Push => {
                        self.round.record("push", code);
                        Some(Input::PushFinished(result.map(|_| ())))
                    }
                    Part::Pull => {
                        self.round.record("pull", code);
                        Some(Input::PullFinished(result))
                    }
                    Part::Reconcile => {
                        self.round.record("reconcile", code);
                        Some(Input::ReconcileFinished(result))
                    }
                }
            }
        }
    }

    fn answer_drained(&mut self) {
        if matches!(self.slot, Slot::Empty) {
            for answer in self.drained.drain(..) {
                // whoever asked may be gone
                let _ = answer.send(());
            }
        }
    }

    fn handle(&mut self, input: Input) {
        let now_ms = self.clock.now_ms();
        let jitter = self.jitter.next_unit();
        for effect in self.machine.handle(now_ms, jitter, input) {
            match effect {
                Effect::StartPush => self.start(Part::Push),
                Effect::StartPull => self.start(Part::Pull),
                Effect::StartReconcile => self.start(Part::Reconcile),
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
        self.answer_drained();
    }

    fn start(&mut self, part: Part) {
        if let Slot::Draining { next, .. } = &mut self.slot {
            *next = Some(part);
            return;
        }
        if part == Part::Push {
            self.rounds += 1;
            self.round = tracing::info_span!(
                "sync_round",
                round = self.rounds,
                pending = self.machine.status().pending_changes,
                push = tracing::field::Empty,
                pull = tracing::field::Empty,
                reconcile = tracing::field::Empty,
            );
        }
        let work = Arc::clone(&self.work);
        let future = async move {
            match part {
                Part::Push => work.push().await.map(|()| Pulled::default()),
                Part::Pull => work.pull().await,
                Part::Reconcile => work.reconcile().await,
            }
        };
        self.slot = Slot::Running { part, task: tokio::spawn(future.instrument(self.round.clone())) };
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
fn lost(error: &JoinError, part: Part) -> RoundError {
    let what = if error.is_panic() { "panicked" } else { "was stopped from outside" };
    tracing::error!(?part, what, "sync work lost");
    let part = match part {
        Part::Push => "upload",
        Part::Pull => "download",
        Part::Reconcile => "search for deleted rows",
    };
    SyncError::new(ErrorCode::Internal, format!("the {part} {what}; this is a fault in the engine")).into()
}
