#include "Layout.h"

#include <yoga/Yoga.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "LayoutStyle.h"
#include "TextMeasure.h"

namespace omnii::host {

namespace jsi = facebook::jsi;

namespace {

/// Pixels in a point, as on a phone with 480 dpi: frames fall on whole pixels.
constexpr float kPixelsPerPoint = 3;

struct ConfigDeleter {
  void operator()(YGConfigRef config) const { YGConfigFree(config); }
};
struct NodeDeleter {
  void operator()(YGNodeRef node) const { YGNodeFree(node); }
};

struct Node {
  std::unique_ptr<std::remove_pointer_t<YGNodeRef>, NodeDeleter> yoga;
  double tag;
  TextSpec text;
};

class Frames final : public jsi::MutableBuffer {
 public:
  explicit Frames(std::vector<double> numbers) : numbers_(std::move(numbers)) {}
  size_t size() const override { return numbers_.size() * sizeof(double); }
  uint8_t* data() override { return reinterpret_cast<uint8_t*>(numbers_.data()); }

 private:
  std::vector<double> numbers_;
};

YGSize measure(YGNodeConstRef yoga, float width, YGMeasureMode widthMode, float height, YGMeasureMode heightMode) {
  const auto& node = *static_cast<const Node*>(YGNodeGetContext(yoga));
  const bool isFree = widthMode == YGMeasureModeUndefined;
  const auto size = measureText(node.text, isFree ? std::numeric_limits<double>::infinity() : width);
  auto fit = [](double wanted, float given, YGMeasureMode mode) {
    if (mode == YGMeasureModeExactly) {
      return given;
    }
    const auto points = static_cast<float>(wanted);
    return mode == YGMeasureModeAtMost ? std::min(points, given) : points;
  };
  return {fit(size.width, width, widthMode), fit(size.height, height, heightMode)};
}

/// The nodes of one runtime.
class Layout {
 public:
  Layout() : config_(YGConfigNew()) {
    YGConfigSetPointScaleFactor(config_.get(), kPixelsPerPoint);
    // What React Native 0.86 lays out with unless an app asks for something else.
    YGConfigSetErrata(config_.get(), YGErrataAll);
    blank_.reset(YGNodeNewWithConfig(config_.get()));
  }

  ~Layout() {
    // In any order: none may know of another that has gone.
    for (auto& [tag, node] : nodes_) {
      YGNodeRemoveAllChildren(node->yoga.get());
    }
  }

  void create(double tag) {
    auto node = std::make_unique<Node>();
    node->yoga.reset(YGNodeNewWithConfig(config_.get()));
    node->tag = tag;
    YGNodeSetContext(node->yoga.get(), node.get());
    nodes_[tag] = std::move(node);
  }

  void remove(double tag) {
    const auto found = nodes_.find(tag);
    if (found == nodes_.end()) {
      return;
    }
    auto* yoga = found->second->yoga.get();
    if (auto* owner = YGNodeGetOwner(yoga)) {
      YGNodeRemoveChild(owner, yoga);
    }
    YGNodeRemoveAllChildren(yoga);
    nodes_.erase(found);
  }

  void style(jsi::Runtime& runtime, double tag, const jsi::Object& style) {
    auto* yoga = node(runtime, "style", tag).yoga.get();
    YGNodeCopyStyle(yoga, blank_.get());
    applyStyle(runtime, yoga, style);
  }

  void text(jsi::Runtime& runtime, double tag, const jsi::Value& value) {
    auto& known = node(runtime, "text", tag);
    auto* yoga = known.yoga.get();
    if (!value.isObject()) {
      YGNodeSetMeasureFunc(yoga, nullptr);
      return;
    }
    known.text = textSpec(runtime, value.getObject(runtime));
    YGNodeRemoveAllChildren(yoga);
    YGNodeSetMeasureFunc(yoga, measure);
    YGNodeMarkDirty(yoga);
  }

  void children(jsi::Runtime& runtime, double tag, const jsi::Array& tags) {
    auto* parent = node(runtime, "children", tag).yoga.get();
    std::vector<YGNodeRef> wanted;
    for (size_t i = 0; i < tags.size(runtime); i++) {
      const auto childTag = tags.getValueAtIndex(runtime, i).asNumber();
      auto* child = node(runtime, "children", childTag).yoga.get();
      if (isWithin(parent, child)) {
        throw jsi::JSError(runtime, "__layout.children: " + std::to_string(static_cast<int64_t>(childTag)) +
                                        " would be within itself");
      }
      auto* owner = YGNodeGetOwner(child);
      if (owner && owner != parent) {
        YGNodeRemoveChild(owner, child);
      }
      wanted.push_back(child);
    }
    if (wanted.empty()) {
      YGNodeRemoveAllChildren(parent);
    } else {
      YGNodeSetChildren(parent, wanted.data(), wanted.size());
    }
  }

  std::vector<double> calculate(jsi::Runtime& runtime, double tag, double width, double height) {
    auto* root = node(runtime, "calculate", tag).yoga.get();
    YGNodeStyleSetWidth(root, static_cast<float>(width));
    YGNodeStyleSetHeight(root, static_cast<float>(height));
    YGNodeCalculateLayout(root, static_cast<float>(width), static_cast<float>(height), YGDirectionLTR);
    std::vector<double> frames;
    collect(root, frames);
    return frames;
  }

