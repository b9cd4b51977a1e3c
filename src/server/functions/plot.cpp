// SPDX-License-Identifier: Apache-2.0
// draw_curves and draw_timeline: rows of numbers to pictures.
#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "server/bridge.hpp"
#include "server/list_arguments.hpp"
#include "server/run_arguments.hpp"
#include "server/svg.hpp"

MODELHOP_SERVER_HEADERS_BEGIN
#include "utils/array.h"
#include "utils/builtins.h"
MODELHOP_SERVER_HEADERS_END

namespace modelhop::server {
namespace {

template <typename Number>
std::span<const Number> numbers_argument(FunctionCallInfo fcinfo, int i) {
  const Datum datum = PG_GETARG_DATUM(i);
  ArrayType* array = call_pg([datum] { return DatumGetArrayTypeP(datum); });
  check(!ARR_HASNULL(array), "an array to draw holds NULL");
  return {reinterpret_cast<const Number*>(ARR_DATA_PTR(array)),
          static_cast<std::size_t>(ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)))};
}

Datum text_result(const std::string& text) {
  return call_pg(
      [&text] { return PointerGetDatum(cstring_to_text_with_len(text.data(), static_cast<int>(text.size()))); });
}

constexpr double kWidth = 1100;
constexpr double kLeft = 70;
constexpr double kRight = 740;  ///< of the plot; the legend stands beside it
constexpr double kTop = 50;
constexpr std::size_t kLegendCharacters = 46;

struct Range {
  double lowest = std::numeric_limits<double>::infinity();
  double highest = -std::numeric_limits<double>::infinity();
  void add(double value) {
    if (!std::isfinite(value)) return;
    lowest = std::min(lowest, value);
    highest = std::max(highest, value);
  }
  bool is_empty() const { return lowest > highest; }
};

std::string stroke(std::string_view colour, std::string_view more) {
  return "fill=\"none\" stroke=\"" + std::string(colour) + "\" " + std::string(more);
}

void draw_title(Svg& svg, const std::string& title) {
  svg.text({kLeft, 26}, shorten(title, 110), "font-size=\"16\" font-weight=\"bold\"");
}

void draw_horizontal_axis(Svg& svg, const Axis& axis, double bottom, const std::string& title, bool is_whole) {
  for (const double tick : axis.ticks(8, is_whole)) {
    const double x = axis.pixel(tick);
    svg.line({x, kTop}, {x, bottom + 5}, "stroke=\"#e4e4e4\"");
    svg.text({x, bottom + 19}, tick_text(tick), "text-anchor=\"middle\"");
  }
  svg.line({kLeft, bottom}, {kRight, bottom}, "stroke=\"#444444\"");
  svg.text({(kLeft + kRight) / 2, bottom + 40}, title, "text-anchor=\"middle\"");
}

void draw_vertical_axis(Svg& svg, const Axis& axis, double bottom, const std::string& title) {
  for (const double tick : axis.ticks(8)) {
    const double y = axis.pixel(tick);
    svg.line({kLeft - 5, y}, {kRight, y}, "stroke=\"#e4e4e4\"");
    svg.text({kLeft - 9, y + 4}, tick_text(tick), "text-anchor=\"end\"");
  }
  svg.line({kLeft, kTop}, {kLeft, bottom}, "stroke=\"#444444\"");
  const double middle = (kTop + bottom) / 2;
  svg.text({0, 0}, title, "text-anchor=\"middle\" transform=\"translate(16 " + tick_text(middle) + ") rotate(-90)\"");
}

/// Colours and names of the first series; the rest in one grey line.
void draw_legend(Svg& svg, const std::vector<std::string>& labels, bool is_bar) {
  const double x = kRight + 20;
  double y = kTop + 10;
  for (std::size_t i = 0; i < std::min(labels.size(), kSeriesColours); ++i, y += 22) {
    const std::string colour(series_colour(i));
    if (is_bar) {
      svg.rectangle({x, y - 9}, 22, 11, "fill=\"" + colour + "\"");
    } else {
      svg.line({x, y - 4}, {x + 22, y - 4}, stroke(colour, "stroke-width=\"2.5\""));
    }
    svg.open_group("", labels[i]);
    svg.text({x + 29, y}, shorten(labels[i], kLegendCharacters), "font-size=\"11\"");
    svg.close_group();
  }
  if (labels.size() <= kSeriesColours) return;
  svg.line({x, y - 4}, {x + 22, y - 4}, stroke("#bbbbbb", "stroke-width=\"2\""));
  svg.text({x + 29, y}, std::to_string(labels.size() - kSeriesColours) + " more configurations", "font-size=\"11\"");
}

