//! What each step of a schedule does.

use super::app::{Statement, Write, Wrote, row_id, value};
use super::backend::Origin;
use super::backend::tables::{ENTITIES, EVENTS, RELATIONSHIPS, TABLES};
use super::client::{die, mark};
use super::fault::{Armed, Fault};
use super::life;
use super::rng::Rng;
use super::run::{Simulation, author, expected_refusal, pause};
use super::schedule::{Act, Step};
use super::view::View;
use super::world::{Death, Shared, World};
use omnii_sync_engine::{Database, Rows, SyncError};
use serde_json::{Map, Value};
use tokio::sync::oneshot;

/// Rows that are there before anybody connects.
pub(super) fn furnish(shared: &Shared, seed: u64) {
    let mut rng = Rng::new(seed ^ 0xF00D);
    let (users, rows) = {
        let world = shared.lock();
        (world.setting.users.iter().max().copied().unwrap_or(0) + 1, world.setting.rows)
    };
    for user in 0..users {
        for n in 0..rows {
            let step = 500 + user;
            server_rows(shared, &mut rng, user, step, n as usize * 10, 1, None);
        }
    }
}

pub(super) async fn take(simulation: &mut Simulation, step: &Step) {
    let mut rng = Rng::new(step.seed);
    let rng = &mut rng;
    let (shared, index) = (simulation.shared.clone(), step.client);
    let now_ms = shared.now_ms();
    let user = simulation.clients[index].user;
    match step.act {
        Act::Write => write(simulation, step, rng, false).await,
        Act::LongTransaction => write(simulation, step, rng, true).await,
        Act::Connect => {
            simulation.clients[index].connected = true;
            simulation.clients[index].database.connect();
        }
        Act::Disconnect => {
            simulation.clients[index].connected = false;
            simulation.clients[index].database.disconnect();
        }
        Act::Trigger => simulation.round(index, false),
        Act::Reconcile => simulation.round(index, true),
        Act::Parked => life::parked(simulation, index, rng).await,
        Act::Suspend => life::suspend(simulation, step, rng).await,
        Act::SignOut => life::sign_out(simulation, index, rng).await,
        Act::Upload => {
            shared.lock().unanswered += 1;
            let (pushed, shared) = (simulation.clients[index].database.upload_data(), shared.clone());
            tokio::spawn(async move {
                let outcome = pushed.await;
                shared.lock().unanswered -= 1;
                shared.note(|| format!("client {index}:   uploadData: {:?}", outcome.map_err(|e| e.code)));
            });
        }
        Act::Clear => {
            let client = &mut simulation.clients[index];
            client.connected = true;
            let cleared = client.database.clear_and_reconnect().await;
            client.cursors = [None; 3];
            if let Err(error) = cleared {
                shared.fail(|| format!("client {index}: clearAndReconnect: {error:?}"));
            }
            let mut world = shared.lock();
            let device = &mut world.devices[index];
            device.clears += 1;
            for versions in device.told.values_mut() {
                versions.push(None);
            }
        }
        Act::Wake => {
            let database = &simulation.clients[index].database;
            match rng.below(10) {
                0 | 1 => database.foreground(),
                2 | 3 => database.network_regained(),
                4 => database.background(),
                5 => database.active(),
                6 => database.network_lost(),
                7 => database.metered(rng.percent(50)),
                8 => database.battery_low(rng.percent(50)),
                _ => database.credentials_changed(),
            }
        }
        Act::Kill => die(&shared, index),
        Act::KillAtRequest => {
            let death = match rng.below(4) {
                0 => Death::BeforeRequest,
                1 => Death::BeforeAnswer,
                _ => Death::AfterAnswer(rng.below(6) as u8),
            };
            shared.lock().devices[index].dies = Some((rng.below(6) as u32, death));
        }
        Act::Fault => {
            for _ in 0..rng.between(1, 2) {
                let skip = if rng.percent(50) { rng.below(8) } else { 0 } as u32;
                let armed = Armed { fault: Fault::random(rng), skip, left: rng.between(1, 4) as u32 };
                shared.note(|| format!("          {armed:?}"));
                shared.lock().devices[index].armed.push_back(armed);
            }
        }
        Act::Outage => shared.lock().outage_until_ms = now_ms + rng.between(100, 60_000),
        Act::ExpireToken => shared.lock().revoke(user),
        Act::SignedOut => {
            let lasts_ms = rng.between(100, 60_000);
            shared.lock().devices[index].signed_out_until_ms = now_ms + lasts_ms;
            let database = std::sync::Arc::downgrade(&simulation.clients[index].database);
            simulation.clients[index].database.credentials_changed();
            tokio::spawn(async move {
                pause(lasts_ms).await;
                if let Some(database) = database.upgrade() {
                    database.credentials_changed();
                }
            });
        }
        Act::ServerWrite => {
            let rows = rng.between(1, 3) as usize;
            server_rows(&shared, rng, user, step.id, 0, rows, None);
        }
        Act::ServerBulk => {
            let rows = rng.between(4, 14) as usize;
            server_rows(&shared, rng, user, step.id, 0, rows, None);
        }
        Act::ServerLate => {
            let overlap = shared.lock().setting.sync.overlap_ms;
            // up to the window it must be found; beyond, it may be missed
            let late_ms =
                if rng.percent(85) { rng.between(0, overlap.saturating_sub(1)) } else { 5 * overlap + 60_000 };
            server_rows(&shared, rng, user, step.id, 0, 2, Some(late_ms));
        }
        Act::ServerDelete => {
            let table = *rng.pick(&[ENTITIES, EVENTS, RELATIONSHIPS]);
            let name = World::user(user);
            let mut world = shared.lock();
            let ids: Vec<String> = world.backend.rows_of(table, &name).map(|(id, _)| id.clone()).collect();
            if !ids.is_empty() {
                let id = rng.pick(&ids).clone();
                world.trace.note(now_ms, || format!("          {id}"));
                world.backend.delete(&name, table, &id, Origin::Server);
            }
        }
        Act::Rest => simulation.wait(rng.weighted(&[(80, 8_000), (20, 90_000)])).await,
    }
}

