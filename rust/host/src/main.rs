//! A desktop React Native: runs a bundled script on Hermes, with React Native's own TurboModule core and our module.
//!
//! `omnii-host <bundle.js> [arguments…]`; a source map is looked for beside the bundle, as `<bundle.js>.map`. What the
//! script sees of the world is made by the prelude (`rust/host/prelude`). `scripts/host.mjs` bundles a script and starts
//! this program.
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
mod process;
mod runtime;
mod system;
mod timers;

use std::env;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use event_loop::LoopSender;
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
    let bundle = arguments.next().map(PathBuf::from).ok_or("usage: omnii-host <bundle.js> [arguments…]")?;
    let invocation = invocation(&bundle, arguments.collect())?;

    let (sender, messages) = LoopSender::channel();
    let host = Host::new(&sender, invocation);
    let mut runtime = Runtime::new(&host, &sender);
    drop(sender);
    runtime.evaluate(PRELUDE, "prelude.js").map_err(|error| format!("the prelude failed: {}", error.what()))?;
    let code = event_loop::run(&host, &mut runtime, &messages);
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
