use super::*;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

/// Wall-clock time that follows tokio's, paused or not.
struct TokioClock(Instant);

impl Clock for TokioClock {
    fn now_ms(&self) -> i64 {
        1_700_000_000_000 + i64::try_from(self.0.elapsed().as_millis()).unwrap()
    }
}

#[derive(Clone, Copy)]
pub(super) enum Act {
    Ok,
    Fail(ErrorCode),
    Panic,
    /// Blocks its thread, so that a cancel can't take effect before the end.
    Block(u64),
    /// Never ends by itself.
    Hang,
}

/// Each half takes 10 ms of tokio's time, then does what the script says; an empty script means success.
#[derive(Default)]
pub(super) struct Fake {
    pub(super) pushes: Mutex<VecDeque<Act>>,
    pub(super) pulls: Mutex<VecDeque<Act>>,
    reconciles: Mutex<VecDeque<Act>>,
    /// Pulls fetch only what is new; otherwise each is a sweep as well, and none is ever due.
    incremental: AtomicBool,
    log: Mutex<Vec<String>>,
    pub(super) running: AtomicUsize,
}

struct Running<'a>(&'a AtomicUsize);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

impl Fake {
    async fn act(&self, name: &str, script: &Mutex<VecDeque<Act>>) -> Result<(), RoundError> {
        assert_eq!(self.running.fetch_add(1, SeqCst), 0, "two things in flight");
        let _running = Running(&self.running);
        self.log.lock().unwrap().push(name.to_owned());
        let act = script.lock().unwrap().pop_front().unwrap_or(Act::Ok);
        if let Act::Block(ms) = act {
            std::thread::sleep(Duration::from_millis(ms));
        }
        if let Act::Hang = act {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        self.log.lock().unwrap().push(format!("/{name}"));
        match act {
            Act::Ok | Act::Block(_) | Act::Hang => Ok(()),
            Act::Fail(code) => Err(SyncError::new(code, "scripted").into()),
            Act::Panic => panic!("secret row"),
        }
    }

    pub(super) fn log(&self) -> Vec<String> {
        std::mem::take(&mut self.log.lock().unwrap())
    }

    fn push_attempts(&self) -> usize {
        self.log().iter().filter(|entry| *entry == "push").count()
    }
}

impl Work for Fake {
    fn push(&self) -> BoxFuture<'_, Result<(), RoundError>> {
        Box::pin(self.act("push", &self.pushes))
    }

    fn pull(&self) -> BoxFuture<'_, Result<Pulled, RoundError>> {
        Box::pin(async {
            self.act("pull", &self.pulls).await?;
            Ok(Pulled { swept: !self.incremental.load(SeqCst), ..Pulled::default() })
        })
    }

    fn reconcile(&self) -> BoxFuture<'_, Result<Pulled, RoundError>> {
        Box::pin(async {
            self.act("reconcile", &self.reconciles).await?;
            Ok(Pulled { refused_rows: 7, ..Pulled::default() })
        })
    }
}

pub(super) struct Rig {
    pub(super) handle: DriverHandle,
    pub(super) work: Arc<Fake>,
    seen: Arc<Mutex<Vec<Status>>>,
}

pub(super) fn rig() -> Rig {
    rig_with_clock(Arc::new(TokioClock(Instant::now())))
}

pub(super) fn rig_with_clock(clock: Arc<dyn Clock>) -> Rig {
    let work = Arc::new(Fake::default());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    let handle = Driver::spawn(
        &Handle::current(),
        Machine::new(Default::default(), Status::default()),
        Arc::clone(&work) as Arc<dyn Work>,
        clock,
        Jitter::seeded(1),
        Box::new(move |status| sink.lock().unwrap().push(status.clone())),
    );
    Rig { handle, work, seen }
}

pub(super) async fn pass(ms: u64) {
    tokio::time::sleep(Duration::from_millis(ms)).await;
}

pub(super) const ROUND: [&str; 4] = ["push", "/push", "pull", "/pull"];

#[tokio::test(start_paused = true)]
async fn connecting_runs_a_round_and_polls_afterwards() {
    let rig = rig();
    pass(1_000).await;
    assert!(rig.work.log().is_empty(), "nothing before Connect");
    rig.handle.send(Input::Connect);
    pass(100).await;
    assert_eq!(rig.work.log(), ROUND);
    assert!(rig.handle.status().connected && rig.handle.status().has_synced);
    pass(29_000).await;
    assert!(rig.work.log().is_empty());
    pass(1_500).await;
    assert_eq!(rig.work.log(), ROUND);
    let seen = rig.seen.lock().unwrap();
    assert_eq!(*seen.last().unwrap(), *rig.handle.status());
    assert!(seen.windows(2).all(|pair| pair[0] != pair[1]));
}