struct Curves {
  std::vector<std::string> labels;
  std::span<const std::int32_t> series;  ///< from 1, the best first
  std::span<const std::int32_t> is_dashed;
  std::span<const double> x;
  std::span<const double> y;
};

/// The points of one curve; a value that is not finite leaves a gap.
void draw_curve(Svg& svg, const Curves& curves, std::size_t first, std::size_t end, const Axis& across,
                const Axis& up) {
  const std::size_t series = curves.series[first] - 1;
  const bool is_named = series < kSeriesColours;
  const std::string colour(is_named ? series_colour(series) : "#c8c8c8");
  const std::string style =
      stroke(colour, curves.is_dashed[first] != 0 ? "stroke-width=\"1.4\" stroke-dasharray=\"5 4\""
                     : is_named                   ? "stroke-width=\"2.2\""
                                                  : "stroke-width=\"1.2\"");
  std::vector<Point> points;
  const auto flush = [&] {
    if (points.size() > 1) svg.polyline(points, style);
    points.clear();
  };
  for (std::size_t i = first; i < end; ++i) {
    if (!std::isfinite(curves.y[i])) {
      flush();
      continue;
    }
    points.push_back({across.pixel(curves.x[i]), up.pixel(curves.y[i])});
    if (curves.is_dashed[i] == 0) svg.circle(points.back(), is_named ? 2.4 : 1.6, "fill=\"" + colour + "\"");
  }
  flush();
}

/// The worst first, so that the best lie on top. The rows of a curve stand together.
void draw_all_curves(Svg& svg, const Curves& curves, const Axis& across, const Axis& up) {
  std::vector<std::pair<std::size_t, std::size_t>> runs;
  for (std::size_t i = 0; i < curves.series.size(); ++i) {
    const bool is_same =
        i > 0 && curves.series[i] == curves.series[i - 1] && curves.is_dashed[i] == curves.is_dashed[i - 1];
    if (is_same) {
      runs.back().second = i + 1;
    } else {
      runs.emplace_back(i, i + 1);
    }
  }
  std::stable_sort(runs.begin(), runs.end(),
                   [&](auto& a, auto& b) { return curves.series[a.first] > curves.series[b.first]; });
  for (const auto& [first, end] : runs) {
    svg.open_group("class=\"curve\"", curves.labels[curves.series[first] - 1]);
    draw_curve(svg, curves, first, end, across, up);
    svg.close_group();
  }
}

std::string picture_of_curves(const std::string& title, const std::string& metric, const Curves& curves) {
  constexpr double kHeight = 560;
  constexpr double kBottom = kHeight - 60;
  Svg svg(kWidth, kHeight);
  draw_title(svg, title);
  Range across;
  Range up;
  for (std::size_t i = 0; i < curves.x.size(); ++i) {
    across.add(curves.x[i]);
    up.add(curves.y[i]);
  }
  if (up.is_empty()) {
    svg.text({kLeft, kTop + 30}, "no finite value of " + metric, "");
    return svg.finish();
  }
  const double margin = (up.highest / 2 - up.lowest / 2) * 0.06;
  const Axis horizontal(across.lowest, across.highest, kLeft + 10, kRight - 10);
  const Axis vertical(up.lowest - margin, up.highest + margin, kBottom, kTop);
  draw_horizontal_axis(svg, horizontal, kBottom, "iteration", true);
  draw_vertical_axis(svg, vertical, kBottom, metric);
  draw_all_curves(svg, curves, horizontal, vertical);
  draw_legend(svg, curves.labels, false);
  return svg.finish();
}

