#include "LayoutStyle.h"

#include <cmath>
#include <cstdlib>
#include <functional>
#include <string>
#include <unordered_map>

namespace omnii::host {

namespace jsi = facebook::jsi;

namespace {

/// A style value: a number of points, a percentage, `auto`, or another word.
struct Length {
  enum class Kind { Points, Percent, Auto, Word } kind;
  float number = 0;
  std::string word = {};
};

using Setter = std::function<void(YGNodeRef, const Length&)>;
using Setters = std::unordered_map<std::string, Setter>;

Setter length(void (*points)(YGNodeRef, float), void (*percent)(YGNodeRef, float),
              void (*automatic)(YGNodeRef) = nullptr) {
  return [=](YGNodeRef node, const Length& value) {
    if (value.kind == Length::Kind::Points) {
      points(node, value.number);
    } else if (value.kind == Length::Kind::Percent) {
      percent(node, value.number);
    } else if (value.kind == Length::Kind::Auto && automatic) {
      automatic(node);
    }
  };
}

Setter edge(YGEdge at, void (*points)(YGNodeRef, YGEdge, float), void (*percent)(YGNodeRef, YGEdge, float),
            void (*automatic)(YGNodeRef, YGEdge)) {
  return [=](YGNodeRef node, const Length& value) {
    if (value.kind == Length::Kind::Points) {
      points(node, at, value.number);
    } else if (value.kind == Length::Kind::Percent && percent) {
      percent(node, at, value.number);
    } else if (value.kind == Length::Kind::Auto && automatic) {
      automatic(node, at);
    }
  };
}

Setter number(void (*set)(YGNodeRef, float)) {
  return [=](YGNodeRef node, const Length& value) {
    if (value.kind == Length::Kind::Points) {
      set(node, value.number);
    }
  };
}

Setter gutter(YGGutter at) {
  return [=](YGNodeRef node, const Length& value) {
    if (value.kind == Length::Kind::Points) {
      YGNodeStyleSetGap(node, at, value.number);
    } else if (value.kind == Length::Kind::Percent) {
      YGNodeStyleSetGapPercent(node, at, value.number);
    }
  };
}

template <typename Enum>
Setter word(void (*set)(YGNodeRef, Enum), std::unordered_map<std::string, Enum> words) {
  return [set, words = std::move(words)](YGNodeRef node, const Length& value) {
    // `auto` is a word to alignSelf.
    const auto found = words.find(value.kind == Length::Kind::Auto ? "auto" : value.word);
    if (value.kind != Length::Kind::Points && value.kind != Length::Kind::Percent && found != words.end()) {
      set(node, found->second);
    }
  };
}

void addEdges(Setters& setters) {
  struct Named {
    const char* suffix;
    YGEdge edge;
  };
  const Named edges[] = {{"", YGEdgeAll},
                         {"Left", YGEdgeLeft},
                         {"Top", YGEdgeTop},
                         {"Right", YGEdgeRight},
                         {"Bottom", YGEdgeBottom},
                         {"Start", YGEdgeStart},
                         {"End", YGEdgeEnd},
                         {"Horizontal", YGEdgeHorizontal},
                         {"Vertical", YGEdgeVertical},
                         {"Inline", YGEdgeHorizontal},
                         {"Block", YGEdgeVertical},
                         {"InlineStart", YGEdgeStart},
                         {"InlineEnd", YGEdgeEnd},
                         {"BlockStart", YGEdgeTop},
                         {"BlockEnd", YGEdgeBottom}};
  auto border = [](YGNodeRef node, YGEdge at, float width) { YGNodeStyleSetBorder(node, at, width); };
  for (const auto& [suffix, at] : edges) {
    setters["margin" + std::string(suffix)] =
        edge(at, YGNodeStyleSetMargin, YGNodeStyleSetMarginPercent, YGNodeStyleSetMarginAuto);
    setters["padding" + std::string(suffix)] = edge(at, YGNodeStyleSetPadding, YGNodeStyleSetPaddingPercent, nullptr);
    setters["inset" + std::string(suffix)] =
        edge(at, YGNodeStyleSetPosition, YGNodeStyleSetPositionPercent, YGNodeStyleSetPositionAuto);
    setters["border" + std::string(suffix) + "Width"] = edge(at, border, nullptr, nullptr);
  }
  const Named positions[] = {{"left", YGEdgeLeft},     {"top", YGEdgeTop},     {"right", YGEdgeRight},
                             {"bottom", YGEdgeBottom}, {"start", YGEdgeStart}, {"end", YGEdgeEnd}};
  for (const auto& [name, at] : positions) {
    setters[name] = edge(at, YGNodeStyleSetPosition, YGNodeStyleSetPositionPercent, YGNodeStyleSetPositionAuto);
  }
}

void addSizes(Setters& setters) {
  setters["width"] = length(YGNodeStyleSetWidth, YGNodeStyleSetWidthPercent, YGNodeStyleSetWidthAuto);
  setters["height"] = length(YGNodeStyleSetHeight, YGNodeStyleSetHeightPercent, YGNodeStyleSetHeightAuto);
  setters["minWidth"] = length(YGNodeStyleSetMinWidth, YGNodeStyleSetMinWidthPercent);
  setters["minHeight"] = length(YGNodeStyleSetMinHeight, YGNodeStyleSetMinHeightPercent);
  setters["maxWidth"] = length(YGNodeStyleSetMaxWidth, YGNodeStyleSetMaxWidthPercent);
  setters["maxHeight"] = length(YGNodeStyleSetMaxHeight, YGNodeStyleSetMaxHeightPercent);
  setters["flexBasis"] = length(YGNodeStyleSetFlexBasis, YGNodeStyleSetFlexBasisPercent, YGNodeStyleSetFlexBasisAuto);
  setters["flex"] = number(YGNodeStyleSetFlex);
  setters["flexGrow"] = number(YGNodeStyleSetFlexGrow);
  setters["flexShrink"] = number(YGNodeStyleSetFlexShrink);
  setters["aspectRatio"] = number(YGNodeStyleSetAspectRatio);
  setters["gap"] = gutter(YGGutterAll);
  setters["rowGap"] = gutter(YGGutterRow);
  setters["columnGap"] = gutter(YGGutterColumn);
}

void addWords(Setters& setters) {
  const std::unordered_map<std::string, YGAlign> aligns = {{"auto", YGAlignAuto},
                                                           {"flex-start", YGAlignFlexStart},
                                                           {"center", YGAlignCenter},
                                                           {"flex-end", YGAlignFlexEnd},
                                                           {"stretch", YGAlignStretch},
                                                           {"baseline", YGAlignBaseline},
                                                           {"space-between", YGAlignSpaceBetween},
                                                           {"space-around", YGAlignSpaceAround},
                                                           {"space-evenly", YGAlignSpaceEvenly}};
  setters["alignItems"] = word(YGNodeStyleSetAlignItems, aligns);
  setters["alignSelf"] = word(YGNodeStyleSetAlignSelf, aligns);
  setters["alignContent"] = word(YGNodeStyleSetAlignContent, aligns);
  setters["justifyContent"] = word<YGJustify>(YGNodeStyleSetJustifyContent, {{"flex-start", YGJustifyFlexStart},
                                                                             {"center", YGJustifyCenter},
                                                                             {"flex-end", YGJustifyFlexEnd},
                                                                             {"space-between", YGJustifySpaceBetween},
                                                                             {"space-around", YGJustifySpaceAround},
                                                                             {"space-evenly", YGJustifySpaceEvenly}});
  setters["flexDirection"] =
      word<YGFlexDirection>(YGNodeStyleSetFlexDirection, {{"column", YGFlexDirectionColumn},
                                                          {"column-reverse", YGFlexDirectionColumnReverse},
                                                          {"row", YGFlexDirectionRow},
                                                          {"row-reverse", YGFlexDirectionRowReverse}});
  setters["flexWrap"] = word<YGWrap>(
      YGNodeStyleSetFlexWrap, {{"nowrap", YGWrapNoWrap}, {"wrap", YGWrapWrap}, {"wrap-reverse", YGWrapWrapReverse}});
  setters["position"] = word<YGPositionType>(
      YGNodeStyleSetPositionType,
      {{"relative", YGPositionTypeRelative}, {"absolute", YGPositionTypeAbsolute}, {"static", YGPositionTypeStatic}});
  setters["display"] = word<YGDisplay>(
      YGNodeStyleSetDisplay, {{"flex", YGDisplayFlex}, {"none", YGDisplayNone}, {"contents", YGDisplayContents}});
  setters["overflow"] =
      word<YGOverflow>(YGNodeStyleSetOverflow,
                       {{"visible", YGOverflowVisible}, {"hidden", YGOverflowHidden}, {"scroll", YGOverflowScroll}});
  setters["direction"] = word<YGDirection>(
      YGNodeStyleSetDirection, {{"inherit", YGDirectionInherit}, {"ltr", YGDirectionLTR}, {"rtl", YGDirectionRTL}});
  setters["boxSizing"] = word<YGBoxSizing>(
      YGNodeStyleSetBoxSizing, {{"border-box", YGBoxSizingBorderBox}, {"content-box", YGBoxSizingContentBox}});
}

const Setters& setters() {
  static const Setters all = [] {
    Setters made;
    addEdges(made);
    addSizes(made);
    addWords(made);
    return made;
  }();
  return all;
}

Length parse(jsi::Runtime& runtime, const jsi::Value& value) {
  if (value.isNumber() && std::isfinite(value.getNumber())) {
    return {Length::Kind::Points, static_cast<float>(value.getNumber())};
  }
  if (!value.isString()) {
    return {Length::Kind::Word};
  }
  auto text = value.getString(runtime).utf8(runtime);
  if (text == "auto") {
    return {Length::Kind::Auto};
  }
  char* end = nullptr;
  const auto number = std::strtof(text.c_str(), &end);
  if (end != text.c_str() && std::string_view(end) == "%") {
    return {Length::Kind::Percent, number};
  }
  if (end != text.c_str() && *end == '\0') {
    return {Length::Kind::Points, number};
  }
  return {Length::Kind::Word, 0, std::move(text)};
}

}  // namespace

void applyStyle(jsi::Runtime& runtime, YGNodeRef node, const jsi::Object& style) {
  auto names = style.getPropertyNames(runtime);
  const auto count = names.size(runtime);
  for (size_t i = 0; i < count; i++) {
    const auto name = names.getValueAtIndex(runtime, i).getString(runtime);
    const auto found = setters().find(name.utf8(runtime));
    if (found != setters().end()) {
      found->second(node, parse(runtime, style.getProperty(runtime, name)));
    }
  }
}

}  // namespace omnii::host
