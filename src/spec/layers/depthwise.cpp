// SPDX-License-Identifier: Apache-2.0
// DepthwiseConv1D and 2D, SeparableConv1D and 2D: convolutions of each channel by itself.
#include "spec/activation_names.hpp"
#include "spec/grammar_text.hpp"
#include "spec/spatial.hpp"

namespace modelhop::spec {
namespace {

template <std::size_t kRank>
void read_channelwise(LayerConfig& config, Attributes& attributes) {
  attributes["kernel_size"] = config.extents("kernel_size", {}, kRank, {});
  attributes["depth_multiplier"] = config.integer("depth_multiplier", 1, {});
  read_steps(config, attributes, kRank);
  read_data_format(config, attributes);
  attributes["activation"] = config.activation("activation");
  attributes["use_bias"] = config.boolean("use_bias", true);
  // Keras 2 writes these of the class it derives from; nothing is made of them.
  if (config.integer("groups", 1, {}) != 1) config.not_supported("\"groups\" other than 1");
  for (const char* key : {"kernel_initializer", "kernel_regularizer", "kernel_constraint"}) config.find(key);
}

template <std::size_t kRank>
void read_depthwise(LayerConfig& config, Attributes& attributes) {
  read_channelwise<kRank>(config, attributes);
  read_padding(config, attributes);
}

template <std::size_t kRank>
void read_separable(LayerConfig& config, Attributes& attributes) {
  read_channelwise<kRank>(config, attributes);
  attributes["filters"] = config.integer("filters", {}, {});
  if (kRank == 1) {
    attributes["padding"] = config.choice("padding", "valid", {"valid", "same", "causal"});
  } else {
    read_padding(config, attributes);
  }
}

std::int64_t depth_of(const LayerCall& call) {
  const std::size_t rank = list_attribute(call.layer, "kernel_size").size();
  return product_within(channels_of(call, rank), integer_attribute(call.layer, "depth_multiplier"), kMaxExtent,
                        call.where() + ": \"depth_multiplier\"");
}

Shape depthwise_shape(const LayerCall& call) {
  return activated_shape(call.where(), windowed_shape(call, "kernel_size", depth_of(call)),
                         string_attribute(call.layer, "activation"));
}

Shape separable_shape(const LayerCall& call) {
  depth_of(call);
  return activated_shape(call.where(), windowed_shape(call, "kernel_size", integer_attribute(call.layer, "filters")),
                         string_attribute(call.layer, "activation"));
}

Shape depthwise_weight(const LayerCall& call, std::string_view weight) {
  if (weight == "bias") return {depth_of(call)};
  Shape shape = list_attribute(call.layer, "kernel_size");
  const std::int64_t channels = channels_of(call, shape.size());
  shape.insert(shape.end(), {channels, integer_attribute(call.layer, "depth_multiplier")});
  return shape;
}

Shape separable_weight(const LayerCall& call, std::string_view weight) {
  const std::int64_t filters = integer_attribute(call.layer, "filters");
  if (weight == "bias") return {filters};
  if (weight == "depthwise_kernel") return depthwise_weight(call, weight);
  Shape shape(list_attribute(call.layer, "kernel_size").size(), 1);
  shape.insert(shape.end(), {depth_of(call), filters});
  return shape;
}

std::int64_t cost_of_each(const LayerCall& call) {
  return (boolean_attribute(call.layer, "use_bias") ? 1 : 0) +
         activation_cost(string_attribute(call.layer, "activation"));
}

std::int64_t depthwise_flops(const LayerCall& call, const Shape& output) {
  const std::int64_t cells = window_cells(call, list_attribute(call.layer, "kernel_size"));
  return flops_of(element_count(output), 2 * cells + cost_of_each(call), call);
}

/// Of each output position: the windows of all channels, then a product with the pointwise kernel.
std::int64_t separable_flops(const LayerCall& call, const Shape& output) {
  const std::int64_t cells = window_cells(call, list_attribute(call.layer, "kernel_size"));
  const std::int64_t filters = integer_attribute(call.layer, "filters");
  const std::int64_t positions = element_count(windowed_shape(call, "kernel_size", 1));
  const std::int64_t depth = depth_of(call);
  const std::int64_t each =
      product_within(2 * depth, cells + filters, kMaxFlops, call.where() + ": number of operations");
  return flops_of(positions, each, call) + flops_of(element_count(output), cost_of_each(call), call);
}

const WeightRule kDepthwiseKernel = {"depthwise_kernel", "glorot_uniform", nullptr, false, "depthwise"};
const WeightRule kPointwiseKernel = {"pointwise_kernel", "glorot_uniform", nullptr, false, "pointwise"};
const WeightRule kBias = {"bias", "zeros", "use_bias"};

LayerKind depthwise(std::string_view class_name, void (*read)(LayerConfig&, Attributes&), std::string_view alias) {
  return {.class_name = class_name,
          .read = read,
          .output_shape = depthwise_shape,
          .flops = depthwise_flops,
          .weights = {kDepthwiseKernel, kBias},
          .weight_shape = depthwise_weight,
          .aliases = {alias}};
}

LayerKind separable(std::string_view class_name, void (*read)(LayerConfig&, Attributes&), std::string_view alias) {
  return {.class_name = class_name,
          .read = read,
          .output_shape = separable_shape,
          .flops = separable_flops,
          .weights = {kDepthwiseKernel, kPointwiseKernel, kBias},
          .weight_shape = separable_weight,
          .aliases = {alias}};
}

}  // namespace

const std::vector<LayerKind>& depthwise_layers() {
  static const std::vector<LayerKind> kinds = {
      depthwise("DepthwiseConv1D", read_depthwise<1>, "DepthwiseConvolution1D"),
      depthwise("DepthwiseConv2D", read_depthwise<2>, "DepthwiseConvolution2D"),
      separable("SeparableConv1D", read_separable<1>, "SeparableConvolution1D"),
      separable("SeparableConv2D", read_separable<2>, "SeparableConvolution2D"),
  };
  return kinds;
}

}  // namespace modelhop::spec
