#pragma once

// React Native's style props as Yoga takes them.

#include <jsi/jsi.h>
#include <yoga/Yoga.h>

namespace omnii::host {

/// Sets what a style says; what is no layout style, or no value Yoga knows, is left out.
void applyStyle(facebook::jsi::Runtime& runtime, YGNodeRef node, const facebook::jsi::Object& style);

}  // namespace omnii::host
