// SPDX-License-Identifier: Apache-2.0
// Which tensors carry a mask (Embedding with mask_zero and Masking make them), as far as a reader must know it.
#pragma once

#include "spec/keras_graph.hpp"

namespace modelhop::spec {

/// Keras 3 writes the masks that it finds as arguments, and the operation nodes that compute them. Drops both: masks
/// are found anew in training. A mask that the user gave (from an input, or where the layer's input carries none)
/// stays. Throws kNotSupported where a mask reaches a layer that does not support masks and the graph's profile says
/// that Keras raises (Keras 2.0-2.3 and TensorFlow 1).
void settle_masks(Graph& graph);

}  // namespace modelhop::spec
