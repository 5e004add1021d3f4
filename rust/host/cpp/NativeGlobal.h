#pragma once

// The global `__native`: the functions of Rust's `Host` (and a few of the VM's own) as JavaScript sees them. The
// prelude takes it, deletes it from the global object and is its only user; rust/host/prelude/native.ts is the
// contract.

#include <jsi/jsi.h>

#include "rust/cxx.h"

namespace omnii::host {

struct Host;

void installNativeGlobal(facebook::jsi::Runtime& runtime, rust::Box<Host> host);

}  // namespace omnii::host
