#pragma once

// What the engine calls back into. The Rust side holds a shared pointer to it and calls it from its own threads;
// the implementation (EventDispatcher) brings everything to the JS thread. Free of JSI, so that rust/ffi compiles
// alone.
//
// Guarantees of the caller (rust/ffi): every request id is settled exactly once, by `rowsReady`, `numberReady`,
// `flagReady`, `textReady`, `done` or `failed`; calls may come from any thread and also before the requesting call has
// returned.

#include <cstdint>
#include "rust/cxx.h"

namespace omnii {

struct Rows;
struct Failure;

class EngineSink {
 public:
  virtual ~EngineSink() = default;

  virtual void rowsReady(uint64_t request, rust::Box<Rows> rows) const noexcept = 0;
  virtual void numberReady(uint64_t request, double value) const noexcept = 0;
  virtual void flagReady(uint64_t request, bool value) const noexcept = 0;
  virtual void textReady(uint64_t request, rust::String text) const noexcept = 0;
  virtual void done(uint64_t request) const noexcept = 0;
  virtual void failed(uint64_t request, Failure failure) const noexcept = 0;

  virtual void statusChanged(uint32_t database, rust::String status) const noexcept = 0;
  virtual void tablesChanged(uint32_t database, rust::Vec<rust::String> tables, rust::String rowIds) const noexcept = 0;
  virtual void watchChanged(uint32_t database, uint64_t watch, rust::String error) const noexcept = 0;
  virtual void credentialsRequested(uint32_t database, uint64_t request) const noexcept = 0;
  virtual void uploadRequested(uint32_t database, uint64_t request) const noexcept = 0;
};

}  // namespace omnii
