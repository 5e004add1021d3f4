#pragma once

// React Native's way from any thread to the JS thread, over the host's event loop.
//
// Calls may come from any thread. What is posted after the loop has ended is dropped where it was posted; React
// Native's own lambdas hold JSI values only weakly, so nothing of JavaScript is released there.

#include <ReactCommon/CallInvoker.h>

#include "rust/cxx.h"

namespace omnii::host {

struct LoopSender;

/// One piece of work for the JS thread, on its way through the Rust event loop.
class NativeTask {
 public:
  explicit NativeTask(facebook::react::CallFunc&& func) : func_(std::move(func)) {}
  void run(facebook::jsi::Runtime& runtime) const { func_(runtime); }

 private:
  facebook::react::CallFunc func_;
};

class LoopInvoker final : public facebook::react::CallInvoker {
 public:
  explicit LoopInvoker(rust::Box<LoopSender> sender);
  void invokeAsync(facebook::react::CallFunc&& func) noexcept override;
  /// Never available: nothing in the host may block another thread on the JS thread.
  [[noreturn]] void invokeSync(facebook::react::CallFunc&& func) override;

 private:
  rust::Box<LoopSender> sender_;
};

}  // namespace omnii::host
