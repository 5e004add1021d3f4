//! Compiles the cxx bridge and tells dependants (rust/host, the phone builds) where its headers are.

use std::{env, path::PathBuf};

fn main() {
    let cpp = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("set by cargo")).join("../../cpp");
    cxx_build::bridge("src/lib.rs").std("c++20").include(&cpp).compile("omnii_sync_bridge");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("set by cargo"));
    println!("cargo:include={}", out.join("cxxbridge/include").display());
    println!("cargo:rerun-if-changed=src/lib.rs");
    println!("cargo:rerun-if-changed={}", cpp.join("EngineSink.h").display());
}
