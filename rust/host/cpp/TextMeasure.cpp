#include "TextMeasure.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>

namespace omnii::host {

namespace {

constexpr double kLineHeight = 1.2;
constexpr double kBold = 1.06;

/// The next code point of UTF-8; malformed bytes count one by one.
uint32_t nextCodePoint(std::string_view text, size_t& at) {
  const auto lead = static_cast<unsigned char>(text[at++]);
  const int more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
  uint32_t point = more == 0 ? lead : lead & (0x3fu >> more);
  for (int i = 0; i < more && at < text.size(); i++) {
    point = (point << 6) | (static_cast<unsigned char>(text[at++]) & 0x3fu);
  }
  return point;
}

/// The width of a character as a part of the font size, about as in Roboto and San Francisco.
double advance(uint32_t point) {
  if (point == ' ') {
    return 0.25;
  }
  if (point < 0x80) {
    const auto letter = static_cast<char>(point);
    if (std::string_view("iljI|.,:;'!").find(letter) != std::string_view::npos) {
      return 0.27;
    }
    if (std::string_view("mwMW@%").find(letter) != std::string_view::npos) {
      return 0.85;
    }
    return letter >= 'A' && letter <= 'Z' ? 0.64 : 0.54;
  }
  const bool isCombining = (point >= 0x300 && point < 0x370) || point == 0x200d || (point >= 0xfe00 && point <= 0xfe0f);
  if (isCombining) {
    return 0;
  }
  const bool isWide = (point >= 0x1100 && point < 0x1160) || (point >= 0x2e80 && point < 0xa4d0) ||
                      (point >= 0xac00 && point < 0xd7a4) || (point >= 0xff00 && point < 0xff61) || point >= 0x1f000;
  return isWide ? 1 : 0.56;
}

}  // namespace

TextSize measureText(const TextSpec& spec, double maxWidth) {
  const double lineHeight = spec.lineHeight > 0 ? spec.lineHeight : std::ceil(spec.fontSize * kLineHeight);
  const double scale = spec.fontSize * (spec.isBold ? kBold : 1);
  size_t lines = 1;
  double widest = 0;
  double line = 0;
  double word = 0;
  auto breakLine = [&](double rest) {
    widest = std::max(widest, line);
    lines++;
    line = rest;
  };
  for (size_t at = 0; at < spec.text.size();) {
    const auto point = nextCodePoint(spec.text, at);
    if (point == '\n') {
      breakLine(0);
      word = 0;
      continue;
    }
    const double width = advance(point) * scale + spec.letterSpacing;
    word = point == ' ' ? 0 : word + width;
    // A space at the end of a line hangs over.
    if (point != ' ' && line + width > maxWidth && line > 0) {
      const bool isWholeLine = word >= line + width;
      line -= isWholeLine ? 0 : word - width;
      breakLine(isWholeLine ? width : word);
      word = line;
    } else {
      line += width;
    }
  }
  widest = std::max(widest, line);
  if (spec.numberOfLines > 0) {
    lines = std::min(lines, spec.numberOfLines);
  }
  return {std::min(std::ceil(widest), maxWidth), static_cast<double>(lines) * lineHeight};
}

}  // namespace omnii::host
