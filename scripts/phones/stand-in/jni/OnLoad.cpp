// Asks for the module as React Native's default OnLoad.cpp does.

#include <autolinking.h>

namespace facebook::react {

std::shared_ptr<TurboModule> cxxModuleProvider(const std::string& name, const std::shared_ptr<CallInvoker>& jsInvoker) {
  return autolinking_cxxModuleProvider(name, jsInvoker);
}

}  // namespace facebook::react
