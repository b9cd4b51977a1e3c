// SPDX-License-Identifier: Apache-2.0
// Keras's optimizers as one fused pass over flat buffers. Formulas: keras-semantics notes in docs/keras-support.md,
// "legacy" optimizers of tf.keras 2.10 (profile kTf2Legacy), K3's where the profile says so.
#pragma once

#include "engine/flat_state.hpp"

namespace modelhop::engine {

int optimizer_slot_count(const OptimizerSpec& optimizer);

/// Values that a fresh slot starts with (Adagrad: initial_accumulator_value).
float initial_slot_value(const OptimizerSpec& optimizer, int slot);

/// One update of all trainable weights; adds the gradients of L1/L2 penalties first. Increments state.step.
/// On the CPU one vectorized loop; on other devices ATen operations with the same mathematics.
void apply_optimizer(const OptimizerSpec& optimizer, SemanticsProfile profile, FlatState& state, at::Tensor& gradients);

/// The form of apply_optimizer for other devices; it works on every device.
void apply_optimizer_by_operations(const OptimizerSpec& optimizer, SemanticsProfile profile, FlatState& state,
                                   at::Tensor& gradients);

/// Sum of the penalties of all weights, frozen ones too (tf.keras 2).
double regularization_penalty(const FlatState& state);

}  // namespace modelhop::engine
