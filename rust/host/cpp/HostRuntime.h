#pragma once

// The Hermes runtime of the host: made with the features a React Native app has, the TurboModule `OmniiSync` behind
// React Native's own TurboModuleBinding, and one global, `__native`, through which the prelude reaches the Rust side.
//
// Everything here runs on the JS thread. What JavaScript throws never crosses into Rust as an exception: it is handed
// over as a value, so that the prelude can report it with a mapped stack. Errors in the prelude itself are Rust errors.

#include <jsi/jsi.h>

#include <memory>

#include "LoopInvoker.h"
#include "rust/cxx.h"

namespace facebook::react {
class OmniiSyncModule;
}

namespace omnii::host {

struct Host;

class HostRuntime {
 public:
  HostRuntime(rust::Box<Host> host, rust::Box<LoopSender> sender);
  ~HostRuntime();
  HostRuntime(const HostRuntime&) = delete;
  HostRuntime& operator=(const HostRuntime&) = delete;

  /// Runs a script. Throws (a Rust `Err`) what the script throws.
  void evaluate(rust::Str source, rust::Str url);
  /// Runs one task. Answers what it threw, or null.
  std::unique_ptr<facebook::jsi::Value> run(std::unique_ptr<NativeTask> task);
  /// Runs all microtasks. Answers what one of them threw, or null; call again after an error.
  std::unique_ptr<facebook::jsi::Value> drainMicrotasks();
  /// Promises of the module that have not settled yet; they keep the process alive.
  size_t pendingRequests() const;
  size_t openDatabases() const;
  facebook::jsi::Runtime* jsi() const;

 private:
  void installModule(rust::Box<LoopSender> sender);

  // The order matters: the module is let go before the runtime that its values belong to.
  std::unique_ptr<facebook::jsi::Runtime> runtime_;
  std::shared_ptr<std::shared_ptr<facebook::react::OmniiSyncModule>> module_;
};

std::unique_ptr<HostRuntime> makeHostRuntime(rust::Box<Host> host, rust::Box<LoopSender> sender);

/// The two conversions that jsi-rs lacks.
std::unique_ptr<facebook::jsi::Value> stringValue(facebook::jsi::Runtime& runtime, rust::Str text);
std::unique_ptr<facebook::jsi::Value> bufferValue(facebook::jsi::Runtime& runtime, rust::Vec<uint8_t> bytes);

}  // namespace omnii::host
