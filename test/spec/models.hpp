// SPDX-License-Identifier: Apache-2.0
// Models as values, for tests that need no Keras JSON: inputs and outputs of given shapes and nothing else.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "modelhop/model_spec.hpp"

namespace modelhop {

inline constexpr SemanticsProfile kProfiles[] = {SemanticsProfile::kKeras22, SemanticsProfile::kTf1,
                                                 SemanticsProfile::kTf2Legacy, SemanticsProfile::kTf2,
                                                 SemanticsProfile::kKeras3};

inline int add_layer(ModelSpec& model, LayerSpec layer, std::vector<TensorRef> inputs, Shape output) {
  NodeSpec node;
  node.layer = static_cast<int>(model.layers.size());
  node.inputs = std::move(inputs);
  node.output_shapes = {std::move(output)};
  model.layers.push_back(std::move(layer));
  model.nodes.push_back(std::move(node));
  return static_cast<int>(model.nodes.size()) - 1;
}

inline ModelSpec model_of(const std::vector<std::pair<std::string, Shape>>& outputs,
                          SemanticsProfile profile = SemanticsProfile::kTf2Legacy, const Shape& input = {4}) {
  ModelSpec model;
  model.name = "net";
  model.profile = profile;
  LayerSpec first;
  first.name = "input";
  first.class_name = "InputLayer";
  model.inputs = {add_layer(model, first, {}, input)};
  for (const auto& [name, shape] : outputs) {
    LayerSpec layer;
    layer.name = name;
    layer.class_name = "Dense";
    const int node = add_layer(model, layer, {TensorRef{0, 0}}, shape);
    model.outputs.push_back(TensorRef{node, 0});
    model.output_names.push_back(name);
  }
  return model;
}

}  // namespace modelhop