#[tokio::test(start_paused = true)]
async fn failed_pushes_are_retried_without_any_write() {
    let rig = rig();
    rig.work.pushes.lock().unwrap().extend([Act::Fail(ErrorCode::Network); 8]);
    rig.handle.send(Input::Connect);
    pass(600_000).await;
    assert!(rig.work.push_attempts() > 8);
    assert_eq!(rig.handle.status().error, None);
    assert!(rig.handle.status().connected);
}

#[tokio::test(start_paused = true)]
async fn writes_gather_for_the_throttle() {
    let rig = rig();
    rig.handle.send(Input::Connect);
    pass(100).await;
    rig.work.log();
    for _ in 0..10 {
        rig.handle.send(Input::LocalWrite);
        pass(15).await;
    }
    assert!(rig.work.log().is_empty());
    pass(100).await;
    assert_eq!(rig.work.log(), ROUND);
}

#[tokio::test(start_paused = true)]
async fn triggers_resolve_with_a_round_that_began_after_them() {
    let rig = rig();
    let first = tokio::spawn(rig.handle.trigger());
    pass(5).await;
    rig.work.pulls.lock().unwrap().extend([Act::Ok, Act::Fail(ErrorCode::Server)]);
    let (second, third) = (rig.handle.trigger(), rig.handle.trigger());
    assert_eq!(first.await.unwrap(), Ok(()));
    let (second, third) = tokio::join!(second, third);
    assert_eq!(second.unwrap_err().code, ErrorCode::Server);
    assert_eq!(third.unwrap_err().code, ErrorCode::Server);
    assert_eq!(rig.work.log(), [ROUND, ROUND].concat());
    pass(3_600_000).await;
    assert!(rig.work.log().is_empty(), "it stays disconnected");
    assert!(!rig.handle.status().connected);
}

#[tokio::test(start_paused = true)]
async fn the_status_is_up_to_date_when_a_trigger_resolves() {
    let rig = rig();
    rig.handle.trigger().await.unwrap();
    assert!(rig.handle.status().has_synced && !rig.handle.status().downloading);
}

#[tokio::test(start_paused = true)]
async fn an_upload_is_a_push_alone() {
    let rig = rig();
    assert_eq!(rig.handle.upload().await, Ok(()));
    rig.work.pushes.lock().unwrap().push_back(Act::Fail(ErrorCode::Rejected));
    assert_eq!(rig.handle.upload().await.unwrap_err().code, ErrorCode::Rejected);
    assert_eq!(rig.work.log(), ["push", "/push", "push", "/push"]);
}

