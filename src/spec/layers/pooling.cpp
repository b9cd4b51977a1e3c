// SPDX-License-Identifier: Apache-2.0
// Pooling over windows, over whole inputs, and over as many windows as asked for (adaptive).
#include "spec/grammar_text.hpp"
#include "spec/spatial.hpp"

namespace modelhop::spec {
namespace {

template <std::size_t kRank>
void read_pooling(LayerConfig& config, Attributes& attributes) {
  const auto size = config.extents("pool_size", std::vector<std::int64_t>(kRank, 2), kRank, {});
  attributes["pool_size"] = size;
  attributes["strides"] = config.extents("strides", size, kRank, {});
  read_padding(config, attributes);
  read_data_format(config, attributes);
}

Shape pooling_shape(const LayerCall& call) {
  return windowed_shape(call, "pool_size", channels_of(call, list_attribute(call.layer, "pool_size").size()));
}

std::int64_t pooling_flops(const LayerCall& call, const Shape& output) {
  return flops_of(element_count(output), window_cells(call, list_attribute(call.layer, "pool_size")), call);
}

void read_global_pooling(LayerConfig& config, Attributes& attributes) {
  read_data_format(config, attributes);
  attributes["keepdims"] = config.boolean("keepdims", false);
}

template <std::size_t kRank>
Shape global_pooling_shape(const LayerCall& call) {
  const std::int64_t channels = channels_of(call, kRank);
  const bool keeps_axes = boolean_attribute(call.layer, "keepdims");
  return keeps_axes ? spatial_shape(call.layer, std::vector<std::int64_t>(kRank, 1), channels) : Shape{channels};
}

std::int64_t one_flop_per_input(const LayerCall& call, const Shape&) {
  return flops_of(element_count(call.input()), 1, call);
}

template <std::size_t kRank>
void read_adaptive_pooling(LayerConfig& config, Attributes& attributes) {
  attributes["output_size"] = config.extents("output_size", {}, kRank, {});
  read_data_format(config, attributes);
}

Shape adaptive_pooling_shape(const LayerCall& call) {
  const auto& size = list_attribute(call.layer, "output_size");
  return spatial_shape(call.layer, size, channels_of(call, size.size()));
}

LayerKind windows(std::string_view class_name, std::string_view alias, void (*read)(LayerConfig&, Attributes&)) {
  return {.class_name = class_name,
          .read = read,
          .output_shape = pooling_shape,
          .flops = pooling_flops,
          .aliases = {alias}};
}

LayerKind whole(std::string_view class_name, std::string_view alias, Shape (*shape)(const LayerCall&),
                MaskRule mask_rule = MaskRule::kDropped) {
  return {.class_name = class_name,
          .read = read_global_pooling,
          .output_shape = shape,
          .flops = one_flop_per_input,
          .aliases = {alias},
          .mask_rule = mask_rule};
}

LayerKind adaptive(std::string_view class_name, void (*read)(LayerConfig&, Attributes&)) {
  return {.class_name = class_name, .read = read, .output_shape = adaptive_pooling_shape, .flops = one_flop_per_input};
}

}  // namespace

const std::vector<LayerKind>& pooling_layers() {
  static const std::vector<LayerKind> kinds = {
      windows("MaxPooling1D", "MaxPool1D", read_pooling<1>),
      windows("MaxPooling2D", "MaxPool2D", read_pooling<2>),
      windows("MaxPooling3D", "MaxPool3D", read_pooling<3>),
      windows("AveragePooling1D", "AvgPool1D", read_pooling<1>),
      windows("AveragePooling2D", "AvgPool2D", read_pooling<2>),
      windows("AveragePooling3D", "AvgPool3D", read_pooling<3>),
      whole("GlobalMaxPooling1D", "GlobalMaxPool1D", global_pooling_shape<1>),
      whole("GlobalMaxPooling2D", "GlobalMaxPool2D", global_pooling_shape<2>),
      whole("GlobalMaxPooling3D", "GlobalMaxPool3D", global_pooling_shape<3>),
      // Steps that a mask leaves out do not count in the average.
      whole("GlobalAveragePooling1D", "GlobalAvgPool1D", global_pooling_shape<1>, MaskRule::kOwn),
      whole("GlobalAveragePooling2D", "GlobalAvgPool2D", global_pooling_shape<2>),
      whole("GlobalAveragePooling3D", "GlobalAvgPool3D", global_pooling_shape<3>),
      adaptive("AdaptiveMaxPooling1D", read_adaptive_pooling<1>),
      adaptive("AdaptiveMaxPooling2D", read_adaptive_pooling<2>),
      adaptive("AdaptiveMaxPooling3D", read_adaptive_pooling<3>),
      adaptive("AdaptiveAveragePooling1D", read_adaptive_pooling<1>),
      adaptive("AdaptiveAveragePooling2D", read_adaptive_pooling<2>),
      adaptive("AdaptiveAveragePooling3D", read_adaptive_pooling<3>),
  };
  return kinds;
}

}  // namespace modelhop::spec
