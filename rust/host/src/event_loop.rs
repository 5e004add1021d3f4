//! The event loop: one queue that every thread may post to, timers and immediates, and the rule of when it ends.
//!
//! Owns the order of things: what is due of the timers, then the immediates that were queued before, then one message;
//! microtasks run dry after each. Ends when `Host::exit` was called, or when nothing keeps it alive: no timer, immediate,
//! fetch, child or unsettled promise of the native module. An open database alone does not. A phone lives until it is told.

use std::sync::mpsc::{Receiver, Sender, TryRecvError};
use std::time::Instant;

use crate::bridge::ffi::NativeTask;
use crate::host::Host;
use crate::net::Fetched;
use crate::process::ChildEvent;
use crate::runtime::Runtime;
use crate::timers::Timers;

/// What other threads have for the JS thread.
pub enum Message {
    /// A task of the TurboModule's `CallInvoker`.
    Native(cxx::UniquePtr<NativeTask>),
    /// The end of a fetch.
    Fetch(u32, Fetched),
    /// A line, or the end, of a child process.
    Child(u32, ChildEvent),
    /// A line of standard input, in phone mode.
    Command(String),
    /// The end of standard input, in phone mode.
    NoMoreCommands,
}

impl Message {
    /// Whether it came from standard input, not from a runtime's own doings.
    pub fn is_command(&self) -> bool {
        matches!(self, Self::Command(_) | Self::NoMoreCommands)
    }
}

/// Any thread's way into the loop. Posting after its end does nothing.
#[derive(Clone)]
pub struct LoopSender(Sender<Message>);

impl LoopSender {
    /// Makes the two ends of the queue.
    pub fn channel() -> (Self, Receiver<Message>) {
        let (sender, receiver) = std::sync::mpsc::channel();
        (Self(sender), receiver)
    }

    /// Queues a message; drops it if the loop has ended.
    pub fn send(&self, message: Message) {
        // A closed loop is no fault of the sender: its thread only learns of it now.
        let _ = self.0.send(message);
    }

    /// As `send`, for C++.
    pub fn post(&self, task: cxx::UniquePtr<NativeTask>) {
        self.send(Message::Native(task));
    }
}

/// How long a loop goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Lives {
    /// As long as something keeps it alive, as a script does.
    WhileBusy,
    /// Until it is told to exit, as an app does.
    UntilTold,
}

/// Runs until the script has ended; answers the exit code.
pub fn run(host: &Host, runtime: &mut Runtime, messages: &Receiver<Message>, lives: Lives) -> i32 {
    loop {
        runtime.drain_microtasks(host);
        run_timers(host, runtime);
        run_immediates(host, runtime);
        if let Some(code) = host.exit_code() {
            return code;
        }
        match messages.try_recv() {
            Ok(message) => handle(host, runtime, message),
            Err(TryRecvError::Disconnected) => return 0,
            Err(TryRecvError::Empty) => {
                if lives == Lives::WhileBusy && !is_alive(host, runtime) {
                    runtime.idle(host);
                    runtime.drain_microtasks(host);
                    if let Some(code) = host.exit_code() {
                        return code;
                    }
                    if !is_alive(host, runtime) {
                        return 0;
                    }
                }
                if let Some(message) = wait(host, messages) {
                    handle(host, runtime, message);
                }
            }
        }
    }
}

fn run_timers(host: &Host, runtime: &mut Runtime) {
    while host.exit_code().is_none() {
        let Some(id) = host.with_timers(|timers| timers.take_due(host.now())) else { return };
        runtime.fire_timer(host, id);
        runtime.drain_microtasks(host);
    }
}

fn run_immediates(host: &Host, runtime: &mut Runtime) {
    for id in host.with_timers(Timers::take_immediates) {
        if host.exit_code().is_none() && host.with_timers(|timers| timers.immediate_is_live(id)) {
            runtime.fire_timer(host, id);
            runtime.drain_microtasks(host);
        }
    }
}

fn is_alive(host: &Host, runtime: &Runtime) -> bool {
    host.keeps_alive() || runtime.pending_requests() > 0
}

/// Sleeps until the next timer is due or a message arrives.
fn wait(host: &Host, messages: &Receiver<Message>) -> Option<Message> {
    match host.with_timers(Timers::next_deadline) {
        None => messages.recv().ok(),
        Some(deadline) => messages.recv_timeout(deadline.saturating_duration_since(host.now())).ok(),
    }
}

fn handle(host: &Host, runtime: &mut Runtime, message: Message) {
    match message {
        Message::Native(task) => {
            let began = Instant::now();
            runtime.run_task(host, task);
            host.task_took(began.elapsed());
        }
        Message::Fetch(id, fetched) => {
            if host.net().finish(id) {
                runtime.fetched(host, id, fetched);
            }
        }
        Message::Child(id, event) => {
            host.children().observe(id, &event);
            runtime.child_event(host, id, &event);
        }
        Message::Command(line) => runtime.command(host, &line),
        Message::NoMoreCommands => host.exit(0),
    }
}
