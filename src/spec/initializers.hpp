// SPDX-License-Identifier: Apache-2.0
// Keras initializer, regularizer and constraint objects, in the spellings of all generations.
#pragma once

#include <string>

#include "modelhop/model_spec.hpp"
#include "spec/layer_config.hpp"

namespace modelhop::spec {

/// The value of `key`, or the initializer called `fallback` where there is none.
InitializerSpec read_initializer(LayerConfig& config, const std::string& key, const std::string& fallback);

/// Checks a weight's initializer, regularizer and constraint against its shape. Axes of constraints become positive,
/// and what depends on the generation and the shape is resolved.
void settle_weight(WeightSpec& weight, const std::string& where, SemanticsProfile profile);

/// The part of settle_weight() that concerns the initializer.
void settle_initializer(InitializerSpec& initializer, const Shape& shape, const std::string& where,
                        SemanticsProfile profile);

/// The value of `key`, or no constraint.
ConstraintSpec read_constraint(LayerConfig& config, const std::string& key);

/// The value of `key`, or no penalty.
RegularizerSpec read_regularizer(LayerConfig& config, const std::string& key);

}  // namespace modelhop::spec
