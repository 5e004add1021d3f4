#include "NativeGlobal.h"

#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "HostRuntime.h"
#include "omnii-sync-host/src/bridge.rs.h"

namespace omnii::host {

namespace jsi = facebook::jsi;

namespace {

/// The arguments of one call; a missing one reads as undefined.
class Arguments {
 public:
  Arguments(jsi::Runtime& runtime, const jsi::Value* values, size_t count)
      : runtime_(runtime), values_(values), count_(count) {}

  const jsi::Value& operator[](size_t index) const {
    static const jsi::Value undefined;
    return index < count_ ? values_[index] : undefined;
  }
  double number(size_t index) const { return (*this)[index].asNumber(); }
  bool boolean(size_t index) const { return (*this)[index].asBool(); }
  std::string text(size_t index) const { return (*this)[index].asString(runtime_).utf8(runtime_); }
  /// The bytes of an ArrayBuffer; empty when the argument is missing. Valid during the call.
  rust::Slice<const uint8_t> bytes(size_t index) const {
    const auto& value = (*this)[index];
    if (!value.isObject()) {
      return {};
    }
    auto buffer = value.asObject(runtime_).getArrayBuffer(runtime_);
    return {buffer.data(runtime_), buffer.size(runtime_)};
  }
  std::unique_ptr<jsi::Value> shared(size_t index) const {
    return std::make_unique<jsi::Value>(runtime_, (*this)[index]);
  }

 private:
  jsi::Runtime& runtime_;
  const jsi::Value* values_;
  size_t count_;
};

rust::Str view(const std::string& text) {
  return {text.data(), text.size()};
}

jsi::Value toJs(jsi::Runtime& runtime, Answer&& answer) {
  switch (answer.kind) {
    case AnswerKind::Json:
      return jsi::Value::createFromJsonUtf8(runtime, reinterpret_cast<const uint8_t*>(answer.text.data()),
                                            answer.text.size());
    case AnswerKind::Text:
      return std::move(*stringValue(runtime, answer.text));
    case AnswerKind::Bytes:
      return std::move(*bufferValue(runtime, std::move(answer.bytes)));
    default:
      return jsi::Value::undefined();
  }
}

class Installer {
 public:
  Installer(jsi::Runtime& runtime, std::shared_ptr<rust::Box<Host>> host)
      : runtime_(runtime), object_(runtime), host_(std::move(host)) {}

  template <typename Body>
  void define(const char* name, unsigned count, Body body) {
    auto function = jsi::Function::createFromHostFunction(
        runtime_, jsi::PropNameID::forAscii(runtime_, name), count,
        [host = host_, body = std::move(body)](jsi::Runtime& runtime, const jsi::Value&, const jsi::Value* values,
                                               size_t given) -> jsi::Value {
          try {
            return body(runtime, **host, Arguments(runtime, values, given));
          } catch (const rust::Error& error) {
            throw jsi::JSError(runtime, error.what());
          }
        });
    object_.setProperty(runtime_, name, std::move(function));
  }

  void install(const char* name) { runtime_.global().setProperty(runtime_, name, std::move(object_)); }

 private:
  jsi::Runtime& runtime_;
  jsi::Object object_;
  std::shared_ptr<rust::Box<Host>> host_;
};

}  // namespace

void installNativeGlobal(jsi::Runtime& runtime, rust::Box<Host> host) {
  Installer native(runtime, std::make_shared<rust::Box<Host>>(std::move(host)));

  native.define("listen", 6, [](jsi::Runtime&, Host& self, const Arguments& args) {
    self.listen(args.shared(0), args.shared(1), args.shared(2), args.shared(3), args.shared(4), args.shared(5));
    return jsi::Value::undefined();
  });
  native.define("startTimer", 4, [](jsi::Runtime&, Host& self, const Arguments& args) {
    self.start_timer(static_cast<uint32_t>(args.number(0)), args.number(1), args.boolean(2), args.boolean(3));
    return jsi::Value::undefined();
  });
  native.define("startImmediate", 1, [](jsi::Runtime&, Host& self, const Arguments& args) {
    self.start_immediate(static_cast<uint32_t>(args.number(0)));
    return jsi::Value::undefined();
  });
  native.define("cancelTimer", 1, [](jsi::Runtime&, Host& self, const Arguments& args) {
    self.cancel_timer(static_cast<uint32_t>(args.number(0)));
    return jsi::Value::undefined();
  });
  native.define("now", 0, [](jsi::Runtime&, Host& self, const Arguments&) { return jsi::Value(self.now_ms()); });
  native.define("write", 2, [](jsi::Runtime&, Host& self, const Arguments& args) {
    const auto text = args.text(1);
    self.write(args.boolean(0), view(text));
    return jsi::Value::undefined();
  });
  native.define("exit", 1, [](jsi::Runtime&, Host& self, const Arguments& args) {
    self.exit(static_cast<int32_t>(args.number(0)));
    return jsi::Value::undefined();
  });
  native.define("call", 3, [](jsi::Runtime& rt, Host& self, const Arguments& args) {
    const auto operation = args.text(0);
    const auto json = args.text(1);
    return toJs(rt, self.call(view(operation), view(json), args.bytes(2)));
  });
  native.define("evaluate", 2, [](jsi::Runtime& rt, Host&, const Arguments& args) {
    return rt.evaluateJavaScript(std::make_shared<jsi::StringBuffer>(args.text(0)), args.text(1));
  });
  native.define("evaluateFile", 1, [](jsi::Runtime& rt, Host&, const Arguments& args) {
    const auto path = args.text(0);
    std::ifstream file(path, std::ios::binary);
    std::string content{std::istreambuf_iterator<char>(file), {}};
    if (!file) {
      throw jsi::JSError(rt, path + " cannot be read");
    }
    return rt.evaluateJavaScript(std::make_shared<jsi::StringBuffer>(std::move(content)), path);
  });
  native.define("decodeUtf8", 3, [](jsi::Runtime& rt, Host&, const Arguments& args) {
    const auto bytes = args.bytes(0);
    const auto start = static_cast<size_t>(args.number(1));
    const auto length = static_cast<size_t>(args.number(2));
    if (start > bytes.size() || length > bytes.size() - start) {
      throw jsi::JSError(rt, "decodeUtf8: out of range");
    }
    return std::move(*stringValue(rt, decode_utf8({bytes.data() + start, length})));
  });

  native.install("__native");
}

}  // namespace omnii::host
