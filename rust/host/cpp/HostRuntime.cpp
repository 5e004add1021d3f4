#include "HostRuntime.h"

#include <ReactCommon/TurboModuleBinding.h>
#include <hermes/hermes.h>
#include <react/bridging/LongLivedObject.h>

#include "Layout.h"
#include "NativeGlobal.h"
#include "OmniiSyncModule.h"
#include "omnii-sync-host/src/bridge.rs.h"

namespace omnii::host {

namespace jsi = facebook::jsi;
namespace react = facebook::react;

namespace {

/// Bytes that Rust made, kept by the ArrayBuffer that shows them.
class RustBytes final : public jsi::MutableBuffer {
 public:
  explicit RustBytes(rust::Vec<uint8_t> bytes) : bytes_(std::move(bytes)) {}
  size_t size() const override { return bytes_.size(); }
  uint8_t* data() override { return bytes_.data(); }

 private:
  rust::Vec<uint8_t> bytes_;
};

template <typename Work>
std::unique_ptr<jsi::Value> thrownBy(jsi::Runtime& runtime, Work&& work) {
  try {
    work();
    return nullptr;
  } catch (const jsi::JSError& error) {
    return std::make_unique<jsi::Value>(runtime, error.value());
  } catch (const std::exception& error) {
    return std::make_unique<jsi::Value>(runtime, jsi::JSError(runtime, error.what()).value());
  }
}

}  // namespace

HostRuntime::HostRuntime(rust::Box<Host> host, rust::Box<LoopSender> sender)
    : runtime_(facebook::hermes::makeHermesRuntime(::hermes::vm::RuntimeConfig::Builder()
                                                       .withMicrotaskQueue(true)
                                                       .withES6Proxy(true)
                                                       .withES6BlockScoping(true)
                                                       .withEnableEval(true)
                                                       .build())),
      module_(std::make_shared<std::shared_ptr<react::OmniiSyncModule>>()) {
  installNativeGlobal(*runtime_, std::move(host));
  installLayout(*runtime_);
  installModule(std::move(sender));
}

HostRuntime::~HostRuntime() {
  // As React Native does when an instance ends: nothing native holds a value of this runtime any more.
  module_->reset();
  react::LongLivedObjectCollection::get(*runtime_).clear();
}

void HostRuntime::installModule(rust::Box<LoopSender> sender) {
  auto invoker = std::make_shared<LoopInvoker>(std::move(sender));
  react::TurboModuleBinding::install(
      *runtime_, react::TurboModuleProviderFunctionTypeWithRuntime(
                     [invoker = std::move(invoker), module = module_](
                         jsi::Runtime&, const std::string& name) -> std::shared_ptr<react::TurboModule> {
                       if (name != react::OmniiSyncModule::kModuleName) {
                         return nullptr;
                       }
                       if (!*module) {
                         *module = std::make_shared<react::OmniiSyncModule>(invoker);
                       }
                       return *module;
                     }));
}

void HostRuntime::evaluate(rust::Str source, rust::Str url) {
  runtime_->evaluateJavaScript(std::make_shared<jsi::StringBuffer>(std::string(source)), std::string(url));
}

std::unique_ptr<jsi::Value> HostRuntime::run(std::unique_ptr<NativeTask> task) {
  return thrownBy(*runtime_, [&] { task->run(*runtime_); });
}

std::unique_ptr<jsi::Value> HostRuntime::drainMicrotasks() {
  return thrownBy(*runtime_, [&] { runtime_->drainMicrotasks(); });
}

size_t HostRuntime::pendingRequests() const {
  return *module_ ? (*module_)->pendingRequests() : 0;
}

size_t HostRuntime::openDatabases() const {
  return *module_ ? (*module_)->openDatabases() : 0;
}

jsi::Runtime* HostRuntime::jsi() const {
  return runtime_.get();
}

std::unique_ptr<HostRuntime> makeHostRuntime(rust::Box<Host> host, rust::Box<LoopSender> sender) {
  return std::make_unique<HostRuntime>(std::move(host), std::move(sender));
}

std::unique_ptr<jsi::Value> stringValue(jsi::Runtime& runtime, rust::Str text) {
  return std::make_unique<jsi::Value>(
      jsi::String::createFromUtf8(runtime, reinterpret_cast<const uint8_t*>(text.data()), text.size()));
}

std::unique_ptr<jsi::Value> bufferValue(jsi::Runtime& runtime, rust::Vec<uint8_t> bytes) {
  return std::make_unique<jsi::Value>(runtime,
                                      jsi::ArrayBuffer(runtime, std::make_shared<RustBytes>(std::move(bytes))));
}

}  // namespace omnii::host
