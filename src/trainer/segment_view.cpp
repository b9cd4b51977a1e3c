// SPDX-License-Identifier: Apache-2.0
#include "trainer/segment_view.hpp"

#include <algorithm>
#include <string>

#include "modelhop/error.hpp"

namespace modelhop::trainer {
namespace {

/// Both limits together keep every sum and product in SegmentLayout far from 2^63.
constexpr std::int64_t kMaxRowElements = std::int64_t{1} << 31;
constexpr std::int64_t kMaxBytes = std::int64_t{1} << 50;

void check_part(const char* name, const wire::Layout& part, std::int64_t least, std::int64_t rows) {
  if (part.type() > wire::ElementType_MAX) {
    throw Error(ErrorCode::kInvalidArgument,
                std::string(name) + " element type " + std::to_string(part.type()) + " is unknown");
  }
  if (part.row_elements() < least || part.row_elements() > kMaxRowElements ||
      rows > kMaxBytes / (4 * std::max<std::int64_t>(1, part.row_elements()))) {
    throw Error(ErrorCode::kInvalidArgument, std::to_string(rows) + " rows of " + std::to_string(part.row_elements()) +
                                                 " " + name + " elements are out of range");
  }
}

}  // namespace

wire::SegmentLayout checked_layout(std::int64_t rows, const wire::Layout* independent, const wire::Layout* dependent) {
  if (rows < 0) throw Error(ErrorCode::kInvalidArgument, "number of rows " + std::to_string(rows) + " is negative");
  if (independent == nullptr) throw Error(ErrorCode::kInvalidArgument, "layout of the independent variable is missing");
  wire::SegmentLayout layout;
  layout.rows = rows;
  check_part("independent", *independent, 1, rows);
  layout.independent_type = static_cast<ElementType>(independent->type());
  layout.independent_row_elements = independent->row_elements();
  if (dependent != nullptr) {
    check_part("dependent", *dependent, 0, rows);
    layout.dependent_type = static_cast<ElementType>(dependent->type());
    layout.dependent_row_elements = dependent->row_elements();
  }
  return layout;
}

Examples examples_at(const std::byte* data, const wire::SegmentLayout& layout, float independent_scale) {
  Examples examples;
  examples.rows = layout.rows;
  examples.independent = {data, layout.independent_type, layout.independent_row_elements};
  examples.independent_scale = independent_scale;
  if (layout.dependent_row_elements > 0) {
    examples.dependent = {data + layout.dependent_offset(), layout.dependent_type, layout.dependent_row_elements};
  }
  return examples;
}

}  // namespace modelhop::trainer
