// SPDX-License-Identifier: Apache-2.0
// Counts and typed attribute access of ModelSpec.
#include "modelhop/model_spec.hpp"

#include "modelhop/error.hpp"

namespace modelhop {
namespace {

template <typename T>
const T& typed_attribute(const LayerSpec& layer, const std::string& name) {
  const auto found = layer.attributes.find(name);
  const T* value = found == layer.attributes.end() ? nullptr : std::get_if<T>(&found->second);
  if (value == nullptr) {
    throw Error(ErrorCode::kInternal,
                "layer \"" + layer.name + "\": attribute \"" + name + "\" is missing or of another type");
  }
  return *value;
}

}  // namespace

std::int64_t element_count(const Shape& shape) {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) count *= extent;
  return count;
}

std::int64_t parameter_count(const LayerSpec& layer) {
  std::int64_t count = 0;
  for (const WeightSpec& weight : layer.weights) count += element_count(weight.shape);
  return count;
}

std::int64_t parameter_count(const ModelSpec& model) {
  std::int64_t count = 0;
  for (const LayerSpec& layer : model.layers) count += parameter_count(layer);
  return count;
}

std::int64_t trainable_parameter_count(const ModelSpec& model) {
  std::int64_t count = 0;
  for (const LayerSpec& layer : model.layers) {
    for (const WeightSpec& weight : layer.weights) count += weight.is_trainable ? element_count(weight.shape) : 0;
  }
  return count;
}

std::int64_t forward_flops(const ModelSpec& model) {
  std::int64_t flops = 0;
  for (const NodeSpec& node : model.nodes) flops += node.forward_flops;
  return flops;
}

bool boolean_attribute(const LayerSpec& layer, const std::string& name) {
  return typed_attribute<bool>(layer, name);
}

std::int64_t integer_attribute(const LayerSpec& layer, const std::string& name) {
  return typed_attribute<std::int64_t>(layer, name);
}

double number_attribute(const LayerSpec& layer, const std::string& name) {
  const auto found = layer.attributes.find(name);
  if (found != layer.attributes.end() && std::holds_alternative<std::int64_t>(found->second)) {
    return static_cast<double>(std::get<std::int64_t>(found->second));
  }
  return typed_attribute<double>(layer, name);
}

const std::string& string_attribute(const LayerSpec& layer, const std::string& name) {
  return typed_attribute<std::string>(layer, name);
}

const std::vector<std::int64_t>& list_attribute(const LayerSpec& layer, const std::string& name) {
  return typed_attribute<std::vector<std::int64_t>>(layer, name);
}

const std::vector<double>& numbers_attribute(const LayerSpec& layer, const std::string& name) {
  return typed_attribute<std::vector<double>>(layer, name);
}

}  // namespace modelhop
