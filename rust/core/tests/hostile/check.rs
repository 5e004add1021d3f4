//! What must hold of a parser's result whatever it was given. Used by `hostile.rs` and by the fuzz targets in `../../fuzz`.

use omnii_sync_core::protocol1::{page, upload};
use omnii_sync_core::value::Value;
use omnii_sync_core::{ErrorCode, Schema, SyncError, Table};
use serde::de::IgnoredAny;
use std::sync::OnceLock;

/// Valid pages, to mutate; seeds of the fuzz target.
pub const PAGES: &[&str] =
    &[include_str!("seeds/page/1.json"), include_str!("seeds/page/2.json"), include_str!("seeds/page/3.json")];

/// Valid answers to an upload, to mutate; seeds of the fuzz target.
pub const ANSWERS: &[&str] = &[include_str!("seeds/answer/1.json"), include_str!("seeds/answer/2.json")];

/// The table that the pages are of.
pub fn table() -> Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    let json = r#"{"tables":[{"name":"t","columns":[{"name":"a","type":"text"},{"name":"n","type":"integer"},
        {"name":"r","type":"real"},{"name":"j","type":"json"},{"name":"updated_at","type":"text"}]}]}"#;
    TABLE.get_or_init(|| Schema::from_json(json).expect("a valid schema").tables.remove(0)).clone()
}

/// The request that the answers are to.
pub fn request() -> upload::UploadRequest {
    upload::UploadRequest { tables: vec![("t".into(), vec![]), ("o".into(), vec![])], body: Vec::new() }
}

fn refusal(error: &SyncError) {
    assert_eq!(error.code, ErrorCode::BadResponse);
    assert!(error.message.len() < 300, "{} bytes of message", error.message.len());
}

/// Reads `body` as a page.
pub fn page(body: &[u8]) {
    let table = table();
    let page = match page::read(body, &table, "u") {
        Ok(None) => return,
        Ok(Some(page)) => page,
        Err(error) => return refusal(&error),
    };
    assert_eq!(page.received, page.rows.len() + page.foreign + page.malformed);
    assert_eq!(page.first_fault.is_some(), page.malformed > 0);
    assert_eq!(page.refused_ids.len() + page.unidentified, page.foreign + page.malformed);
    assert!(page.first_fault.is_none_or(|fault| fault.len() < 400));
    assert_eq!(page.cursor, page.rows.iter().map(|row| row.updated_at).max());
    assert!(page.cursor <= page.last_updated_at);
    let mut bytes = 0;
    for row in &page.rows {
        assert!(!row.id.is_empty() && !row.id.contains('\0'));
        assert_eq!(row.values.len(), table.columns.len());
        bytes += row.id.len();
        for (index, value) in row.values.iter().enumerate() {
            match (index, value) {
                (_, None | Some(Value::Null)) | (1, Some(Value::Integer(_))) => {}
                (2, Some(Value::Real(real))) => assert!(real.is_finite()),
                (0 | 4, Some(Value::Text(text))) => bytes += text.len(),
                (3, Some(Value::Text(text))) => {
                    bytes += text.len();
                    serde_json::from_str::<IgnoredAny>(text).expect("a JSON column holds JSON");
                }
                (_, Some(other)) => panic!("column {index} got {other:?}"),
            }
        }
    }
    // a number in a text column may be written longer than it came: 1e300
    assert!(bytes <= 400 * body.len(), "{bytes} bytes of values");
}

/// Reads `body` as an answer to an upload.
pub fn answer(body: &[u8]) {
    match upload::read_answer(&request(), body) {
        Ok(answer) => {
            assert_eq!(answer.tables.len(), 2);
            for table in answer.tables {
                match table {
                    upload::TableAnswer::Accepted => {}
                    upload::TableAnswer::UnknownTable(why) | upload::TableAnswer::Refused(why) => {
                        assert!(why.chars().count() <= 200);
                    }
                }
            }
        }
        Err(error) => refusal(&error),
    }
}
