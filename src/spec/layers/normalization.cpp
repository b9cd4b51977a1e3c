// SPDX-License-Identifier: Apache-2.0
// BatchNormalization and the normalizations within one example. Normalization (of inputs, by given statistics) has a
// file of its own.
#include <algorithm>

#include "spec/grammar_text.hpp"
#include "spec/layer_kind.hpp"

namespace modelhop::spec {
namespace {

void read_center_and_scale(LayerConfig& config, Attributes& attributes) {
  attributes["epsilon"] = config.number("epsilon", 1e-3, {0.0});
  attributes["center"] = config.boolean("center", true);
  attributes["scale"] = config.boolean("scale", true);
}

void read_batch_normalization(LayerConfig& config, Attributes& attributes) {
  read_axis(config, attributes);
  read_center_and_scale(config, attributes);
  attributes["momentum"] = config.number("momentum", 0.99, {0.0, 1.0});
  if (config.boolean("renorm", false)) {
    config.not_supported("\"renorm\" of BatchNormalization", "Use plain BatchNormalization or LayerNormalization.");
  }
  if (config.find("virtual_batch_size") != nullptr) {
    config.not_supported("\"virtual_batch_size\" of BatchNormalization",
                         "Choose the batch size in the fit parameters.");
  }
  // A batch is computed in one place, so it is synchronized anyway. TensorFlow 1 writes the keys of renorm beside the
  // flag that uses them; `fused` chooses an implementation, not a result.
  for (const char* key : {"synchronized", "renorm_clipping", "renorm_momentum", "fused"}) config.find(key);
}

Shape batch_normalization_shape(const LayerCall& call) {
  settle_axis(call, call.input().size());
  return call.input();
}

/// One for each extent of `axis`.
Shape channel_weight(const LayerCall& call, std::string_view) {
  return {call.input()[static_cast<std::size_t>(integer_attribute(call.layer, "axis"))]};
}

std::int64_t batch_normalization_flops(const LayerCall& call, const Shape& output) {
  return flops_of(element_count(output), 2, call);
}

void read_layer_normalization(LayerConfig& config, Attributes& attributes) {
  read_axes(config, attributes);
  read_center_and_scale(config, attributes);
  const bool is_rms = config.boolean("rms_scaling", false);
  attributes["rms_scaling"] = is_rms;
  if (is_rms) {
    attributes["center"] = false;
    attributes["scale"] = true;
  }
}

Shape axes_shape(const LayerCall& call) {
  if (settle_axes(call, call.input().size()).empty()) refuse(call.where() + ": \"axis\" names no axis");
  return call.input();
}

/// One for each element of the normalized axes, in the order in which `axis` names them.
Shape axes_weight(const LayerCall& call, std::string_view) {
  Shape shape;
  for (const std::int64_t axis : list_attribute(call.layer, "axis")) {
    shape.push_back(call.input()[static_cast<std::size_t>(axis)]);
  }
  return shape;
}

void read_rms_normalization(LayerConfig& config, Attributes& attributes) {
  read_axes(config, attributes);
  attributes["epsilon"] = config.number("epsilon", 1e-6, {0.0});
}

void read_group_normalization(LayerConfig& config, Attributes& attributes) {
  read_axis(config, attributes);
  read_center_and_scale(config, attributes);
  attributes["groups"] = config.integer("groups", 32, {-1, kMaxExtent});
}

Shape group_normalization_shape(const LayerCall& call) {
  const std::int64_t channels = call.input()[settle_axis(call, call.input().size())];
  std::int64_t groups = integer_attribute(call.layer, "groups");
  if (groups == -1) groups = channels;
  if (groups < 1 || channels % groups != 0) {
    refuse(call.where() + ": \"groups\" " + std::to_string(groups) + " does not divide " + std::to_string(channels) +
           " channels");
  }
  call.layer.attributes["groups"] = groups;
  return call.input();
}

std::vector<WeightRule> gamma_and_beta() {
  return {{"gamma", "ones", "scale"}, {"beta", "zeros", "center"}};
}

void read_layer_scale(LayerConfig& config, Attributes& attributes) {
  attributes["init_values"] = config.number("init_values", 1e-6, {});
  attributes["projection_dim"] = config.integer("projection_dim", {}, {});
}

Shape layer_scale_shape(const LayerCall& call) {
  const std::int64_t extent = integer_attribute(call.layer, "projection_dim");
  if (call.input().empty() || call.input().back() != extent) {
    refuse(call.where() + ": \"projection_dim\" " + std::to_string(extent) +
           " is not the last extent of an input of shape " + to_text(call.input()));
  }
  call.layer.weights.front().initializer.value = number_attribute(call.layer, "init_values");
  return call.input();
}

Shape layer_scale_weight(const LayerCall& call, std::string_view) {
  return {integer_attribute(call.layer, "projection_dim")};
}

}  // namespace

const std::vector<LayerKind>& normalization_layers() {
  static const std::vector<LayerKind> kinds = {
      {.class_name = "BatchNormalization",
       .read = read_batch_normalization,
       .output_shape = batch_normalization_shape,
       .flops = batch_normalization_flops,
       .weights = {{"gamma", "ones", "scale"},
                   {"beta", "zeros", "center"},
                   {"moving_mean", "zeros", nullptr, true},
                   {"moving_variance", "ones", nullptr, true}},
       .weight_shape = channel_weight,
       .aliases = {"BatchNormalizationV1", "BatchNormalizationV2", "SyncBatchNormalization"},
       .mask_rule = MaskRule::kPassed},
      {.class_name = "LayerNormalization",
       .read = read_layer_normalization,
       .output_shape = axes_shape,
       .flops = five_flops_each,
       .weights = gamma_and_beta(),
       .weight_shape = axes_weight,
       .mask_rule = MaskRule::kPassed},
      // Of keras.applications.convnext: x * gamma.
      {.class_name = "LayerScale",
       .read = read_layer_scale,
       .output_shape = layer_scale_shape,
       .flops = one_flop_each,
       .weights = {{"gamma", "constant"}},
       .weight_shape = layer_scale_weight},
      {.class_name = "RMSNormalization",
       .read = read_rms_normalization,
       .output_shape = axes_shape,
       .flops = five_flops_each,
       .weights = {{"scale", "ones"}},
       .weight_shape = axes_weight,
       .mask_rule = MaskRule::kPassed},
      {.class_name = "GroupNormalization",
       .read = read_group_normalization,
       .output_shape = group_normalization_shape,
       .flops = five_flops_each,
       .weights = gamma_and_beta(),
       .weight_shape = channel_weight,
       .mask_rule = MaskRule::kPassed},
      {.class_name = "UnitNormalization",
       .read = read_axes,
       .output_shape = axes_shape,
       .flops = five_flops_each,
       .mask_rule = MaskRule::kPassed},
  };
  return kinds;
}

}  // namespace modelhop::spec
