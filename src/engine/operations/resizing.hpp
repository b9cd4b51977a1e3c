// SPDX-License-Identifier: Apache-2.0
// Lowerings of resizing that several layers share.
#pragma once

#include "engine/lowering.hpp"
#include "engine/operations/interpolation.hpp"

namespace modelhop::engine {

/// What becomes of one axis.
struct ResizedAxis {
  std::int64_t axis = 0;  ///< of the shape, without the batch axis
  ResizedSpan span;
  std::int64_t outputs = 1;
};

struct ResizeRule {
  Interpolation method = Interpolation::kBilinear;
  bool antialias = false;
  double fill_value = 0.0;  ///< of padding
};

Value* lower_resize(Lowering& lowering, Value* from, const std::vector<ResizedAxis>& axes, const ResizeRule& rule);

/// Keras's smart_resize: the largest part in the middle that has the aspect ratio of the output, resized.
Value* lower_smart_resize(Lowering& lowering, const ResizeRule& rule);

/// The axes of height and width in the layer's input, without the batch axis.
std::int64_t height_axis(const Lowering& lowering);

/// The middle of the input where it is large enough, else lower_smart_resize.
Value* lower_center_crop(Lowering& lowering);

/// Cells taken off (below 0) or zeros added on both sides of axes that follow each other.
Value* lower_sides(Lowering& lowering, std::int64_t first_axis, std::vector<std::int64_t> sides);

}  // namespace modelhop::engine
