// SPDX-License-Identifier: Apache-2.0
// The element-wise part of one step of a recurrent cell on the CPU, forward and backward, vectorized for the processor
// at run time. Matrices are [rows, columns], contiguous; gates of a row lie side by side.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "modelhop/model_spec.hpp"

namespace modelhop::engine {

/// Functions whose derivative follows from their value.
enum class LoopActivation : std::uint8_t { kLinear, kRelu, kTanh, kSigmoid, kHardSigmoidKeras2, kHardSigmoidKeras3 };

/// Empty where the loops do not have the function of that Keras name.
std::optional<LoopActivation> loop_activation(std::string_view name, SemanticsProfile profile);

/// What the loops of one layer have in common.
struct CellLoop {
  std::int64_t rows = 0, units = 0;
  LoopActivation activation = LoopActivation::kTanh, gate_activation = LoopActivation::kSigmoid;
  const float* bias = nullptr;        ///< added to each row of sums, forward; or null
  const float* state_bias = nullptr;  ///< the same of gru_after_forward's products
};

/// 1 or 0 per row, or null: a row of 0 keeps its states, and its gradients pass by.
using RowMask = const float*;

void simple_forward(const CellLoop& loop, const float* state, float* sums, float* next, RowMask mask);
/// `gradient` (of `next`) becomes that of `state` as far as it goes past the product; `sums` the one of the sums.
void simple_backward(const CellLoop& loop, float* gradient, float* sums, RowMask mask);

/// `gates` (input, forget, candidate, output) hold sums and get values. `bent` is the activation of the new carry.
void lstm_forward(const CellLoop& loop, const float* state, const float* carry, float* gates, float* next_carry,
                  float* bent, float* next, RowMask mask);
/// `gradient` and `carry_gradient` (of the step's results) become those of what it was given; `gates` those of sums.
void lstm_backward(const CellLoop& loop, float* gradient, float* carry_gradient, const float* carry, const float* bent,
                   float* gates, RowMask mask);

/// `gates` (update, reset, candidate) hold the sums from the input and get values. `products`: of the state and the
/// recurrent kernel.
void gru_after_forward(const CellLoop& loop, const float* state, float* gates, float* products, float* next,
                       RowMask mask);
/// `gates` become the gradients of the input's sums, `products` those of the products.
void gru_after_backward(const CellLoop& loop, float* gradient, const float* state, float* gates, float* products,
                        RowMask mask);

/// Values of the update and reset gates, and the state that the reset gate leaves.
void gru_before_gates(const CellLoop& loop, const float* state, float* gates, float* left);
/// The candidate's sum lies in its place among the gates.
void gru_before_forward(const CellLoop& loop, const float* state, float* gates, float* next, RowMask mask);
/// The gradient of the candidate's sum, in its place; that of the update gate's.
void gru_before_candidate_backward(const CellLoop& loop, float* gradient, const float* state, float* gates,
                                   RowMask mask);
/// `left_gradient`: of the state that the reset gate leaves.
void gru_before_reset_backward(const CellLoop& loop, float* gradient, const float* state, float* gates,
                               const float* left_gradient, RowMask mask);

}  // namespace modelhop::engine
