//! A JSON object whose keys keep the order of the text. The order of tables in an upload decides the order of work
//! (protocol 1, upload 5), and the order of columns in a config file is the order in answers. `serde_json`'s own
//! `preserve_order` feature would do this for every crate of the workspace at once, so it is done here for two places.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

/// Key and value pairs in the order of the text. A repeated key keeps its first place and its last value, as in
/// JavaScript.
#[derive(Debug, Clone)]
pub struct Ordered<V>(pub Vec<(String, V)>);

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Ordered<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OrderedVisitor(PhantomData))
    }
}

struct OrderedVisitor<V>(PhantomData<V>);

impl<'de, V: Deserialize<'de>> Visitor<'de> for OrderedVisitor<V> {
    type Value = Ordered<V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs: Vec<(String, V)> = Vec::new();
        while let Some((key, value)) = map.next_entry::<String, V>()? {
            match pairs.iter_mut().find(|(known, _)| *known == key) {
                Some(pair) => pair.1 = value,
                None => pairs.push((key, value)),
            }
        }
        Ok(Ordered(pairs))
    }
}

impl<V: Serialize> Serialize for Ordered<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<V> Default for Ordered<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_keep_their_order_and_a_repeated_key_its_first_place_and_last_value() {
        let ordered: Ordered<u8> = serde_json::from_str(r#"{"z":1,"a":2,"z":3,"m":4}"#).unwrap();
        let expected = [("z".to_owned(), 3), ("a".to_owned(), 2), ("m".to_owned(), 4)];
        assert_eq!(ordered.0, expected);
        assert_eq!(serde_json::to_string(&ordered).unwrap(), r#"{"z":3,"a":2,"m":4}"#);
    }
}
