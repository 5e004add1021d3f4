#pragma once

// A promise that native code settles later. `Deferred` holds the two functions that settle it; `Deferreds` keeps those
// of one module instance by request id, and the other JSI values that outlive a call. Everything here is used on the JS
// thread only, its destruction included: the map is a LongLivedObject, so React Native's collection for the runtime
// owns it and empties it before the runtime goes away. Hold it weakly, and lock it on the JS thread only; a lock taken
// elsewhere could make that thread the one that frees JSI values.

#include <jsi/jsi.h>
#include <react/bridging/LongLivedObject.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "RowConverter.h"

namespace omnii {

namespace jsi = facebook::jsi;

/// Why something failed, on its way to JavaScript. Texts are UTF-8; an empty table or row means none in particular.
struct Reason {
  std::string code;
  std::string message;
  bool retryable = false;
  std::string table;
  std::string rowId;
};

/// An `Error` that has `code: string` and `retryable: boolean` beside its message, and `table` and `rowId` if known.
inline jsi::Object toError(jsi::Runtime& runtime, const Reason& reason) {
  auto text = [&](const std::string& utf8) { return jsi::String::createFromUtf8(runtime, utf8); };
  auto error = runtime.global()
                   .getPropertyAsFunction(runtime, "Error")
                   .callAsConstructor(runtime, text(reason.message))
                   .asObject(runtime);
  error.setProperty(runtime, "code", text(reason.code));
  error.setProperty(runtime, "retryable", reason.retryable);
  if (!reason.table.empty()) {
    error.setProperty(runtime, "table", text(reason.table));
  }
  if (!reason.rowId.empty()) {
    error.setProperty(runtime, "rowId", text(reason.rowId));
  }
  return error;
}

class Deferred final {
 public:
  Deferred(jsi::Function resolve, jsi::Function reject) : resolve_(std::move(resolve)), reject_(std::move(reject)) {}

  void resolve(jsi::Runtime& runtime, const jsi::Value& value) const { resolve_.call(runtime, value); }

  void reject(jsi::Runtime& runtime, const Reason& reason) const { reject_.call(runtime, toError(runtime, reason)); }

 private:
  jsi::Function resolve_;
  jsi::Function reject_;
};

/// Makes promises. Keeps the constructor and one executor for all of them, since making those costs more than the rest.
class Promises final {
 public:
  explicit Promises(jsi::Runtime& runtime)
      : functions_(std::make_shared<Functions>()),
        constructor_(runtime.global().getPropertyAsFunction(runtime, "Promise")),
        // The executor may outlive this as garbage; the functions are taken from it at once, so that whichever thread
        // collects it has no JSI values to free.
        executor_(jsi::Function::createFromHostFunction(
            runtime, jsi::PropNameID::forAscii(runtime, "executor"), 2,
            [functions = functions_](jsi::Runtime& rt, const jsi::Value&, const jsi::Value* args, size_t count) {
              if (count == 2) {
                functions->resolve = args[0].asObject(rt).asFunction(rt);
                functions->reject = args[1].asObject(rt).asFunction(rt);
              }
              return jsi::Value();
            })) {}

  /// A promise and what settles it, once: later calls are ignored by the promise itself.
  std::pair<jsi::Value, Deferred> create(jsi::Runtime& runtime) {
    auto promise = constructor_.callAsConstructor(runtime, executor_);
    auto resolve = std::exchange(functions_->resolve, std::nullopt);
    auto reject = std::exchange(functions_->reject, std::nullopt);
    if (!resolve || !reject) {
      throw jsi::JSError(runtime, "The global Promise did not call its executor");
    }
    return {std::move(promise), Deferred(std::move(*resolve), std::move(*reject))};
  }

 private:
  struct Functions {
    std::optional<jsi::Function> resolve;
    std::optional<jsi::Function> reject;
  };

  std::shared_ptr<Functions> functions_;
  jsi::Function constructor_;
  jsi::Function executor_;
};

class Deferreds final : public facebook::react::LongLivedObject {
 public:
  explicit Deferreds(jsi::Runtime& runtime) : LongLivedObject(runtime), shapes(runtime), promises_(runtime) {}

  /// Makes the map and hands it to the runtime's collection.
  static std::weak_ptr<Deferreds> create(jsi::Runtime& runtime) {
    auto deferreds = std::make_shared<Deferreds>(runtime);
    facebook::react::LongLivedObjectCollection::get(runtime).add(deferreds);
    return deferreds;
  }

  /// Makes the request's promise.
  jsi::Value add(jsi::Runtime& runtime, uint64_t request) {
    auto [promise, deferred] = promises_.create(runtime);
    byRequest_.emplace(request, std::move(deferred));
    return std::move(promise);
  }

  /// Removes and answers the request's Deferred; nothing when it has been taken before.
  std::optional<Deferred> take(uint64_t request) {
    auto entry = byRequest_.extract(request);
    return entry.empty() ? std::nullopt : std::optional(std::move(entry.mapped()));
  }

  size_t size() const { return byRequest_.size(); }

  /// Kept here for its lifetime's sake.
  Shapes shapes;

 private:
  Promises promises_;
  std::unordered_map<uint64_t, Deferred> byRequest_;
};

}  // namespace omnii
