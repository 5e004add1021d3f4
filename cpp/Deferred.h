#pragma once

// A promise that native code settles later. `Deferred` holds the two functions that settle it; `Deferreds` keeps those
// of one module instance by request id. Everything here is used on the JS thread only, its destruction included: the
// map is a LongLivedObject, so React Native's collection for the runtime owns it and empties it before the runtime goes
// away. Hold it weakly, and lock it on the JS thread only; a lock taken elsewhere could make that thread the one that
// frees JSI values.

#include <jsi/jsi.h>
#include <react/bridging/LongLivedObject.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

namespace omnii {

namespace jsi = facebook::jsi;

class Deferred final {
 public:
  /// Creates a promise. The Deferred settles it, once: later calls are ignored by the promise itself.
  static std::pair<jsi::Value, Deferred> create(jsi::Runtime& runtime) {
    struct Functions {
      std::optional<jsi::Function> resolve;
      std::optional<jsi::Function> reject;
    };
    // Shared, because the executor outlives this call as garbage; it is emptied below, so that whichever thread
    // collects it has no JSI values to free.
    auto functions = std::make_shared<Functions>();
    auto executor = jsi::Function::createFromHostFunction(
        runtime, jsi::PropNameID::forAscii(runtime, "executor"), 2,
        [functions](jsi::Runtime& rt, const jsi::Value&, const jsi::Value* args, size_t count) {
          if (count == 2) {
            functions->resolve = args[0].asObject(rt).asFunction(rt);
            functions->reject = args[1].asObject(rt).asFunction(rt);
          }
          return jsi::Value();
        });
    auto promise = runtime.global().getPropertyAsFunction(runtime, "Promise").callAsConstructor(runtime, executor);
    auto resolve = std::exchange(functions->resolve, std::nullopt);
    auto reject = std::exchange(functions->reject, std::nullopt);
    if (!resolve || !reject) {
      throw jsi::JSError(runtime, "The global Promise did not call its executor");
    }
    return {std::move(promise), Deferred(std::move(*resolve), std::move(*reject))};
  }

  void resolve(jsi::Runtime& runtime, const jsi::Value& value) const { resolve_.call(runtime, value); }

  /// Rejects with an `Error` that has `code: string` and `retryable: boolean` beside its message. Texts are UTF-8.
  void reject(jsi::Runtime& runtime, const std::string& code, const std::string& message, bool retryable) const {
    auto error = runtime.global()
                     .getPropertyAsFunction(runtime, "Error")
                     .callAsConstructor(runtime, jsi::String::createFromUtf8(runtime, message))
                     .asObject(runtime);
    error.setProperty(runtime, "code", jsi::String::createFromUtf8(runtime, code));
    error.setProperty(runtime, "retryable", retryable);
    reject_.call(runtime, error);
  }

 private:
  Deferred(jsi::Function resolve, jsi::Function reject) : resolve_(std::move(resolve)), reject_(std::move(reject)) {}

  jsi::Function resolve_;
  jsi::Function reject_;
};

class Deferreds final : public facebook::react::LongLivedObject {
 public:
  explicit Deferreds(jsi::Runtime& runtime) : LongLivedObject(runtime) {}

  /// Makes the map and hands it to the runtime's collection.
  static std::weak_ptr<Deferreds> create(jsi::Runtime& runtime) {
    auto deferreds = std::make_shared<Deferreds>(runtime);
    facebook::react::LongLivedObjectCollection::get(runtime).add(deferreds);
    return deferreds;
  }

  void add(uint64_t request, Deferred deferred) { byRequest_.emplace(request, std::move(deferred)); }

  /// Removes and answers the request's Deferred; nothing when it has been taken before.
  std::optional<Deferred> take(uint64_t request) {
    auto entry = byRequest_.extract(request);
    return entry.empty() ? std::nullopt : std::optional(std::move(entry.mapped()));
  }

  size_t size() const { return byRequest_.size(); }

 private:
  std::unordered_map<uint64_t, Deferred> byRequest_;
};

}  // namespace omnii