struct Units {
  std::vector<std::string> labels;       ///< of the configurations
  std::span<const std::int32_t> series;  ///< from 1
  std::span<const std::int32_t> slot;
  std::span<const std::int32_t> is_training;
  std::span<const double> start;
  std::span<const double> end;
  std::vector<std::string> tips;
};

std::string picture_of_units(const std::string& title, const Units& units) {
  constexpr double kRow = 46;
  std::int32_t slots = 1;
  Range across;
  across.add(0.0);
  for (std::size_t i = 0; i < units.slot.size(); ++i) {
    slots = std::max(slots, units.slot[i] + 1);
    across.add(units.end[i]);
  }
  const double bottom = kTop + slots * kRow;
  const double legend = static_cast<double>(std::min(units.labels.size(), kSeriesColours + 1)) * 22;
  Svg svg(kWidth, std::max(bottom + 60, kTop + legend + 20));
  draw_title(svg, title);
  const Axis horizontal(across.lowest, across.highest, kLeft, kRight);
  draw_horizontal_axis(svg, horizontal, bottom, "seconds (full colour: training, pale: evaluation)", false);
  for (std::int32_t slot = 0; slot < slots; ++slot) {
    svg.text({kLeft - 9, kTop + (slot + 0.5) * kRow + 4}, "slot " + std::to_string(slot), "text-anchor=\"end\"");
  }
  for (std::size_t i = 0; i < units.slot.size(); ++i) {
    const std::size_t series = units.series[i] - 1;
    const std::string colour(series < kSeriesColours ? series_colour(series) : "#bbbbbb");
    const double x = horizontal.pixel(units.start[i]);
    const double width = std::max(horizontal.pixel(units.end[i]) - x, 0.3);
    svg.rectangle({x, kTop + units.slot[i] * kRow + 5}, width, kRow - 10,
                  "class=\"unit\" fill=\"" + colour + "\" stroke=\"#ffffff\" stroke-width=\"0.3\"" +
                      (units.is_training[i] != 0 ? "" : " fill-opacity=\"0.4\""),
                  units.tips[i]);
  }
  draw_legend(svg, units.labels, true);
  return svg.finish();
}

}  // namespace
}  // namespace modelhop::server

using namespace modelhop::server;

MODELHOP_FUNCTION(draw_curves) {
  Curves curves;
  curves.labels = texts_argument(fcinfo, 2);
  curves.series = numbers_argument<std::int32_t>(fcinfo, 3);
  curves.is_dashed = numbers_argument<std::int32_t>(fcinfo, 4);
  curves.x = numbers_argument<double>(fcinfo, 5);
  curves.y = numbers_argument<double>(fcinfo, 6);
  const std::size_t count = curves.series.size();
  modelhop::check(curves.is_dashed.size() == count && curves.x.size() == count && curves.y.size() == count,
                  "the columns of the points differ in length");
  for (const std::int32_t series : curves.series) {
    modelhop::check(series >= 1 && static_cast<std::size_t>(series) <= curves.labels.size(), "a series has no label");
  }
  return text_result(picture_of_curves(*text_argument(fcinfo, 0), *text_argument(fcinfo, 1), curves));
}

MODELHOP_FUNCTION(draw_timeline) {
  Units units;
  units.labels = texts_argument(fcinfo, 1);
  units.series = numbers_argument<std::int32_t>(fcinfo, 2);
  units.slot = numbers_argument<std::int32_t>(fcinfo, 3);
  units.is_training = numbers_argument<std::int32_t>(fcinfo, 4);
  units.start = numbers_argument<double>(fcinfo, 5);
  units.end = numbers_argument<double>(fcinfo, 6);
  units.tips = texts_argument(fcinfo, 7);
  const std::size_t count = units.series.size();
  modelhop::check(units.slot.size() == count && units.is_training.size() == count && units.start.size() == count &&
                      units.end.size() == count && units.tips.size() == count,
                  "the columns of the units differ in length");
  for (std::size_t i = 0; i < count; ++i) {
    modelhop::check(units.series[i] >= 1 && static_cast<std::size_t>(units.series[i]) <= units.labels.size() &&
                        units.slot[i] >= 0 && units.slot[i] < 4096,
                    "a unit has no label or no slot");
  }
  return text_result(picture_of_units(*text_argument(fcinfo, 0), units));
}
