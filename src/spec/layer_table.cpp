// SPDX-License-Identifier: Apache-2.0
// The table of layer classes, and the parts that several classes share.
#include <algorithm>
#include <map>

#include "spec/grammar_text.hpp"
#include "spec/keras_json.hpp"
#include "spec/layer_kind.hpp"
#include "spec/model_class.hpp"

namespace modelhop::spec {
namespace {

using Table = std::map<std::string_view, const LayerKind*, std::less<>>;

const Table& layer_table() {
  static const Table table = [] {
    Table entries;
    for (const std::vector<LayerKind>* list :
         {&core_layers(), &shape_layers(), &convolution_layers(), &depthwise_layers(), &pooling_layers(),
          &resampling_layers(), &image_layers(), &normalization_layers(), &activation_layers(), &merge_layers(),
          &noise_layers(), &input_statistics_layers(), &embedding_layers(), &recurrent_layers(),
          &convolutional_recurrent_layers(), &wrapper_layers(), &wrapped_model_layers(), &attention_layers(),
          &operation_layers()}) {
      for (const LayerKind& kind : *list) {
        entries.emplace(kind.class_name, &kind);
        for (const std::string_view alias : kind.aliases) entries.emplace(alias, &kind);
      }
    }
    return entries;
  }();
  return table;
}

/// An axis as Keras writes it, without the batch axis.
std::int64_t settled(const LayerCall& call, std::int64_t written, std::size_t rank) {
  const std::int64_t axis = written < 0 ? written + static_cast<std::int64_t>(rank) : written - 1;
  if (axis < 0 || axis >= static_cast<std::int64_t>(rank)) {
    refuse(call.where() + ": \"axis\" " + std::to_string(written) +
           " is not an axis beside the batch of an input with " + std::to_string(rank + 1) + " axes");
  }
  return axis;
}

}  // namespace

const LayerKind* find_layer_kind(std::string_view class_name) {
  const auto found = layer_table().find(class_name);
  return found == layer_table().end() ? nullptr : found->second;
}

std::string_view refusal_of(std::string_view class_name) {
  if (class_name == "SpectralNormalization") {
    return "it changes the weights of the layer that it wraps in each forward pass, outside of the optimizer";
  }
  return {};
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

std::int64_t one_flop_each(const LayerCall& call, const Shape& output) {
  return flops_of(element_count(output), 1, call);
}

std::int64_t five_flops_each(const LayerCall& call, const Shape& output) {
  return flops_of(element_count(output), 5, call);
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
  const std::int64_t axis = settled(call, std::get<std::int64_t>(call.layer.attributes.at("axis")), rank);
  call.layer.attributes["axis"] = axis;
  return static_cast<std::size_t>(axis);
}

void read_axes(LayerConfig& config, Attributes& attributes) {
  const Json* value = config.find("axis");
  std::vector<std::int64_t> axes;
  if (value == nullptr) {
    axes = {-1};
  } else if (value->is_array() && value->size() <= 32) {
    for (const Json& axis : *value) axes.push_back(config.integer_value("axis", axis, {-32, 32}));
  } else {
    axes = {config.integer_value("axis", *value, {-32, 32})};
  }
  attributes["axis"] = axes;
}

const std::vector<std::int64_t>& settle_axes(const LayerCall& call, std::size_t rank) {
  std::vector<std::int64_t> axes = list_attribute(call.layer, "axis");
  for (std::int64_t& axis : axes) axis = settled(call, axis, rank);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (std::count(axes.begin(), axes.end(), axes[i]) > 1) {
      refuse(call.where() + ": \"axis\" " + to_text(list_attribute(call.layer, "axis")) + " names an axis twice");
    }
  }
  return std::get<std::vector<std::int64_t>>(call.layer.attributes["axis"] = axes);
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
