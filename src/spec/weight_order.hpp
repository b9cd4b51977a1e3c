// SPDX-License-Identifier: Apache-2.0
// Keras's get_weights() order, and freezing.
#pragma once

#include <vector>

#include "modelhop/model_spec.hpp"
#include "spec/keras_graph.hpp"

namespace modelhop::spec {

/// In file order; in Keras 2.0-2.3 a model inside the model gives all its trainable weights, then all others. Layers
/// must still be as trainable as their own configs say: Keras does not ask the models around them.
std::vector<WeightRef> order_of_weights(const GraphNest& nest, const std::vector<LayerSpec>& layers,
                                        SemanticsProfile profile);

/// Makes the layer and what it wraps untrainable.
void freeze(LayerSpec& layer, SemanticsProfile profile);

}  // namespace modelhop::spec
