// SPDX-License-Identifier: Apache-2.0
// Walks over the nest of models.
#include "spec/weight_order.hpp"

namespace modelhop::spec {
namespace {

struct Split {
  std::vector<WeightRef> learning, others;
};

void append(std::vector<WeightRef>& list, const std::vector<WeightRef>& more) {
  list.insert(list.end(), more.begin(), more.end());
}

std::vector<WeightRef> together(const Split& split) {
  std::vector<WeightRef> list = split.learning;
  append(list, split.others);
  return list;
}

Split split_of(const GraphNest& nest, const std::vector<LayerSpec>& layers) {
  Split split;
  if (nest.layer >= 0) {
    const auto& weights = layers[nest.layer].weights;
    for (int i = 0; i < static_cast<int>(weights.size()); ++i) {
      (weights[i].is_trainable ? split.learning : split.others).push_back({nest.layer, i});
    }
    return split;
  }
  for (const GraphNest& part : nest.parts) {
    const Split inner = split_of(part, layers);
    append(split.learning, inner.learning);
    append(split.others, inner.others);
  }
  if (!nest.is_trainable) return {{}, together(split)};
  return split;
}

void append_in_file_order(const GraphNest& nest, const std::vector<LayerSpec>& layers, std::vector<WeightRef>& order) {
  if (nest.layer >= 0) {
    const int count = static_cast<int>(layers[nest.layer].weights.size());
    for (int i = 0; i < count; ++i) order.push_back({nest.layer, i});
  }
  for (const GraphNest& part : nest.parts) append_in_file_order(part, layers, order);
}

}  // namespace

std::vector<WeightRef> order_of_weights(const GraphNest& nest, const std::vector<LayerSpec>& layers,
                                        SemanticsProfile profile) {
  std::vector<WeightRef> order;
  for (const GraphNest& part : nest.parts) {
    if (profile == SemanticsProfile::kKeras22 && part.layer < 0) {
      append(order, together(split_of(part, layers)));
    } else {
      append_in_file_order(part, layers, order);
    }
  }
  return order;
}

void freeze(LayerSpec& layer, SemanticsProfile profile) {
  layer.is_trainable = false;
  for (LayerSpec& child : layer.children) freeze(child, profile);
  for (WeightSpec& weight : layer.weights) {
    weight.is_trainable = false;
    // Keras 3 has no penalty for what does not learn; Keras 2 reports it all the same.
    if (profile == SemanticsProfile::kKeras3) weight.regularizer = {};
  }
}

}  // namespace modelhop::spec
