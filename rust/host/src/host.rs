//! What JavaScript may ask of the host: the Rust half of the global `__native`.
//!
//! Owns the state that the event loop and the prelude share: timers, fetches, child processes, the exit code. Cheap to
//! clone, one per VM, used on the JS thread only. Refuses nothing a script could not do as a process of its own: this is a
//! tool for our tests, benchmarks and demo, not a sandbox.

use std::cell::{Cell, RefCell};
use std::io::Write as _;
use std::rc::Rc;
use std::time::{Duration, Instant};

use cxx::UniquePtr;
use jsi_rs::sys::ffi::JSIValue;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::bridge::ffi::{Answer, AnswerKind};
use crate::event_loop::LoopSender;
use crate::net::{FetchRequest, Net};
use crate::process::{Children, SpawnRequest};
use crate::runtime::{Given, Listeners, SharedListeners};
use crate::timers::Timers;
use crate::{files, system};

/// Why an operation failed; becomes a JavaScript `Error` with this message.
pub type Failure = Box<dyn std::error::Error>;

/// A handle to the host's state.
#[derive(Clone)]
pub struct Host(Rc<State>);

struct State {
    started: Instant,
    /// How far the clock of the timers is ahead of the real one.
    ahead: Cell<Duration>,
    invocation: String,
    timers: RefCell<Timers>,
    net: Net,
    children: Children,
    listeners: RefCell<Listening>,
    exit_code: Cell<Option<i32>>,
    reload: Cell<bool>,
    tasks: Cell<TaskTimes>,
}

/// How long the tasks of the native module held the JS thread, since the times were last asked for.
#[derive(Clone, Copy, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct TaskTimes {
    count: u64,
    longest_ms: f64,
    total_ms: f64,
}

enum Listening {
    NotYet,
    Given(Given),
    Ready(SharedListeners),
    Closed,
}

#[derive(Deserialize)]
struct WithId<T> {
    id: u32,
    #[serde(flatten)]
    request: T,
}

#[derive(Deserialize)]
struct Empty {}

#[derive(Deserialize)]
struct Signal {
    signal: i32,
}

#[derive(Deserialize)]
struct Length {
    length: usize,
}

#[derive(Deserialize)]
struct Milliseconds {
    ms: f64,
}

impl Host {
    /// `invocation`: JSON that the prelude turns into `process.argv` and such.
    pub fn new(sender: &LoopSender, invocation: String) -> Self {
        Self(Rc::new(State {
            started: Instant::now(),
            ahead: Cell::default(),
            invocation,
            timers: RefCell::default(),
            net: Net::new(sender.clone()),
            children: Children::new(sender.clone()),
            listeners: RefCell::new(Listening::NotYet),
            exit_code: Cell::new(None),
            reload: Cell::new(false),
            tasks: Cell::default(),
        }))
    }

    /// See the bridge.
    pub fn listen(
        &self,
        timer: UniquePtr<JSIValue>,
        fetch: UniquePtr<JSIValue>,
        child: UniquePtr<JSIValue>,
        error: UniquePtr<JSIValue>,
        idle: UniquePtr<JSIValue>,
        command: UniquePtr<JSIValue>,
    ) -> Result<(), Failure> {
        let mut listeners = self.0.listeners.borrow_mut();
        if !matches!(*listeners, Listening::NotYet) {
            return Err("listen: called twice".into());
        }
        *listeners = Listening::Given(Given { timer, fetch, child, error, idle, command });
        Ok(())
    }

    /// The prelude's functions, once it has given them. `make` turns them into jsi-rs' types the first time.
    pub fn listeners(&self, make: impl FnOnce(Given) -> Option<Listeners>) -> Option<SharedListeners> {
        let mut listeners = self.0.listeners.borrow_mut();
        if let Listening::Given(_) = *listeners
            && let Listening::Given(given) = std::mem::replace(&mut *listeners, Listening::Closed)
        {
            *listeners = make(given).map_or(Listening::Closed, |made| Listening::Ready(Rc::new(made)));
        }
        match &*listeners {
            Listening::Ready(ready) => Some(Rc::clone(ready)),
            Listening::NotYet | Listening::Given(_) | Listening::Closed => None,
        }
    }

    /// Lets go of the prelude's functions, before the VM goes.
    pub fn forget_listeners(&self) {
        *self.0.listeners.borrow_mut() = Listening::Closed;
    }

    /// See the bridge.
    pub fn start_timer(&self, id: u32, delay_ms: f64, repeat: bool, keeps_alive: bool) {
        self.with_timers(|timers| timers.start(self.now(), id, delay_ms, repeat, keeps_alive));
    }

    /// See the bridge.
    pub fn start_immediate(&self, id: u32) {
        self.with_timers(|timers| timers.start_immediate(id));
    }

    /// See the bridge.
    pub fn cancel_timer(&self, id: u32) {
        self.with_timers(|timers| timers.cancel(id));
    }

    /// The time that timers go by: the real one, and how far a script has advanced it.
    pub fn now(&self) -> Instant {
        Instant::now() + self.0.ahead.get()
    }

