//! Phone mode: an app's bundle that lives until it is told to end, driven by lines on standard input.
//!
//! The prelude (`rust/host/phone`) comes as a file, and everything it says goes to standard output as lines of JSON; see
//! `scripts/phone/`. Storage is the working directory. A reload ends the runtime as React Native does, with the module and
//! all it holds, and makes a new one in the same process: engines of the old one may still be at work and must not be heard.

use std::io::BufRead as _;
use std::sync::{Arc, Mutex, PoisonError};

use crate::event_loop::{self, Lives, LoopSender, Message};
use crate::host::Host;
use crate::runtime::Runtime;

/// The queue of the runtime that lives now.
type Current = Arc<Mutex<LoopSender>>;

/// Runs the app until it exits; answers the exit code.
pub fn run(prelude: &str, prelude_path: &str, invocation: &str) -> Result<i32, String> {
    let (mut sender, mut messages) = LoopSender::channel();
    let current: Current = Arc::new(Mutex::new(sender.clone()));
    let for_reader = Arc::clone(&current);
    std::thread::Builder::new()
        .name("host-stdin".to_owned())
        .spawn(move || read_commands(&for_reader))
        .map_err(|error| format!("no thread for standard input: {error}"))?;
    loop {
        let host = Host::new(&sender, invocation.to_owned());
        let mut runtime = Runtime::new(&host, &sender);
        drop(sender);
        runtime.evaluate(prelude, prelude_path).map_err(|error| format!("the prelude failed: {}", error.what()))?;
        let code = event_loop::run(&host, &mut runtime, &messages, Lives::UntilTold);
        host.children().end_all();
        if !host.wants_reload() {
            drop(messages);
            runtime.close(&host);
            return Ok(code);
        }
        let next = LoopSender::channel();
        *current.lock().unwrap_or_else(PoisonError::into_inner) = next.0.clone();
        // Commands that came too late for the old runtime are for the new one.
        let commands: Vec<_> = messages.try_iter().filter(Message::is_command).collect();
        drop(messages);
        runtime.close(&host);
        (sender, messages) = next;
        for command in commands {
            sender.send(command);
        }
    }
}

fn read_commands(current: &Current) {
    let send = |message| current.lock().unwrap_or_else(PoisonError::into_inner).send(message);
    for line in std::io::stdin().lock().lines() {
        match line {
            Ok(line) => send(Message::Command(line)),
            Err(_) => break,
        }
    }
    send(Message::NoMoreCommands);
}
