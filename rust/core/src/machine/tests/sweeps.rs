//! Sweeps for rows deleted on the backend: when they run, who is answered, and what a failed one costs.

use super::*;

const HOUR: i64 = 3_600_000;
const MINUTE: i64 = 60_000;

fn plain() -> Input {
    Input::PullFinished(Ok(Pulled::default()))
}

fn swept() -> Input {
    Input::ReconcileFinished(Ok(Pulled::default()))
}

/// Connected with a database that was reconciled at this time; the first push and pull are done.
fn reconciled_at(last: Option<i64>, now: i64) -> (Rig, Vec<Effect>) {
    let status = Status { has_synced: true, last_synced_at_ms: last, last_reconciled_at_ms: last, ..Status::default() };
    let mut rig = Rig { machine: Machine::new(SyncOptions::default(), status), now };
    rig.run([Input::Connect, Input::PushFinished(OK)]);
    let effects = rig.on(plain());
    (rig, effects)
}

/// Goes through a round that ought to be an ordinary one.
fn ordinary_round(rig: &mut Rig) {
    assert!(rig.fire().contains(&StartPush));
    assert!(rig.on(Input::PushFinished(OK)).contains(&StartPull));
    assert!(!rig.on(plain()).contains(&StartReconcile), "at {}", rig.now);
}

#[test]
fn a_first_pull_into_an_empty_file_counts_as_the_sweep() {
    let mut rig = Rig::new();
    rig.run([Input::Connect, Input::PushFinished(OK)]);
    assert_eq!(rig.on(pulled()), [SetTimer { at_ms: 31_000 }, Publish]);
    assert_eq!(rig.status().last_reconciled_at_ms, Some(1_000));
    ordinary_round(&mut rig);
}

#[test]
fn a_sweep_is_due_at_the_first_connect_and_then_at_most_every_interval() {
    let start = 100 * HOUR;
    for (last, due) in [
        (None, true),
        (Some(start - 6 * HOUR), true),
        (Some(start - 6 * HOUR + 1), false),
        (Some(start), false),
        // the wall clock was set back: that must not postpone it for years
        (Some(start + 1), true),
        (Some(i64::MAX), true),
        (Some(i64::MIN), true),
    ] {
        let (mut rig, effects) = reconciled_at(last, start);
        assert_eq!(effects.contains(&StartReconcile), due, "{last:?}");
        if due {
            assert!(rig.status().downloading && rig.status().connected);
            assert_eq!(rig.on(swept()), [SetTimer { at_ms: start + 30_000 }, Publish]);
            assert_eq!(rig.status().last_reconciled_at_ms, Some(start));
            rig.now = start + 6 * HOUR - 1;
            rig.on(Input::Foreground);
            rig.on(Input::PushFinished(OK));
            assert!(!rig.on(plain()).contains(&StartReconcile));
            rig.now = start + 6 * HOUR;
            rig.on(Input::Foreground);
            rig.on(Input::PushFinished(OK));
            assert_eq!(rig.on(plain()), [StartReconcile, Publish]);
        }
    }
}

#[test]
fn who_waits_for_a_round_does_not_wait_for_its_sweep() {
    let mut rig = Rig::new();
    rig.run([Input::Connect, Input::Disconnect, Input::Connect, Input::Trigger(1)]);
    rig.run([Input::PushFinished(OK), plain(), swept()]);
    rig.now += 6 * HOUR;
    rig.run([Input::PushFinished(OK)]);
    assert_eq!(rig.on(plain()), [StartReconcile, Publish, settle(&[1], Ok(()))]);
    assert_eq!(rig.status().last_synced_at_ms, Some(rig.now));
    rig.on(Input::Trigger(2));
    assert_eq!(rig.on(swept())[0], StartPush, "what came meanwhile gets its round");
}

#[test]
fn a_failed_round_has_no_sweep() {
    let mut rig = Rig::new();
    rig.run([Input::Connect, Input::Reconcile(1), Input::PushFinished(Err(err(ErrorCode::Network)))]);
    rig.on(Input::PushFinished(OK));
    let effects = rig.on(Input::PullFinished(Err(err(ErrorCode::TableFailed))));
    assert_eq!(effects, [SetTimer { at_ms: 31_000 }, Publish, settle(&[1], Err(ErrorCode::TableFailed))]);
    assert_eq!(rig.status().last_reconciled_at_ms, None);
}

