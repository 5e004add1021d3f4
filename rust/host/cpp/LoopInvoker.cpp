#include "LoopInvoker.h"

#include <stdexcept>

#include "omnii-sync-host/src/bridge.rs.h"

namespace omnii::host {

LoopInvoker::LoopInvoker(rust::Box<LoopSender> sender) : sender_(std::move(sender)) {}

void LoopInvoker::invokeAsync(facebook::react::CallFunc&& func) noexcept {
  sender_->post(std::make_unique<NativeTask>(std::move(func)));
}

void LoopInvoker::invokeSync(facebook::react::CallFunc&& /*func*/) {
  throw std::logic_error("invokeSync is not available in the host");
}

}  // namespace omnii::host
