// SPDX-License-Identifier: Apache-2.0
// Replaces models inside a model by their layers.
#pragma once

#include "spec/file_model.hpp"
#include "spec/keras_graph.hpp"

namespace modelhop::spec {

/// Every call of a nested model becomes one more call of each of its layers; its InputLayers vanish. Throws where
/// arguments do not fit the nested model's inputs, where its identity closes a loop, and beyond 100,000 calls.
Graph flatten(FileModel model);

}  // namespace modelhop::spec
