// SPDX-License-Identifier: Apache-2.0
// Keras architecture JSON (Keras 2.1 to 3.x, Sequential and Functional) -> ModelSpec.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "modelhop/model_spec.hpp"

namespace modelhop {

/// Reads, checks, infers shapes and counts. Safe on hostile text: nesting, sizes and counts are limited, nothing is
/// executed. Throws Error(kInvalidArgument or kNotSupported) that names the layer and the key, for example
/// `layer "conv2d_1": unknown class "Conv9D"`.
/// `input_shapes`, one per input of the model, fill in extents that the file leaves open, and the input of a Sequential
/// model that carries no shape; empty: such models are errors. `profile`: instead of the one that the file's own
/// fingerprint gives.
ModelSpec parse_keras_json(std::string_view json, const std::vector<Shape>& input_shapes = {},
                           std::optional<SemanticsProfile> profile = std::nullopt);

/// Canonical class names that parse_keras_json accepts, sorted.
std::vector<std::string> supported_layers();

/// What training needs in bytes, for plans and limits; an upper estimate of what the engine allocates.
struct MemoryEstimate {
  std::int64_t state = 0;      ///< per configuration: weights and optimizer slots
  std::int64_t workspace = 0;  ///< per slot that trains it: gradients, activations, scratch
};

}  // namespace modelhop
