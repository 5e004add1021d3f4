//! Demo data: the demo user and any number of deterministic, realistic rows. The same count always gives the same rows
//! (but for their owner): 70 % entities, 20 % events, 10 % relationships, interleaved, their `updated_at` spread over
//! 2025 with unique microseconds, in the order of creation. Written in one transaction, with the secondary indexes of
//! an empty table made afterwards.

mod content;
mod random;

use std::collections::HashSet;

use rusqlite::{Connection, Statement, params};
use serde_json::Value;
use uuid::{Uuid, uuid};

use crate::auth::users;
use crate::backend::Backend;
use crate::ddl;
use crate::errors::BackendError;
use crate::timestamps::canonical;
use content::Content;
use random::SplitMix64;

/// The demo user's address.
pub const DEMO_EMAIL: &str = "demo@omnii.dev";
/// The demo user's password.
pub const DEMO_PASSWORD: &str = "omnii-demo";
/// The demo user's id, the same in every database.
pub const DEMO_USER_ID: Uuid = uuid!("de300000-0000-4000-8000-000000000001");

/// 2025-01-01 and the length of 2025, in microseconds.
const FIRST_US: i64 = 1_735_689_600_000_000;
const SPAN_US: i64 = 365 * 86_400 * 1_000_000;

/// Creates the demo user with `count` rows. False, and nothing done, if the database has that user.
pub(crate) fn demo_user(backend: &Backend, count: u32) -> Result<bool, BackendError> {
    if users::by_email(&backend.lock(), DEMO_EMAIL)?.is_some() {
        return Ok(false);
    }
    let hash = backend.passwords().hash(DEMO_PASSWORD)?;
    for table in ["sync_entities", "sync_events", "sync_relationships"] {
        backend.table(table)?;
    }
    let metadata = Value::Object(Default::default());
    let now_us = backend.clock().now_us();
    backend
        .with_connection(|connection| {
            let tx = connection.transaction()?;
            let user = users::insert(&tx, Some(DEMO_USER_ID), DEMO_EMAIL, &hash, &metadata, now_us)?;
            fill_in(&tx, backend, &user.id, count)?;
            Ok(tx.commit()?)
        })
        .map(|()| true)
}

/// Fills a user with `count` rows.
pub(crate) fn fill(backend: &Backend, user_id: &str, count: u32) -> Result<(), BackendError> {
    backend.with_connection(|connection| {
        let tx = connection.transaction()?;
        fill_in(&tx, backend, user_id, count)?;
        Ok(tx.commit()?)
    })
}

fn fill_in(connection: &Connection, backend: &Backend, user_id: &str, count: u32) -> Result<(), BackendError> {
    let tables = ["sync_entities", "sync_events", "sync_relationships"];
    let mut indexes = Vec::new();
    for name in tables {
        let table = backend.table(name)?;
        let sql = format!("SELECT NOT EXISTS (SELECT 1 FROM {})", ddl::quoted(name));
        if connection.query_row(&sql, [], |row| row.get(0))? {
            indexes.extend(ddl::indexes(table));
        }
    }
    for (name, _) in &indexes {
        connection.execute_batch(&format!("DROP INDEX {}", ddl::quoted(name)))?;
    }
    insert_rows(connection, user_id, count)?;
    for (_, sql) in &indexes {
        connection.execute_batch(sql)?;
    }
    Ok(())
}

fn insert_rows(connection: &Connection, user_id: &str, count: u32) -> Result<(), BackendError> {
    let mut writer = Writer {
        entity: connection.prepare(
            "INSERT INTO sync_entities (id, user_id, entity_type, name, properties, source_id, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?,
        event: connection.prepare(
            "INSERT INTO sync_events (id, user_id, summary, description, start_time, end_time, location,
             google_event_id, attendees, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?,
        relationship: connection.prepare(
            "INSERT INTO sync_relationships (id, user_id, from_entity_id, to_entity_id, relationship_type, properties,
             created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?,
        user_id,
        content: Content::new(SplitMix64::new(0x006f_6d6e_6969)),
        entities: Vec::new(),
        related: HashSet::new(),
    };
    let step_us = SPAN_US / i64::from(count.max(1));
    for n in 0..count {
        let jitter_us = i64::try_from(writer.content.random.below(step_us.unsigned_abs().max(1))).unwrap_or_default();
        let updated_us = FIRST_US + step_us * i64::from(n) + jitter_us;
        // In every ten: seven entities, two events, one relationship between entities that are there already.
        match n % 10 {
            2 | 6 => writer.event(n, updated_us)?,
            9 => writer.relationship(updated_us)?,
            _ => writer.entity(n, updated_us)?,
        }
    }
    Ok(())
}

struct Writer<'c> {
    entity: Statement<'c>,
    event: Statement<'c>,
    relationship: Statement<'c>,
    user_id: &'c str,
    content: Content,
    entities: Vec<String>,
    related: HashSet<(usize, usize, &'static str)>,
}

impl Writer<'_> {
    /// Ids must differ between users, or the second user's rows would collide with the first's.
    fn id(&mut self) -> String {
        let owner = self.user_id.bytes().fold(0_u128, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        let random = u128::from(self.content.random.next()) << 64 | u128::from(self.content.random.next());
        uuid::Builder::from_random_bytes((random ^ owner.wrapping_mul(0x9e37_79b9_7f4a_7c15)).to_be_bytes())
            .into_uuid()
            .to_string()
    }

    fn entity(&mut self, n: u32, updated_us: i64) -> rusqlite::Result<()> {
        let id = self.id();
        let entity = self.content.entity(n);
        let created = canonical(updated_us - self.content.age_us());
        self.entity.execute(params![
            id,
            self.user_id,
            entity.kind,
            entity.name,
            entity.properties,
            entity.source_id,
            created,
            canonical(updated_us)
        ])?;
        self.entities.push(id);
        Ok(())
    }

    fn event(&mut self, n: u32, updated_us: i64) -> rusqlite::Result<()> {
        let id = self.id();
        let event = self.content.event(n, updated_us);
        let created = canonical(updated_us - self.content.age_us());
        self.event.execute(params![
            id,
            self.user_id,
            event.summary,
            event.description,
            canonical(event.start_us),
            canonical(event.end_us),
            event.location,
            event.google_event_id,
            event.attendees,
            created,
            canonical(updated_us)
        ])?;
        Ok(())
    }

    fn relationship(&mut self, updated_us: i64) -> rusqlite::Result<()> {
        let id = self.id();
        let (from, to, kind) = loop {
            let from = self.content.random.index(self.entities.len());
            let to = self.content.random.index(self.entities.len());
            let kind = self.content.relationship_type();
            if from != to && self.related.insert((from, to, kind)) {
                break (from, to, kind);
            }
        };
        let properties = self.content.relationship_properties();
        let stamp = canonical(updated_us);
        let (from, to) = (&self.entities[from], &self.entities[to]);
        self.relationship.execute(params![id, self.user_id, from, to, kind, properties, stamp, stamp])?;
        Ok(())
    }
}
