// SPDX-License-Identifier: Apache-2.0
// ConvLSTM1D, ConvLSTM2D, ConvLSTM3D: LSTMs whose products are convolutions.
#include "spec/grammar_text.hpp"
#include "spec/padding.hpp"
#include "spec/recurrence.hpp"

namespace modelhop::spec {
namespace {

/// Axes of space, by the class's name.
std::size_t space_rank(const LayerSpec& layer) {
  return static_cast<std::size_t>(layer.class_name[layer.class_name.size() - 2] - '0');
}

template <std::size_t kRank>
void read_conv_lstm(LayerConfig& config, Attributes& attributes) {
  const std::vector<std::int64_t> ones(kRank, 1);
  attributes["filters"] = config.integer("filters", {}, {});
  attributes["kernel_size"] = config.extents("kernel_size", {}, kRank, {});
  attributes["strides"] = config.extents("strides", ones, kRank, {});
  attributes["dilation_rate"] = config.extents("dilation_rate", ones, kRank, {});
  read_padding(config, attributes);
  read_data_format(config, attributes);
  read_cell(config, attributes, true);
  if (!config.has("recurrent_activation") && config.profile() != SemanticsProfile::kKeras3) {
    attributes["recurrent_activation"] = std::string("hard_sigmoid");
  }
  attributes["dropout_per_gate"] = true;
  attributes["unit_forget_bias"] = config.boolean("unit_forget_bias", true);
  read_recurrence(config, attributes);
}

bool has_channels_first(const LayerCall& call) {
  return string_attribute(call.layer, "data_format") == "channels_first";
}

std::int64_t channels_of(const LayerCall& call) {
  return has_channels_first(call) ? call.input()[1] : call.input().back();
}

/// One step of the output, and each state.
Shape step_shape(const LayerCall& call) {
  const std::size_t rank = space_rank(call.layer);
  call.require_rank(rank + 2);
  const bool is_same = string_attribute(call.layer, "padding") == "same";
  Shape shape;
  for (std::size_t axis = 0; axis < rank; ++axis) {
    const WindowExtent window{list_attribute(call.layer, "kernel_size")[axis],
                              list_attribute(call.layer, "strides")[axis],
                              list_attribute(call.layer, "dilation_rate")[axis]};
    const std::int64_t extent = call.input()[axis + (has_channels_first(call) ? 2 : 1)];
    shape.push_back((is_same ? same_padding(extent, window) : valid_padding(extent, window)).outputs);
    if (shape.back() < 1) {
      refuse(call.where() + ": \"kernel_size\" " + to_text(list_attribute(call.layer, "kernel_size")) +
             " does not fit into the input of shape " + to_text(call.input()));
    }
  }
  shape.insert(has_channels_first(call) ? shape.begin() : shape.end(), integer_attribute(call.layer, "filters"));
  return shape;
}

std::vector<Shape> conv_lstm_shapes(const LayerCall& call) {
  mark_unit_forget(call, 4);
  const Shape step = step_shape(call);
  return recurrent_outputs(call, step, {step, step});
}

Shape conv_lstm_weight(const LayerCall& call, std::string_view weight) {
  const std::int64_t filters = integer_attribute(call.layer, "filters");
  if (weight == "bias") return {4 * filters};
  Shape shape = list_attribute(call.layer, "kernel_size");
  shape.push_back(weight == "kernel" ? channels_of(call) : filters);
  shape.push_back(4 * filters);
  return shape;
}

std::int64_t conv_lstm_flops(const LayerCall& call, const Shape&) {
  const Shape step = step_shape(call);
  const std::string what = call.where() + ": number of operations";
  std::int64_t window = channels_of(call) + integer_attribute(call.layer, "filters");
  for (const std::int64_t extent : list_attribute(call.layer, "kernel_size")) {
    window = product_within(window, extent, kMaxElements, what);
  }
  const std::int64_t each = product_within(8, window + 4, kMaxFlops, what);
  return product_within(product_within(element_count(step), each, kMaxFlops, what), call.input().front(), kMaxFlops,
                        what);
}

LayerKind conv_lstm_kind(std::string_view class_name, void (*read)(LayerConfig&, Attributes&)) {
  return {.class_name = class_name,
          .read = read,
          .output_shapes = conv_lstm_shapes,
          .flops = conv_lstm_flops,
          .weights = {{"kernel", "glorot_uniform"},
                      {"recurrent_kernel", "orthogonal", nullptr, false, "recurrent"},
                      {"bias", "zeros", "use_bias"}},
          .weight_shape = conv_lstm_weight,
          .max_inputs = 4,
          .mask_rule = MaskRule::kOwn};
}

}  // namespace

const std::vector<LayerKind>& convolutional_recurrent_layers() {
  static const std::vector<LayerKind> kinds = {
      conv_lstm_kind("ConvLSTM1D", read_conv_lstm<1>),
      conv_lstm_kind("ConvLSTM2D", read_conv_lstm<2>),
      conv_lstm_kind("ConvLSTM3D", read_conv_lstm<3>),
  };
  return kinds;
}

}  // namespace modelhop::spec
