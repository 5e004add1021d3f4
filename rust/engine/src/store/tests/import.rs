//! Taking in a file of the real PowerSync (fixtures/powersync, which says how it was made).

use super::*;
use std::path::Path;

const TABLES: &str = r#"{"tables":[
    {"name":"entities","columns":[{"name":"name","type":"text"},{"name":"properties","type":"json"},{"name":"rank","type":"integer"},
     {"name":"score","type":"real"},{"name":"done","type":"boolean"},{"name":"user_id","type":"text"},{"name":"extra","type":"text"}],
     "required":["name"]},
    {"name":"tracked","columns":[{"name":"title","type":"text"},{"name":"body","type":"text"}],"trackPrevious":{},"trackMetadata":true},
    {"name":"renamed","columns":[{"name":"value","type":"text"}],"viewName":"renamed_view"},
    {"name":"events","columns":[{"name":"kind","type":"text"}],"insertOnly":true},
    {"name":"drafts","columns":[{"name":"text","type":"text"}],"localOnly":true}]}"#;

const OLD: &str = "omnii-powersync.db";

fn made(suffix: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/powersync/powersync.sqlite{suffix}"))
}

/// A folder with the old file in it, with its log if `suffixes` say so.
fn folder(suffixes: &[&str]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for suffix in suffixes {
        std::fs::copy(made(suffix), directory.path().join(format!("{OLD}{suffix}"))).unwrap();
    }
    directory
}

fn options(directory: &Path, schema: &str, user: &str) -> StoreOptions {
    let schema = Arc::new(Schema::from_json(schema).unwrap());
    let import_from = Some(directory.join(OLD));
    StoreOptions { import_from, ..StoreOptions::new(directory.join("x.db"), schema, user.into()) }
}

fn open_from(directory: &tempfile::TempDir, schema: &str) -> Result<Arc<Store>> {
    Store::open(options(directory.path(), schema, "user-1"), Arc::new(Seen::default())).map(Arc::new)
}

fn imported(suffixes: &[&str], schema: &str) -> Fixture {
    let directory = folder(suffixes);
    let store = open_from(&directory, schema).unwrap();
    Fixture { store, seen: Arc::default(), directory }
}

fn contents(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_name().to_str().unwrap().starts_with("omnii-powersync"))
        .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}

const ALL: Imported = Imported { rows: 24, changes: 10, skipped_rows: 5, skipped_changes: 5, lost_values: 1 };

