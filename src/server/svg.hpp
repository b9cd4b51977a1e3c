// SPDX-License-Identifier: Apache-2.0
// Pictures as SVG text that stand alone: no style sheet, no script, no font of their own.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace modelhop::server {

struct Point {
  double x = 0.0;
  double y = 0.0;
};

/// Grows element by element; text is escaped, numbers are rounded to a hundredth of a pixel. `attributes` go in as
/// they are: constants only, never a user's text.
class Svg {
 public:
  Svg(double width, double height);
  void line(Point from, Point to, std::string_view attributes);
  void polyline(const std::vector<Point>& points, std::string_view attributes);
  void circle(Point centre, double radius, std::string_view attributes);
  /// `tip` shows when the pointer rests on it.
  void rectangle(Point corner, double width, double height, std::string_view attributes, std::string_view tip = {});
  void text(Point at, std::string_view text, std::string_view attributes);
  void open_group(std::string_view attributes, std::string_view tip = {});
  void close_group();
  /// The whole document.
  std::string finish() const;

 private:
  std::string body_;
};

/// XML text: markup escaped, control characters left out.
std::string escape_xml(std::string_view text);

/// At most `length` characters (not bytes) of UTF-8, with an ellipsis where it was cut.
std::string shorten(std::string_view text, std::size_t length);

/// A range of values along one axis of the picture.
class Axis {
 public:
  /// Widens an empty range; `from_pixel` shows the lower value.
  Axis(double lowest, double highest, double from_pixel, double to_pixel);
  double pixel(double value) const;
  /// Round numbers in the range, about `wanted` of them; whole ones only where `is_whole`.
  std::vector<double> ticks(int wanted, bool is_whole = false) const;

 private:
  double lowest_;
  double highest_;
  double from_;
  double to_;
};

/// A tick's label: as few digits as it needs.
std::string tick_text(double value);

/// One of twelve colours that can be told apart.
std::string_view series_colour(std::size_t index);
constexpr std::size_t kSeriesColours = 12;

}  // namespace modelhop::server
