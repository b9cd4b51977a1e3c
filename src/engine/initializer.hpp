// SPDX-License-Identifier: Apache-2.0
// Keras's weight initializers on counter-based streams.
#pragma once

#include <cstdint>
#include <span>

#include "modelhop/model_spec.hpp"

namespace modelhop::engine {

/// Fan-in and fan-out of a weight in Keras's layout.
struct Fans {
  double in = 1.0;
  double out = 1.0;
};
Fans fans_of(const Shape& keras_shape);

/// Fills `values` (Keras's layout) as a function of the initializer, the shape and the stream: the initializer's own
/// seed where it has one, otherwise the configuration's; and the weight's index.
void initialize_weight(const InitializerSpec& initializer, const Shape& keras_shape, std::uint64_t configuration_seed,
                       std::uint64_t weight_index, std::span<float> values);

}  // namespace modelhop::engine
