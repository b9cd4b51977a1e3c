// SPDX-License-Identifier: Apache-2.0
// One layer of a file -> LayerSpec, and what a call of it settles: shapes, weights, operations. Wrapped layers
// included.
#pragma once

#include <string>
#include <vector>

#include "spec/layer_kind.hpp"

namespace modelhop::spec {

/// Attributes, wrapped layers, weights without shapes. Throws for unknown classes and for keys that are not understood.
LayerSpec read_layer(const std::string& name, const std::string& class_name, const Json& config,
                     SemanticsProfile profile, bool is_trainable = true);

/// A layer with everything that one call settles.
struct CalledLayer {
  LayerSpec layer;
  std::vector<Shape> outputs;
  std::int64_t flops = 0;  ///< per example
};

/// Completes the layer for a call. Throws where the inputs do not fit.
CalledLayer call_layer(LayerSpec layer, const std::vector<Shape>& inputs, const std::vector<std::string>& roles,
                       const Attributes& arguments, SemanticsProfile profile);

/// The call's keywords as the layer's kind understands them.
Attributes read_call_arguments(const LayerSpec& layer, const Json& arguments, SemanticsProfile profile);

}  // namespace modelhop::spec
