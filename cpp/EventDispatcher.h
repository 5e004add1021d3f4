#pragma once

// The engine's way to the JS thread: every call of the sink becomes one task there, in the order of the calls. The
// engine holds it and calls it from its own threads; it knows the module's generation weakly, and looks at it on the JS
// thread only, so calls for a module that is gone are dropped. Never waits and never touches JSI itself.
//
// Its methods are noexcept: what can fail in them is only the memory for a task, and then nothing can be settled
// anyway.

#include <ReactCommon/CallInvoker.h>

#include <cstdint>
#include <memory>

#include "EngineSink.h"
#include "Generation.h"

namespace omnii {

class EventDispatcher final : public EngineSink {
 public:
  EventDispatcher(std::shared_ptr<facebook::react::CallInvoker> invoker, std::weak_ptr<Generation> generation);

  void rowsReady(uint64_t request, rust::Box<Rows> rows) const noexcept override;
  void numberReady(uint64_t request, double value) const noexcept override;
  void flagReady(uint64_t request, bool value) const noexcept override;
  void textReady(uint64_t request, rust::String text) const noexcept override;
  void done(uint64_t request) const noexcept override;
  void failed(uint64_t request, Failure failure) const noexcept override;

  void statusChanged(uint32_t database, rust::String status) const noexcept override;
  void tablesChanged(uint32_t database, rust::Vec<rust::String> tables, rust::String rowIds) const noexcept override;
  void watchChanged(uint32_t database, uint64_t watch, rust::String error) const noexcept override;
  void credentialsRequested(uint32_t database, uint64_t request) const noexcept override;
  void uploadRequested(uint32_t database, uint64_t request) const noexcept override;

 private:
  void settle(uint64_t request, Outcome outcome) const;
  template <typename Event>
  void emit(Event event) const;

  const std::shared_ptr<facebook::react::CallInvoker> invoker_;
  const std::weak_ptr<Generation> generation_;
};

}  // namespace omnii
