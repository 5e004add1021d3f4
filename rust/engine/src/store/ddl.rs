//! The schema as SQL: our own tables, the app's tables, and the triggers that record changes.
//!
//! Owns every CREATE statement. All identifiers are quoted here; nothing else builds names into DDL.

use omnii_sync_core::{Column, ColumnType, METADATA, Table};

/// Our own tables, version by version: entry `n` brings a file from version `n` to `n + 1` (`PRAGMA user_version`). Forward
/// only; never edit an entry that has been released.
pub const MIGRATIONS: &[&str] = &[
    // 0 -> 1
    "CREATE TABLE omnii_meta (
       key TEXT PRIMARY KEY NOT NULL,  -- 'user', 'schema', 'ddl', 'last_synced_at_ms', 'last_reconciled_at_ms', 'changes'
       value TEXT NOT NULL
     ) STRICT;
     CREATE TABLE omnii_outbox (
       id INTEGER PRIMARY KEY,                -- order of the changes; never used twice
       tx INTEGER NOT NULL,                   -- changes of one local transaction share it
       tbl TEXT NOT NULL,
       row_id TEXT NOT NULL,
       op INTEGER NOT NULL,                   -- 1 insert, 2 update, 3 delete
       data TEXT,                             -- JSON object of columns; NULL for a delete
       state INTEGER NOT NULL DEFAULT 0,      -- 0 queued, 1 sent and not yet read back, 2 parked
       sent_pull INTEGER NOT NULL DEFAULT 0,  -- the pull under way or last begun when it was sent
       sent_at INTEGER,                       -- the backend's clock when it answered, microseconds since the Unix epoch
       error TEXT                             -- why it was parked
     ) STRICT;
     CREATE INDEX omnii_outbox_row ON omnii_outbox (tbl, row_id);
     CREATE TABLE omnii_overlay (
       tbl TEXT NOT NULL,
       row_id TEXT NOT NULL,
       server TEXT,         -- the server's version of a row with pending changes, JSON object; NULL or no entry: it has none, as far as known
       updated_at INTEGER,  -- when that was written, microseconds since the Unix epoch; NULL: see its column of that name
       PRIMARY KEY (tbl, row_id)
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE omnii_cursor (
       tbl TEXT PRIMARY KEY NOT NULL,
       updated_at INTEGER,  -- highest received, microseconds since the Unix epoch
       pulled_at INTEGER    -- the backend's clock at the start of the last complete pull, the same unit
     ) STRICT, WITHOUT ROWID;",
    // 1 -> 2
    "ALTER TABLE omnii_outbox ADD COLUMN resent INTEGER NOT NULL DEFAULT 0;  -- how often what was missing of it was sent again
     ALTER TABLE omnii_outbox ADD COLUMN merged INTEGER NOT NULL DEFAULT 0;  -- 1 sent as one operation with others of its row, 2 refused with them, to prove itself alone
     CREATE TABLE omnii_sweep (  -- ids that the sweep under way has seen on the backend
       tbl TEXT NOT NULL,
       row_id TEXT NOT NULL,
       PRIMARY KEY (tbl, row_id)
     ) STRICT, WITHOUT ROWID;",
    // 2 -> 3
    "ALTER TABLE omnii_outbox ADD COLUMN previous TEXT;  -- JSON object of values before; tables with trackPrevious
     ALTER TABLE omnii_outbox ADD COLUMN metadata TEXT;  -- what was written into _metadata; tables with trackMetadata",
];

/// `"name"`, with quotes inside doubled.
pub fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The declared type of a column.
pub fn sql_type(column_type: ColumnType) -> &'static str {
    match column_type {
        ColumnType::Text | ColumnType::Json | ColumnType::Timestamp => "TEXT",
        ColumnType::Integer | ColumnType::Boolean => "INTEGER",
        ColumnType::Real => "REAL",
        ColumnType::Blob => "BLOB",
    }
}

/// What keeps a boolean column from holding 2; also how such a column is told from an integer in an existing table.
pub fn boolean_check(column: &str) -> String {
    format!("CHECK ({} IN (0, 1))", quote(column))
}

/// A column as CREATE TABLE and ALTER TABLE take it.
fn column_definition(table: &Table, column: &Column) -> String {
    let plain = format!("{} {}", quote(&column.name), sql_type(column.column_type));
    match column.column_type {
        ColumnType::Boolean => {
            // the name is what the app reads when it writes something else
            let rule = quote(&format!("{}.{} is a boolean: 0, 1 or NULL", table.name, column.name));
            format!("{plain} CONSTRAINT {rule} {}", boolean_check(&column.name))
        }
        ColumnType::Text
        | ColumnType::Integer
        | ColumnType::Real
        | ColumnType::Json
        | ColumnType::Timestamp
        | ColumnType::Blob => plain,
    }
}

/// The columns of the table in SQL but `id`: those of the schema, and the one that takes notes.
pub fn columns(table: &Table) -> Vec<Column> {
    let metadata = table.track_metadata.then(|| Column { name: METADATA.into(), column_type: ColumnType::Text });
    table.columns.iter().cloned().chain(metadata).collect()
}