#[test]
fn rows_and_queue_are_taken_in_with_what_is_in_the_log_only() {
    let directory = folder(&["", "-wal"]);
    let before = contents(directory.path());
    let store = open_from(&directory, TABLES).unwrap();
    let f = Fixture { store, seen: Arc::default(), directory };
    assert_eq!(f.store.remembered().imported, Some(ALL));
    assert_eq!(f.store.remembered().counts, Counts { pending: 10, parked: 0 });
    let mut after = contents(f.directory.path());
    let note = after.iter().position(|(name, _)| name.ends_with(".imported")).expect("a note");
    after.remove(note);
    assert!(after == before, "the old files are as they were");
    assert!(!f.directory.path().join("x.db.importing").exists());

    let sql = "SELECT substr(id, -3), name, properties, rank, typeof(rank), score, done, extra FROM entities \
               WHERE substr(id, -3) IN ('001', '002', '003', '004', '021', '022', '050', '051') ORDER BY id";
    let props = r#"{"a":[1,2]}"#;
    assert_eq!(
        f.read(sql),
        [
            ["001", "changed twice", props, "1", "integer", "1.5", "1", "NULL"],
            ["002", "entity 2", props, "1000", "integer", "2.5", "0", "NULL"],
            ["004", "entity 4", props, "4", "integer", "4.5", "0", "NULL"],
            ["022", "cannot be a number", props, "NULL", "null", "22.5", "0", "NULL"],
            ["050", "new here", props, "NULL", "null", "50.5", "0", "NULL"],
        ]
    );
    assert_eq!(f.read("SELECT text FROM drafts ORDER BY id"), [["a draft"], ["a late draft"]]);
    assert_eq!(f.read("SELECT title, body, _metadata FROM tracked"), [["new title", "body", "NULL"]]);
    assert_eq!(f.read("SELECT count(*) FROM renamed_view"), [["0"]]);
    assert_eq!(f.read("SELECT count(*) FROM events"), [["0"]]);

    let queue = "SELECT dense_rank() OVER (ORDER BY tx), tbl, substr(row_id, -3), op, data, state, previous, metadata \
                 FROM omnii_outbox ORDER BY id";
    let put = |name: &str, rank: &str, score: &str, done: &str| {
        format!(
            r#"{{"name":"{name}","properties":"{{\"a\":[1,2]}}","rank":{rank},"score":{score},"done":{done},"user_id":"user-1","extra":null}}"#
        )
    };
    let (new, made) = (put("new here", "null", "50.5", "0"), put("made and deleted", "51", "51.5", "1"));
    let none = "NULL";
    let sorted = |rows: Vec<Vec<String>>| -> Vec<Vec<String>> {
        // objects keep no order
        let sort = |cell: String| match serde_json::from_str::<serde_json::Map<_, serde_json::Value>>(&cell) {
            Ok(object) => {
                serde_json::to_string(&object.into_iter().collect::<std::collections::BTreeMap<_, _>>()).unwrap()
            }
            Err(_) => cell,
        };
        rows.into_iter().map(|row| row.into_iter().map(sort).collect()).collect()
    };
    let expected = [
        ["1", "entities", "050", "1", &new, "0", none, none],
        ["2", "entities", "001", "2", r#"{"name":"changed here"}"#, "0", none, none],
        ["2", "entities", "002", "2", r#"{"rank":1000}"#, "0", none, none],
        ["3", "entities", "001", "2", r#"{"name":"changed twice"}"#, "0", none, none],
        ["4", "entities", "003", "3", none, "0", none, none],
        ["5", "tracked", "101", "2", r#"{"title":"new title"}"#, "0", r#"{"title":"title","body":"body"}"#, "by hand"],
        ["6", "renamed", "201", "3", none, "0", none, none],
        ["7", "events", "501", "1", r#"{"kind":"opened"}"#, "0", none, none],
        ["8", "entities", "051", "1", &made, "0", none, none],
        ["9", "entities", "051", "3", none, "0", none, none],
    ];
    assert_eq!(sorted(f.read(queue)), sorted(expected.map(|row| row.map(str::to_owned).to_vec()).to_vec()));
}

#[test]
fn without_the_log_it_is_what_the_file_says() {
    let f = imported(&[""], TABLES);
    let done = f.store.remembered().imported.unwrap();
    assert_eq!((done.rows, done.changes, done.skipped_rows), (24, 0, 5));
    assert_eq!(f.read("SELECT name FROM entities WHERE id LIKE '%003'"), [["entity 3"]]);
    assert_eq!(contents(f.directory.path()).len(), 2, "the file and the note: {:?}", f.directory.path());
}

#[test]
fn it_happens_once_and_never_into_data() {
    let f = imported(&["", "-wal"], TABLES);
    f.run("DELETE FROM drafts");
    let Fixture { store, seen, directory } = f;
    store.close();
    // gone with its data and all that it remembers, as after signing out
    let again = |directory: tempfile::TempDir| {
        let store = open_from(&directory, TABLES).unwrap();
        Fixture { store, seen: seen.clone(), directory }
    };
    let f = again(directory);
    assert_eq!((f.store.remembered().imported, f.counts()), (Some(ALL), (10, 0)));
    assert_eq!(f.read("SELECT count(*) FROM drafts"), [["0"]]);
    f.write(|w| w.transaction(|w| w.clear_all(true)));
    f.store.close();
    let f = again(f.directory);
    assert_eq!((f.store.remembered().imported, f.counts()), (Some(ALL), (0, 0)));
    f.store.close_and(|file| file.delete()).unwrap();
    let f = again(f.directory);
    assert_eq!((f.store.remembered().imported, f.counts()), (None, (0, 0)));
    assert_eq!(f.read("SELECT count(*) FROM entities"), [["0"]]);

    let directory = folder(&["", "-wal"]);
    let plain = StoreOptions { import_from: None, ..options(directory.path(), TABLES, "user-1") };
    let f = Fixture { store: Arc::new(Store::open(plain, seen.clone()).unwrap()), seen: seen.clone(), directory };
    f.run("INSERT INTO drafts (id, text) VALUES ('mine', 'mine')");
    f.store.close();
    let f = again(f.directory);
    assert_eq!(f.read("SELECT id FROM drafts"), [["mine"]]);
    assert_eq!((f.store.remembered().imported, f.counts()), (None, (0, 0)));
    // nor when it has been emptied since
    f.write(|w| w.transaction(|w| w.clear_all(true)));
    f.store.close();
    assert_eq!(again(f.directory).counts(), (0, 0));
}

#[test]
fn a_file_that_is_missing_is_none_and_may_come_later() {
    let f = imported(&[], TABLES);
    assert_eq!(f.store.remembered().imported, None);
    f.store.close();
    for suffix in ["", "-wal"] {
        std::fs::copy(made(suffix), f.directory.path().join(format!("{OLD}{suffix}"))).unwrap();
    }
    let store = open_from(&f.directory, TABLES).unwrap();
    assert_eq!(store.remembered().imported, Some(ALL));
    let f = Fixture { store, ..f };
    // above all numbers that an earlier opening may have given out
    assert_eq!(f.read("SELECT min(id) > 1 << 23 FROM omnii_outbox"), [["1"]]);
}

#[test]
fn what_can_not_be_taken_in_says_so_and_leaves_both_files() {
    let garbage = vec![7; 5000];
    let mut damaged = std::fs::read(made("")).unwrap();
    // all but the pages of SQLite's own table
    let pages = damaged.len();
    damaged[4096 * 30..pages].fill(0xaa);
    let other = {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("o.db");
        rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
        std::fs::read(path).unwrap()
    };
    for (bytes, words) in
        [(garbage, "not a database"), (damaged, "malformed"), (other, "not a PowerSync"), (vec![], "not a PowerSync")]
    {
        let directory = folder(&[]);
        let old = directory.path().join(OLD);
        std::fs::write(&old, &bytes).unwrap();
        let error = open_from(&directory, TABLES).err().expect(words);
        assert_eq!(error.code, ErrorCode::ImportFailed, "{words}: {error}");
        assert!(error.message.contains(words) && error.message.contains(OLD), "{error}");
        assert!(std::fs::read(&old).unwrap() == bytes);
        // without it, and then again with a good one
        let plain = StoreOptions { import_from: None, ..options(directory.path(), TABLES, "user-1") };
        let store = Store::open(plain, Arc::new(Seen::default())).unwrap();
        assert_eq!(store.remembered().counts, Counts::default());
        store.close();
        std::fs::copy(made(""), &old).unwrap();
        assert_eq!(open_from(&directory, TABLES).unwrap().remembered().imported.unwrap().rows, 24);
    }
    let directory = folder(&[]);
    std::fs::create_dir(directory.path().join(OLD)).unwrap();
    assert_eq!(open_from(&directory, TABLES).err().unwrap().code, ErrorCode::ImportFailed);
}

#[test]
fn what_the_backend_had_is_known_where_nobody_changed_it_or_it_was_tracked() {
    let f = imported(&["", "-wal"], TABLES);
    let mut versions =
        f.read("SELECT tbl, substr(row_id, -3), server, updated_at FROM omnii_overlay ORDER BY tbl, row_id");
    let columns = |cell: &str| -> Vec<String> {
        let row: serde_json::Map<String, serde_json::Value> = serde_json::from_str(cell).unwrap();
        let mut columns: Vec<String> = row.iter().map(|(name, value)| format!("{name}={value}")).collect();
        columns.sort();
        columns
    };
    for version in &mut versions {
        version[2] = columns(&version[2]).join(" ");
    }
    let rest = r#"properties="{\"a\":[1,2]}""#;
    let expected = [
        ["entities", "001", &format!("done=1 extra=null {rest} rank=1 score=1.5 user_id=\"user-1\""), "0"],
        ["entities", "002", &format!("done=0 extra=null name=\"entity 2\" {rest} score=2.5 user_id=\"user-1\""), "0"],
        ["entities", "003", "", "0"],
        ["renamed", "201", "", "0"],
        ["tracked", "101", r#"body="body" title="title""#, "0"],
    ];
    assert_eq!(versions, expected);
}

/// A page of the backend for the first table.
fn pull(f: &Fixture, rows: &str) -> Applied {
    let pull = f.store.begin_pull().number();
    let body = format!(r#"{{"changes":{{"entities":[{rows}]}}}}"#);
    f.write(move |w| {
        let table = w.schema.tables[0].clone();
        let page = page::read(body.as_bytes(), &table, "user-1")?.unwrap();
        w.transaction(|w| w.apply(&PulledPage { table: &table, page: &page, pull, complete: COMPLETE, sweep: false }))
    })
}

fn server(n: u32, name: &str, at: &str) -> String {
    format!(
        r#"{{"id":"00000000-0000-4000-8000-{n:012}","name":"{name}","properties":{{"s":1}},"rank":7,"score":1,"done":true,
            "user_id":"user-1","extra":"e","updated_at":"2026-01-01T00:00:{at}Z"}}"#
    )
}

#[test]
fn what_was_pending_stays_on_top_of_older_pages_and_leaves_when_it_is_proven() {
    let f = imported(&["", "-wal"], TABLES);
    pull(&f, &[server(1, "old", "01"), server(2, "theirs", "01"), server(3, "deleted here", "01")].join(","));
    let look = "SELECT substr(id, -3), name, rank, extra FROM entities WHERE substr(id, -3) IN ('001', '002', '003') ORDER BY id";
    assert_eq!(f.read(look), [["001", "changed twice", "7", "e"], ["002", "theirs", "1000", "e"]]);
    assert_eq!(f.counts(), (10, 0));
    f.send_all();
    let later = [server(1, "changed twice", "59"), server(50, "new here", "59").replace(":7", ":null")].join(",");
    pull(&f, &later);
    assert_eq!(f.read("SELECT count(*) FROM omnii_outbox WHERE substr(row_id, -3) = '001'"), [["0"]]);
    assert_eq!(f.read("SELECT extra FROM entities WHERE substr(id, -3) = '001'"), [["e"]]);
}

#[test]
fn a_first_sweep_removes_what_the_backend_does_not_have_any_more() {
    let f = imported(&["", "-wal"], TABLES);
    assert!(!f.write(|w| w.knows_nothing()), "so that the first round sweeps");
}

#[test]
fn new_changes_come_after_those_taken_in() {
    let f = imported(&["", "-wal"], TABLES);
    f.run("UPDATE entities SET name = 'third' WHERE id LIKE '%001'");
    let order = "SELECT data FROM omnii_outbox WHERE row_id LIKE '%001' ORDER BY id";
    assert_eq!(
        f.read(order),
        [[r#"{"name":"changed here"}"#], [r#"{"name":"changed twice"}"#], [r#"{"name":"third"}"#]]
    );
    let max = f.read("SELECT tx = (SELECT max(tx) FROM omnii_outbox) FROM omnii_outbox ORDER BY id DESC LIMIT 1");
    assert_eq!(max, [["1"]]);
}

#[test]
fn tables_that_are_local_here_or_were_there() {
    let swapped = TABLES
        .replace(r#""localOnly":true"#, r#""localOnly":false"#)
        .replace(r#""viewName":"renamed_view""#, r#""localOnly":true"#);
    let f = imported(&["", "-wal"], &swapped);
    let drafts = f.read("SELECT op, data FROM omnii_outbox WHERE tbl = 'drafts' ORDER BY id");
    assert_eq!(drafts, [["1", r#"{"text":"a draft"}"#], ["1", r#"{"text":"a late draft"}"#]]);
    assert_eq!(f.read("SELECT count(*) FROM omnii_outbox WHERE tbl = 'renamed'"), [["0"]]);
    assert_eq!(f.store.remembered().imported.unwrap().changes, 11);
}

#[test]
fn another_users_rows_are_left_out_with_their_changes() {
    let directory = folder(&["", "-wal"]);
    let store = Store::open(options(directory.path(), TABLES, "user-2"), Arc::new(Seen::default())).unwrap();
    let done = store.remembered().imported.unwrap();
    let f = Fixture { store: Arc::new(store), seen: Arc::default(), directory };
    assert_eq!(f.read("SELECT name FROM entities"), [["of another user"]]);
    let queue = f.read("SELECT tbl, op FROM omnii_outbox ORDER BY id");
    // a delete does not say whose row it was
    assert_eq!(queue, [["entities", "3"], ["tracked", "2"], ["renamed", "3"], ["events", "1"]]);
    assert_eq!((done.rows, done.skipped_rows, done.changes), (4, 25, 4));
}
