//! What becomes of a value when its column changes its type between two versions of an app (docs/protocol.md, "Changing the
//! schema").
//!
//! A value is converted where nothing is lost and otherwise becomes NULL. Values are JSON as the outbox holds them: text,
//! numbers, null; `json` columns hold JSON text, `boolean` ones 0 and 1.

use crate::schema::ColumnType;
use serde_json::Value as Json;

/// `value` of a column that was `from`, for a column that is `to`. Of the same type, it is only checked that the column may
/// hold it: tables that are never synced are not checked when they are written.
pub fn convert(value: &Json, from: ColumnType, to: ColumnType) -> Json {
    let meaning = match from {
        ColumnType::Boolean => value.as_i64().map_or(Json::Null, |bit| Json::Bool(bit != 0)),
        ColumnType::Text
        | ColumnType::Integer
        | ColumnType::Real
        | ColumnType::Json
        | ColumnType::Timestamp
        | ColumnType::Blob => value.clone(),
    };
    let kept = |fits: bool| if fits { meaning.clone() } else { Json::Null };
    match to {
        ColumnType::Text => match &meaning {
            Json::String(_) | Json::Null => meaning,
            Json::Number(_) | Json::Bool(_) => Json::String(meaning.to_string()),
            Json::Array(_) | Json::Object(_) => Json::Null,
        },
        // a number does not say whether it counts seconds, or what else
        ColumnType::Timestamp => kept(meaning.is_string() && from != ColumnType::Json),
        ColumnType::Json => match &meaning {
            Json::String(text) => kept(serde_json::from_str::<Json>(text).is_ok()),
            Json::Number(_) | Json::Bool(_) => Json::String(meaning.to_string()),
            Json::Null | Json::Array(_) | Json::Object(_) => Json::Null,
        },
        ColumnType::Integer => whole(&scalar(meaning)).map_or(Json::Null, Json::from),
        ColumnType::Real => real(&scalar(meaning)).map_or(Json::Null, Json::from),
        ColumnType::Boolean => match scalar(meaning) {
            Json::Bool(bit) => Json::from(i64::from(bit)),
            other => whole(&other).filter(|bit| matches!(bit, 0 | 1)).map_or(Json::Null, Json::from),
        },
        ColumnType::Blob => Json::Null,
    }
}

/// `value`, of which nobody says what it was meant to be, for a column that is `to`: as what it looks like.
pub fn fit(value: &Json, to: ColumnType) -> Json {
    match value {
        Json::Null => Json::Null,
        Json::String(_) => convert(value, ColumnType::Text, to),
        Json::Bool(bit) => convert(&Json::from(i64::from(*bit)), ColumnType::Boolean, to),
        Json::Number(number) if number.is_f64() => convert(value, ColumnType::Real, to),
        Json::Number(_) => convert(value, ColumnType::Integer, to),
        Json::Array(_) | Json::Object(_) => convert(&Json::String(value.to_string()), ColumnType::Json, to),
    }
}

/// A text that says a number or a truth value, as that.
fn scalar(value: Json) -> Json {
    match &value {
        Json::String(text) => match serde_json::from_str(text.trim()) {
            Ok(said @ (Json::Number(_) | Json::Bool(_))) => said,
            Ok(_) | Err(_) => Json::Null,
        },
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => value,
    }
}

/// 2^53: beyond it a float no longer says which integer was meant.
const EXACT: f64 = 9_007_199_254_740_992.0;

fn whole(value: &Json) -> Option<i64> {
    match value {
        Json::Bool(bit) => Some(i64::from(*bit)),
        _ => value.as_i64().or_else(|| {
            let real = value.as_f64().filter(|r| r.fract() == 0.0 && r.abs() <= EXACT)?;
            (!value.is_u64()).then_some(real as i64)
        }),
    }
}

