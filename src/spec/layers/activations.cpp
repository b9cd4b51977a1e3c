// SPDX-License-Identifier: Apache-2.0
// ReLU, Softmax, LeakyReLU as layers of their own.
#include "spec/activation_names.hpp"
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

Shape softmax_shape(const LayerCall& call) {
  settle_axis(call, call.input().size());
  return call.input();
}

std::int64_t cheap_flops(const LayerCall& call, const Shape& output) {
  return flops_of(element_count(output), 1, call);
}

std::int64_t softmax_flops(const LayerCall& call, const Shape& output) {
  return flops_of(element_count(output), activation_cost("softmax"), call);
}

}  // namespace

const std::vector<LayerKind>& activation_layers() {
  static const std::vector<LayerKind> kinds = {
      {.class_name = "ReLU", .read = read_relu, .output_shape = same_shape, .flops = cheap_flops},
      {.class_name = "LeakyReLU", .read = read_leaky_relu, .output_shape = same_shape, .flops = cheap_flops},
      {.class_name = "Softmax", .read = read_axis, .output_shape = softmax_shape, .flops = softmax_flops},
  };
  return kinds;
}

}  // namespace modelhop::spec
