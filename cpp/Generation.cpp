#include "Generation.h"

#include <exception>

#include "RowConverter.h"

namespace omnii {

namespace {

jsi::Value textToJs(jsi::Runtime& runtime, const rust::String& text) {
  return jsi::String::createFromUtf8(runtime, reinterpret_cast<const uint8_t*>(text.data()), text.size());
}

void settleDeferred(jsi::Runtime& runtime, Shapes& shapes, const Deferred& deferred, const Outcome& outcome) {
  if (const auto* failure = std::get_if<Failure>(&outcome)) {
    deferred.reject(runtime, toReason(*failure));
  } else if (const auto* rows = std::get_if<rust::Box<Rows>>(&outcome)) {
    deferred.resolve(runtime, toResult(runtime, shapes, **rows));
  } else if (const auto* text = std::get_if<rust::String>(&outcome)) {
    deferred.resolve(runtime, textToJs(runtime, *text));
  } else if (const auto* number = std::get_if<double>(&outcome)) {
    deferred.resolve(runtime, *number);
  } else if (const auto* flag = std::get_if<bool>(&outcome)) {
    deferred.resolve(runtime, *flag);
  } else {
    deferred.resolve(runtime, jsi::Value::undefined());
  }
}

}  // namespace

Reason toReason(const Failure& failure) {
  return {std::string(failure.code), std::string(failure.message), failure.retryable, std::string(failure.table),
          std::string(failure.row_id)};
}

Generation::Generation(std::shared_ptr<facebook::react::CallInvoker> invoker, Emitters emitters)
    : invoker_(std::move(invoker)), emitters_(std::move(emitters)) {}

std::shared_ptr<Deferreds> Generation::deferreds(jsi::Runtime& runtime) {
  auto deferreds = deferreds_.lock();
  if (!deferreds) {
    deferreds_ = Deferreds::create(runtime);
    deferreds = deferreds_.lock();
  }
  return deferreds;
}

std::pair<jsi::Value, uint64_t> Generation::begin(jsi::Runtime& runtime) {
  uint64_t request = ++lastRequest_;
  return {deferreds(runtime)->add(runtime, request), request};
}

jsi::Object Generation::result(jsi::Runtime& runtime, const Rows& rows) {
  return toResult(runtime, deferreds(runtime)->shapes, rows);
}

void Generation::settle(jsi::Runtime& runtime, uint64_t request, Outcome& outcome) {
  auto deferreds = deferreds_.lock();
  auto deferred = deferreds ? deferreds->take(request) : std::nullopt;
  if (!deferred) {
    return;
  }
  std::string reason;
  try {
    settleDeferred(runtime, deferreds->shapes, *deferred, outcome);
    return;
  } catch (const std::exception& error) {
    reason = error.what();
  } catch (...) {
    reason = "an exception of an unknown type";
  }
  // Should even this throw, the call invoker reports it: the runtime itself is then beyond use.
  deferred->reject(runtime, {"Internal", "The answer could not be handed to JavaScript: " + reason, false, {}, {}});
}

void Generation::settleInOrder(jsi::Runtime& runtime, uint64_t request, std::shared_ptr<Outcome> outcome) {
  if (eventsUnderway_ == 0) {
    settle(runtime, request, *outcome);
    return;
  }
  // Tasks run in the order they are queued in, so this one comes after the listeners that are waiting now.
  invoker_->invokeAsync([weak = weak_from_this(), request, outcome = std::move(outcome)](jsi::Runtime& rt) {
    if (auto self = weak.lock()) {
      self->settle(rt, request, *outcome);
    }
  });
}

void Generation::emit(StatusEvent event) {
  emitTo(emitters_.statusChanged, std::move(event));
}

void Generation::emit(TablesEvent event) {
  emitTo(emitters_.tablesChanged, std::move(event));
}

void Generation::emit(CredentialsEvent event) {
  emitTo(emitters_.credentialsRequested, std::move(event));
}

void Generation::emit(UploadEvent event) {
  emitTo(emitters_.uploadRequested, std::move(event));
}

size_t Generation::pendingRequests() const {
  auto deferreds = deferreds_.lock();
  return deferreds ? deferreds->size() : 0;
}

template <typename Event>
void Generation::emitTo(const std::weak_ptr<Emitter>& to, Event event) {
  auto emitter = to.lock();
  if (!emitter) {
    return;
  }
  // Without the call invoker, which only callbacks would need: a task that held it would keep the queue it lies in
  // alive.
  emitter->emit([event = std::move(event)](jsi::Runtime& rt) -> jsi::Value {
    return facebook::react::bridging::toJs(rt, event, nullptr);
  });
  ++eventsUnderway_;
  invoker_->invokeAsync([weak = weak_from_this()](jsi::Runtime&) {
    if (auto self = weak.lock()) {
      --self->eventsUnderway_;
    }
  });
}

}  // namespace omnii
