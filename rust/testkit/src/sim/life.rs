//! The days of a process: it is suspended and taken up again, its user signs out, its app looks after parked changes.

use super::client::{die, mark, wal_of};
use super::invariants;
use super::rng::Rng;
use super::run::{Simulation, author};
use super::schedule::Step;
use super::steps::{ask, execute, hear};
use super::view::View;
use omnii_sync_engine::OnSignOut;
use std::time::Duration;
use tokio::sync::oneshot;

/// `prepareForSuspend()`, perhaps with a transaction open; things asked meanwhile; `resume()`, or death before it.
pub(super) async fn suspend(simulation: &mut Simulation, step: &Step, rng: &mut Rng) {
    let (shared, index) = (simulation.shared.clone(), step.client);
    let database = simulation.clients[index].database.clone();
    let Some(view) = View::read(&database) else { return };
    let mut statements = author(&mut rng.fork(), step, &view).transaction();
    let meanwhile = statements.split_off(rng.index(statements.len() + 1));
    let after_seq = shared.lock().backend.history().last();
    let mut wrote = Vec::new();
    let mut open = None;
    if rng.percent(30) {
        let (send, begun) = oneshot::channel();
        database.begin(move |id| drop(send.send(id)));
        let Ok(Ok(transaction)) = begun.await else { return };
        for statement in &statements {
            execute(simulation, index, transaction, statement, after_seq, &mut wrote).await;
        }
        open = Some(transaction);
    }
    let suspended = database.prepare_for_suspend().await;
    if shared.lock().devices[index].dead {
        return;
    }
    shared.lock().devices[index].suspended = true;
    mark(&shared, index);
    let log = wal_of(&shared.lock().devices[index].path);
    if suspended.is_err() || std::fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
        shared.fail(|| format!("client {index}: prepareForSuspend: {suspended:?}, or the log is still there"));
    }
    let asked: Vec<_> = meanwhile.iter().map(|statement| ask(&database, 0, statement)).collect();
    if rng.percent(30) {
        simulation.round(index, rng.percent(30));
    }
    simulation.wait(rng.weighted(&[(50, 500), (30, 20_000), (20, 100_000)])).await;
    if rng.percent(20) {
        die(&shared, index);
    }
    {
        let mut world = shared.lock();
        let device = &mut world.devices[index];
        // it may have died, and run again by now
        if device.dead || !device.suspended {
            return;
        }
        device.suspended = false;
    }
    if let Err(error) = database.resume().await {
        return shared.fail(|| format!("client {index}: resume: {error:?}"));
    }
    let mut wrote_meanwhile = Vec::new();
    for (statement, done) in meanwhile.iter().zip(asked) {
        hear(&shared, index, statement, done, after_seq, &mut wrote_meanwhile).await;
    }
    if let Some(transaction) = open {
        let (send, ended) = oneshot::channel();
        database.end(transaction, true, move |result| drop(send.send(result)));
        let ended = ended.await;
        shared.note(|| format!("          commit: {ended:?}"));
        if matches!(ended, Ok(Ok(()))) {
            simulation.clients[index].writes.extend(wrote);
        }
    }
    if !shared.lock().devices[index].dead {
        simulation.clients[index].writes.extend(wrote_meanwhile);
        mark(&shared, index);
    }
}

/// The user signs out, and the same user in again.
pub(super) async fn sign_out(simulation: &mut Simulation, index: usize, rng: &mut Rng) {
    let shared = simulation.shared.clone();
    let policy = rng.weighted(&[(60, OnSignOut::Keep), (25, OnSignOut::ClearWhenSynced), (15, OnSignOut::Clear)]);
    let timeout = Duration::from_millis(rng.between(0, 20_000));
    let outcome = simulation.clients[index].database.sign_out(policy, timeout).await;
    shared.note(|| format!("          {policy:?} within {timeout:?}: {outcome:?}"));
    if shared.lock().devices[index].dead {
        return;
    }
    let client = &mut simulation.clients[index];
    let path = shared.lock().devices[index].path.clone();
    let deleted = match (policy, outcome) {
        (OnSignOut::Keep, Ok(false)) | (OnSignOut::ClearWhenSynced, Ok(false)) => false,
        (OnSignOut::Clear, Ok(true)) => true,
        (OnSignOut::ClearWhenSynced, Ok(true)) => {
            // what the file held must have reached the backend
            invariants::writes_are_accounted_for(&shared, client, &View::default());
            true
        }
        (_, outcome) => return shared.fail(|| format!("client {index}: sign-out, {policy:?}: {outcome:?}")),
    };
    if path.exists() == deleted {
        shared.fail(|| format!("client {index}: sign-out, {policy:?}: the file is not as the answer says"));
    }
    if deleted {
        client.writes.clear();
        client.cursors = [None; 3];
        let device = &mut shared.lock().devices[index];
        device.told.clear();
        device.clears += 1;
    }
    if let Err(error) = client.reopen(&shared).await {
        shared.fail(|| format!("client {index} can't be opened after its sign-out: {error}"));
    }
}

/// The app looks at its parked changes, tries some again or gives them up.
pub(super) async fn parked(simulation: &mut Simulation, index: usize, rng: &mut Rng) {
    let (shared, database) = (simulation.shared.clone(), simulation.clients[index].database.clone());
    let listed = database.parked_changes().await;
    let (Ok(listed), Some(before)) = (listed, View::outbox(&database)) else {
        return shared.fail(|| format!("client {index}: parked changes can't be read"));
    };
    let there: Vec<i64> = before.iter().filter(|e| e.state == 2).map(|e| e.change).collect();
    if listed.iter().map(|change| change.id).collect::<Vec<_>>() != there {
        return shared.fail(|| format!("client {index}: getParkedChanges: {listed:?}, parked are {there:?}"));
    }
    if there.is_empty() {
        return;
    }
    let ids = rng.percent(50).then(|| vec![*rng.pick(&there)]);
    let chosen = ids.clone().unwrap_or_else(|| there.clone());
    let discard = rng.percent(60);
    let done = match discard {
        true => database.discard_parked(ids).await,
        false => database.retry_parked(ids).await,
    };
    shared.note(|| format!("          {} {chosen:?}: {done:?}", if discard { "discard" } else { "retry" }));
    if done != Ok(chosen.len() as u64) {
        return shared.fail(|| format!("client {index}: {done:?} for the parked changes {chosen:?}"));
    }
    let Some(after) = View::outbox(&database) else { return };
    for gone in before.iter().filter(|e| !after.iter().any(|a| a.change == e.change)) {
        let with_its_insert = || {
            let mut row =
                before.iter().filter(|e| (e.table, &e.id) == (gone.table, &gone.id) && e.change < gone.change);
            row.any(|e| e.op == 1 && chosen.contains(&e.change))
        };
        if !discard || !(chosen.contains(&gone.change) || with_its_insert()) {
            shared.fail(|| format!("client {index}: a change of {} left the outbox with others", gone.id));
        }
        simulation.clients[index].writes.retain(|write| !write.is_of(gone));
        let now_ms = shared.now_ms();
        shared.lock().devices[index].given_up.insert((gone.table, gone.id.clone()), now_ms);
    }
}
