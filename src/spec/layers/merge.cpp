// SPDX-License-Identifier: Apache-2.0
// Add, Concatenate.
#include <algorithm>

#include "spec/grammar_text.hpp"
#include "spec/layer_kind.hpp"

namespace modelhop::spec {
namespace {

constexpr int kAnyNumber = 1 << 20;

/// Keras gives an input of lower rank extents of 1 right after the batch axis, then broadcasts.
Shape broadcast_shape(const LayerCall& call) {
  std::size_t rank = 0;
  for (const Shape& input : call.inputs) rank = std::max(rank, input.size());
  Shape merged(rank, 1);
  for (const Shape& input : call.inputs) {
    const std::size_t offset = rank - input.size();
    for (std::size_t i = 0; i < input.size(); ++i) {
      std::int64_t& extent = merged[offset + i];
      if (extent != input[i] && extent != 1 && input[i] != 1) {
        refuse(call.where() + ": inputs of shapes " + to_text(call.inputs.front()) + " and " + to_text(input) +
               " cannot be added");
      }
      extent = std::max(extent, input[i]);
    }
  }
  return merged;
}

std::int64_t add_flops(const LayerCall& call, const Shape& output) {
  return flops_of(element_count(output), static_cast<std::int64_t>(call.inputs.size()) - 1, call);
}

Shape concatenated_shape(const LayerCall& call) {
  Shape shape = call.input();
  const std::size_t axis = settle_axis(call, shape.size());
  for (std::size_t i = 1; i < call.inputs.size(); ++i) {
    Shape other = call.inputs[i];
    const std::int64_t extent = axis < other.size() ? other[axis] : 0;
    if (other.size() == shape.size()) other[axis] = shape[axis];
    if (other != shape) {
      refuse(call.where() + ": inputs of shapes " + to_text(call.input()) + " and " + to_text(call.inputs[i]) +
             " cannot be concatenated along axis " + std::to_string(axis + 1));
    }
    shape[axis] += extent;
  }
  return shape;
}

}  // namespace

const std::vector<LayerKind>& merge_layers() {
  static const std::vector<LayerKind> kinds = {
      {.class_name = "Add",
       .read = read_nothing,
       .output_shape = broadcast_shape,
       .flops = add_flops,
       .min_inputs = 2,
       .max_inputs = kAnyNumber},
      {.class_name = "Concatenate",
       .read = read_axis,
       .output_shape = concatenated_shape,
       .flops = no_flops,
       .min_inputs = 1,
       .max_inputs = kAnyNumber},
  };
  return kinds;
}

}  // namespace modelhop::spec
