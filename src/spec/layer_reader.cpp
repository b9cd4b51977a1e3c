// SPDX-License-Identifier: Apache-2.0
// Applies a LayerKind to a layer's config and to its calls.
#include "spec/layer_reader.hpp"

#include <algorithm>
#include <utility>

#include "spec/grammar_text.hpp"
#include "spec/initializers.hpp"
#include "spec/keras_json.hpp"
#include "spec/near_name.hpp"

namespace modelhop::spec {
namespace {

const LayerKind& kind_of(const LayerSpec& layer) {
  const LayerKind* kind = find_layer_kind(layer.class_name);
  check(kind != nullptr, "a layer was read of a class that is not known");
  return *kind;
}

void check_dtype(const std::string& name, const std::string& class_name, const Json& config) {
  const auto found = config.find("dtype");
  if (found == config.end() || found->is_null()) return;
  const Json* dtype = &*found;
  if (dtype->is_object() && dtype->contains("config")) dtype = &(*dtype)["config"];
  if (dtype->is_object() && dtype->contains("name")) dtype = &(*dtype)["name"];
  if (*dtype == "float32") return;
  // Inputs arrive as float32, whatever they count or tell apart.
  const bool is_whole_input =
      class_name == "InputLayer" && dtype->is_string() &&
      (dtype->get_ref<const std::string&>().find("int") != std::string::npos || *dtype == "bool");
  if (!is_whole_input) {
    unsupported("layer " + in_quotes(name) + ": dtype " + shown(*dtype), "Networks compute in float32.");
  }
}

WeightSpec read_weight(LayerConfig& config, const WeightRule& rule, bool is_trainable) {
  const std::string key = rule.key != nullptr ? rule.key : rule.name;
  WeightSpec weight;
  weight.name = rule.name;
  weight.initializer = read_initializer(config, key + "_initializer", rule.initializer);
  weight.is_trainable = is_trainable && !rule.is_statistic;
  if (rule.is_statistic) return weight;
  weight.regularizer = read_regularizer(config, key + "_regularizer");
  weight.constraint = read_constraint(config, key + "_constraint");
  // Keras 3 has no penalty for what does not learn; Keras 2 reports it all the same.
  if (config.profile() == SemanticsProfile::kKeras3 && !weight.is_trainable) weight.regularizer = {};
  return weight;
}

void read_weights(LayerConfig& config, const LayerKind& kind, LayerSpec& layer) {
  for (const WeightRule& rule : kind.weights) {
    WeightSpec weight = read_weight(config, rule, layer.is_trainable);
    const bool is_present = rule.present_if == nullptr || std::get<bool>(layer.attributes.at(rule.present_if));
    if (is_present) layer.weights.push_back(std::move(weight));
  }
}

void shape_weights(const LayerCall& call, const LayerKind& kind) {
  for (WeightSpec& weight : call.layer.weights) {
    weight.shape = kind.weight_shape(call, weight.name);
    std::int64_t elements = 1;
    for (const std::int64_t extent : weight.shape) {
      elements = product_within(elements, extent, kMaxElements, call.where() + ": weight " + in_quotes(weight.name));
    }
    settle_weight(weight, call.where(), call.profile);
  }
}

/// A wrapper lists the weights of what it wraps. Keras 2 puts all that learn before all that do not.
void take_over_weights(LayerSpec& layer, SemanticsProfile profile) {
  for (LayerSpec& child : layer.children) {
    for (WeightSpec& weight : child.weights) {
      layer.weights.push_back(std::move(weight));
      layer.weights.back().name.insert(0, child.name + "/");
    }
    child.weights.clear();
  }
  if (layer.children.empty() || profile == SemanticsProfile::kKeras3) return;
  std::stable_partition(layer.weights.begin(), layer.weights.end(),
                        [](const WeightSpec& weight) { return weight.is_trainable; });
}

void check_input_count(const LayerSpec& layer, const LayerKind& kind, std::size_t count) {
  if (static_cast<int>(count) >= kind.min_inputs && static_cast<int>(count) <= kind.max_inputs) return;
  refuse("layer " + in_quotes(layer.name) + ": " + layer.class_name + " does not take " + std::to_string(count) +
         " inputs");
}

}  // namespace

LayerSpec read_layer(const std::string& name, const std::string& class_name, const Json& source,
                     SemanticsProfile profile, bool is_trainable) {
  const LayerKind* kind = find_layer_kind(class_name);
  if (const std::string_view reason = refusal_of(class_name); !reason.empty()) {
    unsupported("layer " + in_quotes(name) + ": class " + in_quotes(class_name) + " is not supported, because " +
                std::string(reason));
  }
  if (kind == nullptr) {
    unsupported("layer " + in_quotes(name) + ": unknown class " + in_quotes(class_name) +
                "; nearest supported: " + nearest_name(class_name, supported_layers()));
  }
  LayerConfig config(name, source, profile, class_name);
  LayerSpec layer;
  layer.name = name;
  layer.class_name = kind->class_name;
  layer.is_trainable = config.boolean("trainable", true) && is_trainable;
  check_dtype(name, layer.class_name, source);
  kind->read(config, layer.attributes);
  if (kind->read_children != nullptr) {
    kind->read_children(config, layer, [&](const std::string& child, const Json& wrapped) {
      if (!wrapped.is_object() || !wrapped.contains("class_name") || !wrapped["class_name"].is_string() ||
          !wrapped.contains("config")) {
        refuse(config.where() + " wraps " + shown(wrapped) + " where a layer should be");
      }
      LayerSpec inner =
          read_layer(name + "/" + child, wrapped["class_name"], wrapped["config"], profile, layer.is_trainable);
      inner.name = child;
      return inner;
    });
  }
  layer.activity_regularizer = read_regularizer(config, "activity_regularizer");
  read_weights(config, *kind, layer);
  config.refuse_unknown_keys();
  return layer;
}

CalledLayer call_layer(LayerSpec layer, const std::vector<Shape>& inputs, const std::vector<std::string>& roles,
                       const Attributes& arguments, SemanticsProfile profile) {
  const LayerKind& kind = kind_of(layer);
  check_input_count(layer, kind, inputs.size());
  CalledLayer called;
  called.layer = std::move(layer);
  const LayerCall call{called.layer, inputs, roles, arguments, profile, called.flops};
  called.outputs =
      kind.output_shapes != nullptr ? kind.output_shapes(call) : std::vector<Shape>(1, kind.output_shape(call));
  for (const Shape& output : called.outputs) {
    std::int64_t elements = 1;
    for (const std::int64_t extent : output) {
      elements = product_within(elements, extent, kMaxElements, call.where() + ": output");
    }
  }
  shape_weights(call, kind);
  called.flops += kind.flops(call, called.outputs.front());
  take_over_weights(called.layer, profile);
  return called;
}

std::vector<Shape> call_child(const LayerCall& call, std::size_t child, const std::vector<Shape>& inputs) {
  LayerSpec inner = call.layer.children.at(child);
  const std::string name = std::exchange(inner.name, call.layer.name + "/" + inner.name);
  CalledLayer called = call_layer(std::move(inner), inputs, std::vector<std::string>(inputs.size()), {}, call.profile);
  called.layer.name = name;
  called.layer.output_shapes = called.outputs;
  call.layer.children[child] = std::move(called.layer);
  call.wrapped_flops += called.flops;
  return called.outputs;
}

Attributes read_call_arguments(const LayerSpec& layer, const Json& source, SemanticsProfile profile) {
  const LayerKind& kind = kind_of(layer);
  LayerConfig arguments(layer.name, source, profile, layer.class_name);
  Attributes attributes;
  if (arguments.find("training") != nullptr) attributes["training"] = arguments.boolean("training", {});
  if (kind.read_arguments != nullptr) kind.read_arguments(arguments, attributes);
  arguments.refuse_unknown_keys();
  return attributes;
}

}  // namespace modelhop::spec
