// SPDX-License-Identifier: Apache-2.0
// Fits losses and metrics to shapes, and sends a batch to the host's or the device's form.
#include "engine/loss.hpp"

#include <string>

#include "engine/loss_rows.hpp"
#include "modelhop/error.hpp"

namespace modelhop::engine {
namespace {

bool is_one_of_classes(LossKind kind) {
  return kind == LossKind::kCategoricalCrossentropy || kind == LossKind::kSparseCategoricalCrossentropy;
}

bool is_one_of_classes(MetricKind kind) {
  switch (kind) {
    case MetricKind::kCategoricalAccuracy:
    case MetricKind::kSparseCategoricalAccuracy:
    case MetricKind::kTopKCategoricalAccuracy:
    case MetricKind::kSparseTopKCategoricalAccuracy:
    case MetricKind::kCategoricalCrossentropy:
    case MetricKind::kSparseCategoricalCrossentropy:
      return true;
    default:
      return false;
  }
}

MetricKind accuracy_kind(const LossSpec& loss, SemanticsProfile profile, std::int64_t columns, bool is_class_id) {
  if (columns == 1) return MetricKind::kBinaryAccuracy;
  if (profile == SemanticsProfile::kKeras22 || profile == SemanticsProfile::kTf1) {
    if (loss.kind == LossKind::kBinaryCrossentropy) return MetricKind::kBinaryAccuracy;
    if (loss.kind == LossKind::kSparseCategoricalCrossentropy) return MetricKind::kSparseCategoricalAccuracy;
    return MetricKind::kCategoricalAccuracy;
  }
  return is_class_id ? MetricKind::kSparseCategoricalAccuracy : MetricKind::kCategoricalAccuracy;
}

FinalActivation fused_activation(const LossSpec& loss, SemanticsProfile profile, FinalActivation final_activation) {
  if (profile == SemanticsProfile::kKeras22) return FinalActivation::kNone;
  const bool is_softmax = final_activation == FinalActivation::kSoftmax && is_one_of_classes(loss.kind);
  const bool is_sigmoid = final_activation == FinalActivation::kSigmoid && loss.kind == LossKind::kBinaryCrossentropy;
  return is_softmax || is_sigmoid ? final_activation : FinalActivation::kNone;
}

std::string shape_text(const Shape& shape) {
  std::string text = "(";
  for (const std::int64_t extent : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(extent);
  return text + ")";
}

/// What one loss or metric asks of output and target.
void check_fit(const std::string& name, bool is_of_classes, const Shape& output, std::int64_t target_columns) {
  const std::int64_t columns = output.empty() ? 1 : output.back();
  std::int64_t elements = 1;
  for (const std::int64_t extent : output) elements *= extent;
  if (is_of_classes && columns < 2) {
    throw Error(ErrorCode::kInvalidArgument, "\"" + name + "\" needs an output for each class, the model has 1",
                "With one output use binary_crossentropy, mse or mae.");
  }
  const bool are_class_ids = is_of_classes && target_columns == 1 && elements == columns;
  if (target_columns == elements || are_class_ids) return;
  throw Error(ErrorCode::kInvalidArgument, "\"" + name + "\" does not fit: the model's output has shape " +
                                               shape_text(output) + ", the dependent variable has " +
                                               std::to_string(target_columns) + " columns");
}

}  // namespace

Objective resolve_objective(const TrainSpec& train, SemanticsProfile profile, const Shape& output_shape,
                            std::int64_t dependent_row_elements, FinalActivation final_activation) {
  const std::int64_t columns = output_shape.empty() ? 1 : output_shape.back();
  Objective objective;
  objective.loss = train.loss;
  objective.metrics = train.metrics;
  objective.profile = profile;
  objective.fused = fused_activation(train.loss, profile, final_activation);
  objective.target_is_class_id = dependent_row_elements == 1 && columns > 1;
  for (MetricSpec& metric : objective.metrics) {
    if (metric.kind == MetricKind::kAccuracy) {
      metric.kind = accuracy_kind(train.loss, profile, columns, objective.target_is_class_id);
    }
  }
  if (dependent_row_elements == 0) return objective;
  check_fit(train.loss.name, is_one_of_classes(train.loss.kind), output_shape, dependent_row_elements);
  for (const MetricSpec& metric : objective.metrics) {
    check_fit(metric.name, is_one_of_classes(metric.kind), output_shape, dependent_row_elements);
  }
  return objective;
}

double loss_and_gradient(const Objective& objective, const at::Tensor& outputs, const at::Tensor& target,
                         at::Tensor* gradient) {
  if (outputs.numel() == 0) return 0.0;
  const std::int64_t columns = outputs.dim() > 1 ? outputs.size(-1) : 1;
  const double positions = static_cast<double>(outputs.numel() / outputs.size(0) / columns);
  const double scale = 1.0 / (static_cast<double>(outputs.size(0)) * positions);
  if (!outputs.is_cpu()) return loss_on_device(objective, outputs, target, gradient, scale) / positions;
  const LossRows rows = host_rows(outputs, target, objective.target_is_class_id);
  check(gradient == nullptr || (gradient->is_contiguous() && gradient->numel() == outputs.numel()),
        "gradient does not fit the outputs");
  float* gradient_data = gradient == nullptr ? nullptr : gradient->mutable_data_ptr<float>();
  return loss_on_host(objective.loss, objective.profile, objective.takes_logits(), rows, gradient_data,
                      static_cast<float>(scale)) /
         positions;
}

}  // namespace modelhop::engine
