// SPDX-License-Identifier: Apache-2.0
// The table of layer classes, and the parts that several classes share.
#include <algorithm>
#include <map>

#include "spec/grammar_text.hpp"
#include "spec/keras_json.hpp"
#include "spec/layer_kind.hpp"

namespace modelhop::spec {
namespace {

using Table = std::map<std::string_view, const LayerKind*, std::less<>>;

const Table& layer_table() {
  static const Table table = [] {
    Table entries;
    for (const std::vector<LayerKind>* list :
         {&core_layers(), &shape_layers(), &convolution_layers(), &depthwise_layers(), &pooling_layers(),
          &resampling_layers(), &image_layers(), &normalization_layers(), &activation_layers(), &merge_layers()}) {
      for (const LayerKind& kind : *list) {
        entries.emplace(kind.class_name, &kind);
        for (const std::string_view alias : kind.aliases) entries.emplace(alias, &kind);
      }
    }
    return entries;
  }();
  return table;
}

}  // namespace

const LayerKind* find_layer_kind(std::string_view class_name) {
  const auto found = layer_table().find(class_name);
  return found == layer_table().end() ? nullptr : found->second;
}

std::string LayerCall::where() const {
  return "layer " + in_quotes(layer.name);
}

const Shape* LayerCall::input_of(std::string_view role) const {
  const auto found = std::find(roles.begin(), roles.end(), role);
  return found == roles.end() ? nullptr : &inputs[static_cast<std::size_t>(found - roles.begin())];
}

void LayerCall::require_rank(std::size_t rank) const {
  if (input().size() == rank) return;
  refuse(where() + ": " + layer.class_name + " needs an input with " + std::to_string(rank) +
         " axes beside the batch, not shape " + to_text(input()));
}

void read_nothing(LayerConfig&, Attributes&) {}

Shape same_shape(const LayerCall& call) {
  return call.input();
}

std::int64_t no_flops(const LayerCall&, const Shape&) {
  return 0;
}

std::int64_t flops_of(std::int64_t elements, std::int64_t each, const LayerCall& call) {
  return product_within(elements, each, kMaxFlops, call.where() + ": number of operations");
}

void read_data_format(LayerConfig& config, Attributes& attributes) {
  attributes["data_format"] = config.choice("data_format", "channels_last", {"channels_last", "channels_first"});
}

void read_padding(LayerConfig& config, Attributes& attributes) {
  attributes["padding"] = config.choice("padding", "valid", {"valid", "same"});
}

void read_axis(LayerConfig& config, Attributes& attributes) {
  const Json* value = config.find("axis");
  if (value != nullptr && value->is_array() && value->size() != 1) {
    config.not_supported("\"axis\" " + shown(*value), "Only one axis is supported.");
  }
  if (value != nullptr && value->is_array()) value = &value->front();
  attributes["axis"] = value == nullptr ? std::int64_t{-1} : config.integer_value("axis", *value, {-32, 32});
}

std::size_t settle_axis(const LayerCall& call, std::size_t rank) {
  const std::int64_t written = std::get<std::int64_t>(call.layer.attributes.at("axis"));
  const std::int64_t axis = written < 0 ? written + static_cast<std::int64_t>(rank) : written - 1;
  if (axis < 0 || axis >= static_cast<std::int64_t>(rank)) {
    refuse(call.where() + ": \"axis\" " + std::to_string(written) +
           " is not an axis beside the batch of an input with " + std::to_string(rank + 1) + " axes");
  }
  call.layer.attributes["axis"] = axis;
  return static_cast<std::size_t>(axis);
}

}  // namespace modelhop::spec

namespace modelhop {

std::vector<std::string> supported_layers() {
  std::vector<std::string> names;
  for (const auto& [name, kind] : spec::layer_table()) {
    if (name == kind->class_name) names.emplace_back(name);
  }
  return names;
}

}  // namespace modelhop
