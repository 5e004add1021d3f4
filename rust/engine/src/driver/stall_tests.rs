//! The stall watch on tokio's paused clock: its timers are tokio's, so the wall clock may say what it likes.

use super::tests::{Act, ROUND, Rig, pass, rig, rig_with_clock};
use super::*;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

const TIMEOUT_MS: u64 = 180_000;

/// Connected and synced, with the next push or pull hanging for ever.
async fn hanging(rig: &Rig, push: bool) {
    rig.handle.send(Input::Connect);
    pass(100).await;
    let script = if push { &rig.work.pushes } else { &rig.work.pulls };
    script.lock().unwrap().push_back(Act::Hang);
    rig.work.log();
}

fn code(rig: &Rig) -> Option<ErrorCode> {
    rig.handle.status().error.as_ref().map(|e| e.code)
}

#[tokio::test(start_paused = true)]
async fn work_that_hangs_is_given_up_and_the_round_repeated() {
    for (push, begun) in [(true, vec!["push"]), (false, vec!["push", "/push", "pull"])] {
        let rig = rig();
        hanging(&rig, push).await;
        let waiting = tokio::spawn(rig.handle.trigger());
        pass(TIMEOUT_MS - 1_000).await;
        assert!(!waiting.is_finished());
        assert_eq!((rig.work.log(), code(&rig)), (begun.iter().map(|s| (*s).to_owned()).collect(), None));
        let error = waiting.await.unwrap().unwrap_err();
        assert_eq!((error.code, error.retryable), (ErrorCode::Stalled, true));
        assert_eq!(code(&rig), Some(ErrorCode::Stalled));
        pass(2_000).await;
        assert_eq!(rig.work.log(), ROUND);
        assert_eq!(code(&rig), None);
    }
}

#[tokio::test(start_paused = true)]
async fn work_that_goes_on_is_left_alone_however_long_it_takes() {
    let rig = rig();
    hanging(&rig, false).await;
    let waiting = tokio::spawn(rig.handle.trigger());
    let contact = rig.handle.contact_hook();
    for _ in 0..60 {
        pass(TIMEOUT_MS / 2).await;
        contact();
    }
    assert!(!waiting.is_finished() && code(&rig).is_none());
    pass(2 * TIMEOUT_MS).await;
    assert_eq!(waiting.await.unwrap().unwrap_err().code, ErrorCode::Stalled);
}

/// A wall clock that jumps by this much each time it is read.
struct Jumping {
    now_ms: AtomicI64,
    by_ms: i64,
}

impl Clock for Jumping {
    fn now_ms(&self) -> i64 {
        self.now_ms.fetch_add(self.by_ms, SeqCst)
    }
}

#[tokio::test(start_paused = true)]
async fn a_wall_clock_that_jumps_neither_makes_a_stall_nor_hides_one() {
    for by_ms in [-86_400_000, 86_400_000] {
        let rig = rig_with_clock(Arc::new(Jumping { now_ms: AtomicI64::new(1_700_000_000_000), by_ms }));
        hanging(&rig, true).await;
        let waiting = tokio::spawn(rig.handle.trigger());
        pass(TIMEOUT_MS - 1_000).await;
        assert!(!waiting.is_finished(), "{by_ms}");
        pass(2_000).await;
        assert_eq!(waiting.await.unwrap().unwrap_err().code, ErrorCode::Stalled);
    }
}

#[tokio::test(start_paused = true)]
async fn an_outbox_that_rounds_do_not_shorten_is_reported() {
    let rig = rig();
    rig.handle.send(Input::Counts { pending: 1, parked: 0 });
    rig.handle.send(Input::Connect);
    pass(TIMEOUT_MS - 31_000).await;
    assert_eq!(code(&rig), None);
    pass(62_000).await;
    assert_eq!(code(&rig), Some(ErrorCode::Stalled));
    assert!(rig.handle.status().has_synced);
    rig.handle.send(Input::Counts { pending: 0, parked: 0 });
    rig.handle.settled().await;
    assert_eq!(code(&rig), None);
}
