//! Encryption at rest; all but the first test need the feature `sqlcipher`.

use super::*;

#[cfg(not(feature = "sqlcipher"))]
#[test]
fn without_the_feature_a_key_is_refused_and_an_encrypted_file_is_not_called_damaged() {
    let error = Key::from_json(r#"{"passphrase":"very secret"}"#).unwrap_err();
    assert_eq!(error.code, ErrorCode::Unsupported);
    assert!(error.message.contains("sqlcipher") && !error.message.contains("secret"), "{error}");

    let directory = tempfile::tempdir().unwrap();
    let noise: Vec<u8> = (0..8192_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    std::fs::write(directory.path().join("x.db"), &noise).unwrap();
    let error = open_in(directory.path(), SCHEMA, Arc::default()).err().unwrap();
    assert_eq!(error.code, ErrorCode::WrongKey);
    assert!(std::fs::read(directory.path().join("x.db")).unwrap() == noise);
}

#[cfg(feature = "sqlcipher")]
mod with_sqlcipher {
    use super::*;
    use crate::store::encryption::CurrentKey;
    use std::path::Path;
    use std::time::Duration;

    const GRACE: Duration = Duration::from_secs(1);
    const SECRET: &str = "what nobody must read";

    fn passphrase(text: &str) -> Key {
        Key::from_json(&serde_json::json!({ "passphrase": text }).to_string()).unwrap()
    }

    fn raw(byte: u8) -> Key {
        Key::from_json(&format!(r#"{{"raw":"{}"}}"#, format!("{byte:02x}").repeat(32))).unwrap()
    }

    fn open_with(directory: &Path, key: Option<Key>) -> Result<Arc<Store>> {
        let schema = Arc::new(Schema::from_json(SCHEMA).unwrap());
        let options = StoreOptions { key, ..StoreOptions::new(directory.join("x.db"), schema, "u".into()) };
        Store::open_with(options, Arc::new(Seen::default()), EXECUTION.get()).map(Arc::new)
    }

    fn fixture_with(key: Option<Key>) -> Fixture {
        let directory = tempfile::tempdir().unwrap();
        let store = open_with(directory.path(), key).unwrap();
        Fixture { store, seen: Arc::default(), directory }
    }

    /// What lies on the disk, of the file and whatever is beside it.
    fn bytes(directory: &Path) -> Vec<(String, Vec<u8>)> {
        let mut files: Vec<_> = std::fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()))
            .collect();
        files.sort();
        files
    }

    fn is_readable(directory: &Path) -> bool {
        bytes(directory).iter().any(|(_, bytes)| {
            bytes.windows(SECRET.len()).any(|w| w == SECRET.as_bytes()) || bytes.starts_with(b"SQLite format 3")
        })
    }

    fn titles(f: &Fixture) -> Vec<Vec<String>> {
        f.read("SELECT title FROM notes ORDER BY id")
    }

    #[test]
    fn nothing_of_it_is_readable_and_every_connection_has_the_key() {
        for key in [passphrase("it's \"quoted\" — ключ"), raw(0xa7)] {
            let f = fixture_with(Some(key.clone()));
            f.run(&format!("INSERT INTO notes (id, title) VALUES ('a', '{SECRET}')"));
            assert!(!is_readable(f.directory.path()), "with a log");
            // the reader, the one on this thread, and that of checkpoints
            assert_eq!(titles(&f), [[SECRET]]);
            assert_eq!(f.store.query_now("SELECT title FROM notes", &[]).unwrap().len(), 1);
            f.run(
                "INSERT INTO notes (id, title) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9000) \
                 SELECT 'r' || i, hex(zeroblob(2000)) FROM n",
            );
            let file = f.directory.path().join("x.db");
            let end = std::time::Instant::now() + Duration::from_secs(20);
            while std::fs::metadata(&file).unwrap().len() < 1 << 20 {
                assert!(std::time::Instant::now() < end, "no checkpoint");
                std::thread::sleep(Duration::from_millis(5));
            }
            f.store.close();
            assert!(!is_readable(f.directory.path()));
            let store = open_with(f.directory.path(), Some(key)).unwrap();
            let f = Fixture { store, ..f };
            assert_eq!(f.read("SELECT count(*) FROM notes"), [["9001"]]);
            assert_eq!(f.counts(), (9001, 0));
        }
    }

    #[test]
    fn other_programs_open_it_with_the_passphrase() {
        let f = fixture_with(Some(passphrase("pass")));
        f.run("INSERT INTO notes (id) VALUES ('a')");
        f.store.close();
        let other = rusqlite::Connection::open(f.directory.path().join("x.db")).unwrap();
        other.pragma_update(None, "key", "pass").unwrap();
        assert_eq!(other.query_row("SELECT id FROM notes", [], |row| row.get::<_, String>(0)).unwrap(), "a");
        drop(other);
        let Fixture { directory, .. } = f;
        // made by another program
        let other = rusqlite::Connection::open(directory.path().join("y.db")).unwrap();
        other.execute_batch("PRAGMA key = 'pass'; CREATE TABLE own (a); INSERT INTO own VALUES (1)").unwrap();
        drop(other);
        std::fs::rename(directory.path().join("y.db"), directory.path().join("x.db")).unwrap();
        let store = open_with(directory.path(), Some(passphrase("pass"))).unwrap();
        let f = Fixture { store, seen: Arc::default(), directory };
        assert_eq!(f.read("SELECT a FROM own"), [["1"]]);
    }

    #[test]
    fn a_plain_file_with_a_log_from_a_crash_is_encrypted_whole() {
        let f = fixture_with(None);
        f.run(&format!("INSERT INTO notes (id, title) VALUES ('a', '{SECRET}')"));
        let crashed = tempfile::tempdir().unwrap();
        for name in ["x.db", "x.db-wal"] {
            std::fs::copy(f.directory.path().join(name), crashed.path().join(name)).unwrap();
        }
        f.store.close();
        let store = open_with(crashed.path(), Some(raw(1))).unwrap();
        let f = Fixture { store, seen: Arc::default(), directory: crashed };
        assert_eq!((titles(&f), f.counts()), (vec![vec![SECRET.to_owned()]], (1, 0)));
        assert!(!is_readable(f.directory.path()));
    }

    #[test]
    fn another_key_or_none_is_refused_and_the_file_stays_as_it_is() {
        let f = fixture_with(Some(passphrase("right")));
        f.run(&format!("INSERT INTO notes (id, title) VALUES ('a', '{SECRET}')"));
        // as after a crash: the log is beside the file
        let crashed = tempfile::tempdir().unwrap();
        for (name, bytes) in bytes(f.directory.path()) {
            if !name.ends_with("-shm") {
                std::fs::write(crashed.path().join(name), bytes).unwrap();
            }
        }
        f.store.close();
        for directory in [f.directory.path(), crashed.path()] {
            let before = bytes(directory);
            for key in [Some(passphrase("wrong")), Some(raw(1)), None] {
                let had_key = key.is_some();
                let error = open_with(directory, key).err().expect("refused");
                assert_eq!(error.code, ErrorCode::WrongKey);
                assert!(error.message.contains("x.db") && !error.message.contains("wrong"), "{error}");
                assert_eq!(error.message.contains("without"), !had_key, "{error}");
                let mut after = bytes(directory);
                after.retain(|(name, _)| !name.ends_with("-shm"));
                assert!(after == before, "{:?}", after.iter().map(|(n, b)| (n, b.len())).collect::<Vec<_>>());
            }
            let store = open_with(directory, Some(passphrase("right"))).unwrap();
            let read = wait::<Result<Rows>>(|done| store.query("SELECT title FROM notes".into(), vec![], done));
            assert_eq!(read.unwrap().cell(0, 0), Parameter::Text(SECRET.into()));
        }
    }

    #[test]
    fn a_plain_file_is_encrypted_when_a_key_is_first_given() {
        let f = fixture_with(None);
        f.pull(&row("b", "from the backend", "01"));
        f.run(&format!("INSERT INTO notes (id, title) VALUES ('a', '{SECRET}')"));
        f.run("CREATE TABLE own (a INTEGER PRIMARY KEY, b BLOB); ");
        f.run("INSERT INTO own VALUES (7, x'00ff')");
        f.run("CREATE VIEW seen AS SELECT * FROM notes");
        let client = f.write(|w| w.client_id());
        let cursor = f.write(|w| w.cursor("notes"));
        f.store.close();
        assert!(is_readable(f.directory.path()));
        // another user's file is not touched
        let schema = Arc::new(Schema::from_json(SCHEMA).unwrap());
        let other = StoreOptions {
            key: Some(passphrase("k")),
            ..StoreOptions::new(f.directory.path().join("x.db"), schema, "other".into())
        };
        assert_eq!(Store::open(other, Arc::new(Seen::default())).err().unwrap().code, ErrorCode::UserMismatch);
        assert!(is_readable(f.directory.path()));
        // what an attempt that was cut short has left
        std::fs::write(f.directory.path().join("x.db.encrypting"), "half a file").unwrap();

        let store = open_with(f.directory.path(), Some(passphrase("k"))).unwrap();
        let f = Fixture { store, ..f };
        assert!(!is_readable(f.directory.path()));
        assert_eq!(titles(&f), [[SECRET], ["from the backend"]]);
        assert_eq!(f.read("SELECT a, hex(b) FROM own"), [["7", "00FF"]]);
        assert_eq!(f.read("SELECT count(*) FROM seen"), [["2"]]);
        assert_eq!((f.write(|w| w.client_id()), f.write(|w| w.cursor("notes"))), (client, cursor));
        assert_eq!(f.counts(), (1, 0));
        f.run("UPDATE notes SET title = 'new' WHERE id = 'b'");
        assert_eq!(f.counts(), (2, 0));
        f.store.close();
        assert!(!f.directory.path().join("x.db.encrypting").exists());
        assert_eq!(open_with(f.directory.path(), None).err().unwrap().code, ErrorCode::WrongKey);
    }

    #[test]
    fn a_plain_file_that_another_process_has_open_stays_plain() {
        let f = fixture_with(None);
        f.run("INSERT INTO notes (id) VALUES ('a')");
        f.store.close();
        let other = rusqlite::Connection::open(f.directory.path().join("x.db")).unwrap();
        other.execute_batch("BEGIN; SELECT * FROM notes").unwrap();
        other.query_row("SELECT count(*) FROM notes", [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(open_with(f.directory.path(), Some(raw(1))).err().unwrap().code, ErrorCode::Busy);
        assert!(is_readable(f.directory.path()));
        drop(other);
        open_with(f.directory.path(), Some(raw(1))).unwrap();
        assert!(!is_readable(f.directory.path()));
    }

    #[tokio::test]
    async fn another_key_for_all_connections_while_others_wait() {
        for execution in [Execution::Threads, Execution::Inline] {
            EXECUTION.set(execution);
            for first in [None, Some(passphrase("old"))] {
                let f = fixture_with(first.clone());
                f.run(&format!("INSERT INTO notes (id, title) VALUES ('a', '{SECRET}')"));
                assert_eq!(titles(&f), [[SECRET]]);
                f.store.rekey(raw(2), GRACE).await.unwrap();
                assert_eq!(titles(&f), [[SECRET]]);
                f.run("UPDATE notes SET n = 2");
                assert!(!is_readable(f.directory.path()));
                f.store.suspend(GRACE).await;
                f.store.resume().await.unwrap();
                assert_eq!(f.read("SELECT n FROM notes"), [["2"]]);
                f.store.close();
                assert_eq!(open_with(f.directory.path(), first).err().unwrap().code, ErrorCode::WrongKey);
                assert_eq!(open_with(f.directory.path(), Some(raw(2))).unwrap().remembered().counts.pending, 2);
                assert_eq!(f.store.rekey(raw(3), GRACE).await.unwrap_err().code, ErrorCode::Closed);
            }
        }
    }

    #[tokio::test]
    async fn a_change_of_key_that_fails_leaves_the_old_one() {
        let f = fixture_with(Some(passphrase("old")));
        f.run("INSERT INTO notes (id) VALUES ('a')");
        // the new file can't be made here
        std::fs::create_dir(f.directory.path().join("x.db.encrypting")).unwrap();
        assert!(f.store.rekey(raw(2), GRACE).await.is_err());
        f.run("INSERT INTO notes (id) VALUES ('b')");
        assert_eq!(f.read("SELECT count(*) FROM notes"), [["2"]]);
        f.store.close();
        open_with(f.directory.path(), Some(passphrase("old"))).unwrap();
    }

    /// Says to this very test, in a process of its own, which folder's file to encrypt.
    const CHILD: &str = "OMNII_TEST_ENCRYPT";

    #[test]
    fn killed_at_any_moment_the_file_is_whole_with_the_old_key_or_the_new_one() {
        if let Some(directory) = std::env::var_os(CHILD) {
            let file = PathBuf::from(&directory).join("x.db");
            let plain = std::fs::read(file).is_ok_and(|bytes| bytes.starts_with(b"SQLite format 3"));
            let current = CurrentKey::new((!plain).then(|| raw(1)));
            let path = PathBuf::from(directory).join("x.db");
            let _ = if plain {
                CurrentKey::new(Some(raw(1))).encrypt_plain(&path, |_| Ok(()))
            } else {
                current.change(&path, raw(2))
            };
            return;
        }
        let f = fixture_with(None);
        f.run(
            "INSERT INTO notes (id, title) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) \
             SELECT 'r' || i, hex(randomblob(500)) FROM n",
        );
        let sum = f.read("SELECT count(*), sum(length(title)) FROM notes");
        f.store.close();
        let original = std::fs::read(f.directory.path().join("x.db")).unwrap();
        let name = "store::tests::encryption::with_sqlcipher::killed_at_any_moment_the_file_is_whole_with_the_old_key_or_the_new_one";
        let work = |directory: &Path, until: Option<Duration>| {
            let begun = std::time::Instant::now();
            let mut child = std::process::Command::new(std::env::current_exe().unwrap())
                .args(["--exact", name, "--nocapture"])
                .env(CHILD, directory)
                .stdout(std::process::Stdio::null())
                .spawn()
                .unwrap();
            if let Some(moment) = until {
                std::thread::sleep(moment);
                let _ = child.kill();
            }
            child.wait().unwrap();
            begun.elapsed()
        };
        let mut outcomes = [0; 3];
        // How long it takes depends on the machine: the first time nothing is killed, then at moments of that time and after it.
        let mut whole = Duration::ZERO;
        for round in 0..40 {
            let directory = tempfile::tempdir().unwrap();
            std::fs::write(directory.path().join("x.db"), &original).unwrap();
            // first to encrypt it, and if that was done, to change its key
            for step in 0..2 {
                if round == 0 {
                    whole = whole.max(work(directory.path(), None));
                } else {
                    work(directory.path(), Some(whole.mul_f64(f64::from((round * 2 + step) * 13 % 80) / 60.0)));
                }
            }
            let keys = [None, Some(raw(1)), Some(raw(2))];
            let opened =
                keys.into_iter().enumerate().find_map(|(at, key)| Some((at, open_with(directory.path(), key).ok()?)));
            let (which, store) = opened.expect("one of the keys fits");
            outcomes[which] += 1;
            let f = Fixture { store, seen: Arc::default(), directory };
            assert_eq!(f.read("SELECT count(*), sum(length(title)) FROM notes"), sum);
            assert_eq!(f.read("PRAGMA integrity_check"), [["ok"]]);
            assert_eq!(f.counts(), (3000, 0));
        }
        println!("plain, first key, second key: {outcomes:?}");
        assert!(outcomes.iter().filter(|&&n| n > 0).count() > 1, "killed before and after: {outcomes:?}");
    }

    #[test]
    fn the_key_shows_nowhere_and_is_checked() {
        let key = passphrase("very secret");
        assert!(!format!("{key:?}").contains("secret"));
        for json in [
            r#"{"passphrase":""}"#,
            r#"{"raw":"secret"}"#,
            r#""secret""#,
            r#"{"secret":1}"#,
            r#"{"passphrase":"a\u0000secret"}"#,
        ] {
            let error = Key::from_json(json).unwrap_err();
            assert!(error.code == ErrorCode::InvalidOptions && !error.message.contains("secret"), "{error}");
        }
        let f = fixture_with(Some(key));
        for sql in ["PRAGMA key = 'secret'", "PRAGMA rekey = 'secret'"] {
            assert_eq!(f.try_run(sql).unwrap_err().code, ErrorCode::BadArgument, "{sql}");
        }
        assert_eq!(f.read("SELECT count(*) FROM notes"), [["0"]]);
    }
}