    /// Looks into the timers; `body` must not run JavaScript.
    pub fn with_timers<T>(&self, body: impl FnOnce(&mut Timers) -> T) -> T {
        body(&mut self.0.timers.borrow_mut())
    }

    /// The fetches in flight.
    pub fn net(&self) -> &Net {
        &self.0.net
    }

    /// The child processes that run.
    pub fn children(&self) -> &Children {
        &self.0.children
    }

    /// Whether a timer, fetch or child keeps the process alive.
    pub fn keeps_alive(&self) -> bool {
        self.with_timers(|timers| timers.keep_alive()) || self.0.net.in_flight() > 0 || self.0.children.running() > 0
    }

    /// See the bridge.
    pub fn now_ms(&self) -> f64 {
        (self.now() - self.0.started).as_secs_f64() * 1000.0
    }

    /// See the bridge. A closed pipe is ignored.
    pub fn write(&self, to_stderr: bool, text: &str) {
        let written = if to_stderr {
            std::io::stderr().lock().write_all(text.as_bytes())
        } else {
            let mut out = std::io::stdout().lock();
            out.write_all(text.as_bytes()).and_then(|()| out.flush())
        };
        // Nobody is left to be told when the terminal or pipe is gone.
        let _ = written;
    }

    /// See the bridge. The first code counts.
    pub fn exit(&self, code: i32) {
        if self.0.exit_code.get().is_none() {
            self.0.exit_code.set(Some(code));
        }
    }

    /// The code the process shall end with, once it shall end.
    pub fn exit_code(&self) -> Option<i32> {
        self.0.exit_code.get()
    }

    /// Whether the script asked for a new runtime in place of its own.
    pub fn wants_reload(&self) -> bool {
        self.0.reload.get()
    }

    /// Notes that a task of the native module took this long.
    pub fn task_took(&self, duration: Duration) {
        let ms = duration.as_secs_f64() * 1000.0;
        let TaskTimes { count, longest_ms, total_ms } = self.0.tasks.get();
        self.0.tasks.set(TaskTimes { count: count + 1, longest_ms: longest_ms.max(ms), total_ms: total_ms + ms });
    }

    /// See the bridge.
    pub fn call(&self, operation: &str, json: &str, bytes: &[u8]) -> Result<Answer, Failure> {
        match operation {
            "invocation" => Ok(json_answer(self.0.invocation.clone())),
            "fetch" => {
                let WithId { id, request } = parse::<WithId<FetchRequest>>(json)?;
                self.0.net.start(id, request, bytes)?;
                Ok(nothing())
            }
            "abortFetch" => {
                self.0.net.abort(parse::<WithId<Empty>>(json)?.id);
                Ok(nothing())
            }
            "spawn" => {
                let WithId { id, request } = parse::<WithId<SpawnRequest>>(json)?;
                let pid = self.0.children.spawn(id, &request)?;
                Ok(json_answer(pid.to_string()))
            }
            "kill" => {
                let WithId { id, request } = parse::<WithId<Signal>>(json)?;
                Ok(json_answer(self.0.children.kill(id, request.signal).to_string()))
            }
            "advanceClock" => {
                let ms = parse::<Milliseconds>(json)?.ms;
                self.0.ahead.set(self.0.ahead.get() + Duration::try_from_secs_f64(ms / 1000.0)?);
                Ok(nothing())
            }
            "nextTimer" => {
                let deadline = self.with_timers(Timers::next_deadline);
                let wait = deadline.map(|at| at.saturating_duration_since(self.now()).as_secs_f64() * 1000.0);
                Ok(json_answer(serde_json::to_string(&wait)?))
            }
            "taskTimes" => Ok(json_answer(serde_json::to_string(&self.0.tasks.take())?)),
            "reload" => {
                self.0.reload.set(true);
                self.exit(0);
                Ok(nothing())
            }
            "random" => Ok(bytes_answer(system::random_bytes(parse::<Length>(json)?.length)?)),
            "system" => Ok(json_answer(system::describe()?)),
            _ => files::call(operation, json, bytes)
                .unwrap_or_else(|| Err(format!("the host knows no operation {operation:?}").into())),
        }
    }
}

/// Reads the arguments of an operation.
pub fn parse<T: DeserializeOwned>(json: &str) -> Result<T, Failure> {
    Ok(serde_json::from_str(json)?)
}

/// An answer without content.
pub fn nothing() -> Answer {
    Answer { kind: AnswerKind::Nothing, text: String::new(), bytes: Vec::new() }
}

/// An answer that JavaScript gets parsed.
pub fn json_answer(text: String) -> Answer {
    Answer { kind: AnswerKind::Json, text, bytes: Vec::new() }
}

/// An answer that JavaScript gets as a string.
pub fn text_answer(text: String) -> Answer {
    Answer { kind: AnswerKind::Text, text, bytes: Vec::new() }
}

/// An answer that JavaScript gets as an ArrayBuffer.
pub fn bytes_answer(bytes: Vec<u8>) -> Answer {
    Answer { kind: AnswerKind::Bytes, text: String::new(), bytes }
}

/// See the bridge.
pub fn decode_utf8(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