/// Another writer of the backend: `count` rows in one transaction, new ones and known ones.
fn server_rows(
    shared: &Shared,
    rng: &mut Rng,
    user: usize,
    step: usize,
    first: usize,
    count: usize,
    late_ms: Option<u64>,
) {
    let now_ms = shared.now_ms();
    let name = World::user(user);
    let mut world = shared.lock();
    let table = *rng.pick(&[ENTITIES, ENTITIES, EVENTS, RELATIONSHIPS]);
    let known: Vec<String> = world.backend.rows_of(table, &name).map(|(id, _)| id.clone()).collect();
    let parents: Vec<String> = world.backend.rows_of(ENTITIES, &name).map(|(id, _)| id.clone()).collect();
    let mut rows = Vec::new();
    for n in first..first + count {
        let id = if known.is_empty() || rng.percent(50) { row_id(step, 50 + n) } else { rng.pick(&known).clone() };
        let mut data = Map::new();
        data.insert("id".to_owned(), Value::from(id));
        for (at, column) in TABLES[table].columns.iter().enumerate() {
            let token = format!("s{step}.{n}.{at}");
            let (value, _) = value(rng, table, at, &token);
            if column.parent {
                let Some(parent) = (!parents.is_empty()).then(|| rng.pick(&parents).clone()) else { continue };
                data.insert(column.name.to_owned(), Value::from(parent));
            } else if column.not_null || rng.percent(40) {
                let value = match value {
                    Some(text) if column.kind == super::backend::tables::Kind::Json => {
                        serde_json::from_str(&text).unwrap_or_default()
                    }
                    Some(text) => Value::from(text),
                    None => Value::Null,
                };
                data.insert(column.name.to_owned(), value);
            }
        }
        rows.push((table, data));
    }
    let (skew_ms, overlap_ms) = (world.setting.skew_ms, world.setting.sync.overlap_ms);
    let now_us = (super::world::BEGIN_MS + skew_ms) * 1000 + now_ms as i64 * 1000;
    let began_us = late_ms.map(|late_ms| now_us - late_ms as i64 * 1000);
    world.trace.note(now_ms, || format!("          {} rows of {} late by {late_ms:?}", rows.len(), TABLES[table].name));
    world.backend.write(&name, &rows, began_us, overlap_ms as i64 * 1000);
}

