//! What must hold at every moment, whatever happens. Each function notes the first violation in the trace.

use super::app::{Write, Wrote};
use super::backend::tables::{TABLES, table_index};
use super::backend::{Event, Origin, What};
use super::client::{Client, mark};
use super::schedule::Policy;
use super::view::{Entry, View, cells_of, expected};
use super::world::{Shared, Version, World};
use omnii_sync_engine::Database;
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};

pub(super) type Pending<'v> = BTreeMap<(usize, &'v str), Vec<&'v Entry>>;

/// The outbox by row.
pub(super) fn pending(view: &View) -> Pending<'_> {
    let mut pending = Pending::new();
    for entry in &view.outbox {
        pending.entry((entry.table, &entry.id)).or_default().push(entry);
    }
    pending
}

/// All of them for one device. Returns what it holds.
pub fn check(shared: &Shared, client: &mut Client) -> Option<View> {
    let view = View::read(&client.database)?;
    writes_are_accounted_for(shared, client, &view);
    rows_are_as_told(shared, client.index, &view);
    cursors_are_sound(shared, client, &view);
    for entry in view.outbox.iter().filter(|e| e.state == 2 && e.error.as_deref().unwrap_or_default().is_empty()) {
        shared.fail(|| format!("client {}: a change of {} is parked without a reason", client.index, entry.id));
    }
    // what was seen cannot be undone by dying
    mark(shared, client.index);
    Some(view)
}

/// No write of the app is lost: it is in the outbox, or the backend has done it, or a later write of the app replaces it.
pub fn writes_are_accounted_for(shared: &Shared, client: &mut Client, view: &View) {
    let mut columns: HashSet<(usize, &str, &str, &str)> = HashSet::new();
    let mut deletes: HashSet<(usize, &str)> = HashSet::new();
    for entry in &view.outbox {
        if entry.op == 3 {
            deletes.insert((entry.table, &entry.id));
        }
        for (name, value) in &entry.data {
            if let Value::String(text) = value {
                columns.insert((entry.table, &entry.id, name, text));
            }
        }
    }
    let origin = Origin::Client(client.index);
    let (mut kept, mut lost, mut settled) = (Vec::new(), Vec::new(), Vec::new());
    {
        let world = shared.lock();
        let history = world.backend.history();
        for (n, write) in client.writes.iter().enumerate() {
            let row = (write.table, write.id.as_str());
            let later = |what: &dyn Fn(&Wrote) -> bool| {
                client.writes[n + 1..].iter().any(|w| (w.table, w.id.as_str()) == row && what(&w.what))
            };
            match &write.what {
                // no proof of anything, but it replaces what was there; kept as long as something before it may need it
                Wrote::Column(_, None) | Wrote::Insert => {
                    let of_row = |w: &super::app::Write| (w.table, w.id.as_str()) == row;
                    if client.writes[..n].iter().any(of_row) {
                        kept.push(n);
                    }
                }
                Wrote::Column(column, Some(value)) => {
                    let name = TABLES[write.table].columns[*column].name;
                    if columns.contains(&(write.table, row.1, name, value)) {
                        kept.push(n);
                        continue;
                    }
                    let wanted = (*column, Some(value.clone()));
                    let done = |what: &What| matches!(what, What::Put(set) if set.contains(&wanted));
                    let events = history.of(write.table, &write.id);
                    let applied = events.iter().any(|e| done(&e.what));
                    let overwritten = weak_spot(write, *column, events, origin);
                    let yielded = yields(&world, write, events, origin);
                    let replaced = later(&|w| match w {
                        Wrote::Column(other, _) => other == column,
                        Wrote::Insert | Wrote::Delete => true,
                    });
                    if !applied && !replaced && !overwritten && !yielded {
                        lost.push(format!("{} of {} was set to {value}", name, write.id));
                    }
                }
                Wrote::Delete => {
                    if deletes.contains(&row) {
                        kept.push(n);
                        continue;
                    }
                    let events = history.of(write.table, &write.id);
                    let applied = events
                        .iter()
                        .find(|e| e.seq > write.after_seq && e.origin == origin && matches!(e.what, What::Delete(_)));
                    let yielded = yields(&world, write, events, origin);
                    let never_there = !events.iter().any(|e| matches!(e.what, What::Put(_)));
                    // a refused delete is done when the row is gone all the same, or was when it was made
                    let is_delete = |what: &What| matches!(what, What::Delete(_) | What::Cascaded);
                    let gone = !history.was_there(write.table, &write.id, write.after_seq)
                        || events.last().is_some_and(|e| is_delete(&e.what))
                        || events.iter().any(|e| e.seq > write.after_seq && is_delete(&e.what));
                    if let Some(applied) = applied {
                        // one that yielded may have left the outbox without its answer
                        if !yielded {
                            settled.push((write.table, write.id.clone(), applied.seq));
                        }
                    } else if !gone && !never_there && !later(&|w| *w == Wrote::Insert) && !yielded {
                        lost.push(format!("{} was deleted", write.id));
                    }
                }
            }
        }
    }
    for lost in lost {
        shared.fail(|| format!("client {}: a write is lost: {lost}", client.index));
    }
    let mut n = 0;
    client.writes.retain(|_| {
        n += 1;
        kept.binary_search(&(n - 1)).is_ok()
    });
    let mut world = shared.lock();
    for (table, id, seq) in settled {
        // the delete left the outbox: what the device was told before it is over
        let Some(versions) = world.devices[client.index].told.get_mut(&(table, id)) else { continue };
        let before = |version: &Version| version.as_ref().is_some_and(|row| row.seq < seq);
        let over = versions.iter().rposition(before).map_or(0, |last| last + 1);
        if versions.get(over).is_some_and(Option::is_none) {
            versions.drain(..over);
        }
    }
}

