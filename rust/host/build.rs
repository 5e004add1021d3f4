//! Everything of the host that is not Rust: codegen of the spec, React Native's TurboModule core, our module in `cpp/`, the
//! host's own C++, and the prelude bundle.
//!
//! Ours is compiled with warnings as errors; React Native's and Hermes' headers are system headers, their sources silent.
//! JSI comes from the `hermes-engine` package, never from React Native: the two differ in their vtables.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// React Native's TurboModule core, relative to its `ReactCommon`.
const REACT_NATIVE_SOURCES: [&str; 8] = [
    "react/nativemodule/core/ReactCommon/CxxTurboModuleUtils.cpp",
    "react/nativemodule/core/ReactCommon/TurboModule.cpp",
    "react/nativemodule/core/ReactCommon/TurboModuleBinding.cpp",
    "react/nativemodule/core/ReactCommon/TurboModulePerfLogger.cpp",
    "react/nativemodule/core/ReactCommon/TurboModuleUtils.cpp",
    "react/nativemodule/core/ReactCommon/TurboModuleWithJSIBindings.cpp",
    "react/bridging/LongLivedObject.cpp",
    "react/utils/jsi-utils.cpp",
];

const REACT_NATIVE_INCLUDES: [&str; 5] = [".", "callinvoker", "react/nativemodule/core", "reactperflogger", "yoga"];

struct Places {
    root: PathBuf,
    host_cpp: PathBuf,
    module_cpp: PathBuf,
    react_common: PathBuf,
    out: PathBuf,
}

fn main() {
    let host = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    let root = host.join("../..").canonicalize().expect("the package lies in the repository");
    let places = Places {
        host_cpp: host.join("cpp"),
        module_cpp: root.join("cpp"),
        react_common: root.join("node_modules/react-native/ReactCommon"),
        out: PathBuf::from(variable("OUT_DIR")),
        root,
    };
    for needed in ["react-native", "@react-native/codegen", "esbuild", "event-target-shim"] {
        let folder = places.root.join("node_modules").join(needed);
        if !folder.exists() {
            fail(&format!("{} is missing: run `npm run setup`", folder.display()));
        }
        rerun_if_changed(&folder.join("package.json"));
    }

    let generated = places.out.join("codegen");
    node(&places, "scripts/codegen.mjs", &[&generated]);
    rerun_if_changed(&places.root.join("js/NativeOmniiSync.ts"));
    node(&places, "scripts/host/bundle-prelude.mjs", &[&places.out.join("prelude.js")]);
    rerun_if_changed(&places.root.join("scripts/host/hermes.mjs"));
    rerun_if_changed(&host.join("prelude"));
    rerun_if_changed(&places.root.join("package-lock.json"));

    let system_includes = system_includes(&places, generated);
    compile_host(&places, &system_includes);
    compile_module(&places, &system_includes);
    compile_react_native(&places, &system_includes);
    compile_yoga(&places);
    for library in ["icui18n", "icuuc", "icudata"] {
        println!("cargo:rustc-link-lib={library}");
    }
}

/// Headers of others, in the order in which they are searched.
fn system_includes(places: &Places, generated: PathBuf) -> Vec<PathBuf> {
    let hermes = hermes_folder();
    let mut includes = vec![
        places.host_cpp.join("stubs"),
        generated,
        PathBuf::from(variable("DEP_OMNII_SYNC_INCLUDE")),
        hermes.join("API/jsi"),
        hermes.join("API"),
        hermes.join("public"),
    ];
    includes.extend(REACT_NATIVE_INCLUDES.map(|folder| places.react_common.join(folder)));
    includes
}

fn hermes_folder() -> PathBuf {
    let cargo = env::var_os("CARGO").expect("set by cargo");
    let output = Command::new(cargo)
        .args([
            "metadata",
            "--format-version=1",
            "--locked",
            "--filter-platform",
            &variable("TARGET"),
            "--manifest-path",
        ])
        .arg(Path::new(&variable("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .output()
        .unwrap_or_else(|error| fail(&format!("cargo metadata: {error}")));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| fail(&format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr))));
    let manifest = metadata["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|package| package["name"] == "hermes-engine")
        .and_then(|package| package["manifest_path"].as_str())
        .unwrap_or_else(|| fail("cargo metadata does not name hermes-engine"));
    Path::new(manifest).with_file_name("hermes-vendor")
}

/// The cxx bridge and the host's own C++.
fn compile_host(places: &Places, system_includes: &[PathBuf]) {
    let mut bridge = cxx_build::bridge("src/bridge.rs");
    settings(&mut bridge, system_includes).include(&places.host_cpp).warnings(false).compile("omnii_host_bridge");
    rerun_if_changed(Path::new("src/bridge.rs"));

    let generated = places.out.join("cxxbridge/include");
    let mut ours = strict(system_includes);
    ours.include(&places.host_cpp).include(&places.module_cpp).flag(format!("-isystem{}", generated.display()));
    ours.files(sources(&places.host_cpp)).compile("omnii_host_cpp");
    rerun_if_changed(&places.host_cpp);
}

/// The TurboModule, as phones compile it.
fn compile_module(places: &Places, system_includes: &[PathBuf]) {
    let mut module = strict(system_includes);
    module.include(&places.module_cpp).files(sources(&places.module_cpp)).compile("omnii_module");
    rerun_if_changed(&places.module_cpp);
}

fn compile_react_native(places: &Places, system_includes: &[PathBuf]) {
    let mut core = cc::Build::new();
    settings(&mut core, system_includes).warnings(false).flag("-w");
    core.files(REACT_NATIVE_SOURCES.map(|file| places.react_common.join(file))).compile("react_native_core");
}

/// React Native's layout engine, for the headless phone.
fn compile_yoga(places: &Places) {
    let yoga = places.react_common.join("yoga");
    let folders = [".", "algorithm", "config", "debug", "event", "node"];
    let files = folders.iter().flat_map(|folder| sources(&yoga.join("yoga").join(folder)));
    let mut build = cc::Build::new();
    build.cpp(true).std("c++20").define("NDEBUG", None).include(&yoga).warnings(false).flag("-w");
    build.files(files).compile("yoga");
}

fn strict(system_includes: &[PathBuf]) -> cc::Build {
    let mut build = cc::Build::new();
    settings(&mut build, system_includes).warnings(true).extra_warnings(true).warnings_into_errors(true);
    build
}

fn settings<'a>(build: &'a mut cc::Build, system_includes: &[PathBuf]) -> &'a mut cc::Build {
    build.cpp(true).std("c++20").define("NDEBUG", None);
    for folder in system_includes {
        build.flag(format!("-isystem{}", folder.display()));
    }
    build
}

/// The `.cpp` files of a folder, in a stable order.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = folder.read_dir().unwrap_or_else(|error| fail(&format!("{}: {error}", folder.display())));
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "cpp"));
    files.sort();
    files
}

fn node(places: &Places, script: &str, arguments: &[&Path]) {
    let script = places.root.join(script);
    rerun_if_changed(&script);
    let status = Command::new("node").arg(&script).args(arguments).status();
    match status {
        Ok(status) if status.success() => {}
        Ok(status) => fail(&format!("{} ended with {status}", script.display())),
        Err(error) => fail(&format!("node: {error}")),
    }
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| fail(&format!("{name} is not set")))
}

fn rerun_if_changed(path: &Path) {
    println!("cargo:rerun-if-changed={}", path.display());
}

/// Ends the build with one line that says what to do.
fn fail(message: &str) -> ! {
    println!("cargo::error={message}");
    std::process::exit(1);
}
