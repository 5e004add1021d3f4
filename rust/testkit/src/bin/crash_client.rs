//! What `tests/crash.rs` kills: an app that writes, uploads and downloads as fast as it can until it is ended from outside.
//!
//! Arguments: directory, user id, endpoint, token, journal, number of the run. It appends to the journal what it is about to
//! write (`{"begin": {"<id>": "<name>" | null}}`, null for a deletion) and, once the engine has said that it is committed,
//! `{"done": true}`; so of all that happened at most the last statement or transaction is in doubt. Values are unique over all
//! runs.

use omnii_sync_engine::clock::Jitter;
use omnii_sync_testkit::Device;
use serde_json::{Map, Value, json};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::Duration;
use tokio::sync::oneshot;

const SYNC: &str = r#"{"pollIntervalMs":15,"uploadThrottleMs":3,"maxBackoffMs":30,"pageLimit":100,"overlapMs":200}"#;

/// Nobody is left behind if the test itself is ended.
const LIFETIME: Duration = Duration::from_secs(20);

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [directory, user, endpoint, token, journal, run] = &arguments[..] else {
        panic!("directory, user id, endpoint, token, journal, run");
    };
    let journal = OpenOptions::new().append(true).create(true).open(journal).expect("the journal can be written");
    let run: u64 = run.parse().expect("a number");
    let device =
        Device::open(Path::new(directory), user, SYNC).expect("a file that was open when its process was killed");
    device.sign_in(endpoint, token);
    device.database.connect();
    let mine = device.read("SELECT id FROM sync_entities WHERE name LIKE 'mine%'").await;
    let mine = mine.into_iter().map(|row| row[0].clone()).collect();
    let app = App { device, journal, chance: Jitter::seeded(run), mine, run, count: 0 };
    // no answer at the end: it ends by being killed
    let _ = tokio::time::timeout(LIFETIME, app.live()).await;
}

struct App {
    device: Device,
    journal: File,
    chance: Jitter,
    /// Ids of the rows this app has made and not deleted.
    mine: Vec<String>,
    run: u64,
    count: u64,
}

impl App {
    async fn live(mut self) {
        println!("ready");
        loop {
            let steps = if self.draw(4) == 0 { 2 + self.draw(4) } else { 1 };
            let mut planned = Map::new();
            let statements: Vec<String> = (0..steps).map(|_| self.plan(&mut planned)).collect();
            self.note(&json!({ "begin": planned }));
            match &statements[..] {
                [alone] => drop(self.device.execute(alone).await.expect("the statement is right")),
                several => self.together(several).await,
            }
            self.note(&json!({ "done": true }));
            let pause_us = self.draw(8_000);
            tokio::time::sleep(Duration::from_micros(pause_us)).await;
        }
    }

    fn draw(&mut self, below: u64) -> u64 {
        (self.chance.next_unit() * below as f64) as u64
    }

    /// One statement; what it does is added to `planned`.
    fn plan(&mut self, planned: &mut Map<String, Value>) -> String {
        self.count += 1;
        let name = format!("mine {}-{}", self.run, self.count);
        let kind = if self.mine.len() < 3 { 0 } else { self.draw(10) };
        if kind < 4 {
            let id = format!("00000000-0000-4000-8000-{:06x}{:06x}", self.run, self.count);
            planned.insert(id.clone(), name.clone().into());
            self.mine.push(id.clone());
            return format!("INSERT INTO sync_entities (id, entity_type, name) VALUES ('{id}', 'task', '{name}')");
        }
        let at = self.draw(self.mine.len() as u64) as usize;
        if kind < 9 {
            planned.insert(self.mine[at].clone(), name.clone().into());
            return format!("UPDATE sync_entities SET name = '{name}' WHERE id = '{}'", self.mine[at]);
        }
        let id = self.mine.swap_remove(at);
        planned.insert(id.clone(), Value::Null);
        format!("DELETE FROM sync_entities WHERE id = '{id}'")
    }

    async fn together(&self, statements: &[String]) {
        let database = &self.device.database;
        let (begun, transaction) = oneshot::channel();
        database.begin(move |outcome| drop(begun.send(outcome)));
        let transaction = transaction.await.expect("answered").expect("nothing else is open");
        for statement in statements {
            let (run, ran) = oneshot::channel();
            database.execute(transaction, statement.clone(), vec![], move |outcome| drop(run.send(outcome)));
            ran.await.expect("answered").expect("the statement is right");
        }
        let (end, ended) = oneshot::channel();
        database.end(transaction, true, move |outcome| drop(end.send(outcome)));
        ended.await.expect("answered").expect("committed");
    }

    fn note(&mut self, line: &Value) {
        // one write: a line is there or not
        self.journal.write_all(format!("{line}\n").as_bytes()).expect("the journal can be written");
    }
}
