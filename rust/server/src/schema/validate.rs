//! What a config file must not say: unusable names, references to nowhere, rules that do not fit a column's type. After
//! this the rest of the crate takes the schema at its word, in SQL too.

use std::collections::HashSet;

use super::{Column, ColumnType, IMPLIED, Schema};
use crate::values;

/// The first contradiction or unusable name, as a text that names table and column.
pub(super) fn validate(schema: &Schema) -> Result<(), String> {
    if schema.tables.is_empty() {
        return Err("tables: at least one table is needed".into());
    }
    for table in &schema.tables {
        let name = &table.name;
        check_name(name)?;
        if !matches!(table.id_type, ColumnType::Uuid | ColumnType::Text) {
            return Err(format!("{name}: idType is \"uuid\" or \"text\""));
        }
        let mut known: HashSet<&str> = HashSet::from(IMPLIED);
        for column in &table.columns {
            let at = format!("{name}.{}", column.name);
            check_name(&column.name).map_err(|error| format!("{name}: {error}"))?;
            if !known.insert(&column.name) {
                return Err(format!("{at}: id, user_id and updated_at are implied and must not be declared"));
            }
            validate_column(schema, column).map_err(|error| format!("{at}: {error}"))?;
        }
        if let Some(unknown) = table.unique.iter().flatten().find(|column| !known.contains(column.as_str())) {
            return Err(format!("{name}.unique: unknown column {unknown}"));
        }
        if table.unique.iter().any(Vec::is_empty) {
            return Err(format!("{name}.unique: an empty list"));
        }
    }
    Ok(())
}

fn validate_column(schema: &Schema, column: &Column) -> Result<(), String> {
    let spec = &column.spec;
    let numeric = matches!(spec.kind, ColumnType::Integer | ColumnType::Real);
    if (spec.min.is_some() || spec.max.is_some()) && !numeric {
        return Err("min and max are for integer and real columns".into());
    }
    if spec.allowed.as_ref().is_some_and(|allowed| spec.kind != ColumnType::Text || allowed.is_empty()) {
        return Err("enum is a non-empty list for a text column".into());
    }
    if let Some(reference) = &spec.references {
        let parent = schema.table(&reference.table);
        let parent = parent.ok_or_else(|| format!("references an unknown table {}", reference.table))?;
        if parent.id_type != spec.kind {
            return Err(format!("must have the type of {}'s id", parent.name));
        }
    }
    if let Some(default) = &spec.default
        && !spec.defaults_to_now()
    {
        values::to_sql(spec.kind, default).map_err(|refusal| format!("default: {refusal}"))?;
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), String> {
    let mut bytes = name.bytes();
    let first = bytes.next().is_some_and(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let rest = bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    let reserved = name.starts_with("sqlite_") || name.starts_with("omnii_");
    if first && rest && name.len() <= 63 && !reserved {
        return Ok(());
    }
    Err(format!("{name:?} is no usable name: a-z, 0-9 and _, at most 63, not starting with a digit, sqlite_ or omnii_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_of_a_config_is_named() {
        let table = |columns: &str| format!(r#"{{"tables":{{"t":{{"columns":{columns}}}}}}}"#);
        let cases = [
            (r#"{"tables":{}}"#.to_owned(), "at least one table"),
            (r#"{"tables":{"T x":{"columns":{}}}}"#.to_owned(), "no usable name"),
            (r#"{"tables":{"omnii_users":{"columns":{}}}}"#.to_owned(), "no usable name"),
            (r#"{"tables":{"t":{"columns":{},"unique":[["x"]]}}}"#.to_owned(), "t.unique: unknown column x"),
            (table(r#"{"a":{"type":"blob"}}"#), "tables.t.columns.a.type: unknown variant `blob`"),
            (table(r#"{"a":{"type":"text","notnull":true}}"#), "unknown field `notnull`"),
            (table(r#"{"id":{"type":"text"}}"#), "t.id: id, user_id and updated_at are implied"),
            (table(r#"{"a":{"type":"integer","default":"x"}}"#), "t.a: default:"),
            (table(r#"{"a":{"type":"text","min":1}}"#), "t.a: min and max"),
            (table(r#"{"a":{"type":"text","references":{"table":"t"}}}"#), "t.a: must have the type of t's id"),
            (table(r#"{"a":{"type":"uuid","references":{"table":"u"}}}"#), "t.a: references an unknown table u"),
            ("{\n  \"tables\": [\n".to_owned(), "line 2"),
        ];
        for (text, expected) in cases {
            let error = Schema::from_json(&text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text} gave {error}");
        }
    }
}
