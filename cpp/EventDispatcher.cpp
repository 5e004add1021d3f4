#include "EventDispatcher.h"

#include <string>
#include <utility>
#include <vector>

namespace omnii {

EventDispatcher::EventDispatcher(std::shared_ptr<facebook::react::CallInvoker> invoker,
                                 std::weak_ptr<Generation> generation)
    : invoker_(std::move(invoker)), generation_(std::move(generation)) {}

void EventDispatcher::rowsReady(uint64_t request, rust::Box<Rows> rows) const noexcept {
  settle(request, std::move(rows));
}

void EventDispatcher::numberReady(uint64_t request, double value) const noexcept {
  settle(request, value);
}

void EventDispatcher::flagReady(uint64_t request, bool value) const noexcept {
  settle(request, value);
}

void EventDispatcher::textReady(uint64_t request, rust::String text) const noexcept {
  settle(request, std::move(text));
}

void EventDispatcher::done(uint64_t request) const noexcept {
  settle(request, std::monostate());
}

void EventDispatcher::failed(uint64_t request, Failure failure) const noexcept {
  settle(request, std::move(failure));
}

void EventDispatcher::statusChanged(uint32_t database, rust::String status) const noexcept {
  emit(StatusEvent{static_cast<double>(database), std::string(status)});
}

void EventDispatcher::tablesChanged(uint32_t database, rust::Vec<rust::String> tables,
                                    rust::String rowIds) const noexcept {
  std::vector<std::string> names;
  names.reserve(tables.size());
  for (const auto& table : tables) {
    names.emplace_back(std::string(table));
  }
  emit(TablesEvent{static_cast<double>(database), std::move(names), std::string(rowIds)});
}

void EventDispatcher::watchChanged(uint32_t database, uint64_t watch, rust::String error) const noexcept {
  emit(WatchEvent{static_cast<double>(database), static_cast<double>(watch), std::string(error)});
}

void EventDispatcher::credentialsRequested(uint32_t database, uint64_t request) const noexcept {
  emit(CredentialsEvent{static_cast<double>(database), static_cast<double>(request)});
}

void EventDispatcher::uploadRequested(uint32_t database, uint64_t request) const noexcept {
  emit(UploadEvent{static_cast<double>(database), static_cast<double>(request)});
}

void EventDispatcher::settle(uint64_t request, Outcome outcome) const {
  // Shared, because a task must be copyable and an outcome is not.
  auto shared = std::make_shared<Outcome>(std::move(outcome));
  invoker_->invokeAsync(
      [generation = generation_, request, outcome = std::move(shared)](facebook::jsi::Runtime& runtime) {
        if (auto alive = generation.lock()) {
          alive->settleInOrder(runtime, request, outcome);
        }
      });
}

template <typename Event>
void EventDispatcher::emit(Event event) const {
  invoker_->invokeAsync([generation = generation_, event = std::move(event)](facebook::jsi::Runtime&) {
    if (auto alive = generation.lock()) {
      alive->emit(event);
    }
  });
}

}  // namespace omnii
