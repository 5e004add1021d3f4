#pragma once

// Stands in for React Native's header of this name, which needs fbjni and folly. Declares what generated code uses of it.

#include <ReactCommon/CallInvoker.h>
#include <ReactCommon/TurboModule.h>
#include <jsi/jsi.h>

#include <memory>
#include <string>

struct _jmethodID;
using jmethodID = _jmethodID*;

namespace folly {
struct dynamic {};
}  // namespace folly

namespace facebook::react {

class JSI_EXPORT JavaTurboModule : public TurboModule {
 public:
  struct InitParams {
    std::string moduleName;
    std::shared_ptr<CallInvoker> jsInvoker;
  };

  explicit JavaTurboModule(const InitParams& params);

  jsi::Value invokeJavaMethod(jsi::Runtime& runtime, TurboModuleMethodValueKind valueKind,
                              const std::string& methodName, const std::string& methodSignature,
                              const jsi::Value* args, size_t argCount, jmethodID& cachedMethodID);

 protected:
  void configureEventEmitterCallback();
};

}  // namespace facebook::react