async fn write(simulation: &mut Simulation, step: &Step, rng: &mut Rng, long: bool) {
    let (shared, index) = (simulation.shared.clone(), step.client);
    let Some(view) = View::read(&simulation.clients[index].database) else { return };
    let statements = author(rng, step, &view).transaction();
    let after_seq = shared.lock().backend.history().last();
    let mut wrote = Vec::new();
    if statements.len() == 1 && !long && rng.percent(70) {
        execute(simulation, index, 0, &statements[0], after_seq, &mut wrote).await;
        simulation.clients[index].writes.extend(wrote);
        mark(&shared, index);
        return;
    }
    let database = simulation.clients[index].database.clone();
    let (send, begun) = oneshot::channel();
    // whoever waits is this function
    database.begin(move |id| drop(send.send(id)));
    let Ok(Ok(transaction)) = begun.await else { return };
    for statement in &statements {
        execute(simulation, index, transaction, statement, after_seq, &mut wrote).await;
    }
    if long {
        pause(rng.between(1, 20_000)).await;
    }
    if rng.percent(5) {
        die(&shared, index);
    }
    if shared.lock().devices[index].dead {
        return;
    }
    let commit = rng.percent(90);
    let (send, ended) = oneshot::channel();
    database.end(transaction, commit, move |result| drop(send.send(result)));
    let ended = ended.await;
    shared.note(|| format!("          {}: {ended:?}", if commit { "commit" } else { "rollback" }));
    if commit && matches!(ended, Ok(Ok(()))) {
        simulation.clients[index].writes.extend(wrote);
        mark(&shared, index);
    }
}

/// The answer to a statement.
pub(super) type Answered = oneshot::Receiver<Result<Rows, SyncError>>;

/// Asks for one statement.
pub(super) fn ask(database: &Database, transaction: u64, statement: &Statement) -> Answered {
    let (send, done) = oneshot::channel();
    let (sql, parameters) = (statement.sql.clone(), statement.parameters.clone());
    database.execute(transaction, sql, parameters, move |rows| drop(send.send(rows)));
    done
}

/// Runs one statement and notes what it did.
pub(super) async fn execute(
    simulation: &Simulation,
    index: usize,
    transaction: u64,
    statement: &Statement,
    after_seq: u64,
    wrote: &mut Vec<Write>,
) {
    let done = ask(&simulation.clients[index].database, transaction, statement);
    hear(&simulation.shared, index, statement, done, after_seq, wrote).await;
}

/// Waits for the answer to a statement and notes what it did.
pub(super) async fn hear(
    shared: &Shared,
    index: usize,
    statement: &Statement,
    done: Answered,
    after_seq: u64,
    wrote: &mut Vec<Write>,
) {
    let done = done.await;
    shared.note(|| {
        let outcome = done.as_ref().map(|rows| rows.as_ref().map(|rows| rows.rows_affected).map_err(|e| e.code));
        format!("          {} {:?}: {outcome:?}", statement.sql, statement.parameters)
    });
    match done {
        Ok(Ok(rows)) if rows.rows_affected > 0 => {
            let (table, id) = &statement.row;
            let known =
                shared.lock().devices[index].told.get(&statement.row).and_then(|v| v.first().cloned()).flatten();
            let write = |what: &Wrote| Write {
                table: *table,
                id: id.clone(),
                what: what.clone(),
                after_seq,
                known: known.clone(),
            };
            wrote.extend(statement.wrote.iter().map(write));
        }
        Ok(Err(error)) if !expected_refusal(&error) => {
            shared.fail(|| format!("client {index}: a statement failed: {error:?}"));
        }
        Ok(Ok(_) | Err(_)) | Err(_) => {}
    }
}