fn real(value: &Json) -> Option<f64> {
    match (value.as_i64(), value.as_u64()) {
        (Some(whole), _) => Some(whole as f64).filter(|real| *real as i128 == i128::from(whole)),
        (None, Some(_)) => None,
        (None, None) => match value {
            Json::Bool(bit) => Some(f64::from(u8::from(*bit))),
            _ => value.as_f64(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ColumnType::{Blob, Boolean, Integer, Json as J, Real, Text, Timestamp};
    use serde_json::json;

    #[test]
    fn without_loss_or_not_at_all() {
        for (from, to, value, expected) in [
            (Text, Integer, json!("12"), json!(12)),
            (Text, Integer, json!("-9223372036854775808"), json!(i64::MIN)),
            (Text, Integer, json!("9223372036854775808"), json!(null)),
            (Text, Integer, json!("1.0"), json!(1)),
            (Text, Integer, json!("1.5"), json!(null)),
            (Text, Integer, json!("twelve"), json!(null)),
            (Text, Integer, json!(""), json!(null)),
            (Text, Real, json!("0.1"), json!(0.1)),
            (Text, Real, json!("Infinity"), json!(null)),
            (Text, Real, json!("9007199254740993"), json!(null)),
            (Text, J, json!(r#"{"a": 1}"#), json!(r#"{"a": 1}"#)),
            (Text, J, json!("hello"), json!(null)),
            (Text, Boolean, json!("true"), json!(1)),
            (Text, Boolean, json!("0"), json!(0)),
            (Text, Boolean, json!("yes"), json!(null)),
            (Text, Timestamp, json!("2026-01-01"), json!("2026-01-01")),
            (Timestamp, Text, json!("2026-01-01"), json!("2026-01-01")),
            (Integer, Text, json!(9007199254740993_i64), json!("9007199254740993")),
            (Integer, Real, json!(3), json!(3.0)),
            (Integer, Real, json!(9007199254740993_i64), json!(null)),
            (Integer, Real, json!(i64::MIN), json!(i64::MIN as f64)),
            (Integer, Boolean, json!(1), json!(1)),
            (Integer, Boolean, json!(2), json!(null)),
            (Integer, J, json!(7), json!("7")),
            (Integer, Timestamp, json!(1767225600), json!(null)),
            (Real, Integer, json!(2.0), json!(2)),
            (Real, Integer, json!(2.5), json!(null)),
            (Real, Integer, json!(1e300), json!(null)),
            (Real, Text, json!(0.30000000000000004), json!("0.30000000000000004")),
            (Boolean, Integer, json!(1), json!(1)),
            (Boolean, Real, json!(0), json!(0.0)),
            (Boolean, Text, json!(1), json!("true")),
            (Boolean, J, json!(0), json!("false")),
            (J, Text, json!(r#"{"a": 1}"#), json!(r#"{"a": 1}"#)),
            (J, Integer, json!("5"), json!(5)),
            (J, Boolean, json!("true"), json!(1)),
            (J, Real, json!("[1]"), json!(null)),
            (J, Timestamp, json!("\"2026-01-01\""), json!(null)),
            (J, J, json!("not JSON"), json!(null)),
            (Text, Blob, json!("x"), json!(null)),
            (Text, Integer, json!(null), json!(null)),
        ] {
            assert_eq!(convert(&value, from, to), expected, "{value} from {from:?} to {to:?}");
        }
    }

    #[test]
    fn values_that_say_themselves_what_they_are() {
        for (to, value, expected) in [
            (Integer, json!(1.0), json!(1)),
            (Boolean, json!(0.0), json!(0)),
            (Boolean, json!(true), json!(1)),
            (Text, json!(true), json!("true")),
            (Real, json!(2), json!(2.0)),
            (J, json!({"a": [1]}), json!(r#"{"a":[1]}"#)),
            (Text, json!([1]), json!("[1]")),
            (Integer, json!("many"), json!(null)),
            (Blob, json!("x"), json!(null)),
        ] {
            assert_eq!(fit(&value, to), expected, "{value} to {to:?}");
        }
    }
}
