//! The program `omnii-server` as scripts use it: the first line on stdout, its flags, its end.

#![allow(clippy::unwrap_used, reason = "the lint's own exception for tests does not reach their helper functions")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use serde_json::{Value, json};

struct Process {
    child: Child,
    first_line: Value,
}

impl Process {
    fn start(arguments: &[&str]) -> Self {
        let mut child = command(arguments).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let first_line = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        Self { child, first_line }
    }

    /// Sends the signal; returns how it ended and what it said on stderr.
    fn end(mut self, signal: &str) -> (ExitStatus, String) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        let mut stderr = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        (self.child.wait().unwrap(), stderr)
    }
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_omnii-server"));
    command.args(["--port", "0"]).args(arguments).env_remove("RUST_LOG").env_remove("OMNII_JWT_SECRET");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs to the end; exit code and stderr.
fn fails_with(arguments: &[&str]) -> (Option<i32>, String) {
    let output = command(arguments).output().unwrap();
    assert!(output.stdout.is_empty(), "nothing is announced");
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

fn get(url: &str) -> u16 {
    // Another test may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { reqwest::get(url).await.unwrap().status().as_u16() })
}

#[test]
fn the_first_line_is_json_with_the_address_and_both_signals_end_it_well() {
    for signal in ["-TERM", "-INT"] {
        let process = Process::start(&[]);
        let url = process.first_line["url"].as_str().unwrap().to_owned();
        assert!(url.starts_with("http://127.0.0.1:") && !url.ends_with(":0"), "{url}");
        let api = format!("{url}/api/powersync");
        let expected = json!({ "url": url, "api": api, "pid": process.child.id(), "demo": null });
        assert_eq!(process.first_line, expected);
        assert_eq!(get(&format!("{api}/health")), 401);
        let (status, _) = process.end(signal);
        assert_eq!(status.code(), Some(0), "{signal}");
    }
}

#[test]
fn a_seed_is_announced_and_done_once_per_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("demo.db");
    let file = file.to_str().unwrap();
    let demo = json!({ "email": "demo@omnii.dev", "password": "omnii-demo", "userId": "de300000-0000-4000-8000-000000000001" });
    for (seed, hint) in [("10", false), ("20", true)] {
        let process = Process::start(&["--database", file, "--seed", seed]);
        assert_eq!(process.first_line["demo"], demo);
        let (status, stderr) = process.end("-TERM");
        assert!(status.success());
        assert_eq!(stderr.contains("already has demo@omnii.dev: not seeded"), hint, "{stderr}");
    }
    let process = Process::start(&["--database", file]);
    assert_eq!(process.first_line["demo"], demo, "the user is there without the flag, too");
    process.end("-TERM");
}

#[test]
fn faults_of_the_command_line_are_named_on_stderr() {
    let (code, stderr) = fails_with(&["--config", "/no/such/file.json"]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("cannot read /no/such/file.json"), "{stderr}");
    let (code, stderr) = fails_with(&["--database", "/no/such/dir/x.db"]);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("/no/such/dir/x.db"), "{stderr}");
    let (code, stderr) = fails_with(&["--protocol", "2"]);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("--protocol"), "{stderr}");
}

#[test]
fn the_example_config_is_the_built_in_schema() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("config.example.json");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("demo.db");
    let file = file.to_str().unwrap();
    Process::start(&["--database", file]).end("-TERM");
    // A file made with another schema would be refused.
    Process::start(&["--database", file, "--config", example.to_str().unwrap()]).end("-TERM");
}