/// Whether the table lets the server win, and somebody else has touched the row since the version that the app saw.
fn yields(world: &World, write: &Write, events: &[Event], origin: Origin) -> bool {
    let seen = write.known.as_ref().map_or(0, |row| row.seq);
    // the backend's own rule removes children, whoever deleted the parent
    let by_another = |e: &Event| e.origin != origin || e.what == What::Cascaded;
    let touched = |e: &Event| by_another(e) && e.seq > seen && e.what != What::Refused;
    world.setting.policies[write.table] == Policy::ServerWins && events.iter().any(touched)
}

/// A refused change whose column another device has set to something new meanwhile counts as overwritten, not as refused
/// (docs/protocol.md, "Weak spots").
fn weak_spot(write: &Write, column: usize, events: &[Event], origin: Origin) -> bool {
    let refused = events.iter().any(|e| e.seq > write.after_seq && e.origin == origin && e.what == What::Refused);
    let (seen, before) = write.known.as_ref().map_or((0, None), |row| (row.seq, Some(&row.cells[column])));
    let by_another = |e: &Event| match &e.what {
        What::Put(set) => {
            let new = |(at, value): &(usize, Option<String>)| *at == column && before != Some(value);
            e.origin != origin && e.seq > seen && set.iter().any(new)
        }
        // what came back of the row has the server's defaults
        What::Delete(true) | What::Cascaded => e.seq > seen,
        What::Refused | What::Delete(false) => false,
    };
    refused && events.iter().any(by_another)
}

/// Every row is a version that the device was told of, with what is pending on top; it never goes back to an older one.
fn rows_are_as_told(shared: &Shared, index: usize, view: &View) {
    let pending = pending(view);
    let mut wrong = Vec::new();
    {
        let mut world = shared.lock();
        let told = &mut world.devices[index].told;
        let mut look = |key: (usize, String), visible: Option<&Vec<Option<String>>>| {
            let changes = pending.get(&(key.0, key.1.as_str())).map_or(&[][..], Vec::as_slice);
            let versions = told.entry(key.clone()).or_insert_with(|| vec![None]);
            let fits =
                |version: &Version| expected(key.0, version.as_deref().map(cells_of), changes).as_ref() == visible;
            match versions.iter().position(fits) {
                // older ones are over; newer ones may be on their way
                Some(at) => drop(versions.drain(..at)),
                None => wrong.push(format!(
                    "{} shows {visible:?}; told {:?}; pending {:?}",
                    key.1,
                    versions.iter().map(|v| v.as_ref().map(|r| (r.seq, &r.cells))).collect::<Vec<_>>(),
                    changes.iter().map(|c| (c.op, c.state, &c.data)).collect::<Vec<_>>(),
                )),
            }
        };
        for (key, cells) in &view.rows {
            look(key.clone(), Some(cells));
        }
        let hidden: Vec<(usize, String)> = {
            let told = pending.keys().map(|(table, id)| (*table, (*id).to_owned()));
            told.filter(|key| !view.rows.contains_key(key)).collect()
        };
        for key in hidden {
            look(key, None);
        }
        let absent: Vec<(usize, String)> = {
            let told = world.devices[index].told.iter().filter(|(_, versions)| !versions.contains(&None));
            told.map(|(key, _)| key.clone()).collect()
        };
        for key in absent {
            if !view.rows.contains_key(&key) && !pending.contains_key(&(key.0, key.1.as_str())) {
                wrong.push(format!("{} is gone", key.1));
            }
        }
    }
    for wrong in wrong {
        shared.fail(|| format!("client {index}: a row is not what it was told: {wrong}"));
    }
}

