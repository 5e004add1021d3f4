//! One value of one column, as it travels between the protocol and the store.

use std::borrow::Cow;

/// A column's value. JSON columns travel as their text, which is what SQLite holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// SQL NULL, JSON null, an absent column.
    Null,
    /// `integer` columns.
    Integer(i64),
    /// `real` columns; always finite.
    Real(f64),
    /// `text` columns, and `json` columns as JSON text.
    Text(Cow<'a, str>),
}

impl Value<'_> {
    /// The same value without borrowed text.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Self::Null => Value::Null,
            Self::Integer(i) => Value::Integer(i),
            Self::Real(r) => Value::Real(r),
            Self::Text(t) => Value::Text(Cow::Owned(t.into_owned())),
        }
    }
}
