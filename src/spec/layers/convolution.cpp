// SPDX-License-Identifier: Apache-2.0
// Conv2D.
#include "spec/activation_names.hpp"
#include "spec/grammar_text.hpp"
#include "spec/layer_kind.hpp"

namespace modelhop::spec {
namespace {

void read_conv2d(LayerConfig& config, Attributes& attributes) {
  const std::vector<std::int64_t> ones = {1, 1};
  attributes["filters"] = config.integer("filters", {}, {});
  attributes["kernel_size"] = config.extents("kernel_size", {}, 2, {});
  const auto strides = config.extents("strides", ones, 2, {});
  const auto dilation = config.extents("dilation_rate", ones, 2, {});
  if (strides != ones && dilation != ones) {
    refuse(config.where() + ": \"strides\" " + to_text(strides) + " and \"dilation_rate\" " + to_text(dilation) +
           " cannot both be above 1");
  }
  attributes["strides"] = strides;
  attributes["dilation_rate"] = dilation;
  attributes["groups"] = config.integer("groups", 1, {});
  read_padding(config, attributes);
  read_data_format(config, attributes);
  attributes["activation"] = config.activation("activation");
  attributes["use_bias"] = config.boolean("use_bias", true);
}

Shape conv2d_shape(const LayerCall& call) {
  const std::int64_t filters = integer_attribute(call.layer, "filters");
  const std::int64_t groups = integer_attribute(call.layer, "groups");
  const Shape shape = windowed_shape(call, "kernel_size", filters);
  if (call.input()[2] % groups != 0 || filters % groups != 0) {
    refuse(call.where() + ": \"groups\" " + std::to_string(groups) + " does not divide " +
           std::to_string(call.input()[2]) + " input channels and " + std::to_string(filters) + " filters");
  }
  return activated_shape(call.where(), shape, string_attribute(call.layer, "activation"));
}

Shape conv2d_weight(const LayerCall& call, std::string_view weight) {
  const std::int64_t filters = integer_attribute(call.layer, "filters");
  if (weight == "bias") return {filters};
  const auto& size = list_attribute(call.layer, "kernel_size");
  return {size[0], size[1], call.input()[2] / integer_attribute(call.layer, "groups"), filters};
}

std::int64_t conv2d_flops(const LayerCall& call, const Shape& output) {
  const Shape kernel = conv2d_weight(call, "kernel");
  const std::int64_t bias = boolean_attribute(call.layer, "use_bias") ? 1 : 0;
  const std::int64_t activation = activation_cost(string_attribute(call.layer, "activation"));
  const std::int64_t window = product_within(kernel[0] * kernel[1], kernel[2], kMaxElements, call.where() + ": kernel");
  return flops_of(element_count(output), 2 * window + bias + activation, call);
}

}  // namespace

const std::vector<LayerKind>& convolution_layers() {
  static const std::vector<LayerKind> kinds = {
      {.class_name = "Conv2D",
       .read = read_conv2d,
       .output_shape = conv2d_shape,
       .flops = conv2d_flops,
       .weights = {{"kernel", "glorot_uniform"}, {"bias", "zeros", "use_bias"}},
       .weight_shape = conv2d_weight,
       .aliases = {"Convolution2D"}},
  };
  return kinds;
}

}  // namespace modelhop::spec
