// SPDX-License-Identifier: Apache-2.0
// The table of layer classes, and the parts that several classes share.
#include <algorithm>
#include <map>

#include "spec/grammar_text.hpp"
#include "spec/keras_json.hpp"
#include "spec/layer_kind.hpp"
#include "spec/model_class.hpp"
#include "spec/padding.hpp"

namespace modelhop::spec {
namespace {

using Table = std::map<std::string_view, const LayerKind*, std::less<>>;

const Table& layer_table() {
  static const Table table = [] {
    Table entries;
    for (const std::vector<LayerKind>* list :
         {&core_layers(), &shape_layers(), &convolution_layers(), &pooling_layers(), &normalization_layers(),
          &activation_layers(), &merge_layers(), &operation_layers()}) {
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
  const std::string format = config.choice("data_format", "channels_last", {"channels_last", "channels_first"});
  if (format == "channels_first") {
    config.not_supported("data_format \"channels_first\"", "Save the model with data_format \"channels_last\".");
  }
  attributes["data_format"] = format;
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

Shape windowed_shape(const LayerCall& call, const char* size_name, std::int64_t channels) {
  call.require_rank(3);
  const auto& size = list_attribute(call.layer, size_name);
  const auto& strides = list_attribute(call.layer, "strides");
  const bool is_same = string_attribute(call.layer, "padding") == "same";
  const auto dilation = call.layer.attributes.find("dilation_rate");
  Shape output;
  for (std::size_t i = 0; i < 2; ++i) {
    const WindowExtent window{
        size[i], strides[i],
        dilation == call.layer.attributes.end() ? 1 : list_attribute(call.layer, "dilation_rate")[i]};
    const std::int64_t extent = call.input()[i];
    output.push_back((is_same ? same_padding(extent, window) : valid_padding(extent, window)).outputs);
    if (output.back() < 1) {
      refuse(call.where() + ": " + in_quotes(size_name) + " " + to_text(size) +
             " does not fit into the input of shape " + to_text(call.input()));
    }
  }
  output.push_back(channels);
  return output;
}

}  // namespace modelhop::spec

namespace modelhop {

std::vector<std::string> supported_layers() {
  std::vector<std::string> names;
  for (const auto& [name, kind] : spec::layer_table()) {
    if (name == kind->class_name && !spec::is_operation_class(name)) names.emplace_back(name);
  }
  return names;
}

}  // namespace modelhop
