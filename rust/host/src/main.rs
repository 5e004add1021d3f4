//! A desktop React Native: runs a bundled script on Hermes, with React Native's own TurboModule core and our module.
//!
//! `omnii-host <bundle.js> [arguments…]`; a source map is looked for beside the bundle, as `<bundle.js>.map`. What the
//! script sees of the world is made by the prelude (`rust/host/prelude`). `scripts/host.mjs` bundles a script and starts
//! this program.
//!
//! `omnii-host --phone <prelude.js> <bundle> [arguments…]` runs an app in place of a script, see `phone.rs`.
//!
//! Exit codes: what the script says; 1 after an uncaught error or unhandled rejection; 2 when used wrongly.

// Its static libraries are Hermes; its Rust side is not used (it makes a runtime without microtasks).
use hermes_engine as _;
use omnii_sync as _;

mod bridge;
mod event_loop;
mod files;
mod host;
mod net;
mod phone;
mod process;
mod runtime;
mod system;
mod timers;

use std::env;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use event_loop::{Lives, LoopSender};
use host::Host;
use runtime::Runtime;

/// What the script finds on the global object; bundled by build.rs.
const PRELUDE: &str = include_str!(concat!(env!("OUT_DIR"), "/prelude.js"));

fn main() {
    let code = run().unwrap_or_else(|message| {
        eprintln!("omnii-host: {message}");
        2
    });
    // Nobody is left to be told when the pipe is gone.
    let _ = std::io::stdout().flush();
    std::process::exit(code);
}

fn run() -> Result<i32, String> {
    let mut arguments = env::args().skip(1);
    let usage = "usage: omnii-host [--phone <prelude.js>] <bundle.js> [arguments…]";
    let mut first = arguments.next().ok_or(usage)?;
    let mut prelude = None;
    if first == "--phone" {
        let path = arguments.next().ok_or(usage)?;
        let source = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        prelude = Some((path, source));
        first = arguments.next().ok_or(usage)?;
    }
    let invocation = invocation(&PathBuf::from(first), arguments.collect())?;
    if let Some((path, source)) = prelude {
        return phone::run(&source, &path, &invocation);
    }

    let (sender, messages) = LoopSender::channel();
    let host = Host::new(&sender, invocation);
    let mut runtime = Runtime::new(&host, &sender);
    drop(sender);
    runtime.evaluate(PRELUDE, "prelude.js").map_err(|error| format!("the prelude failed: {}", error.what()))?;
    let code = event_loop::run(&host, &mut runtime, &messages, Lives::WhileBusy);
    host.children().end_all();
    let open = runtime.open_databases();
    if code == 0 && open > 0 {
        // a script that awaits nothing but an event ends here, and without this it would end without a word
        eprintln!(
            "omnii-host: the script has ended while {open} of its databases are open. If it was waiting for an event: events \
             alone keep no script running, set a timer meanwhile. Otherwise close() them."
        );
    }
    // What is still queued holds functions of the module's; they go before the VM, on this thread.
    drop(messages);
    runtime.close(&host);
    Ok(code)
}

/// JSON of what the prelude makes `process` from.
fn invocation(bundle: &Path, arguments: Vec<String>) -> Result<String, String> {
    let environment: serde_json::Map<_, _> = env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into()))
        .collect();
    let directory = env::current_dir().map_err(|error| format!("no working directory: {error}"))?;
    let invocation = serde_json::json!({
        "bundle": bundle,
        "executable": env::current_exe().unwrap_or_default(),
        "arguments": arguments,
        "environment": environment,
        "directory": directory,
    });
    Ok(invocation.to_string())
}
