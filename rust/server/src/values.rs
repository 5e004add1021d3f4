//! JSON values into column values, as PostgREST and PostgreSQL would take them. Owns the rules of conversion and the
//! normal forms (UUID in lower case, timestamps canonical, JSON as `jsonb` prints it: keys by length, then bytes).
//! A value that does not fit is a *refusal*, which protocol 1 swallows.

use std::fmt;

use rusqlite::types::Value as Sql;
use serde_json::Value;

use crate::schema::ColumnType;
use crate::timestamps;

/// Why a value or row was not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal(pub String);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The SQL value of `value` in a column of type `kind`. JSON `null` is SQL NULL in every type.
pub(crate) fn to_sql(kind: ColumnType, value: &Value) -> Result<Sql, Refusal> {
    if value.is_null() {
        return Ok(Sql::Null);
    }
    match kind {
        ColumnType::Text => text(value),
        ColumnType::Json => jsonb(value).map(Sql::Text),
        ColumnType::Integer => integer(value).map(Sql::Integer).ok_or_else(|| misfit("bigint")),
        ColumnType::Real => real(value).map(Sql::Real).ok_or_else(|| misfit("double precision")),
        ColumnType::Timestamp => {
            let parsed = value.as_str().and_then(timestamps::parse_us);
            parsed.map(|us| Sql::Text(timestamps::canonical(us))).ok_or_else(|| misfit("timestamptz"))
        }
        ColumnType::Uuid => {
            let parsed = value.as_str().and_then(|text| uuid::Uuid::parse_str(text).ok());
            parsed.map(|id| Sql::Text(id.to_string())).ok_or_else(|| misfit("uuid"))
        }
        ColumnType::Boolean => boolean(value).map(Sql::Text).ok_or_else(|| misfit("boolean")),
    }
}

fn misfit(kind: &str) -> Refusal {
    Refusal(format!("invalid input syntax for type {kind}"))
}

fn text(value: &Value) -> Result<Sql, Refusal> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    };
    no_nul(&text)?;
    Ok(Sql::Text(text))
}

/// As the JSON that it is in answers.
fn boolean(value: &Value) -> Option<String> {
    let is_true = match value {
        Value::Bool(bit) => *bit,
        Value::Number(number) => match number.as_i64()? {
            0 => false,
            1 => true,
            _ => return None,
        },
        Value::String(text) => text.trim().to_ascii_lowercase().parse().ok()?,
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    Some(is_true.to_string())
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn real(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    // JSON has no word for infinity, so it could never be sent back.
    number.filter(|number| number.is_finite())
}

/// The text of `value` as `jsonb` keeps it, without spaces. A JSON string stays a JSON string (protocol 1, upload 3).
pub(crate) fn jsonb(value: &Value) -> Result<String, Refusal> {
    let mut out = String::new();
    write_jsonb(value, &mut out)?;
    Ok(out)
}

fn write_jsonb(value: &Value, out: &mut String) -> Result<(), Refusal> {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (n, item) in items.iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                write_jsonb(item, out)?;
            }
            out.push(']');
        }
        Value::Object(map) => {
            let mut pairs: Vec<_> = map.iter().collect();
            pairs.sort_by(|(a, _), (b, _)| (a.len(), a.as_bytes()).cmp(&(b.len(), b.as_bytes())));
            out.push('{');
            for (n, (key, item)) in pairs.into_iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                write_string(key, out)?;
                out.push(':');
                write_jsonb(item, out)?;
            }
            out.push('}');
        }
        Value::String(text) => write_string(text, out)?,
        Value::Null | Value::Bool(_) | Value::Number(_) => out.push_str(&value.to_string()),
    }
    Ok(())
}

fn write_string(text: &str, out: &mut String) -> Result<(), Refusal> {
    no_nul(text)?;
    out.push_str(&serde_json::to_string(text).expect("a string always serializes"));
    Ok(())
}

/// PostgreSQL has no place for `\u0000` in text or `jsonb`.
fn no_nul(text: &str) -> Result<(), Refusal> {
    if text.contains('\0') {
        return Err(Refusal("unsupported Unicode escape sequence: \\u0000 cannot be converted to text".into()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_take_their_columns_normal_form() {
        let text = |text: &str| Ok(Sql::Text(text.to_owned()));
        let cases = [
            (ColumnType::Boolean, json!(true), text("true")),
            (ColumnType::Boolean, json!(0), text("false")),
            (ColumnType::Boolean, json!("TRUE"), text("true")),
            (ColumnType::Text, json!("a"), text("a")),
            (ColumnType::Text, json!(5), text("5")),
            (ColumnType::Text, json!({"a": 1}), text(r#"{"a":1}"#)),
            (
                ColumnType::Json,
                json!({"bb": 1, "c": [true, null], "a": "x"}),
                text(r#"{"a":"x","c":[true,null],"bb":1}"#),
            ),
            (ColumnType::Json, json!(r#"{"a":1}"#), text(r#""{\"a\":1}""#)),
            (ColumnType::Json, Value::Null, Ok(Sql::Null)),
            (ColumnType::Integer, json!("42"), Ok(Sql::Integer(42))),
            (ColumnType::Real, json!(1), Ok(Sql::Real(1.0))),
            (ColumnType::Timestamp, json!("2026-01-26T11:11:12+01"), text("2026-01-26T10:11:12.000000+00:00")),
            (
                ColumnType::Uuid,
                json!("7D9F0C1E-0000-4000-8000-00000000000A"),
                text("7d9f0c1e-0000-4000-8000-00000000000a"),
            ),
        ];
        for (kind, value, expected) in cases {
            assert_eq!(to_sql(kind, &value), expected, "{kind:?} {value}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (kind, value) in [
            (ColumnType::Integer, json!(1.5)),
            (ColumnType::Integer, json!(true)),
            (ColumnType::Integer, json!(u64::MAX)),
            (ColumnType::Real, json!("inf")),
            (ColumnType::Timestamp, json!(1_769_422_272)),
            (ColumnType::Timestamp, json!("yesterday")),
            (ColumnType::Boolean, json!(2)),
            (ColumnType::Boolean, json!("yes")),
            (ColumnType::Uuid, json!("task-1")),
            (ColumnType::Text, json!("a\0b")),
            (ColumnType::Json, json!({"k\0": 1})),
            (ColumnType::Json, json!(["\0"])),
        ] {
            assert!(to_sql(kind, &value).is_err(), "{kind:?} {value}");
        }
    }
}
