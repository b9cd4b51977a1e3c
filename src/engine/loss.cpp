// SPDX-License-Identifier: Apache-2.0
// Fits losses and metrics to shapes, and sends a batch to the host's or the device's form.
#include "engine/loss.hpp"

#include <string>

#include "engine/loss_rows.hpp"
#include "modelhop/error.hpp"
#include "spec/expression.hpp"

namespace modelhop::engine {
namespace {

bool is_one_of_classes(LossKind kind) {
  return kind == LossKind::kCategoricalCrossentropy || kind == LossKind::kSparseCategoricalCrossentropy ||
         kind == LossKind::kCategoricalFocalCrossentropy || kind == LossKind::kCategoricalHinge;
}

/// A cross-entropy that takes the logits of a softmax.
bool is_softmax_crossentropy(LossKind kind) {
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
    case MetricKind::kCategoricalFocalCrossentropy:
    case MetricKind::kCategoricalHinge:
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
  const bool is_softmax = final_activation == FinalActivation::kSoftmax && is_softmax_crossentropy(loss.kind);
  const bool is_sigmoid = final_activation == FinalActivation::kSigmoid && loss.kind == LossKind::kBinaryCrossentropy;
  return is_softmax || is_sigmoid ? final_activation : FinalActivation::kNone;
}

std::string shape_text(const Shape& shape) {
  std::string text = "(";
  for (const std::int64_t extent : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(extent);
  return text + ")";
}

/// What one loss or metric asks of output and target.
void check_fit(const std::string& name, bool is_of_classes, const Shape& output, std::int64_t target_columns,
               const ExpressionSpec& expression) {
  const std::int64_t columns = output.empty() ? 1 : output.back();
  std::int64_t elements = 1;
  for (const std::int64_t extent : output) elements *= extent;
  if (is_of_classes && columns < 2) {
    throw Error(ErrorCode::kInvalidArgument, "\"" + name + "\" needs an output for each class, the model has 1",
                "With one output use binary_crossentropy, mse or mae.");
  }
  if (!expression.nodes.empty()) spec::check_expression_shapes(expression, output);
  const bool takes_class_ids = is_of_classes || (!expression.nodes.empty() && columns > 1);
  const bool are_class_ids = takes_class_ids && target_columns * columns == elements;
  if (target_columns == elements || are_class_ids) return;
  throw Error(ErrorCode::kInvalidArgument, "\"" + name + "\" does not fit: the model's output has shape " +
                                               shape_text(output) + ", the dependent variable has " +
                                               std::to_string(target_columns) + " columns");
}

}  // namespace

std::size_t Objective::accumulators() const {
  std::size_t count = 0;
  for (std::size_t index = 0; index < metrics.size(); ++index) {
    count += accumulator_count(metrics[index], metric_columns[index]);
  }
  return count;
}

Objective resolve_objective(const TrainSpec& train, SemanticsProfile profile, const std::vector<Shape>& output_shapes,
                            const std::vector<std::int64_t>& dependent_row_elements,
                            const std::vector<FinalActivation>& final_activations) {
  Objective objective;
  if (dependent_row_elements.empty()) return objective;
  check(dependent_row_elements.size() == output_shapes.size() && train.losses.size() == output_shapes.size(),
        "losses and dependent variables are not one per output");
  for (std::size_t index = 0; index < output_shapes.size(); ++index) {
    const Shape& shape = output_shapes[index];
    const std::int64_t columns = shape.empty() ? 1 : shape.back();
    const std::int64_t target_elements = dependent_row_elements[index];
    OutputLoss output;
    output.loss = train.losses[index];
    output.weight = train.loss_weights.empty() ? 1.0 : train.loss_weights[index];
    output.profile = profile;
    output.fused = fused_activation(output.loss, profile, final_activations[index]);
    output.target_is_class_id = columns > 1 && target_elements * columns == element_count(shape);
    output.target_elements = target_elements;
    output.example_shape = shape.empty() ? Shape{1} : shape;
    check_fit(output.loss.name, is_one_of_classes(output.loss.kind), shape, target_elements, output.loss.expression);
    objective.outputs.push_back(std::move(output));
  }
  for (MetricSpec metric : train.metrics) {
    const auto index = static_cast<std::size_t>(metric.output_index);
    const Shape& shape = output_shapes.at(index);
    const std::int64_t columns = shape.empty() ? 1 : shape.back();
    const OutputLoss& output = objective.outputs[index];
    if (metric.kind == MetricKind::kAccuracy) {
      metric.kind = accuracy_kind(output.loss, profile, columns, output.target_is_class_id);
    }
    check_fit(metric.name, is_one_of_classes(metric.kind), shape, output.target_elements, metric.expression);
    objective.metrics.push_back(std::move(metric));
    objective.metric_columns.push_back(columns);
  }
  objective.class_weights = train.class_weights;
  return objective;
}

double loss_and_gradient(const OutputLoss& loss, const at::Tensor& outputs, const at::Tensor& target,
                         const at::Tensor& factors, at::Tensor* gradient) {
  if (outputs.numel() == 0) return 0.0;
  check(gradient == nullptr || (gradient->is_contiguous() && gradient->numel() == outputs.numel()),
        "gradient does not fit the outputs");
  const std::int64_t columns = outputs.dim() > 1 ? outputs.size(-1) : 1;
  const double positions = static_cast<double>(outputs.numel() / outputs.size(0) / columns);
  const double scale = loss.weight / (static_cast<double>(outputs.size(0)) * positions);
  if (!outputs.is_cpu() || !has_loop(loss.loss.kind)) {
    return loss_by_expression(loss, outputs.reshape({-1, columns}), target, factors, gradient, scale) / positions;
  }
  const LossRows rows = host_rows(outputs, target, loss.target_is_class_id);
  const float* row_factors = factors.defined() ? factors.const_data_ptr<float>() : nullptr;
  float* gradient_data = gradient == nullptr ? nullptr : gradient->mutable_data_ptr<float>();
  return loss_on_host(loss, rows, row_factors, gradient_data, static_cast<float>(scale)) / positions;
}

}  // namespace modelhop::engine
