// SPDX-License-Identifier: Apache-2.0
// Whether a network can learn given data: shapes of its input and output against the packed columns.
#include "spec/grammar_text.hpp"
#include "spec/train_params.hpp"

namespace modelhop {
namespace {

using namespace spec;

std::string architecture(const ModelSpec& model) {
  return "architecture " + in_quotes(model.name);
}

bool is_sparse_metric(MetricKind kind) {
  return kind == MetricKind::kSparseCategoricalAccuracy || kind == MetricKind::kSparseTopKCategoricalAccuracy ||
         kind == MetricKind::kSparseCategoricalCrossentropy;
}

bool is_one_hot_metric(MetricKind kind) {
  return kind == MetricKind::kCategoricalAccuracy || kind == MetricKind::kTopKCategoricalAccuracy ||
         kind == MetricKind::kCategoricalCrossentropy;
}

struct Target {
  const ModelSpec& model;
  const LossSpec& loss;
  const Shape& output;     ///< of the network
  const Shape& dependent;  ///< of a row of the dependent variable; () is read as (1)
  std::int64_t class_count;

  [[noreturn]] void refuse_shapes(std::string hint = {}) const {
    refuse(architecture(model) + " puts out shape " + to_text(output) + ", but the dependent variable has shape " +
               to_text(dependent) + " and loss is " + loss.name,
           std::move(hint));
  }

  /// One class id where the network puts out one row of scores.
  bool is_class_ids() const {
    return !output.empty() && output.back() > 1 && element_count(dependent) == element_count(output) / output.back() &&
           dependent != output;
  }
  bool is_same() const { return dependent == output || (element_count(dependent) == 1 && element_count(output) == 1); }
};

void check_sparse(const Target& target) {
  if (!target.is_class_ids()) {
    target.refuse_shapes(
        "sparse_categorical_crossentropy needs class numbers and one output unit a class; for one-hot "
        "columns use categorical_crossentropy.");
  }
  if (target.class_count > target.output.back()) {
    refuse(architecture(target.model) + " puts out " + std::to_string(target.output.back()) +
           " classes, but the data has " + std::to_string(target.class_count));
  }
}

void check_dense(const Target& target) {
  if (!target.is_same()) {
    target.refuse_shapes(target.is_class_ids()
                             ? "Encode the classes as one-hot columns, or use sparse_categorical_crossentropy."
                             : "The last layer needs as many units as the dependent variable has columns.");
  }
  if (target.loss.kind == LossKind::kCategoricalCrossentropy && target.output.back() < 2) {
    target.refuse_shapes("categorical_crossentropy needs at least two output units; use binary_crossentropy for one.");
  }
  if (target.loss.kind == LossKind::kBinaryCrossentropy && element_count(target.dependent) == 1 &&
      target.class_count > 2) {
    refuse("loss is binary_crossentropy, but the dependent variable has " + std::to_string(target.class_count) +
               " classes",
           "Encode the classes as one-hot columns.");
  }
}

}  // namespace

void check_fits_data(const ModelSpec& model, const TrainSpec& train, const std::vector<Shape>& independent_shapes,
                     const std::vector<DependentVariable>& dependents) {
  if (model.inputs.size() != independent_shapes.size()) {
    refuse(architecture(model) + " has " + std::to_string(model.inputs.size()) + " inputs, but there are " +
           std::to_string(independent_shapes.size()) + " independent variables");
  }
  if (model.outputs.size() != dependents.size()) {
    refuse(architecture(model) + " has " + std::to_string(model.outputs.size()) + " outputs, but there are " +
           std::to_string(dependents.size()) + " dependent variables");
  }
  for (std::size_t index = 0; index < independent_shapes.size(); ++index) {
    if (model.input_shape(index) == independent_shapes[index]) continue;
    refuse(architecture(model) + " takes input of shape " + to_text(model.input_shape(index)) +
           ", but the independent variable has shape " + to_text(independent_shapes[index]));
  }
  for (std::size_t index = 0; index < dependents.size(); ++index) {
    const Target target{model, train.losses[index], model.output_shape(index), dependents[index].shape,
                        dependents[index].class_count};
    if (target.output.empty()) target.refuse_shapes();
    if (train.losses[index].kind == LossKind::kSparseCategoricalCrossentropy) {
      check_sparse(target);
    } else {
      check_dense(target);
    }
  }
  for (const MetricSpec& metric : train.metrics) {
    const auto index = static_cast<std::size_t>(metric.output_index);
    const LossSpec& loss = train.losses[index];
    const bool is_sparse = loss.kind == LossKind::kSparseCategoricalCrossentropy;
    if ((is_sparse && is_one_hot_metric(metric.kind)) || (!is_sparse && is_sparse_metric(metric.kind))) {
      refuse("metric " + in_quotes(metric.name) + " does not go with loss " + loss.name +
             " and a dependent variable of shape " + to_text(dependents[index].shape));
    }
  }
}

}  // namespace modelhop