/// A cursor goes back only by `clearAndReconnect`, and does not pass a row that is not here, unless that was committed late.
fn cursors_are_sound(shared: &Shared, client: &mut Client, view: &View) {
    let mut passed = None;
    {
        let world = shared.lock();
        let (pending, told) = (pending(view), &world.devices[client.index].told);
        let user = World::user(client.user);
        for (table, cursor) in view.cursors.iter().enumerate() {
            let Some(cursor) = *cursor else { continue };
            for (id, row) in world.backend.rows_of(table, &user) {
                // the millisecond of the cursor itself comes again
                let passed_by = row.updated_us.div_euclid(1000) < cursor.div_euclid(1000);
                if row.late || !passed_by || pending.contains_key(&(table, id.as_str())) {
                    continue;
                }
                let applied = told.get(&(table, id.clone())).and_then(|versions| versions.first());
                if applied.and_then(Option::as_ref).is_none_or(|version| version.seq < row.seq) {
                    passed = Some(format!("{id} of {}", TABLES[table].name));
                }
            }
        }
    }
    if let Some(passed) = passed {
        shared.fail(|| {
            format!("client {}: the cursor has passed {passed}, which is not here as it is there", client.index)
        });
    }
    for (table, t) in TABLES.iter().enumerate() {
        let (before, now) = (client.cursors[table], view.cursors[table]);
        client.cursors[table] = now;
        if now < before {
            shared.fail(|| format!("client {}: the cursor of {} went back", client.index, t.name));
        }
    }
}

/// For how long requests may be waiting that were planned at once.
const PLANNED_MS: u64 = 180_000;

/// A push carries what is pending and nothing else: no column that nobody here touched, unless it is required or the
/// backend is not known to have the row; no change that was acknowledged before.
pub fn upload_is_pending(shared: &Shared, client: usize, database: &Database, body: &[u8]) {
    let Some(outbox) = View::outbox(database) else { return };
    let unknown = super::view::query(
        database,
        "SELECT tbl, row_id FROM omnii_outbox EXCEPT SELECT tbl, row_id FROM omnii_overlay WHERE server IS NOT NULL",
    );
    let unknown: HashSet<(String, String)> = unknown
        .map(|rows| {
            let text = |row, column| match rows.cell(row, column) {
                omnii_sync_engine::Parameter::Text(text) => text,
                _ => String::new(),
            };
            (0..rows.len()).map(|row| (text(row, 0), text(row, 1))).collect()
        })
        .unwrap_or_default();
    let Ok(upload) = serde_json::from_slice::<super::backend::Upload>(body) else {
        return shared.fail(|| format!("client {client}: an upload that is not the protocol"));
    };
    for (name, operations) in upload.changes.0 {
        let Some(table) = table_index(&name) else {
            return shared.fail(|| format!("client {client}: an upload to table {name}"));
        };
        for operation in &operations {
            let id = operation["id"].as_str().unwrap_or_default();
            let of_row = || outbox.iter().filter(|e| e.table == table && e.id == id);
            let given_up = shared.lock().devices[client].given_up.get(&(table, id.to_owned())).copied();
            if given_up.is_some_and(|at_ms| shared.now_ms() - at_ms < PLANNED_MS) {
                continue;
            }
            let fault = match operation["data"].as_object() {
                None if of_row().any(|e| e.op == 3 && e.state == 0) => None,
                None => Some("a delete that nobody wants".to_owned()),
                Some(data) if data.get("id").and_then(Value::as_str) != Some(id) => Some("no id in data".to_owned()),
                Some(data) => {
                    let full = unknown.contains(&(name.clone(), id.to_owned()));
                    data.iter().find_map(|(column, value)| {
                        let at = TABLES[table].column(column)?;
                        let c = &TABLES[table].columns[at];
                        if c.not_null || full {
                            return None;
                        }
                        let same = |e: &Entry| {
                            let there = e.data.get(column)?;
                            let there = match (c.kind, there) {
                                (super::backend::tables::Kind::Json, Value::String(text)) => {
                                    serde_json::from_str(text).ok()?
                                }
                                _ => there.clone(),
                            };
                            (there == *value).then_some(())
                        };
                        if shared.lock().setting.policies[table] == Policy::ClientWins {
                            return None; // the whole row as it is here
                        }
                        let found = of_row().any(|e| same(e).is_some());
                        (!found).then(|| format!("{column} = {value}, which is not pending"))
                    })
                }
            };
            if let Some(fault) = fault {
                shared.fail(|| format!("client {client}: the upload of {id} has {fault}"));
            }
        }
    }
}
