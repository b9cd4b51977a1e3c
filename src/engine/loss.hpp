// SPDX-License-Identifier: Apache-2.0
// Losses and metrics on one batch of outputs, Keras's definitions.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "modelhop/model_spec.hpp"
#include "modelhop/train_spec.hpp"

namespace modelhop::engine {

/// The activation that the last operation of the network would apply; the plan leaves it out where the loss takes
/// logits (tf.keras's shortcut: softmax with a categorical, sigmoid with a binary cross-entropy).
enum class FinalActivation : std::uint8_t { kNone, kSoftmax, kSigmoid };

/// Loss and metrics resolved against the shapes of output and target.
struct Objective {
  LossSpec loss;
  std::vector<MetricSpec> metrics;                 ///< kAccuracy is resolved to one of the three accuracies
  FinalActivation fused = FinalActivation::kNone;  ///< what the loss applies itself: outputs are then logits
  SemanticsProfile profile = SemanticsProfile::kTf2Legacy;
  bool target_is_class_id = false;  ///< target tensor is int64 [rows]; otherwise float32 [rows, columns]

  bool takes_logits() const { return loss.from_logits || fused != FinalActivation::kNone; }
};

/// Throws kInvalidArgument where loss, metric, output (per example) and target columns do not fit. A sparse loss or
/// metric on one-hot targets takes their arg max, a categorical one on class ids their one-hot. Without a dependent
/// variable (dependent_row_elements 0) nothing is checked.
Objective resolve_objective(const TrainSpec& train, SemanticsProfile profile, const Shape& output_shape,
                            std::int64_t dependent_row_elements, FinalActivation final_activation);

/// `outputs`: [rows, ...]; logits where objective.fused. Returns the sum of per-example losses and, where
/// `gradient` is not null, writes d(mean loss)/d(outputs) into it (contiguous, like outputs). Several positions per
/// example (rank over 1) are averaged. One pass on the CPU, no allocation. A class id outside the outputs throws
/// kInvalidArgument.
double loss_and_gradient(const Objective& objective, const at::Tensor& outputs, const at::Tensor& target,
                         at::Tensor* gradient);

/// Adds the sum over examples of each metric. `predictions` are after the final activation. An example with a NaN
/// prediction is a miss.
void add_metrics(const Objective& objective, const at::Tensor& predictions, const at::Tensor& target,
                 std::span<double> sums);

}  // namespace modelhop::engine