/// CREATE TABLE for an app table, called `name`, with further columns `(name, declared type)` behind its own. STRICT, so that a
/// column holds what the schema says or the statement fails.
pub fn create_table(table: &Table, name: &str, further: &[(String, String)]) -> String {
    let own: String = columns(table).iter().map(|c| format!(", {}", column_definition(table, c))).collect();
    let further: String = further.iter().map(|(name, sql_type)| format!(", {} {sql_type}", quote(name))).collect();
    format!(
        "CREATE TABLE {} (\"id\" TEXT PRIMARY KEY NOT NULL CHECK (length(\"id\") > 0){own}{further}) STRICT",
        quote(name)
    )
}

/// ALTER TABLE for a column the schema gained.
pub fn add_column(table: &Table, column: &Column) -> String {
    format!("ALTER TABLE {} ADD COLUMN {}", quote(table.sql_name()), column_definition(table, column))
}

/// Name and CREATE INDEX of each index; the name carries the table's, since SQLite's index names are global.
pub fn indexes(table: &Table) -> Vec<(String, String)> {
    table
        .indexes
        .iter()
        .map(|index| {
            let name = format!("{}__{}", table.name, index.name);
            let term = |c: &String| match table.index_term(c) {
                (column, true) => format!("{} DESC", quote(column)),
                (column, false) => quote(column),
            };
            let columns: Vec<String> = index.columns.iter().map(term).collect();
            let sql = format!("CREATE INDEX {} ON {} ({})", quote(&name), quote(table.sql_name()), columns.join(", "));
            (name, sql)
        })
        .collect()
}

