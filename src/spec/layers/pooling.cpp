// SPDX-License-Identifier: Apache-2.0
// MaxPooling2D, AveragePooling2D, GlobalAveragePooling2D, GlobalMaxPooling2D.
#include "spec/grammar_text.hpp"
#include "spec/layer_kind.hpp"

namespace modelhop::spec {
namespace {

void read_pooling2d(LayerConfig& config, Attributes& attributes) {
  const auto size = config.extents("pool_size", std::vector<std::int64_t>{2, 2}, 2, {});
  attributes["pool_size"] = size;
  attributes["strides"] = config.extents("strides", size, 2, {});
  read_padding(config, attributes);
  read_data_format(config, attributes);
}

Shape pooling2d_shape(const LayerCall& call) {
  call.require_rank(3);
  return windowed_shape(call, "pool_size", call.input()[2]);
}

std::int64_t pooling2d_flops(const LayerCall& call, const Shape& output) {
  const auto& size = list_attribute(call.layer, "pool_size");
  return flops_of(element_count(output), size[0] * size[1], call);
}

void read_global_pooling2d(LayerConfig& config, Attributes& attributes) {
  read_data_format(config, attributes);
  attributes["keepdims"] = config.boolean("keepdims", false);
}

Shape global_pooling2d_shape(const LayerCall& call) {
  call.require_rank(3);
  const std::int64_t channels = call.input()[2];
  return boolean_attribute(call.layer, "keepdims") ? Shape{1, 1, channels} : Shape{channels};
}

std::int64_t global_pooling2d_flops(const LayerCall& call, const Shape&) {
  return flops_of(element_count(call.input()), 1, call);
}

LayerKind window_pooling(std::string_view class_name, std::string_view alias) {
  return {.class_name = class_name,
          .read = read_pooling2d,
          .output_shape = pooling2d_shape,
          .flops = pooling2d_flops,
          .aliases = {alias}};
}

LayerKind global_pooling(std::string_view class_name, std::string_view alias) {
  return {.class_name = class_name,
          .read = read_global_pooling2d,
          .output_shape = global_pooling2d_shape,
          .flops = global_pooling2d_flops,
          .aliases = {alias}};
}

}  // namespace

const std::vector<LayerKind>& pooling_layers() {
  static const std::vector<LayerKind> kinds = {
      window_pooling("MaxPooling2D", "MaxPool2D"),
      window_pooling("AveragePooling2D", "AvgPool2D"),
      global_pooling("GlobalAveragePooling2D", "GlobalAvgPool2D"),
      global_pooling("GlobalMaxPooling2D", "GlobalMaxPool2D"),
  };
  return kinds;
}

}  // namespace modelhop::spec
