//! One value of a page, for a column of one type: converted where nothing is lost, named where it can't be held.

use crate::schema::ColumnType;
use crate::value::Value;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// How deep arrays and objects may lie in each other in a JSON column. Local writes are held to the same (it is
/// serde_json's limit), so that no value is too deep to be compared and pushed that was not too deep to be pulled.
pub(super) const MAX_NESTING: usize = 127;

/// Whether a JSON text goes beyond [`MAX_NESTING`].
fn is_nested_too_deep(text: &str) -> bool {
    // every level takes two characters, so that nearly all texts are settled by their length
    if text.len() <= 2 * MAX_NESTING {
        return false;
    }
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    text.bytes().any(|byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => depth += 1,
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > MAX_NESTING
    })
}

/// A string, borrowed where it has no escapes.
pub(super) struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Cow<'de, str>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Cow<'de, str>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }
    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// A value for a column of that type; `Err` names what was found where the column can't hold it without loss.
#[derive(Clone, Copy)]
pub(super) struct Cell {
    pub(super) column_type: ColumnType,
    /// A value that can't be read is an `Err` like one that can't be held, and not the end of the page.
    pub(super) careful: bool,
}

impl<'de> DeserializeSeed<'de> for Cell {
    type Value = Result<Value<'de>, &'static str>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        match self.column_type {
            ColumnType::Json => {
                let raw: &'de RawValue = serde::Deserialize::deserialize(deserializer)?;
                Ok(match raw.get() {
                    "null" => Ok(Value::Null),
                    text if is_nested_too_deep(text) => Err("a value that is nested deeper than 127 levels"),
                    text => Ok(Value::Text(Cow::Borrowed(text))),
                })
            }
            ColumnType::Text
            | ColumnType::Integer
            | ColumnType::Real
            | ColumnType::Boolean
            | ColumnType::Timestamp
            | ColumnType::Blob
                if self.careful =>
            {
                let raw: &'de RawValue = serde::Deserialize::deserialize(deserializer)?;
                let cell = Self { careful: false, ..self };
                Ok(cell
                    .deserialize(&mut serde_json::Deserializer::from_str(raw.get()))
                    .unwrap_or(Err("what can't be read")))
            }
            ColumnType::Text
            | ColumnType::Integer
            | ColumnType::Real
            | ColumnType::Boolean
            | ColumnType::Timestamp
            | ColumnType::Blob => deserializer.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Cell {
    type Value = Result<Value<'de>, &'static str>;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Ok(Value::Null))
    }
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(match self.column_type {
            ColumnType::Text | ColumnType::Timestamp => Ok(Value::Text(Cow::Borrowed(text))),
            ColumnType::Integer | ColumnType::Real | ColumnType::Json | ColumnType::Boolean | ColumnType::Blob => {
                Err("text")
            }
        })
    }
    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(match self.column_type {
            ColumnType::Text | ColumnType::Timestamp => Ok(Value::Text(Cow::Owned(text.to_owned()))),
            ColumnType::Integer | ColumnType::Real | ColumnType::Json | ColumnType::Boolean | ColumnType::Blob => {
                Err("text")
            }
        })
    }
    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(match self.column_type {
            ColumnType::Integer | ColumnType::Boolean => Ok(Value::Integer(i64::from(value))),
            ColumnType::Text => Ok(Value::Text(Cow::Borrowed(if value { "true" } else { "false" }))),
            ColumnType::Real | ColumnType::Json | ColumnType::Timestamp | ColumnType::Blob => Err("a boolean"),
        })
    }
    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(match self.column_type {
            ColumnType::Integer => Ok(Value::Integer(value)),
            ColumnType::Boolean if matches!(value, 0 | 1) => Ok(Value::Integer(value)),
            ColumnType::Real => Ok(Value::Real(value as f64)),
            ColumnType::Text => Ok(Value::Text(Cow::Owned(value.to_string()))),
            ColumnType::Json | ColumnType::Boolean | ColumnType::Timestamp | ColumnType::Blob => Err("a number"),
        })
    }
    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Self::Value, E> {
        match i64::try_from(value) {
            Ok(value) => self.visit_i64(value),
            Err(_) => Ok(match self.column_type {
                ColumnType::Real => Ok(Value::Real(value as f64)),
                ColumnType::Text => Ok(Value::Text(Cow::Owned(value.to_string()))),
                ColumnType::Integer
                | ColumnType::Json
                | ColumnType::Boolean
                | ColumnType::Timestamp
                | ColumnType::Blob => Err("a number beyond 64 bits"),
            }),
        }
    }
    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Self::Value, E> {
        Ok(match self.column_type {
            ColumnType::Real => Ok(Value::Real(value)),
            // 2^53: beyond it a float no longer says which integer was meant
            ColumnType::Integer if value.fract() == 0.0 && value.abs() <= 9_007_199_254_740_992.0 => {
                Ok(Value::Integer(value as i64))
            }
            ColumnType::Text => Ok(Value::Text(Cow::Owned(value.to_string()))),
            ColumnType::Integer => Err("a fraction"),
            ColumnType::Json | ColumnType::Boolean | ColumnType::Timestamp | ColumnType::Blob => Err("a number"),
        })
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Err("an array"))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Err("an object"))
    }
}
