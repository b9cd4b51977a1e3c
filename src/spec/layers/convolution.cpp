// SPDX-License-Identifier: Apache-2.0
// Conv1D, Conv2D, Conv3D and their transposes.
#include "spec/activation_names.hpp"
#include "spec/grammar_text.hpp"
#include "spec/padding.hpp"
#include "spec/spatial.hpp"

namespace modelhop::spec {
namespace {

template <std::size_t kRank>
void read_both_ways(LayerConfig& config, Attributes& attributes) {
  attributes["filters"] = config.integer("filters", {}, {});
  attributes["kernel_size"] = config.extents("kernel_size", {}, kRank, {});
  read_steps(config, attributes, kRank);
  attributes["groups"] = config.integer("groups", 1, {});
  read_data_format(config, attributes);
  attributes["activation"] = config.activation("activation");
  attributes["use_bias"] = config.boolean("use_bias", true);
}

template <std::size_t kRank>
void read_convolution(LayerConfig& config, Attributes& attributes) {
  read_both_ways<kRank>(config, attributes);
  if (kRank == 1) {
    attributes["padding"] = config.choice("padding", "valid", {"valid", "same", "causal"});
  } else {
    read_padding(config, attributes);
  }
}

std::size_t rank_of(const LayerCall& call) {
  return list_attribute(call.layer, "kernel_size").size();
}

std::int64_t cost_of_each(const LayerCall& call) {
  return (boolean_attribute(call.layer, "use_bias") ? 1 : 0) +
         activation_cost(string_attribute(call.layer, "activation"));
}

Shape convolution_shape(const LayerCall& call) {
  const std::int64_t filters = integer_attribute(call.layer, "filters");
  const std::int64_t groups = integer_attribute(call.layer, "groups");
  const std::int64_t channels = channels_of(call, rank_of(call));
  const Shape shape = windowed_shape(call, "kernel_size", filters);
  if (channels % groups != 0 || filters % groups != 0) {
    refuse(call.where() + ": \"groups\" " + std::to_string(groups) + " does not divide " + std::to_string(channels) +
           " input channels and " + std::to_string(filters) + " filters");
  }
  return activated_shape(call.where(), shape, string_attribute(call.layer, "activation"));
}

Shape convolution_weight(const LayerCall& call, std::string_view weight) {
  const std::int64_t filters = integer_attribute(call.layer, "filters");
  if (weight == "bias") return {filters};
  Shape shape = list_attribute(call.layer, "kernel_size");
  shape.push_back(channels_of(call, shape.size()) / integer_attribute(call.layer, "groups"));
  shape.push_back(filters);
  return shape;
}

std::int64_t convolution_flops(const LayerCall& call, const Shape& output) {
  Shape window = convolution_weight(call, "kernel");
  window.pop_back();
  return flops_of(element_count(output), 2 * window_cells(call, window) + cost_of_each(call), call);
}

template <std::size_t kRank>
void read_transposed(LayerConfig& config, Attributes& attributes) {
  read_both_ways<kRank>(config, attributes);
  read_padding(config, attributes);
  if (std::get<std::int64_t>(attributes["groups"]) != 1) config.not_supported("\"groups\" of a transposed convolution");
  const std::vector<std::int64_t> none;
  const auto padding = config.extents("output_padding", none, kRank, {0, kMaxExtent});
  const auto& strides = std::get<std::vector<std::int64_t>>(attributes["strides"]);
  for (std::size_t axis = 0; axis < padding.size(); ++axis) {
    if (padding[axis] < strides[axis]) continue;
    refuse(config.where() + ": \"output_padding\" " + to_text(padding) + " must be below \"strides\" " +
           to_text(strides));
  }
  attributes["output_padding"] = padding;
}

Shape transposed_shape(const LayerCall& call) {
  const auto& size = list_attribute(call.layer, "kernel_size");
  const auto& strides = list_attribute(call.layer, "strides");
  const auto& dilation = list_attribute(call.layer, "dilation_rate");
  const auto& padding = list_attribute(call.layer, "output_padding");
  const bool is_same = string_attribute(call.layer, "padding") == "same";
  std::vector<std::int64_t> extents = spatial_extents(call, size.size());
  for (std::size_t axis = 0; axis < extents.size(); ++axis) {
    const WindowExtent window{size[axis], strides[axis], dilation[axis]};
    const std::int64_t extent = extents[axis];
    extents[axis] = transposed_extent(extent, window, is_same, padding.empty() ? -1 : padding[axis]).outputs;
    // TensorFlow computes the gradient of a convolution from this many cells, which must lead back to the input.
    const bool leads_back =
        extents[axis] > 0 && (is_same ? same_padding : valid_padding)(extents[axis], window).outputs == extent;
    if (leads_back) continue;
    refuse(call.where() + ": \"output_padding\" " + to_text(padding) + " does not go with \"kernel_size\" " +
           to_text(size) + ", \"strides\" " + to_text(strides) + " and an input of shape " + to_text(call.input()));
  }
  const Shape shape = spatial_shape(call.layer, std::move(extents), integer_attribute(call.layer, "filters"));
  return activated_shape(call.where(), shape, string_attribute(call.layer, "activation"));
}

Shape transposed_weight(const LayerCall& call, std::string_view weight) {
  const std::int64_t filters = integer_attribute(call.layer, "filters");
  if (weight == "bias") return {filters};
  Shape shape = list_attribute(call.layer, "kernel_size");
  const std::int64_t channels = channels_of(call, shape.size());
  shape.insert(shape.end(), {filters, channels});
  return shape;
}

std::int64_t transposed_flops(const LayerCall& call, const Shape& output) {
  Shape window = transposed_weight(call, "kernel");
  window.pop_back();
  return flops_of(element_count(call.input()), 2 * window_cells(call, window), call) +
         flops_of(element_count(output), cost_of_each(call), call);
}

const std::vector<WeightRule> kWeights = {{"kernel", "glorot_uniform"}, {"bias", "zeros", "use_bias"}};

LayerKind convolution(std::string_view class_name, void (*read)(LayerConfig&, Attributes&),
                      std::vector<std::string_view> aliases) {
  return {.class_name = class_name,
          .read = read,
          .output_shape = convolution_shape,
          .flops = convolution_flops,
          .weights = kWeights,
          .weight_shape = convolution_weight,
          .aliases = std::move(aliases)};
}

LayerKind transposed(std::string_view class_name, void (*read)(LayerConfig&, Attributes&),
                     std::vector<std::string_view> aliases) {
  return {.class_name = class_name,
          .read = read,
          .output_shape = transposed_shape,
          .flops = transposed_flops,
          .weights = kWeights,
          .weight_shape = transposed_weight,
          .aliases = std::move(aliases)};
}

}  // namespace

const std::vector<LayerKind>& convolution_layers() {
  static const std::vector<LayerKind> kinds = {
      convolution("Conv1D", read_convolution<1>, {"Convolution1D"}),
      convolution("Conv2D", read_convolution<2>, {"Convolution2D"}),
      convolution("Conv3D", read_convolution<3>, {"Convolution3D"}),
      transposed("Conv1DTranspose", read_transposed<1>, {"Convolution1DTranspose"}),
      transposed("Conv2DTranspose", read_transposed<2>, {"Convolution2DTranspose", "Deconvolution2D", "Deconv2D"}),
      transposed("Conv3DTranspose", read_transposed<3>, {"Convolution3DTranspose", "Deconvolution3D", "Deconv3D"}),
  };
  return kinds;
}

}  // namespace modelhop::spec
