//! `POST /upload` of the model: tables in the order of the object's keys, operations in array order, each for itself.

use super::tables::{Kind, instant_ms, table_index};
use super::{Answer, Backend, Mischief, Origin, error};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

/// An object's entries in the order of the text; a repeated key keeps its first place and its last value.
#[derive(Debug, Default)]
pub(crate) struct Ordered(pub Vec<(String, Vec<Value>)>);

impl<'de> Deserialize<'de> for Ordered {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Ordered;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of arrays")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Ordered, A::Error> {
                let mut entries: Vec<(String, Vec<Value>)> = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, Vec<Value>>()? {
                    match entries.iter_mut().find(|(known, _)| *known == key) {
                        Some(entry) => entry.1 = value,
                        None => entries.push((key, value)),
                    }
                }
                Ok(Ordered(entries))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

/// The body of an upload.
#[derive(serde::Deserialize)]
pub(crate) struct Upload {
    pub changes: Ordered,
}

impl Backend {
    pub(super) fn upload(&mut self, user: &str, body: &[u8], origin: Origin, mischief: Mischief) -> Answer {
        let Ok(Upload { changes }) = serde_json::from_slice::<Upload>(body) else {
            return error(400, "Bad Request", "not an upload");
        };
        let (mut results, mut deleted) = (Vec::new(), Vec::new());
        for (name, operations) in changes.0 {
            let (mut success, mut errors) = (0, Vec::new());
            match table_index(&name) {
                None => errors.push(format!("Invalid table: {name}")),
                Some(table) => {
                    for (n, operation) in operations.iter().enumerate() {
                        let empty = Map::new();
                        match operation.get("type").unwrap_or(&Value::Null) {
                            _ if mischief.throws && n == 0 => {
                                if let Some(data) = operation.get("data").and_then(Value::as_object) {
                                    self.refuse(table, data, origin);
                                }
                                errors.push("connection reset by peer".to_owned());
                            }
                            Value::String(kind) if kind == "PUT" => {
                                let data = operation.get("data").and_then(Value::as_object).unwrap_or(&empty);
                                let swallowed = mischief.swallow == Some(n as u64 % 3);
                                if swallowed {
                                    self.refuse(table, data, origin);
                                } else {
                                    let stamp = self.stamp();
                                    self.put(table, user, data, stamp, origin, None);
                                }
                                success += 1;
                            }
                            Value::String(kind) if kind == "DELETE" => {
                                if let Some(Some(id)) = operation.get("id").and_then(|id| Kind::Uuid.normal(id)) {
                                    self.delete(user, table, &id, origin);
                                    deleted.push((table, id));
                                }
                                success += 1;
                            }
                            Value::String(kind) => errors.push(format!("Unknown operation type: {kind}")),
                            Value::Null => errors.push("Unknown operation type: undefined".to_owned()),
                            other => errors.push(format!("Unknown operation type: {other}")),
                        }
                    }
                }
            }
            let result = serde_json::json!({ "success": success, "errors": errors });
            results.push(format!("{}:{result}", Value::from(name)));
        }
        let now = instant_ms(self.now_us);
        let body = format!("{{\"results\":{{{}}},\"timestamp\":\"{now}\"}}", results.join(","));
        Answer { status: 200, body: body.into_bytes(), deleted, ..Answer::default() }
    }
}