#[tokio::test(start_paused = true)]
async fn disconnect_cancels_and_the_late_result_is_never_heard() {
    let rig = rig();
    rig.handle.send(Input::Connect);
    pass(15).await;
    let waiter = rig.handle.trigger();
    rig.handle.send(Input::Disconnect);
    assert_eq!(waiter.await.unwrap_err().code, ErrorCode::Disconnected);
    pass(60_000).await;
    assert_eq!(rig.work.log(), ["push", "/push", "pull"]);
    assert!(!rig.handle.status().has_synced && !rig.handle.status().downloading);
    rig.handle.send(Input::Connect);
    pass(100).await;
    assert_eq!(rig.work.log(), ROUND);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_work_waits_for_the_real_end_of_cancelled_work() {
    let rig = rig();
    rig.work.pushes.lock().unwrap().push_back(Act::Block(150));
    rig.handle.send(Input::Connect);
    pass(50).await;
    rig.handle.send(Input::Disconnect);
    // `Fake` panics (and the trigger fails) if both run at once.
    let round = rig.handle.trigger();
    rig.handle.send(Input::Contacted);
    assert_eq!(round.await, Ok(()));
    assert_eq!(rig.work.log(), [&["push"][..], &ROUND[..]].concat());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn close_waits_for_the_real_end_and_nothing_is_emitted_afterwards() {
    let rig = rig();
    rig.work.pushes.lock().unwrap().push_back(Act::Block(150));
    rig.handle.send(Input::Connect);
    let waiter = rig.handle.trigger();
    pass(50).await;
    assert_eq!(rig.work.running.load(SeqCst), 1);
    let other = rig.handle.clone();
    tokio::join!(rig.handle.close(), other.close());
    assert_eq!(rig.work.running.load(SeqCst), 0);
    assert_eq!(waiter.await.unwrap_err().code, ErrorCode::Closed);
    let seen = rig.seen.lock().unwrap().len();
    for input in [Input::Connect, Input::LocalWrite, Input::Counts { pending: 1, parked: 1 }, Input::Close] {
        rig.handle.send(input);
    }
    assert_eq!(rig.handle.trigger().await.unwrap_err().code, ErrorCode::Closed);
    assert_eq!(rig.handle.upload().await.unwrap_err().code, ErrorCode::Closed);
    rig.handle.close().await;
    assert_eq!(rig.seen.lock().unwrap().len(), seen);
    assert_eq!(rig.work.log(), ["push"]);
    assert_eq!(Arc::strong_count(&rig.seen), 1, "the listener is released");
    assert_eq!(Arc::strong_count(&rig.work), 1, "the work is released");
}

#[tokio::test(start_paused = true)]
async fn close_answers_requests_still_in_the_inbox() {
    let rig = rig();
    rig.handle.send(Input::Close);
    let late = rig.handle.trigger();
    assert_eq!(late.await.unwrap_err().code, ErrorCode::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_an_error_of_the_round() {
    let rig = rig();
    rig.work.pulls.lock().unwrap().push_back(Act::Panic);
    let error = rig.handle.trigger().await.unwrap_err();
    assert_eq!(error.code, ErrorCode::Internal);
    assert!(!error.message.contains("secret"), "{}", error.message);
    assert_eq!(rig.handle.trigger().await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_panicking_listener_does_not_end_syncing() {
    let work = Arc::new(Fake::default());
    let handle = Driver::spawn(
        &Handle::current(),
        Machine::new(Default::default(), Status::default()),
        Arc::clone(&work) as Arc<dyn Work>,
        Arc::new(TokioClock(Instant::now())),
        Jitter::seeded(1),
        Box::new(|_| panic!("listener")),
    );
    assert_eq!(handle.trigger().await, Ok(()));
    assert!(handle.status().has_synced);
}

#[tokio::test(start_paused = true)]
async fn the_driver_ends_with_its_last_handle_whatever_the_contact_hook_does() {
    let rig = rig();
    let hook = rig.handle.contact_hook();
    rig.handle.send(Input::Connect);
    pass(5).await;
    hook();
    pass(1).await;
    assert!(rig.handle.status().connected, "contacted in the middle of the push");
    drop(rig.handle);
    pass(1).await;
    hook();
    assert_eq!(Arc::strong_count(&rig.seen), 1);
}

#[tokio::test(start_paused = true)]
async fn the_drivers_own_inputs_are_refused_from_outside() {
    let rig = rig();
    rig.handle.send(Input::Connect);
    pass(5).await;
    rig.handle.send(Input::PushFinished(Ok(())));
    rig.handle.send(Input::Timer);
    rig.handle.send(Input::Trigger(1));
    rig.handle.send(Input::Reconcile(2));
    rig.handle.send(Input::ReconcileFinished(Ok(Pulled::default())));
    pass(2).await;
    assert_eq!(rig.work.log(), ["push"]);
}

const SWEEP: [&str; 6] = ["push", "/push", "pull", "/pull", "reconcile", "/reconcile"];

#[tokio::test(start_paused = true)]
async fn the_first_connect_sweeps_and_so_does_a_reconcile() {
    let rig = rig();
    rig.work.incremental.store(true, SeqCst);
    rig.handle.send(Input::Connect);
    pass(100).await;
    assert_eq!(rig.work.log(), SWEEP);
    assert!(rig.handle.status().last_reconciled_at_ms.is_some());
    pass(30_000).await;
    assert_eq!(rig.work.log(), ROUND);
    assert_eq!(rig.handle.reconcile().await, Ok(()));
    assert_eq!(rig.work.log(), SWEEP);
    assert_eq!(rig.handle.status().refused_rows, 7);
    rig.work.reconciles.lock().unwrap().push_back(Act::Fail(ErrorCode::Server));
    assert_eq!(rig.handle.reconcile().await.unwrap_err().code, ErrorCode::Server);
    rig.work.reconciles.lock().unwrap().push_back(Act::Panic);
    assert_eq!(rig.handle.reconcile().await.unwrap_err().code, ErrorCode::Internal);
}