#[test]
fn a_sweep_asked_for_begins_after_the_call_and_answers_once() {
    let mut rig = Rig::synced();
    assert_eq!(rig.on(Input::Reconcile(1))[0], StartPush);
    rig.on(Input::PushFinished(OK));
    assert_eq!(rig.on(plain()), [StartReconcile]);
    rig.on(Input::Reconcile(2));
    assert_eq!(rig.on(plain()), [], "a pull ends while a sweep is in flight");
    rig.now = 5_000;
    assert_eq!(rig.on(swept()), [StartPush, Publish, settle(&[1], Ok(()))], "the second one gets its own");
    assert_eq!(rig.on(swept()), [], "a sweep ends while a push is in flight");
    assert_eq!(rig.status().last_reconciled_at_ms, Some(5_000));
    rig.on(Input::PushFinished(OK));
    rig.on(plain());
    let effects = rig.on(Input::ReconcileFinished(Err(err(ErrorCode::Server))));
    assert_eq!(effects, [SetTimer { at_ms: 5_500 }, Publish, settle(&[2], Err(ErrorCode::Server))]);
}

#[test]
fn a_pull_that_read_everything_is_the_sweep_asked_for() {
    let mut rig = Rig::new();
    rig.on(Input::Reconcile(1));
    rig.on(Input::PushFinished(OK));
    assert_eq!(rig.on(pulled()), [ClearTimer, Publish, settle(&[1], Ok(()))]);
}

#[test]
fn while_disconnected_only_a_sweep_that_is_asked_for_runs() {
    let mut rig = Rig::new();
    rig.run([Input::Trigger(1), Input::PushFinished(OK)]);
    assert_eq!(rig.on(plain()), [ClearTimer, Publish, settle(&[1], Ok(()))]);
    rig.run([Input::Reconcile(2), Input::PushFinished(OK)]);
    assert!(rig.on(plain()).contains(&StartReconcile));
    assert_eq!(rig.on(swept()), [ClearTimer, Publish, settle(&[2], Ok(()))]);
    assert_eq!(rig.status().last_reconciled_at_ms, Some(1_000));
}

#[test]
fn a_failing_upload_does_not_keep_the_sweep_from_running() {
    let mut rig = Rig::new();
    rig.run([Input::Connect, Input::PushFinished(Err(err(ErrorCode::Rejected)))]);
    assert!(rig.on(plain()).contains(&StartReconcile));
    rig.on(swept());
    assert_eq!((rig.code(), rig.status().last_reconciled_at_ms), (Some(ErrorCode::Rejected), Some(1_000)));
    assert_eq!(
        (rig.status().has_synced, rig.status().last_synced_at_ms),
        (true, None),
        "all is here, not all is there"
    );
}

#[test]
fn a_failed_sweep_waits_a_quarter_of_an_hour_while_rounds_go_on() {
    let start = 100 * HOUR;
    let (mut rig, _) = reconciled_at(None, start);
    rig.on(Input::ReconcileFinished(Err(err(ErrorCode::Server))));
    assert_eq!((rig.code(), rig.status().next_retry_at_ms), (Some(ErrorCode::Server), Some(start + 500)));
    assert_eq!(rig.status().last_synced_at_ms, Some(start), "the round itself was complete");
    ordinary_round(&mut rig);
    assert_eq!(rig.code(), None);
    while rig.machine.timer < Some(start + 15 * MINUTE) {
        ordinary_round(&mut rig);
    }
    rig.fire();
    rig.on(Input::PushFinished(OK));
    assert!(rig.on(plain()).contains(&StartReconcile));
}

#[test]
fn an_interrupted_sweep_is_not_begun_again_at_once_unless_somebody_waits_for_it() {
    for pause in [[Input::Suspend, Input::Resume], [Input::Disconnect, Input::Connect]] {
        let (mut rig, _) = reconciled_at(None, 100 * HOUR);
        rig.run(pause.clone());
        rig.on(Input::PushFinished(OK));
        assert!(!rig.on(plain()).contains(&StartReconcile), "{pause:?}");
        rig.now += 15 * MINUTE;
        rig.run([Input::Timer, Input::PushFinished(OK)]);
        assert!(rig.on(plain()).contains(&StartReconcile), "{pause:?}");
    }
    let mut rig = Rig::synced();
    rig.run([Input::Reconcile(1), Input::PushFinished(OK), plain(), Input::Suspend, Input::Resume]);
    rig.on(Input::PushFinished(OK));
    assert!(rig.on(plain()).contains(&StartReconcile));
    assert!(rig.on(swept()).contains(&settle(&[1], Ok(()))));
}

