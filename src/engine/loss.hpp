// SPDX-License-Identifier: Apache-2.0
// Losses and metrics on one batch of outputs, Keras's definitions.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "modelhop/model_spec.hpp"
#include "modelhop/train_spec.hpp"

namespace modelhop::engine {

/// The activation that the last operation of the network would apply; the plan leaves it out where the loss takes
/// logits (tf.keras's shortcut: softmax with a categorical, sigmoid with a binary cross-entropy).
enum class FinalActivation : std::uint8_t { kNone, kSoftmax, kSigmoid };

/// The loss of one output, resolved against the shapes of output and target.
struct OutputLoss {
  LossSpec loss;
  double weight = 1.0;                             ///< of loss_weights
  FinalActivation fused = FinalActivation::kNone;  ///< what the loss applies itself: outputs are then logits
  SemanticsProfile profile = SemanticsProfile::kTf2Legacy;
  bool target_is_class_id = false;   ///< target tensor is int64 [rows, positions]; otherwise float32 [rows, columns]
  std::int64_t target_elements = 0;  ///< of one example in the data
  Shape example_shape;               ///< LossKind::kCustom: axes of the output behind the batch

  bool takes_logits() const { return loss.from_logits || fused != FinalActivation::kNone; }
};

/// Losses of all outputs and the metrics. Without a dependent variable `outputs` is empty.
struct Objective {
  std::vector<OutputLoss> outputs;
  std::vector<MetricSpec> metrics;           ///< kAccuracy is resolved to one of the three accuracies
  std::vector<std::int64_t> metric_columns;  ///< parallel: extent of the last axis of the metric's output
  std::map<std::int64_t, double> class_weights;

  std::size_t accumulators() const;  ///< of all metrics together
};

/// Throws kInvalidArgument where a loss, metric, output (per example) and target columns do not fit. A sparse loss or
/// metric on one-hot targets takes their arg max, a categorical one on class ids their one-hot. `train` is resolved
/// (resolve_train_spec). `dependent_row_elements` empty: nothing is checked.
Objective resolve_objective(const TrainSpec& train, SemanticsProfile profile, const std::vector<Shape>& output_shapes,
                            const std::vector<std::int64_t>& dependent_row_elements,
                            const std::vector<FinalActivation>& final_activations);

/// How much each position of each example counts in a loss, so that the profile's rules of masks and weights
/// (keras-support.md, "Weights and masks") come down to one factor. Undefined: all count 1.
/// sample_weight: [rows], undefined: 1. mask: [rows, steps], undefined: all count. Returns [rows * positions].
at::Tensor loss_factors(const OutputLoss& loss, const at::Tensor& outputs, const at::Tensor& target,
                        const at::Tensor& sample_weight, const at::Tensor& mask);

/// `outputs`: [rows, ...]; logits where the loss takes them. Returns the sum of per-example losses (without the loss's
/// weight) and, where `gradient` is not null, writes d(weight * mean loss)/d(outputs) into it (contiguous, like
/// outputs). Several positions per example (rank over 1) are averaged. `factors` as loss_factors() gives them. A class
/// id outside the outputs throws kInvalidArgument.
double loss_and_gradient(const OutputLoss& loss, const at::Tensor& outputs, const at::Tensor& target,
                         const at::Tensor& factors, at::Tensor* gradient);

/// One output of a batch as metrics see it.
struct PredictedOutput {
  at::Tensor predictions;  ///< after the final activation
  at::Tensor target;
  bool target_is_class_id = false;
  at::Tensor mask;  ///< [rows, steps] or undefined
};

/// Adds a batch to the accumulators of all metrics (metric.hpp). An example with a NaN prediction is a miss.
void add_metrics(const Objective& objective, std::span<const PredictedOutput> outputs, SemanticsProfile profile,
                 const at::Tensor& sample_weight, std::span<double> accumulators);

}  // namespace modelhop::engine
