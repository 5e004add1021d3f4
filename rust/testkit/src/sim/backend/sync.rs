//! `GET /sync` of the model: one page per table.

use super::bad_rows::BadRows;
use super::tables::{TABLES, instant_ms, table_index};
use super::{Answer, Backend, Mischief, Row, error, write_row};
use omnii_sync_core::timestamp::parse_micros;
use std::sync::Arc;

const DEFAULT_LIMIT: usize = 1000;
const MAX_LIMIT: usize = 5000;

impl Backend {
    pub(super) fn sync(&self, user: &str, query: &str, mischief: Mischief) -> Answer {
        let parameter = |name: &str| {
            query
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .find(|(key, _)| *key == name)
                .map(|(_, v)| decoded(v))
        };
        let since = match parameter("since").filter(|text| !text.is_empty()) {
            None => None,
            Some(text) => match parse_micros(&text) {
                // cut to milliseconds (pull 2)
                Some(us) => Some(us.div_euclid(1000) * 1000),
                None => return error(400, "Bad Request", "since: not an ISO 8601 timestamp"),
            },
        };
        let mut wanted: Vec<usize> = Vec::new();
        match parameter("tables").filter(|text| !text.is_empty()) {
            None => wanted.extend(0..TABLES.len()),
            Some(names) => {
                for table in names.split(',').filter_map(|name| table_index(name.trim())) {
                    if !wanted.contains(&table) {
                        wanted.push(table);
                    }
                }
            }
        }
        let limit = limit(parameter("limit").as_deref());
        let (mut out, mut sent, mut has_more) = (String::from("{\"changes\":{"), Vec::new(), false);
        let mut bad_rows = 0;
        wanted.retain(|table| mischief.missing_table != Some(*table));
        for (n, &table) in wanted.iter().enumerate() {
            let mut rows: Vec<(&String, &Arc<Row>)> =
                self.rows_of(table, user).filter(|(_, row)| since.is_none_or(|since| row.updated_us > since)).collect();
            rows.sort_by_key(|(id, row)| (row.updated_us, *id));
            rows.truncate(limit);
            has_more |= rows.len() >= limit;
            out.push_str(if n > 0 { ",\"" } else { "\"" });
            out.push_str(TABLES[table].name);
            out.push_str("\":[");
            let mut bad = BadRows::new(mischief.bad_rows, limit - rows.len());
            for (n, (id, row)) in rows.iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                write_row(table, id, row, &mut out);
                sent.push((table, (*id).clone(), (*row).clone()));
                bad_rows += bad.behind(table, Some((*id, *row)), n + 1 == rows.len(), &mut out);
            }
            if rows.is_empty() {
                bad_rows += bad.behind(table, None, true, &mut out);
            }
            out.push(']');
        }
        out.push_str(&format!("}},\"timestamp\":\"{}\",\"hasMore\":{has_more}}}", instant_ms(self.now_us)));
        let seq = self.history.last();
        Answer { status: 200, body: out.into_bytes(), rows: sent, tables: wanted, bad_rows, seq, ..Answer::default() }
    }
}

fn limit(text: Option<&str>) -> usize {
    let text = text.unwrap_or_default().trim();
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return DEFAULT_LIMIT;
    }
    match text.parse::<usize>() {
        Ok(0) => DEFAULT_LIMIT,
        Ok(limit) => limit.min(MAX_LIMIT),
        Err(_) => MAX_LIMIT,
    }
}

/// Percent-decoding, with `+` as a space.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        let hex = text.get(at + 1..at + 3).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (bytes[at], hex) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 2;
            }
            (b'+', _) => out.push(b' '),
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_decoded() {
        assert_eq!(decoded("2026-01-26T10%3A11%3A12.5%2B00%3A00"), "2026-01-26T10:11:12.5+00:00");
        assert_eq!(decoded("a+b%zz"), "a b%zz");
        assert_eq!(instant_ms(1_769_422_272_123_456), "2026-01-26T10:11:12.123Z");
    }
}
