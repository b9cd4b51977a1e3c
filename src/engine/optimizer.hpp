// SPDX-License-Identifier: Apache-2.0
// Keras's optimizers over flat buffers. A step is, in Keras's order: penalties' gradients, accumulation, clipping,
// weight decay, the update, the moving average of the weights. Formulas: docs/keras-support.md, "Optimizers".
#pragma once

#include "engine/flat_state.hpp"

namespace modelhop::engine {

/// Value that a fresh slot starts with (Adagrad: initial_accumulator_value).
float initial_slot_value(const OptimizerSpec& optimizer, int slot);

/// One update of all trainable weights; adds the gradients of penalties first. Increments state.step.
/// On the CPU the frequent optimizers are one vectorized loop; the others, and all on other devices, ATen operations.
void apply_optimizer(const OptimizerSpec& optimizer, SemanticsProfile profile, FlatState& state, at::Tensor& gradients);

/// The form of apply_optimizer for other devices; it works on every device.
void apply_optimizer_by_operations(const OptimizerSpec& optimizer, SemanticsProfile profile, FlatState& state,
                                   at::Tensor& gradients);

}  // namespace modelhop::engine