#[test]
fn a_clock_set_back_does_not_hold_a_failed_sweep_for_ever() {
    let (mut rig, _) = reconciled_at(None, 100 * HOUR);
    rig.on(Input::ReconcileFinished(Err(err(ErrorCode::Server))));
    rig.now = 50 * HOUR;
    rig.run([Input::Timer, Input::PushFinished(OK)]);
    assert!(rig.on(plain()).contains(&StartReconcile));
}

#[test]
fn a_sweep_that_fails_for_good_stays_visible_and_slows_nothing_down() {
    let start = 100 * HOUR;
    let (mut rig, _) = reconciled_at(None, start);
    let effects = rig.on(Input::ReconcileFinished(Err(err(ErrorCode::CursorStalled))));
    assert_eq!(effects, [SetTimer { at_ms: start + 30_000 }, Publish]);
    assert_eq!(rig.on(Input::LocalWrite), [SetTimer { at_ms: start + 200 }]);
    for _ in 0..3 {
        ordinary_round(&mut rig);
        assert_eq!(rig.code(), Some(ErrorCode::CursorStalled));
    }
    rig.run([Input::Reconcile(1), Input::PushFinished(OK), plain()]);
    rig.on(swept());
    assert_eq!(rig.code(), None);
    // one asked for, though the next is not due for hours: what is shown gets its chance to succeed
    rig.run([Input::Reconcile(1), Input::PushFinished(OK), plain()]);
    rig.on(Input::ReconcileFinished(Err(err(ErrorCode::CursorStalled))));
    let failed = rig.now;
    while rig.machine.timer < Some(failed + 15 * MINUTE) {
        ordinary_round(&mut rig);
    }
    rig.fire();
    rig.on(Input::PushFinished(OK));
    assert!(rig.on(plain()).contains(&StartReconcile));
}

#[test]
fn the_wait_after_a_failed_sweep_is_never_longer_than_the_interval() {
    let options = SyncOptions { reconcile_interval_ms: 60_000, ..SyncOptions::default() };
    let mut rig = Rig { machine: Machine::new(options, Status::default()), now: 0 };
    rig.run([Input::Connect, Input::PushFinished(OK), plain()]);
    rig.on(Input::ReconcileFinished(Err(err(ErrorCode::TableFailed))));
    ordinary_round(&mut rig);
    rig.fire();
    rig.on(Input::PushFinished(OK));
    assert_eq!((rig.now, rig.on(plain()).contains(&StartReconcile)), (60_000, true));
}

#[test]
fn a_write_while_only_the_sweep_fails_is_pushed() {
    let (mut rig, _) = reconciled_at(None, 0);
    let error = RoundError { retry_after_ms: Some(60_000), ..err(ErrorCode::Server) };
    rig.on(Input::ReconcileFinished(Err(error)));
    assert_eq!(rig.on(Input::LocalWrite), [SetTimer { at_ms: 200 }]);
}

#[test]
fn what_a_sweep_refused_replaces_what_its_pull_refused() {
    let mut rig = Rig::new();
    rig.run([Input::Connect, Input::PushFinished(OK)]);
    rig.on(Input::PullFinished(Ok(Pulled { refused_rows: 1, ..Pulled::default() })));
    let warning = Some(err(ErrorCode::TableFailed).error);
    rig.on(Input::ReconcileFinished(Ok(Pulled { refused_rows: 2, warning, swept: true, changed_rows: 0 })));
    assert_eq!((rig.status().refused_rows, rig.code()), (2, Some(ErrorCode::TableFailed)));
    assert_eq!(rig.status().last_reconciled_at_ms, Some(1_000));
}

#[test]
fn cleared_data_wants_a_sweep_again() {
    let mut rig = Rig::synced();
    rig.on(Input::Cleared);
    rig.run([Input::Timer, Input::PushFinished(OK)]);
    assert!(rig.on(plain()).contains(&StartReconcile));
}
