#pragma once

// How large a text is, by estimate: there are no fonts here. Deterministic, and close enough for what depends on
// layout: what fits into a window, and what wraps.

#include <cstddef>
#include <string>

namespace omnii::host {

struct TextSpec {
  std::string text;
  double fontSize = 14;
  /// 0: 1.2 times the font size, rounded up.
  double lineHeight = 0;
  double letterSpacing = 0;
  /// 0: as many as it takes.
  size_t numberOfLines = 0;
  bool isBold = false;
};

struct TextSize {
  double width;
  double height;
};

/// Wraps at words, and within words that are longer than a line. `maxWidth` may be infinite.
TextSize measureText(const TextSpec& spec, double maxWidth);

}  // namespace omnii::host
