#pragma once

// What one life of the module has on the JS thread: its pending requests and its events. The module owns it, everyone
// else holds it weakly; so when a reload destroys the module, whatever the engine still says reaches nobody. All
// methods run on the JS thread; construction and destruction are free of JSI and may happen on any.
//
// Guarantees that a request is settled at most once, that an outcome which cannot be converted rejects its promise
// instead of disappearing, and that a promise settles after the listeners of every event that the engine emitted before
// it.

#include <ReactCommon/CallInvoker.h>
#include <jsi/jsi.h>
#include <react/bridging/EventEmitter.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "Deferred.h"
#include "Spec.h"
#include "omnii-sync-ffi/src/lib.rs.h"

namespace omnii {

using StatusEvent = facebook::react::NativeOmniiSyncNativeStatusEvent<double, std::string>;
using TablesEvent = facebook::react::NativeOmniiSyncNativeTablesEvent<double, std::vector<std::string>, std::string>;
using WatchEvent = facebook::react::NativeOmniiSyncNativeWatchEvent<double, double, std::string>;
using CredentialsEvent = facebook::react::NativeOmniiSyncNativeCredentialsEvent<double, double>;
using UploadEvent = facebook::react::NativeOmniiSyncNativeUploadEvent<double, double>;

/// How the engine answered a request: with nothing, a yes or no, a number, a text, a result set, or a failure.
using Outcome = std::variant<std::monostate, bool, double, rust::String, rust::Box<Rows>, Failure>;

/// The failure as JavaScript gets it.
Reason toReason(const Failure& failure);

class Generation final : public std::enable_shared_from_this<Generation> {
 public:
  using Emitter = facebook::react::AsyncEventEmitter<jsi::Value>;

  /// The codegen'd emitters. They belong to the module: their listeners are released with it.
  struct Emitters {
    std::weak_ptr<Emitter> statusChanged;
    std::weak_ptr<Emitter> tablesChanged;
    std::weak_ptr<Emitter> watchChanged;
    std::weak_ptr<Emitter> credentialsRequested;
    std::weak_ptr<Emitter> uploadRequested;
  };

  Generation(std::shared_ptr<facebook::react::CallInvoker> invoker, Emitters emitters);

  /// Makes a promise and registers it, so that the engine may settle the request even before it returns from the call.
  std::pair<jsi::Value, uint64_t> begin(jsi::Runtime& runtime);

  /// The rows as JavaScript gets them.
  jsi::Object result(jsi::Runtime& runtime, const Rows& rows);

  /// Settles the request at once. A request that is settled already is left alone.
  void settle(jsi::Runtime& runtime, uint64_t request, Outcome& outcome);

  /// Settles the request as soon as the listeners of earlier events have run.
  void settleInOrder(jsi::Runtime& runtime, uint64_t request, std::shared_ptr<Outcome> outcome);

  void emit(StatusEvent event);
  void emit(TablesEvent event);
  void emit(WatchEvent event);
  void emit(CredentialsEvent event);
  void emit(UploadEvent event);

  size_t pendingRequests() const;

 private:
  template <typename Event>
  void emitTo(const std::weak_ptr<Emitter>& to, Event event);

  std::shared_ptr<Deferreds> deferreds(jsi::Runtime& runtime);

  const std::shared_ptr<facebook::react::CallInvoker> invoker_;
  const Emitters emitters_;
  std::weak_ptr<Deferreds> deferreds_;
  uint64_t lastRequest_ = 0;
  // Events handed to React Native's emitters whose listeners have not run yet: emitters call them in a later task.
  uint64_t eventsUnderway_ = 0;
};

}  // namespace omnii

namespace facebook::react {

template <>
struct Bridging<omnii::StatusEvent> : NativeOmniiSyncNativeStatusEventBridging<omnii::StatusEvent> {};
template <>
struct Bridging<omnii::TablesEvent> : NativeOmniiSyncNativeTablesEventBridging<omnii::TablesEvent> {};
template <>
struct Bridging<omnii::WatchEvent> : NativeOmniiSyncNativeWatchEventBridging<omnii::WatchEvent> {};
template <>
struct Bridging<omnii::CredentialsEvent> : NativeOmniiSyncNativeCredentialsEventBridging<omnii::CredentialsEvent> {};
template <>
struct Bridging<omnii::UploadEvent> : NativeOmniiSyncNativeUploadEventBridging<omnii::UploadEvent> {};

}  // namespace facebook::react
