// SPDX-License-Identifier: Apache-2.0
// Layers of several inputs: Add, Subtract, Multiply, Average, Maximum, Minimum, Concatenate, Dot.
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
               " cannot be merged by " + call.layer.class_name);
      }
      extent = std::max(extent, input[i]);
    }
  }
  return merged;
}

std::int64_t merge_flops(const LayerCall& call, const Shape& output) {
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

/// One axis for both inputs or one for each, counting the batch axis.
void read_dot(LayerConfig& config, Attributes& attributes) {
  attributes["axes"] = config.extents("axes", {}, 2, {-32, 32});
  attributes["normalize"] = config.boolean("normalize", false);
}

Shape dot_shape(const LayerCall& call) {
  std::vector<std::int64_t> axes = list_attribute(call.layer, "axes");
  Shape output;
  for (std::size_t i = 0; i < 2; ++i) {
    const auto rank = static_cast<std::int64_t>(call.inputs[i].size());
    const std::int64_t axis = axes[i] < 0 ? axes[i] + rank : axes[i] - 1;
    if (axis < 0 || axis >= rank) {
      refuse(call.where() + ": \"axes\" " + std::to_string(axes[i]) + " is not an axis beside the batch of shape " +
             to_text(call.inputs[i]));
    }
    axes[i] = axis;
    for (std::int64_t other = 0; other < rank; ++other) {
      if (other != axis) output.push_back(call.inputs[i][static_cast<std::size_t>(other)]);
    }
  }
  if (call.inputs[0][static_cast<std::size_t>(axes[0])] != call.inputs[1][static_cast<std::size_t>(axes[1])]) {
    refuse(call.where() + ": axes of inputs of shapes " + to_text(call.inputs[0]) + " and " + to_text(call.inputs[1]) +
           " differ in extent, so that Dot cannot sum over them");
  }
  call.layer.attributes["axes"] = axes;
  return output.empty() ? Shape{1} : output;
}

std::int64_t dot_flops(const LayerCall& call, const Shape& output) {
  const auto axis = static_cast<std::size_t>(list_attribute(call.layer, "axes")[0]);
  return flops_of(element_count(output), 2 * call.inputs[0][axis], call);
}

LayerKind merge(std::string_view class_name, int max_inputs = kAnyNumber) {
  return {.class_name = class_name,
          .read = read_nothing,
          .output_shape = broadcast_shape,
          .flops = merge_flops,
          .min_inputs = 2,
          .max_inputs = max_inputs,
          .mask_rule = MaskRule::kMerged};
}

}  // namespace

const std::vector<LayerKind>& merge_layers() {
  static const std::vector<LayerKind> kinds = {
      merge("Add"),
      merge("Subtract", 2),
      merge("Multiply"),
      merge("Average"),
      merge("Maximum"),
      merge("Minimum"),
      {.class_name = "Concatenate",
       .read = read_axis,
       .output_shape = concatenated_shape,
       .flops = no_flops,
       .min_inputs = 1,
       .max_inputs = kAnyNumber,
       .mask_rule = MaskRule::kOwn},
      {.class_name = "Dot",
       .read = read_dot,
       .output_shape = dot_shape,
       .flops = dot_flops,
       .min_inputs = 2,
       .max_inputs = 2},
  };
  return kinds;
}

}  // namespace modelhop::spec
