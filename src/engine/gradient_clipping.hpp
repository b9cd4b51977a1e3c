// SPDX-License-Identifier: Apache-2.0
// Clipping of gradients, in the order of each Keras generation.
#pragma once

#include "engine/flat_state.hpp"

namespace modelhop::engine {

bool clips(const OptimizerSpec& optimizer);

/// Clips in place. Norms are Euclidean; a gradient of norm n over the bound b becomes g * b / n.
void clip_gradients(const OptimizerSpec& optimizer, SemanticsProfile profile, const StateLayout& layout,
                    at::Tensor& gradients);

}  // namespace modelhop::engine
