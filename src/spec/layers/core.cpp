// SPDX-License-Identifier: Apache-2.0
// InputLayer, Dense (EinsumDense in einsum_dense.cpp), Activation, ActivityRegularization, Identity.
#include "spec/activation_names.hpp"
#include "spec/grammar_text.hpp"
#include "spec/layer_kind.hpp"

namespace modelhop::spec {
namespace {

void read_input(LayerConfig& config, Attributes&) {
  for (const char* key : {"sparse", "ragged", "optional"}) {
    if (config.boolean(key, false)) config.not_supported(in_quotes(key) + " input");
  }
}

void read_dense(LayerConfig& config, Attributes& attributes) {
  attributes["units"] = config.integer("units", {}, {});
  attributes["activation"] = config.activation("activation");
  attributes["use_bias"] = config.boolean("use_bias", true);
}

Shape dense_shape(const LayerCall& call) {
  if (call.input().empty()) refuse(call.where() + ": Dense needs at least one axis beside the batch");
  Shape shape = call.input();
  shape.back() = integer_attribute(call.layer, "units");
  return activated_shape(call.where(), shape, string_attribute(call.layer, "activation"));
}

Shape dense_weight(const LayerCall& call, std::string_view weight) {
  const std::int64_t units = integer_attribute(call.layer, "units");
  return weight == "kernel" ? Shape{call.input().back(), units} : Shape{units};
}

std::int64_t dense_flops(const LayerCall& call, const Shape& output) {
  const std::int64_t bias = boolean_attribute(call.layer, "use_bias") ? 1 : 0;
  const std::int64_t activation = activation_cost(string_attribute(call.layer, "activation"));
  return flops_of(element_count(output), 2 * call.input().back() + bias + activation, call);
}

void read_activation(LayerConfig& config, Attributes& attributes) {
  if (config.find("activation") == nullptr) config.refuse_value("activation", "the name of an activation function");
  attributes["activation"] = config.activation("activation");
}

Shape activation_shape(const LayerCall& call) {
  return activated_shape(call.where(), call.input(), string_attribute(call.layer, "activation"));
}

std::int64_t activation_flops(const LayerCall& call, const Shape& output) {
  return flops_of(element_count(output), activation_cost(string_attribute(call.layer, "activation")), call);
}

void read_activity_regularization(LayerConfig& config, Attributes& attributes) {
  attributes["l1"] = config.number("l1", 0.0, {0.0});
  attributes["l2"] = config.number("l2", 0.0, {0.0});
}

}  // namespace

const std::vector<LayerKind>& core_layers() {
  static const std::vector<LayerKind> kinds = {
      {.class_name = "InputLayer", .read = read_input, .output_shape = same_shape, .flops = no_flops},
      {.class_name = "Dense",
       .read = read_dense,
       .output_shape = dense_shape,
       .flops = dense_flops,
       .weights = {{"kernel", "glorot_uniform"}, {"bias", "zeros", "use_bias"}},
       .weight_shape = dense_weight,
       .mask_rule = MaskRule::kPassed},
      einsum_dense_layer(),
      {.class_name = "Activation",
       .read = read_activation,
       .output_shape = activation_shape,
       .flops = activation_flops,
       .mask_rule = MaskRule::kPassed},
      {.class_name = "ActivityRegularization",
       .read = read_activity_regularization,
       .output_shape = same_shape,
       .flops = one_flop_each,
       .mask_rule = MaskRule::kPassed},
      {.class_name = "Identity",
       .read = read_nothing,
       .output_shape = same_shape,
       .flops = no_flops,
       .mask_rule = MaskRule::kPassed},
  };
  return kinds;
}

}  // namespace modelhop::spec
