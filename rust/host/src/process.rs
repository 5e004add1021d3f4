//! Child processes of a script: the demo starts and stops its server with them.
//!
//! Guarantees that the lines of a child's output arrive in order and before its end, that a signal never reaches another
//! process which got the same id, and that no child outlives the host (on Linux not even when the host is killed).

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::event_loop::{LoopSender, Message};
use crate::host::Failure;

const SIGTERM: i32 = 15;
/// How long children get to end by themselves when the host ends.
const GRACE: Duration = Duration::from_secs(3);
const POLL: Duration = Duration::from_millis(2);

unsafe extern "C" {
    /// kill(2).
    safe fn kill(pid: i32, signal: i32) -> i32;
}

/// Lets the kernel end the child when the host is killed and cannot do it itself. Where the kernel cannot, nothing happens.
#[cfg(target_os = "linux")]
fn ends_with_host(command: &mut Command) {
    use std::os::unix::process::CommandExt as _;

    const PR_SET_PDEATHSIG: i32 = 1;
    unsafe extern "C" {
        fn prctl(option: i32, ...) -> i32;
    }
    // SAFETY: between fork and exec only prctl(2) is called, which is async-signal-safe and touches no memory of ours. The
    // signal comes when the spawning thread ends; children are spawned on the JS thread, which is the main thread.
    unsafe {
        command.pre_exec(|| {
            prctl(PR_SET_PDEATHSIG, SIGTERM);
            Ok(())
        });
    }
}

#[cfg(not(target_os = "linux"))]
fn ends_with_host(_command: &mut Command) {}

/// What to start. Standard input is empty; `env` is added to the host's own.
#[derive(Deserialize)]
pub struct SpawnRequest {
    command: String,
    args: Vec<String>,
    cwd: Option<String>,
    env: Option<HashMap<String, String>>,
    /// Whether lines of standard error are delivered, too; else it is the host's own.
    stderr_lines: bool,
}

/// What a child did.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum ChildEvent {
    /// A line of its standard output, without the line break.
    Stdout { line: String },
    /// A line of its standard error.
    Stderr { line: String },
    /// Its end: either the code or the signal is set.
    Exit { code: Option<i32>, signal: Option<i32> },
}

impl ChildEvent {
    /// As the prelude reads it.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("strings and numbers are always JSON")
    }
}

type SharedChild = Arc<Mutex<Child>>;

/// The children of one runtime.
pub struct Children {
    sender: LoopSender,
    running: RefCell<HashMap<u32, SharedChild>>,
}

impl Children {
    /// Events go to `sender`.
    pub fn new(sender: LoopSender) -> Self {
        Self { sender, running: RefCell::default() }
    }

    /// Starts a child under an id the prelude has chosen. Answers the process id.
    pub fn spawn(&self, id: u32, request: &SpawnRequest) -> Result<u32, Failure> {
        let mut command = Command::new(&request.command);
        command.args(&request.args).stdin(Stdio::null()).stdout(Stdio::piped());
        command.stderr(if request.stderr_lines { Stdio::piped() } else { Stdio::inherit() });
        if let Some(cwd) = &request.cwd {
            command.current_dir(cwd);
        }
        command.envs(request.env.iter().flatten());
        ends_with_host(&mut command);
        let mut child = command.spawn().map_err(|error| format!("cannot start {}: {error}", request.command))?;

        let pid = child.id();
        let mut readers = Vec::new();
        if let Some(output) = child.stdout.take() {
            readers.push(self.read(id, output, |line| ChildEvent::Stdout { line })?);
        }
        if let Some(output) = child.stderr.take() {
            readers.push(self.read(id, output, |line| ChildEvent::Stderr { line })?);
        }
        let child = Arc::new(Mutex::new(child));
        self.running.borrow_mut().insert(id, Arc::clone(&child));
        let sender = self.sender.clone();
        thread::Builder::new().name("host-child".into()).spawn(move || {
            for reader in readers {
                // A reader that panicked has nothing more to deliver; the end is still to be told.
                let _ = reader.join();
            }
            let status = wait(&child);
            sender.send(Message::Child(id, ChildEvent::Exit { code: status.code(), signal: status.signal() }));
        })?;
        Ok(pid)
    }

    fn read(
        &self,
        id: u32,
        output: impl Read + Send + 'static,
        event: impl Fn(String) -> ChildEvent + Send + 'static,
    ) -> Result<JoinHandle<()>, Failure> {
        let sender = self.sender.clone();
        Ok(thread::Builder::new().name("host-child-output".into()).spawn(move || {
            for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
                let line = line.strip_suffix(b"\r").unwrap_or(&line);
                sender.send(Message::Child(id, event(String::from_utf8_lossy(line).into_owned())));
            }
        })?)
    }

    /// Sends a signal; false if the child has ended already.
    pub fn kill(&self, id: u32, signal: i32) -> bool {
        self.running.borrow().get(&id).is_some_and(|child| send_signal(child, signal))
    }

    /// Notes the end of a child.
    pub fn observe(&self, id: u32, event: &ChildEvent) {
        if let ChildEvent::Exit { .. } = event {
            self.running.borrow_mut().remove(&id);
        }
    }

    /// How many children have not been reported as ended.
    pub fn running(&self) -> usize {
        self.running.borrow().len()
    }

    /// Ends all children: asks them first, then makes them.
    pub fn end_all(&self) {
        let children: Vec<SharedChild> = self.running.borrow_mut().drain().map(|(_, child)| child).collect();
        for child in &children {
            send_signal(child, SIGTERM);
        }
        let deadline = Instant::now() + GRACE;
        for child in &children {
            while is_running(child) {
                if Instant::now() >= deadline {
                    // It may have ended this very moment; then there is nothing to make.
                    let _ = lock(child).kill();
                }
                thread::sleep(POLL);
            }
        }
    }
}

fn lock(child: &SharedChild) -> std::sync::MutexGuard<'_, Child> {
    child.lock().unwrap_or_else(PoisonError::into_inner)
}

fn is_running(child: &SharedChild) -> bool {
    matches!(lock(child).try_wait(), Ok(None))
}

/// Under the lock an id is either still this child's, or known to be free.
fn send_signal(child: &SharedChild, signal: i32) -> bool {
    let mut child = lock(child);
    match (child.try_wait(), i32::try_from(child.id())) {
        (Ok(None), Ok(pid)) => kill(pid, signal) == 0,
        _ => false,
    }
}

/// Waits without holding the lock, so that the child can be signalled meanwhile.
fn wait(child: &SharedChild) -> ExitStatus {
    loop {
        match lock(child).try_wait() {
            Ok(Some(status)) => return status,
            Ok(None) => {}
            Err(_) => return ExitStatus::from_raw(0),
        }
        thread::sleep(POLL);
    }
}
