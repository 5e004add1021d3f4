//! What the backend says to an upload, read from bytes that may be anything.
//!
//! An answer speaks of tables, not of operations (docs/protocol.md, upload 4): what it means for a single change is decided by
//! whoever sent the request.

use super::UploadRequest;
use crate::error::{ErrorCode, SyncError};
use crate::timestamp::parse_micros;
use serde::de::{Deserialize, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

/// What the backend said about one table of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableAnswer {
    /// No error. PUTs are now to be proven by read-back; DELETEs are done.
    Accepted,
    /// The backend has no such table: none of its operations can ever succeed.
    UnknownTable(String),
    /// The backend reported errors; it does not say for which operations.
    Refused(String),
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadAnswer {
    /// One per table of the request, in its order.
    pub tables: Vec<TableAnswer>,
    /// The backend's clock when it answered, in microseconds since the epoch, as far as it can be read. Whoever wrote a row
    /// later than that wrote after us.
    pub answered_at: Option<i64>,
}

/// Reads the answer to `request`. Takes no more memory than the names of the tables and one sentence for each, however
/// long the body is and however deep its values are nested.
pub fn read_answer(request: &UploadRequest, body: &[u8]) -> Result<UploadAnswer, SyncError> {
    #[derive(serde::Deserialize)]
    struct Answer {
        results: HashMap<String, TableResult>,
        #[serde(default)]
        timestamp: Sentence,
    }
    #[derive(serde::Deserialize)]
    struct TableResult {
        #[serde(default)]
        errors: First,
    }
    let answer: Answer = serde_json::from_slice(body).map_err(|e| {
        let at = format!("line {}, column {}", e.line(), e.column());
        SyncError::new(
            ErrorCode::BadResponse,
            format!("the answer to an upload is not one ({at}): is the endpoint right?"),
        )
    })?;
    let table_answer = |table: &str| match answer.results.get(table).map(|result| &result.errors.0) {
        None => TableAnswer::Refused("the backend's answer does not mention the table".into()),
        Some(None) => TableAnswer::Accepted,
        Some(Some(Sentence(None))) => TableAnswer::Refused("refused without a reason".into()),
        // the words are the protocol's (upload 4)
        Some(Some(Sentence(Some(text)))) if text.starts_with("Invalid table") => {
            TableAnswer::UnknownTable(text.clone())
        }
        Some(Some(Sentence(Some(text)))) => TableAnswer::Refused(text.clone()),
    };
    let tables = request.tables.iter().map(|(table, _)| table_answer(table)).collect();
    Ok(UploadAnswer { tables, answered_at: answer.timestamp.0.as_deref().and_then(parse_micros) })
}

/// Longest sentence of the backend that is kept, in characters.
const MAX_SENTENCE: usize = 200;

/// The beginning of a text; `None` for any other value, which is passed over.
#[derive(Default)]
struct Sentence(Option<String>);

impl<'de> Deserialize<'de> for Sentence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // a borrowed piece of the body, whatever it is: checked, not built
        let raw: &RawValue = Deserialize::deserialize(deserializer)?;
        // a text that is no Unicode says as little as a number would
        let text: Option<Cow<'_, str>> = serde_json::from_str(raw.get()).ok();
        Ok(Self(text.map(|text| text.chars().take(MAX_SENTENCE).collect())))
    }
}

/// The first of a list; the others are passed over.
#[derive(Default)]
struct First(Option<Sentence>);

impl<'de> Deserialize<'de> for First {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = First;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of errors")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<First, A::Error> {
                let first = seq.next_element()?;
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(First(first))
            }
        }
        deserializer.deserialize_seq(List)
    }
}
