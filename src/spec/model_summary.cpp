// SPDX-License-Identifier: Apache-2.0
// Collects a layer's calls into its row.
#include "spec/model_summary.hpp"

#include <set>
#include <utility>

namespace modelhop::spec {

std::vector<LayerSummary> summarize(const ModelSpec& model) {
  std::vector<LayerSummary> rows;
  for (const LayerSpec& layer : model.layers) {
    LayerSummary row;
    row.name = layer.name;
    row.class_name = layer.class_name;
    row.parameter_count = parameter_count(layer);
    for (const WeightSpec& weight : layer.weights) {
      row.trainable_parameter_count += weight.is_trainable ? element_count(weight.shape) : 0;
    }
    row.is_trainable = layer.is_trainable;
    rows.push_back(std::move(row));
  }
  std::vector<std::set<int>> feeding(rows.size());
  std::vector<bool> is_called(rows.size(), false);
  for (const NodeSpec& node : model.nodes) {
    LayerSummary& row = rows[node.layer];
    if (!is_called[node.layer]) row.output_shapes = node.output_shapes;
    is_called[node.layer] = true;
    row.forward_flops += node.forward_flops;
    for (const TensorRef& input : node.inputs) {
      const int source = model.nodes[input.node].layer;
      if (feeding[node.layer].insert(source).second) row.connected_to.push_back(model.layers[source].name);
    }
  }
  return rows;
}

}  // namespace modelhop::spec