 private:
  static bool isWithin(YGNodeRef node, YGNodeRef ancestor) {
    for (; node; node = YGNodeGetOwner(node)) {
      if (node == ancestor) {
        return true;
      }
    }
    return false;
  }

  static void collect(YGNodeRef yoga, std::vector<double>& frames) {
    if (!YGNodeGetHasNewLayout(yoga)) {
      return;
    }
    YGNodeSetHasNewLayout(yoga, false);
    const auto& node = *static_cast<const Node*>(YGNodeGetContext(yoga));
    frames.insert(frames.end(), {node.tag, YGNodeLayoutGetLeft(yoga), YGNodeLayoutGetTop(yoga),
                                 YGNodeLayoutGetWidth(yoga), YGNodeLayoutGetHeight(yoga)});
    for (size_t i = 0; i < YGNodeGetChildCount(yoga); i++) {
      collect(YGNodeGetChild(yoga, i), frames);
    }
  }

  static TextSpec textSpec(jsi::Runtime& runtime, const jsi::Object& given) {
    auto number = [&](const char* name, double otherwise) {
      auto value = given.getProperty(runtime, name);
      return value.isNumber() && std::isfinite(value.getNumber()) ? value.getNumber() : otherwise;
    };
    TextSpec spec;
    auto text = given.getProperty(runtime, "text");
    spec.text = text.isString() ? text.getString(runtime).utf8(runtime) : "";
    spec.fontSize = number("fontSize", spec.fontSize);
    spec.lineHeight = number("lineHeight", 0);
    spec.letterSpacing = number("letterSpacing", 0);
    spec.numberOfLines = static_cast<size_t>(std::max(0.0, number("numberOfLines", 0)));
    auto weight = given.getProperty(runtime, "fontWeight");
    const auto name = weight.isString() ? weight.getString(runtime).utf8(runtime) : "";
    spec.isBold = name == "bold" || name == "600" || name == "700" || name == "800" || name == "900";
    return spec;
  }

  Node& node(jsi::Runtime& runtime, const char* function, double tag) {
    const auto found = nodes_.find(tag);
    if (found == nodes_.end()) {
      throw jsi::JSError(runtime, std::string("__layout.") + function + ": there is no node " +
                                      std::to_string(static_cast<int64_t>(tag)));
    }
    return *found->second;
  }

  std::unique_ptr<std::remove_pointer_t<YGConfigRef>, ConfigDeleter> config_;
  std::unique_ptr<std::remove_pointer_t<YGNodeRef>, NodeDeleter> blank_;
  std::unordered_map<double, std::unique_ptr<Node>> nodes_;
};

template <typename Body>
void define(jsi::Runtime& runtime, jsi::Object& object, const char* name, unsigned count, Body body) {
  auto checked = [name, count, body = std::move(body)](jsi::Runtime& rt, const jsi::Value&, const jsi::Value* args,
                                                       size_t given) -> jsi::Value {
    if (given < count) {
      throw jsi::JSError(rt, std::string("__layout.") + name + ": too few arguments");
    }
    return body(rt, args);
  };
  object.setProperty(runtime, name,
                     jsi::Function::createFromHostFunction(runtime, jsi::PropNameID::forAscii(runtime, name), count,
                                                           std::move(checked)));
}

}  // namespace

void installLayout(jsi::Runtime& runtime) {
  auto layout = std::make_shared<Layout>();
  jsi::Object object(runtime);
  define(runtime, object, "create", 1, [layout](jsi::Runtime&, const jsi::Value* args) {
    layout->create(args[0].asNumber());
    return jsi::Value::undefined();
  });
  define(runtime, object, "remove", 1, [layout](jsi::Runtime&, const jsi::Value* args) {
    layout->remove(args[0].asNumber());
    return jsi::Value::undefined();
  });
  define(runtime, object, "style", 2, [layout](jsi::Runtime& rt, const jsi::Value* args) {
    layout->style(rt, args[0].asNumber(), args[1].asObject(rt));
    return jsi::Value::undefined();
  });
  define(runtime, object, "text", 2, [layout](jsi::Runtime& rt, const jsi::Value* args) {
    layout->text(rt, args[0].asNumber(), args[1]);
    return jsi::Value::undefined();
  });
  define(runtime, object, "children", 2, [layout](jsi::Runtime& rt, const jsi::Value* args) {
    layout->children(rt, args[0].asNumber(), args[1].asObject(rt).asArray(rt));
    return jsi::Value::undefined();
  });
  define(runtime, object, "calculate", 3, [layout](jsi::Runtime& rt, const jsi::Value* args) {
    auto frames = layout->calculate(rt, args[0].asNumber(), args[1].asNumber(), args[2].asNumber());
    return jsi::Value(rt, jsi::ArrayBuffer(rt, std::make_shared<Frames>(std::move(frames))));
  });
  runtime.global().setProperty(runtime, "__layout", std::move(object));
}

}  // namespace omnii::host
