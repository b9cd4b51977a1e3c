// SPDX-License-Identifier: Apache-2.0
// SVG elements, axes and colours.
#include "server/svg.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace modelhop::server {
namespace {

/// Without the process's locale, which may write a comma.
std::string number(double value, int digits) {
  std::array<char, 64> buffer{};
  const auto result =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed, digits);
  std::string text(buffer.data(), result.ptr);
  if (text.find('.') != std::string::npos) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
  }
  return text == "-0" ? "0" : text;
}

std::string attribute(std::string_view name, double value) {
  return " " + std::string(name) + "=\"" + number(value, 2) + "\"";
}

std::string tip_element(std::string_view tip) {
  return tip.empty() ? std::string() : "<title>" + escape_xml(tip) + "</title>";
}

}  // namespace

Svg::Svg(double width, double height) {
  body_ = "<svg xmlns=\"http://www.w3.org/2000/svg\"" + attribute("width", width) + attribute("height", height) +
          " viewBox=\"0 0 " + number(width, 2) + " " + number(height, 2) +
          "\" font-family=\"Helvetica, Arial, sans-serif\" font-size=\"12\" fill=\"#222222\">\n";
  rectangle({0, 0}, width, height, "fill=\"#ffffff\"");
}

void Svg::line(Point from, Point to, std::string_view attributes) {
  body_ += "<line" + attribute("x1", from.x) + attribute("y1", from.y) + attribute("x2", to.x) + attribute("y2", to.y) +
           " " + std::string(attributes) + "/>\n";
}

void Svg::polyline(const std::vector<Point>& points, std::string_view attributes) {
  body_ += "<polyline points=\"";
  for (std::size_t i = 0; i < points.size(); ++i) {
    body_ += (i > 0 ? " " : "") + number(points[i].x, 2) + "," + number(points[i].y, 2);
  }
  body_ += "\" " + std::string(attributes) + "/>\n";
}

void Svg::circle(Point centre, double radius, std::string_view attributes) {
  body_ += "<circle" + attribute("cx", centre.x) + attribute("cy", centre.y) + attribute("r", radius) + " " +
           std::string(attributes) + "/>\n";
}

void Svg::rectangle(Point corner, double width, double height, std::string_view attributes, std::string_view tip) {
  body_ += "<rect" + attribute("x", corner.x) + attribute("y", corner.y) + attribute("width", width) +
           attribute("height", height) + " " + std::string(attributes) +
           (tip.empty() ? "/>\n" : ">" + tip_element(tip) + "</rect>\n");
}

void Svg::text(Point at, std::string_view text, std::string_view attributes) {
  body_ += "<text" + attribute("x", at.x) + attribute("y", at.y) + " " + std::string(attributes) + ">" +
           escape_xml(text) + "</text>\n";
}

void Svg::open_group(std::string_view attributes, std::string_view tip) {
  body_ += "<g " + std::string(attributes) + ">" + tip_element(tip) + "\n";
}

void Svg::close_group() {
  body_ += "</g>\n";
}

std::string Svg::finish() const {
  return body_ + "</svg>\n";
}

std::string escape_xml(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      default:
        if (static_cast<unsigned char>(c) >= 0x20 || c == '\t' || c == '\n') escaped += c;
    }
  }
  return escaped;
}

std::string shorten(std::string_view text, std::size_t length) {
  std::size_t characters = 0;
  std::size_t end = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) == 0x80) continue;
    if (characters == length - 1) end = i;
    if (++characters > length) return std::string(text.substr(0, end)) + "\u2026";
  }
  return std::string(text);
}

Axis::Axis(double lowest, double highest, double from_pixel, double to_pixel)
    : lowest_(lowest), highest_(highest), from_(from_pixel), to_(to_pixel) {
  if (highest_ > lowest_) return;
  const double margin = lowest_ == 0.0 ? 0.5 : std::abs(lowest_) * 0.5;
  lowest_ -= margin;
  highest_ += margin;
}

double Axis::pixel(double value) const {
  // Halves, since the difference of two large numbers may be too large for a number.
  const double share = (value / 2 - lowest_ / 2) / (highest_ / 2 - lowest_ / 2);
  return from_ + share * (to_ - from_);
}

std::vector<double> Axis::ticks(int wanted, bool is_whole) const {
  const double rough = (highest_ / wanted - lowest_ / wanted);
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  double step = power * 10;
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough) {
      step = factor * power;
      break;
    }
  }
  if (is_whole) step = std::max(std::round(step), 1.0);
  std::vector<double> ticks;
  const double first = std::ceil(lowest_ / step - 1e-9);
  for (int i = 0; i <= 2 * wanted && (first + i) * step <= highest_ + step * 1e-9; ++i) {
    ticks.push_back((first + i) * step);
  }
  return ticks;
}

std::string tick_text(double value) {
  const double size = std::abs(value);
  if (size != 0.0 && (size >= 1e6 || size < 1e-4)) {
    std::array<char, 64> buffer{};
    const auto result =
        std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific, 1);
    return {buffer.data(), result.ptr};
  }
  return number(value, 5);
}

std::string_view series_colour(std::size_t index) {
  static constexpr std::array<std::string_view, kSeriesColours> kColours = {"#1f77b4", "#d62728", "#2ca02c", "#ff7f0e",
                                                                            "#9467bd", "#17a2b8", "#8c564b", "#e377c2",
                                                                            "#6b7f00", "#0b3c8c", "#b8860b", "#00695c"};
  return kColours[index % kColours.size()];
}

}  // namespace modelhop::server
