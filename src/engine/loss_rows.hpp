// SPDX-License-Identifier: Apache-2.0
// Losses of single rows, and the two forms of the whole batch: loops for the frequent ones on the CPU, ATen expressions
// for all losses on every device.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "engine/loss.hpp"

namespace modelhop::engine {

/// Outputs and targets of a batch as rows of `columns`: an example has `positions` of them.
struct LossRows {
  std::int64_t examples = 0;
  std::int64_t positions = 1;
  std::int64_t columns = 1;
  const float* outputs = nullptr;
  const float* targets = nullptr;  ///< null where the target is class ids
  const std::int64_t* class_ids = nullptr;

  std::int64_t count() const { return examples * positions; }
};

/// Host views of contiguous CPU tensors; throws kInternal where they do not fit each other.
LossRows host_rows(const at::Tensor& outputs, const at::Tensor& target, bool target_is_class_id);

/// The class of a row: its id, or the first maximum of its one-hot target. Throws kInvalidArgument if outside.
std::int64_t true_class(const LossRows& rows, std::int64_t row);

/// The losses that have a loop: the three cross-entropies, squared and absolute error.
bool has_loop(LossKind kind);

/// Sum over rows of the loss, each row averaged over its columns where the loss does so; `gradient` (null: none) gets
/// the rows' derivatives times `scale`. `factors` (null: 1 each) multiply each row's loss and derivatives.
double loss_on_host(const OutputLoss& loss, const LossRows& rows, const float* factors, float* gradient, float scale);

/// The loss of each row as an ATen expression, which autograd can derive: every loss, every device. outputs
/// [rows, columns], target as in OutputLoss. Returns [rows].
at::Tensor loss_values(const OutputLoss& loss, const at::Tensor& outputs, const at::Tensor& target);

/// The same contract as loss_on_host by that expression.
double loss_by_expression(const OutputLoss& loss, const at::Tensor& outputs, const at::Tensor& target,
                          const at::Tensor& factors, at::Tensor* gradient, double scale);

}  // namespace modelhop::engine
