//! The schema as SQL. Owns the statements that make the synced tables and their indexes in SQLite, and the quoting of
//! identifiers. Every table has one index for paging, `(user_id, updated_at, id)`, and one per foreign key so that a
//! cascade does not scan.

use rusqlite::types::Value as Sql;

use crate::schema::{Column, ColumnType, OnDelete, Table};
use crate::values;

/// `name` as an SQL identifier.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// All columns in the order of answers: `id, user_id, …, updated_at`, each with its type.
pub(crate) fn columns(table: &Table) -> Vec<(&str, ColumnType)> {
    let declared = table.columns.iter().map(|column| (column.name.as_str(), column.spec.kind));
    let head = [("id", table.id_type), ("user_id", ColumnType::Uuid)];
    head.into_iter().chain(declared).chain([("updated_at", ColumnType::Timestamp)]).collect()
}

/// `CREATE TABLE IF NOT EXISTS`.
pub(crate) fn create_table(table: &Table) -> String {
    let mut parts = vec!["\"id\" TEXT NOT NULL PRIMARY KEY".to_owned(), "\"user_id\" TEXT NOT NULL".to_owned()];
    parts.extend(table.columns.iter().map(column_definition));
    parts.push("\"updated_at\" TEXT NOT NULL".to_owned());
    parts.extend(table.unique.iter().map(|columns| format!("UNIQUE ({})", list(columns))));
    format!("CREATE TABLE IF NOT EXISTS {} (\n  {}\n)", quoted(&table.name), parts.join(",\n  "))
}

/// Name and `CREATE INDEX IF NOT EXISTS` of every secondary index.
pub(crate) fn indexes(table: &Table) -> Vec<(String, String)> {
    let page = ["user_id".to_owned(), "updated_at".to_owned(), "id".to_owned()];
    let led_by_unique = |column: &Column| table.unique.iter().any(|columns| columns[0] == column.name);
    let references = table.columns.iter().filter(|column| column.spec.references.is_some() && !led_by_unique(column));
    let mut all = vec![(format!("omnii_page_{}", table.name), list(&page))];
    all.extend(references.map(|column| (format!("omnii_ref_{}_{}", table.name, column.name), quoted(&column.name))));
    let sql = |name: &str, columns: &str| {
        format!("CREATE INDEX IF NOT EXISTS {} ON {} ({columns})", quoted(name), quoted(&table.name))
    };
    all.into_iter().map(|(name, columns)| (name.clone(), sql(&name, &columns))).collect()
}

fn column_definition(column: &Column) -> String {
    let spec = &column.spec;
    let name = quoted(&column.name);
    let affinity = match spec.kind {
        ColumnType::Text | ColumnType::Json | ColumnType::Timestamp | ColumnType::Uuid | ColumnType::Boolean => "TEXT",
        ColumnType::Integer => "INTEGER",
        ColumnType::Real => "REAL",
    };
    let mut sql = format!("{name} {affinity}");
    if spec.not_null {
        sql.push_str(" NOT NULL");
    }
    // A `now` default is filled in by the upsert, from the server's clock.
    if let Some(default) = spec.default.as_ref().filter(|_| !spec.defaults_to_now()) {
        let value = values::to_sql(spec.kind, default).expect("the schema validated its defaults");
        sql.push_str(&format!(" DEFAULT {}", literal(&value)));
    }
    if let Some(allowed) = &spec.allowed {
        let allowed: Vec<_> = allowed.iter().map(|text| literal(&Sql::Text(text.clone()))).collect();
        sql.push_str(&format!(" CHECK ({name} IN ({}))", allowed.join(", ")));
    }
    for (bound, operator) in [(spec.min, ">="), (spec.max, "<=")] {
        if let Some(bound) = bound {
            sql.push_str(&format!(" CHECK ({name} {operator} {bound})"));
        }
    }
    if let Some(reference) = &spec.references {
        let action = match reference.on_delete {
            OnDelete::Restrict => "NO ACTION",
            OnDelete::Cascade => "CASCADE",
            OnDelete::SetNull => "SET NULL",
        };
        sql.push_str(&format!(" REFERENCES {} (\"id\") ON DELETE {action}", quoted(&reference.table)));
    }
    sql
}

fn literal(value: &Sql) -> String {
    match value {
        Sql::Null => "NULL".to_owned(),
        Sql::Integer(number) => number.to_string(),
        Sql::Real(number) => format!("{number:?}"),
        Sql::Text(text) => format!("'{}'", text.replace('\'', "''")),
        Sql::Blob(_) => unreachable!("no column type makes blobs"),
    }
}

fn list(columns: &[String]) -> String {
    columns.iter().map(|column| quoted(column)).collect::<Vec<_>>().join(", ")
}