/// Name and CREATE TRIGGER of each capture trigger. `index` is the table's place in the schema, which the functions of
/// [`super::capture`] take.
///
/// No trigger uses a conflict clause of its own: SQLite lets the outer statement's (INSERT OR REPLACE …) override it.
/// `recursive_triggers` is on, so that REPLACE reports the row it removes; a delete directly before an insert of the same
/// row in the same transaction is that REPLACE, and is taken back, since on the backend it would cascade. What triggers of the
/// app have done to a new row before ours ran is in the row that the insert records; their own entries are taken back, too.
/// If they have deleted it again, it was never there: nothing is recorded, unless it had replaced a row (then there are two
/// deletes).
///
/// What a table's options ask for is in its own triggers only. A table that is only local has none; one that takes inserts
/// only has one, which deletes the row again.
///
/// The condition of those that run afterwards hands the row's id over, also while nothing is captured (see [`super::changes`]).
pub fn triggers(index: usize, table: &Table) -> Vec<(String, String)> {
    if table.local_only {
        return Vec::new();
    }
    let (name, t) = (quote(table.sql_name()), literal(&table.name));
    let tracks = table.track_previous.is_some();
    // further columns of the entry, and their values
    let (note, noted) = match table.track_metadata {
        true => (", metadata", format!(", now.{}", quote(METADATA))),
        false => ("", String::new()),
    };
    let after = if table.insert_only {
        format!(" DELETE FROM {name} WHERE \"id\" = NEW.\"id\";")
    } else if table.track_metadata {
        format!(" UPDATE {name} SET {0} = NULL WHERE \"id\" = NEW.\"id\" AND {0} IS NOT NULL;", quote(METADATA))
    } else {
        String::new()
    };
    let list =
        |prefix: &str| -> String { table.columns.iter().map(|c| format!(", {prefix}.{}", quote(&c.name))).collect() };
    let pairs: String = table.columns.iter().map(|c| format!(", OLD.{0}, now.{0}", quote(&c.name))).collect();
    // the row as it is: a trigger of the app may have run before ours and changed it again
    let now = format!("{name} AS now WHERE now.\"id\" = NEW.\"id\"");
    let trigger_at = |time: &str, event: &str, prefix: &str, body: String| {
        let trigger_name = format!("omnii_{prefix}{}_{}", event.to_lowercase(), table.name);
        let sql = format!(
            "CREATE TRIGGER {} {time} {event} ON {name} WHEN omnii_capturing({}) BEGIN {body} END",
            quote(&trigger_name),
            match (time, event) {
                ("AFTER", "INSERT") => format!("{index}, NEW.\"id\""),
                ("AFTER", "DELETE") => format!("{index}, OLD.\"id\""),
                // a trigger of the app may change an id while the engine writes
                ("AFTER", _) => format!("{index}, OLD.\"id\", NEW.\"id\""),
                _ => String::new(),
            }
        );
        (trigger_name, sql)
    };
    let trigger = |event: &str, body: String| trigger_at("AFTER", event, "", body);
    let old_record = format!("omnii_record({index}{})", list("OLD"));
    // the table's name, or NULL where there can be nothing to take back: a key that is NULL costs no search
    let again = format!("CASE WHEN omnii_again() THEN {t} END");
    let again_here = format!("CASE WHEN omnii_again() THEN CASE WHEN EXISTS (SELECT 1 FROM {now}) THEN {t} END END");
    let again_gone =
        format!("CASE WHEN omnii_again() THEN CASE WHEN NOT EXISTS (SELECT 1 FROM {now}) THEN {t} END END");
    let (was, before) = match tracks {
        true => (", previous", format!(", omnii_previous({index}{pairs}) AS p")),
        false => ("", String::new()),
    };
    let (taken, deleted) = match tracks {
        true => (", p", format!(", omnii_previous_row({index}{})", list("OLD"))),
        false => ("", String::new()),
    };
    let (seen, kept) = match table.track_metadata {
        true => (format!("{noted} AS m"), ", m"),
        false => (String::new(), ""),
    };
    let mut all = vec![
        trigger(
            "INSERT",
            format!(
                "SELECT RAISE(ABORT, 'write a UUID in lower case: the backend does, and would make a second row of it') \
                   WHERE length(NEW.\"id\") = 36 AND NEW.\"id\" GLOB '????????-????-????-????-*' AND NEW.\"id\" <> lower(NEW.\"id\"); \
                 DELETE FROM omnii_overlay WHERE tbl = {again} AND row_id = NEW.\"id\" AND NOT EXISTS (SELECT 1 FROM omnii_outbox \
                   WHERE tbl = {t} AND row_id = NEW.\"id\" AND (id <= omnii_statement() OR op = 3)); \
                 DELETE FROM omnii_outbox WHERE tbl = {again_here} AND row_id = NEW.\"id\" AND state = 0 \
                   AND ((id > omnii_statement() AND op > 1) \
                   OR (op = 3 AND tx = omnii_transaction() AND id = (SELECT max(id) FROM omnii_outbox))); \
                 DELETE FROM omnii_outbox WHERE tbl = {again_gone} AND row_id = NEW.\"id\" \
                   AND id > omnii_statement() AND (op < 3 OR (SELECT count(*) FROM omnii_outbox \
                   WHERE tbl = {t} AND row_id = NEW.\"id\" AND op = 3 AND id > omnii_statement()) = 1); \
                 DELETE FROM omnii_overlay WHERE tbl = {again_gone} AND row_id = NEW.\"id\" \
                   AND NOT EXISTS (SELECT 1 FROM omnii_outbox WHERE tbl = {t} AND row_id = NEW.\"id\"); \
                 INSERT INTO omnii_outbox (id, tx, tbl, row_id, op, data{note}) \
                   SELECT omnii_change(), omnii_transaction(), {t}, NEW.\"id\", 1, omnii_record({index}{}){noted} FROM {now};{after}",
                list("now")
            ),
        ),
        // before any trigger of the app can have changed the row again
        trigger_at(
            "BEFORE",
            "UPDATE",
            "before_",
            format!(
                "INSERT INTO omnii_overlay (tbl, row_id, server) SELECT {t}, OLD.\"id\", {old_record} \
                   WHERE NOT EXISTS (SELECT 1 FROM omnii_outbox WHERE tbl = {t} AND row_id = OLD.\"id\") \
                   AND NOT EXISTS (SELECT 1 FROM omnii_overlay WHERE tbl = {t} AND row_id = OLD.\"id\");"
            ),
        ),
        trigger(
            "UPDATE",
            format!(
                "SELECT RAISE(ABORT, 'the id of a row can''t be changed; insert a new row and delete the old one') \
                   WHERE OLD.\"id\" IS NOT NEW.\"id\"; \
                 INSERT INTO omnii_outbox (id, tx, tbl, row_id, op, data{was}{note}) \
                   SELECT omnii_change(), omnii_transaction(), {t}, NEW.\"id\", 2, d{taken}{kept} \
                   FROM (SELECT omnii_diff({index}{pairs}) AS d{before}{seen} FROM {now}) WHERE d IS NOT NULL; \
                 DELETE FROM omnii_overlay WHERE tbl = {t} AND row_id = OLD.\"id\" \
                   AND NOT EXISTS (SELECT 1 FROM omnii_outbox WHERE tbl = {t} AND row_id = OLD.\"id\");{after}"
            ),
        ),
        trigger(
            "DELETE",
            format!(
                "INSERT INTO omnii_overlay (tbl, row_id, server) SELECT {t}, OLD.\"id\", {old_record} \
                   WHERE NOT EXISTS (SELECT 1 FROM omnii_outbox WHERE tbl = {t} AND row_id = OLD.\"id\") \
                   AND NOT EXISTS (SELECT 1 FROM omnii_overlay WHERE tbl = {t} AND row_id = OLD.\"id\"); \
                 INSERT INTO omnii_outbox (id, tx, tbl, row_id, op{was}) VALUES (omnii_change(3), omnii_transaction(), {t}, OLD.\"id\", 3{deleted});"
            ),
        ),
    ];
    if table.insert_only {
        all.truncate(1);
    }
    all
}
