//! Queries that are watched: what they depend on, and their runs.
//!
//! Tables come from SQLite's authorizer, which is asked about every table that a statement reads, also behind views.

use super::Store;
use super::readers::Reader;
use super::rows::{Parameter, Rows};
use super::sql_error::sql_error;
use omnii_sync_core::error::Result;
use omnii_sync_core::{ErrorCode, Schema, SyncError};
use std::sync::Arc;

/// A query with its parameters.
#[derive(Debug)]
pub(crate) struct Watched {
    pub(crate) sql: String,
    pub(crate) parameters: Vec<Parameter>,
}

/// What a query depends on.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Inspected {
    /// Tables, and views on the way to them.
    pub(crate) tables: Vec<String>,
    /// Whether all of them are the schema's, whose changes are known by row.
    pub(crate) synced: bool,
}

impl Store {
    /// Runs a watched query on a reader. `begin` is called directly before it reads, and again if a suspension makes it run
    /// once more. With `inspect` what it depends on is found out first.
    ///
    /// # Errors
    /// The outer ones mean that the statement can't be prepared, or `Closed`; the inner ones are of the run.
    pub(crate) fn run_watched(
        &self,
        query: Arc<Watched>,
        inspect: bool,
        mut begin: impl FnMut() + Send + 'static,
        done: impl FnOnce(Result<(Option<Inspected>, Result<Rows>)>) + Send + 'static,
    ) {
        let schema = self.schema.clone();
        let run = move |reader: &Reader| {
            begin();
            let inspected = if inspect { Some(inspected(reader, &query, &schema)?) } else { None };
            match reader.run(&query.sql, &query.parameters) {
                // the readers know what to do about it
                Err(error) if error.code == ErrorCode::Closed => Err(error),
                outcome => Ok((inspected, outcome)),
            }
        };
        self.readers.ask(run, done);
    }
}

fn inspected(reader: &Reader, query: &Watched, schema: &Schema) -> Result<Inspected> {
    let (outcome, tables) = reader.watching(|connection| {
        let statement = connection.prepare(&query.sql).map_err(sql_error)?;
        Ok((statement.readonly(), statement.parameter_count()))
    });
    let (read_only, expected) = outcome?;
    if !read_only {
        return Err(SyncError::new(ErrorCode::ReadOnly, "only statements that read can be watched"));
    }
    let given = query.parameters.len();
    if given != expected {
        return Err(SyncError::new(
            ErrorCode::BadArgument,
            format!("the statement has {expected} parameters, {given} were given"),
        ));
    }
    let is_synced = |name: &String| schema.tables.iter().any(|t| t.sql_name().eq_ignore_ascii_case(name));
    let synced = tables.iter().all(is_synced);
    Ok(Inspected { tables, synced })
}
