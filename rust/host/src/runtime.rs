//! The Rust side of the VM: builds arguments with jsi-rs and calls the prelude's functions.
//!
//! Guarantees that a value of JavaScript is made, used and let go on the JS thread only: `Runtime` and `Listeners` are
//! neither `Send` nor outlive the VM (`Runtime::close` lets go of the functions first). jsi-rs turns an exception thrown by
//! a called function into an abort, so the prelude's functions catch everything themselves.

use std::pin::Pin;
use std::rc::Rc;

use cxx::UniquePtr;
use jsi_rs::sys::ffi::{JSIRuntime, JSIValue};
use jsi_rs::{JSFunction, JSRuntime, JSValue};

use crate::bridge::ffi;
use crate::event_loop::LoopSender;
use crate::host::Host;
use crate::net::Fetched;
use crate::process::ChildEvent;

/// The prelude's functions, taken by `__native.listen`.
pub struct Listeners {
    timer: JSFunction,
    fetch: JSFunction,
    child: JSFunction,
    error: JSFunction,
    idle: JSFunction,
    command: JSFunction,
}

/// What `__native.listen` was given, before it is known to be functions.
pub struct Given {
    /// Called as `(id)` when a timer or immediate is due.
    pub timer: UniquePtr<JSIValue>,
    /// Called as `(id, head, body)` or `(id, null, message)`.
    pub fetch: UniquePtr<JSIValue>,
    /// Called as `(id, event)`.
    pub child: UniquePtr<JSIValue>,
    /// Called as `(thrown)`.
    pub error: UniquePtr<JSIValue>,
    /// Called as `()` when nothing keeps the process alive.
    pub idle: UniquePtr<JSIValue>,
    /// Called as `(line)` with a line of standard input, in phone mode.
    pub command: UniquePtr<JSIValue>,
}

/// The VM.
pub struct Runtime(UniquePtr<ffi::HostRuntime>);

impl Runtime {
    /// Makes the VM with `__native` and the TurboModule installed.
    pub fn new(host: &Host, sender: &LoopSender) -> Self {
        Self(ffi::make_host_runtime(Box::new(host.clone()), Box::new(sender.clone())))
    }

    /// Runs a script of the host itself, the prelude.
    pub fn evaluate(&mut self, source: &str, url: &str) -> Result<(), cxx::Exception> {
        self.0.pin_mut().evaluate(source, url)
    }

    /// Turns what `listen` was given into functions.
    pub fn listeners(&mut self, given: Given) -> Option<Listeners> {
        let js = &mut self.js();
        let mut function = |value: UniquePtr<JSIValue>| adopt(value).as_function(js);
        Some(Listeners {
            timer: function(given.timer)?,
            fetch: function(given.fetch)?,
            child: function(given.child)?,
            error: function(given.error)?,
            idle: function(given.idle)?,
            command: function(given.command)?,
        })
    }

    /// Runs the callback of a timer or immediate.
    pub fn fire_timer(&mut self, host: &Host, id: u32) {
        self.call(host, |listeners| &listeners.timer, &[JSValue::number(f64::from(id))]);
    }

    /// Delivers the end of a fetch.
    pub fn fetched(&mut self, host: &Host, id: u32, fetched: Fetched) {
        let id = JSValue::number(f64::from(id));
        let args = match fetched {
            Ok(response) => [id, self.text(&response.head), self.buffer(response.body)],
            Err(message) => [id, JSValue::null(), self.text(&message)],
        };
        self.call(host, |listeners| &listeners.fetch, &args);
    }

    /// Delivers what a child process did.
    pub fn child_event(&mut self, host: &Host, id: u32, event: &ChildEvent) {
        let args = [JSValue::number(f64::from(id)), self.text(&event.to_json())];
        self.call(host, |listeners| &listeners.child, &args);
    }

    /// Delivers a line of standard input.
    pub fn command(&mut self, host: &Host, line: &str) {
        let args = [self.text(line)];
        self.call(host, |listeners| &listeners.command, &args);
    }

    /// Runs a task of the TurboModule's `CallInvoker`.
    pub fn run_task(&mut self, host: &Host, task: UniquePtr<ffi::NativeTask>) {
        let thrown = self.0.pin_mut().run(task);
        self.report(host, thrown);
    }

    /// Runs all microtasks; each error among them is reported and the rest still run.
    pub fn drain_microtasks(&mut self, host: &Host) {
        while host.exit_code().is_none() {
            let thrown = self.0.pin_mut().drain_microtasks();
            if thrown.is_null() {
                return;
            }
            self.report(host, thrown);
        }
    }

    /// Tells the prelude that nothing keeps the process alive.
    pub fn idle(&mut self, host: &Host) {
        self.call(host, |listeners| &listeners.idle, &[]);
    }

    /// Promises of the native module that have not settled.
    pub fn pending_requests(&self) -> usize {
        self.0.pending_requests()
    }

    /// Databases of the native module that are open.
    pub fn open_databases(&self) -> usize {
        self.0.open_databases()
    }

    /// Lets go of the prelude's functions, then of the VM.
    pub fn close(self, host: &Host) {
        host.forget_listeners();
        drop(self);
    }

    fn report(&mut self, host: &Host, thrown: UniquePtr<JSIValue>) {
        if !thrown.is_null() {
            self.call(host, |listeners| &listeners.error, &[adopt(thrown)]);
        }
    }

    fn call(&mut self, host: &Host, which: impl Fn(&Listeners) -> &JSFunction, args: &[JSValue]) {
        let js = &mut self.js();
        if let Some(listeners) = host.listeners(|given| self.listeners(given)) {
            // The only error jsi-rs could answer is an exception, and the prelude's functions throw none.
            let _ = which(&listeners).call(js, args);
        }
    }

    fn text(&mut self, text: &str) -> JSValue {
        adopt(ffi::string_value(self.pin(), text))
    }

    fn buffer(&mut self, bytes: Vec<u8>) -> JSValue {
        adopt(ffi::buffer_value(self.pin(), bytes))
    }

    fn js(&self) -> JSRuntime {
        // SAFETY: the pointer is the VM's own and valid as long as `self`; JSRuntime is used on this thread only and
        // does not outlive the method that asked for it.
        unsafe { JSRuntime::from_raw(self.0.jsi()) }
    }

    fn pin(&mut self) -> Pin<&mut JSIRuntime> {
        // SAFETY: the runtime is owned by C++ and never moved; `&mut self` makes the reference the only one of Rust's.
        unsafe { Pin::new_unchecked(&mut *self.0.jsi()) }
    }
}

/// A value from C++ as jsi-rs' own type.
fn adopt(value: UniquePtr<JSIValue>) -> JSValue {
    // SAFETY: `from_raw` takes over what `into_raw` gave up; C++ made it with `std::make_unique`.
    unsafe { JSValue::from_raw(value.into_raw()) }
}

/// Listeners as the host keeps them: shared, because a listener may run code that asks for them again.
pub type SharedListeners = Rc<Listeners>;
