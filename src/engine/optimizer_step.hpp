// SPDX-License-Identifier: Apache-2.0
// The update proper, after gradients are final: numbers of a step, and the ATen form of every optimizer.
#pragma once

#include "engine/flat_state.hpp"
#include "engine/optimizer_loops.hpp"

namespace modelhop::engine {

/// Slots of RMSprop after the mean square: mean gradient if centered, then momentum.
struct RmspropSlots {
  int mean = -1;
  int momentum = -1;
};
RmspropSlots rmsprop_slots(const OptimizerSpec& optimizer);

/// `update` counts updates from 0: gradients that are only accumulated are no updates.
StepFactors factors_of(const OptimizerSpec& optimizer, SemanticsProfile profile, const FlatState& state,
                       std::int64_t update);

void step_by_operations(const OptimizerSpec& optimizer, const StepFactors& step, FlatState& state,
                        const at::Tensor& gradients, std::int64_t update);

}  // namespace modelhop::engine
