// SPDX-License-Identifier: Apache-2.0
#include "trainer/segment_view.hpp"

#include <cmath>
#include <string>

#include "modelhop/error.hpp"

namespace modelhop::trainer {
namespace {

/// These limits together keep every sum and product in SegmentLayout far from 2^63.
constexpr std::int64_t kMaxRowElements = std::int64_t{1} << 31;
constexpr std::int64_t kMaxBytes = std::int64_t{1} << 50;
constexpr std::size_t kMaxArrays = 1024;

wire::ArrayLayout checked_array(const char* name, const wire::Layout& array, std::int64_t rows) {
  if (array.type() > wire::ElementType_MAX) {
    throw Error(ErrorCode::kInvalidArgument,
                std::string(name) + " element type " + std::to_string(array.type()) + " is unknown");
  }
  if (array.row_elements() < 1 || array.row_elements() > kMaxRowElements ||
      rows > kMaxBytes / (4 * array.row_elements())) {
    throw Error(ErrorCode::kInvalidArgument, std::to_string(rows) + " rows of " + std::to_string(array.row_elements()) +
                                                 " " + name + " elements are out of range");
  }
  if (!std::isfinite(array.scale())) {
    throw Error(ErrorCode::kInvalidArgument,
                std::string(name) + " scale " + std::to_string(array.scale()) + " is not a number");
  }
  return {static_cast<ElementType>(array.type()), array.row_elements(), array.scale()};
}

std::vector<wire::ArrayLayout> checked_arrays(const char* name, const LayoutList* list, std::int64_t rows) {
  std::vector<wire::ArrayLayout> arrays;
  if (list == nullptr) return arrays;
  if (list->size() > kMaxArrays) {
    throw Error(ErrorCode::kInvalidArgument, std::to_string(list->size()) + " " + name + " arrays are too many");
  }
  for (const auto* array : *list) arrays.push_back(checked_array(name, *array, rows));
  return arrays;
}

}  // namespace

wire::SegmentLayout checked_layout(std::int64_t rows, const LayoutList* independent, const LayoutList* dependent,
                                   bool has_sample_weight) {
  if (rows < 0) throw Error(ErrorCode::kInvalidArgument, "number of rows " + std::to_string(rows) + " is negative");
  wire::SegmentLayout layout;
  layout.rows = rows;
  layout.independent = checked_arrays("independent", independent, rows);
  if (layout.independent.empty()) {
    throw Error(ErrorCode::kInvalidArgument, "layout of the independent variable is missing");
  }
  layout.dependent = checked_arrays("dependent", dependent, rows);
  layout.has_sample_weight = has_sample_weight;
  return layout;
}

Examples examples_at(const std::byte* data, const wire::SegmentLayout& layout) {
  Examples examples;
  examples.rows = layout.rows;
  const std::vector<std::int64_t> offsets = layout.offsets();
  std::size_t place = 0;
  const auto view = [&](const wire::ArrayLayout& array) {
    return ArrayView{data + offsets[place++], array.type, array.row_elements, array.scale};
  };
  for (const wire::ArrayLayout& array : layout.independent) examples.independent.push_back(view(array));
  for (const wire::ArrayLayout& array : layout.dependent) examples.dependent.push_back(view(array));
  if (layout.has_sample_weight) examples.sample_weight = view({ElementType::kFloat32, 1, 1.0F});
  return examples;
}

}  // namespace modelhop::trainer
