//! Suspension through the handle: what is in flight really ends, and afterwards it goes on.

use super::tests::{Act, ROUND, pass, rig};
use super::*;
use std::sync::atomic::Ordering::SeqCst;

#[tokio::test(start_paused = true)]
async fn suspend_ends_what_is_in_flight_and_who_waits_gets_a_round_after_resume() {
    let rig = rig();
    rig.handle.send(Input::Connect);
    pass(100).await;
    rig.work.log();
    let waiting = tokio::spawn(rig.handle.trigger());
    pass(5).await;
    rig.handle.suspend().await;
    assert_eq!((rig.work.log(), rig.work.running.load(SeqCst)), (vec!["push".to_owned()], 0));
    rig.handle.suspend().await;
    rig.handle.send(Input::Foreground);
    let reconciled = tokio::spawn(rig.handle.reconcile());
    pass(3_600_000).await;
    assert!(rig.work.log().is_empty() && !waiting.is_finished() && !reconciled.is_finished());
    rig.handle.send(Input::Resume);
    assert_eq!((waiting.await.unwrap(), reconciled.await.unwrap()), (Ok(()), Ok(())));
    assert_eq!(rig.work.log(), ROUND);
    pass(30_100).await;
    assert_eq!(rig.work.log(), ROUND, "it polls again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn suspend_waits_for_the_real_end() {
    let rig = rig();
    rig.work.pushes.lock().unwrap().push_back(Act::Block(150));
    rig.handle.send(Input::Connect);
    pass(50).await;
    assert_eq!(rig.work.running.load(SeqCst), 1);
    rig.handle.suspend().await;
    assert_eq!(rig.work.running.load(SeqCst), 0);
    rig.handle.close().await;
    rig.handle.suspend().await;
}
