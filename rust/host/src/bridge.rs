//! The cxx bridge between the host's Rust and its C++ (`rust/host/cpp`), and nothing else.
//!
//! Rust owns the event loop and everything of the operating system; C++ owns the VM. Values of JavaScript cross as jsi-rs'
//! own types. All of it is used on the JS thread, except `LoopSender`, which any thread may use.

use crate::event_loop::LoopSender;
use crate::host::{Host, decode_utf8};

/// The functions and types both sides share. Strings are UTF-8.
#[cxx::bridge(namespace = "omnii::host")]
pub mod ffi {
    /// Which field of an [`Answer`] counts.
    enum AnswerKind {
        Nothing,
        /// `text`, handed to JavaScript parsed.
        Json,
        /// `text`, handed over as a string.
        Text,
        /// `bytes`, handed over as an ArrayBuffer.
        Bytes,
    }

    /// What an operation of the host answers at once.
    struct Answer {
        kind: AnswerKind,
        text: String,
        bytes: Vec<u8>,
    }

    extern "Rust" {
        type Host;
        type LoopSender;

        /// Takes the prelude's functions: timer, fetch, child, error, idle, command. None of them may throw.
        fn listen(
            self: &Host,
            timer: UniquePtr<JSIValue>,
            fetch: UniquePtr<JSIValue>,
            child: UniquePtr<JSIValue>,
            error: UniquePtr<JSIValue>,
            idle: UniquePtr<JSIValue>,
            command: UniquePtr<JSIValue>,
        ) -> Result<()>;
        fn start_timer(self: &Host, id: u32, delay_ms: f64, repeat: bool, keeps_alive: bool);
        fn start_immediate(self: &Host, id: u32);
        fn cancel_timer(self: &Host, id: u32);
        /// Milliseconds since the runtime started, by the clock that can be advanced, with fractions.
        fn now_ms(self: &Host) -> f64;
        fn write(self: &Host, to_stderr: bool, text: &str);
        /// Ends the loop after the task that is running.
        fn exit(self: &Host, code: i32);
        /// Runs one named operation of the operating system; `json` holds its arguments.
        fn call(self: &Host, operation: &str, json: &str, bytes: &[u8]) -> Result<Answer>;
        /// UTF-8 to text; what is malformed becomes U+FFFD.
        fn decode_utf8(bytes: &[u8]) -> String;

        /// Queues a task for the JS thread; drops it if the loop has ended.
        fn post(self: &LoopSender, task: UniquePtr<NativeTask>);
    }

    unsafe extern "C++" {
        include!("HostRuntime.h");

        #[namespace = "facebook::jsi"]
        #[cxx_name = "Value"]
        type JSIValue = jsi_rs::sys::ffi::JSIValue;
        #[namespace = "facebook::jsi"]
        #[cxx_name = "Runtime"]
        type JSIRuntime = jsi_rs::sys::ffi::JSIRuntime;

        type NativeTask;
        type HostRuntime;

        #[cxx_name = "makeHostRuntime"]
        fn make_host_runtime(host: Box<Host>, sender: Box<LoopSender>) -> UniquePtr<HostRuntime>;
        fn evaluate(self: Pin<&mut HostRuntime>, source: &str, url: &str) -> Result<()>;
        /// Answers what the task threw, or null.
        fn run(self: Pin<&mut HostRuntime>, task: UniquePtr<NativeTask>) -> UniquePtr<JSIValue>;
        /// Answers what a microtask threw, or null.
        #[cxx_name = "drainMicrotasks"]
        fn drain_microtasks(self: Pin<&mut HostRuntime>) -> UniquePtr<JSIValue>;
        #[cxx_name = "pendingRequests"]
        fn pending_requests(self: &HostRuntime) -> usize;
        /// Databases of the module that are open.
        #[cxx_name = "openDatabases"]
        fn open_databases(self: &HostRuntime) -> usize;
        fn jsi(self: &HostRuntime) -> *mut JSIRuntime;

        #[cxx_name = "stringValue"]
        fn string_value(runtime: Pin<&mut JSIRuntime>, text: &str) -> UniquePtr<JSIValue>;
        #[cxx_name = "bufferValue"]
        fn buffer_value(runtime: Pin<&mut JSIRuntime>, bytes: Vec<u8>) -> UniquePtr<JSIValue>;
    }
}

// SAFETY: a task is made on any thread, moved to the JS thread and run there. What its function captures is what React
// Native's CallInvoker contract demands to be movable across threads; JSI values are captured weakly.
unsafe impl Send for ffi::NativeTask {}
