// SPDX-License-Identifier: Apache-2.0
// Activations that are layers: ReLU, LeakyReLU, PReLU, ELU, ThresholdedReLU, Softmax.
#include <algorithm>

#include "spec/grammar_text.hpp"
#include "spec/layer_kind.hpp"

namespace modelhop::spec {
namespace {

void read_relu(LayerConfig& config, Attributes& attributes) {
  const bool is_limited = config.find("max_value") != nullptr;
  attributes["max_value"] =
      is_limited ? config.number("max_value", {}, {0.0}) : std::numeric_limits<double>::infinity();
  attributes["negative_slope"] = config.number("negative_slope", 0.0, {0.0});
  attributes["threshold"] = config.number("threshold", 0.0, {0.0});
}

void read_leaky_relu(LayerConfig& config, Attributes& attributes) {
  const char* key = config.find("negative_slope") != nullptr ? "negative_slope" : "alpha";
  attributes["alpha"] = config.number(key, 0.3, {0.0});
}

void read_elu(LayerConfig& config, Attributes& attributes) {
  attributes["alpha"] = config.number("alpha", 1.0, {});
}

void read_thresholded_relu(LayerConfig& config, Attributes& attributes) {
  attributes["theta"] = config.number("theta", 1.0, {0.0});
}

void read_prelu(LayerConfig& config, Attributes& attributes) {
  const Json* value = config.find("shared_axes");
  std::vector<std::int64_t> axes;
  if (value != nullptr && value->is_array() && value->size() <= 32) {
    for (const Json& axis : *value) axes.push_back(config.integer_value("shared_axes", axis, {1, 32}));
  } else if (value != nullptr) {
    axes.push_back(config.integer_value("shared_axes", *value, {1, 32}));
  }
  attributes["shared_axes"] = axes;
}

Shape prelu_weight(const LayerCall& call, std::string_view) {
  Shape shape = call.input();
  for (const std::int64_t axis : list_attribute(call.layer, "shared_axes")) {
    if (axis > static_cast<std::int64_t>(shape.size())) {
      refuse(call.where() + ": \"shared_axes\" " + std::to_string(axis) + " is not an axis of an input of shape " +
             to_text(shape) + " behind the batch axis");
    }
    shape[static_cast<std::size_t>(axis) - 1] = 1;
  }
  return shape;
}

/// A second input is a mask: 1 where an element counts.
Shape softmax_shape(const LayerCall& call) {
  settle_axes(call, call.input().size());
  const Shape* mask = call.input_of("mask");
  if (call.inputs.size() > 1 && (mask == nullptr || *mask != call.input())) {
    refuse(call.where() + ": Softmax takes one input, and a \"mask\" of the same shape");
  }
  return call.input();
}

LayerKind activation(std::string_view class_name, void (*read)(LayerConfig&, Attributes&)) {
  return {.class_name = class_name,
          .read = read,
          .output_shape = same_shape,
          .flops = one_flop_each,
          .mask_rule = MaskRule::kPassed};
}

LayerKind softmax() {
  LayerKind kind = activation("Softmax", read_axes);
  kind.output_shape = softmax_shape;
  kind.flops = five_flops_each;
  kind.max_inputs = 2;
  return kind;
}

LayerKind prelu() {
  LayerKind kind = activation("PReLU", read_prelu);
  kind.weights = {{"alpha", "zeros"}};
  kind.weight_shape = prelu_weight;
  return kind;
}

}  // namespace

const std::vector<LayerKind>& activation_layers() {
  static const std::vector<LayerKind> kinds = {
      activation("ReLU", read_relu),
      activation("LeakyReLU", read_leaky_relu),
      activation("ELU", read_elu),
      activation("ThresholdedReLU", read_thresholded_relu),
      prelu(),
      softmax(),
  };
  return kinds;
}

}  // namespace modelhop::spec
