//! Sessions and the rotation of refresh tokens, as GoTrue rotates them: each use replaces the token; for a short
//! interval the one just replaced still works and gets the current one (two tabs refreshing at once); the use of any
//! older one revokes the session's refreshing for good, because somebody has a copy.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};
use uuid::Uuid;

use super::jwt::RefreshToken;

/// A session. `rotated_at_us` is when the token with `refresh_counter` was made.
#[derive(Debug)]
pub(crate) struct Session {
    pub id: String,
    pub user_id: String,
    pub refresh_counter: u32,
    rotated_at_us: i64,
    refresh_revoked: bool,
}

/// What became of the use of a refresh token.
#[derive(Debug)]
pub(crate) enum Refresh {
    /// Go on with this session; its `refresh_counter` is the one to answer with.
    Granted(Session),
    /// No such session: signed out.
    NotFound,
    /// The token was used before. All of the session's refresh tokens are revoked now.
    AlreadyUsed,
}

/// A new session.
pub(crate) fn insert(connection: &Connection, user_id: &str, now_us: i64) -> rusqlite::Result<Session> {
    let session = Session {
        id: Uuid::new_v4().to_string(),
        user_id: user_id.to_owned(),
        refresh_counter: 1,
        rotated_at_us: now_us,
        refresh_revoked: false,
    };
    let sql = "INSERT INTO omnii_sessions (id, user_id, created_at, refresh_counter, rotated_at, refresh_revoked)
               VALUES (?1, ?2, ?3, 1, ?3, 0)";
    connection.prepare_cached(sql)?.execute(params![session.id, user_id, now_us])?;
    Ok(session)
}

/// The session with this id.
pub(crate) fn by_id(connection: &Connection, id: &str) -> rusqlite::Result<Option<Session>> {
    let sql = "SELECT id, user_id, refresh_counter, rotated_at, refresh_revoked FROM omnii_sessions WHERE id = ?1";
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Session {
            id: row.get(0)?,
            user_id: row.get(1)?,
            refresh_counter: row.get(2)?,
            rotated_at_us: row.get(3)?,
            refresh_revoked: row.get(4)?,
        })
    };
    connection.prepare_cached(sql)?.query_row([id], read).optional()
}

/// Uses a genuine refresh token. The caller holds the connection, so that two uses never interleave.
pub(crate) fn refresh(
    connection: &Connection,
    token: &RefreshToken,
    now_us: i64,
    reuse_interval: Duration,
) -> rusqlite::Result<Refresh> {
    let Some(mut session) = by_id(connection, &token.session_id)? else {
        return Ok(Refresh::NotFound);
    };
    if session.refresh_revoked {
        return Ok(Refresh::AlreadyUsed);
    }
    if token.counter == session.refresh_counter {
        session.refresh_counter = session.refresh_counter.wrapping_add(1);
        session.rotated_at_us = now_us;
        let sql = "UPDATE omnii_sessions SET refresh_counter = ?2, rotated_at = ?3 WHERE id = ?1";
        connection.prepare_cached(sql)?.execute(params![session.id, session.refresh_counter, now_us])?;
        return Ok(Refresh::Granted(session));
    }
    let age_us = now_us.saturating_sub(session.rotated_at_us);
    let just_replaced = token.counter.wrapping_add(1) == session.refresh_counter;
    if just_replaced && u128::try_from(age_us).is_ok_and(|age_us| age_us < reuse_interval.as_micros()) {
        return Ok(Refresh::Granted(session));
    }
    connection.prepare_cached("UPDATE omnii_sessions SET refresh_revoked = 1 WHERE id = ?1")?.execute([session.id])?;
    Ok(Refresh::AlreadyUsed)
}

/// Ends one session.
pub(crate) fn delete(connection: &Connection, id: &str) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM omnii_sessions WHERE id = ?1", [id]).map(drop)
}

/// Ends all of the user's sessions.
pub(crate) fn delete_all(connection: &Connection, user_id: &str) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM omnii_sessions WHERE user_id = ?1", [user_id]).map(drop)
}

/// Ends all of the user's sessions but one.
pub(crate) fn delete_others(connection: &Connection, user_id: &str, keep: &str) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM omnii_sessions WHERE user_id = ?1 AND id <> ?2", params![user_id, keep]).map(drop)
}
