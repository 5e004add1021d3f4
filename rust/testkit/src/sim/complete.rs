//! What must hold when a round, a sweep or the whole simulation is complete.

use super::backend::What;
use super::backend::tables::TABLES;
use super::invariants::pending;
use super::view::{View, cells_of};
use super::world::{Shared, World};

/// After a complete round, the device has every version that was there when the round began, after a sweep also those that
/// were committed late.
pub fn has_caught_up(shared: &Shared, index: usize, user: usize, view: &View, seq: u64, swept: bool) {
    let pending = pending(view);
    let user = World::user(user);
    let mut missing = None;
    {
        let world = shared.lock();
        for (table, t) in TABLES.iter().enumerate() {
            for (id, row) in world.backend.rows_of(table, &user) {
                let here = view.rows.get(&(table, id.clone()));
                if row.seq <= seq
                    && (swept || !row.too_late)
                    && !pending.contains_key(&(table, id.as_str()))
                    && here != Some(&cells_of(row))
                {
                    missing = Some(format!("{id} of {}: here {here:?}, there {row:?}", t.name));
                }
            }
        }
    }
    if let Some(missing) = missing {
        shared.fail(|| format!("client {index}: a complete round did not bring {missing}"));
    }
}

/// After a complete sweep, nothing without pending changes is here that was deleted on the backend before the sweep began.
pub fn has_swept(shared: &Shared, index: usize, user: usize, view: &View, seq: u64) {
    has_caught_up(shared, index, user, view, seq, true);
    let pending = pending(view);
    let mut extra = None;
    {
        let world = shared.lock();
        for (table, id) in view.rows.keys().filter(|(table, id)| !pending.contains_key(&(*table, id.as_str()))) {
            let events = world.backend.history().of(*table, id);
            let came_later = events.iter().any(|e| e.seq > seq && matches!(e.what, What::Put(_)));
            if !came_later && !world.backend.history().was_there(*table, id, seq) {
                extra = Some(id.clone());
            }
        }
    }
    if let Some(id) = extra {
        shared
            .fail(|| format!("client {index}: {id} is still here after a sweep, though it was deleted on the backend"));
    }
}

/// At the end: the device shows what the backend has, and nothing else, but for rows with parked changes.
pub fn has_converged(shared: &Shared, index: usize, user: usize, view: &View) {
    has_swept(shared, index, user, view, u64::MAX);
    if let Some(entry) = view.outbox.iter().find(|e| e.state != 2) {
        shared.fail(|| format!("client {index}: a change of {} did not leave the outbox", entry.id));
    }
}
