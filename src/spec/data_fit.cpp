// SPDX-License-Identifier: Apache-2.0
// Whether a network can learn given data: shapes of its inputs and outputs against the packed columns.
#include <algorithm>

#include "spec/expression.hpp"
#include "spec/grammar_text.hpp"
#include "spec/losses.hpp"
#include "spec/metric_table.hpp"
#include "spec/train_params.hpp"

namespace modelhop {
namespace {

using namespace spec;

constexpr std::size_t kMaxAccumulators = 8'000'000;  // of an evaluation: they travel in one message of 64 MB

std::string architecture(const ModelSpec& model) {
  return "architecture " + in_quotes(model.name);
}

/// An output of the network and the dependent variable that it learns.
struct Target {
  const ModelSpec& model;
  const LossSpec& loss;
  std::size_t index;
  const Shape& output;     ///< of the network
  const Shape& dependent;  ///< of a row of the dependent variable; () is read as (1)
  std::int64_t class_count;

  std::int64_t columns() const { return output.back(); }

  [[noreturn]] void refuse_shapes(std::string hint = {}) const {
    const bool is_one = model.outputs.size() == 1;
    refuse(architecture(model) + (is_one ? "" : ", output " + in_quotes(model.output_names[index]) + ",") +
               " puts out shape " + to_text(output) + ", but the dependent variable has shape " + to_text(dependent) +
               " and loss is " + loss.name,
           std::move(hint));
  }

  /// One class id where the network puts out one row of scores.
  bool is_class_ids() const {
    return columns() > 1 && element_count(dependent) == element_count(output) / columns() && dependent != output;
  }
  /// The engine counts elements; shapes of more than one axis must agree besides, or it is a mistake.
  bool is_same() const {
    if (element_count(dependent) != element_count(output)) return false;
    return dependent.size() <= 1 || without_ones(dependent) == without_ones(output);
  }
  bool fits(TargetFit fit) const {
    if (fit == TargetFit::kClasses && columns() < 2) return false;
    return is_same() || (fit != TargetFit::kSameShape && is_class_ids());
  }

 private:
  static Shape without_ones(Shape shape) {
    std::erase(shape, 1);
    return shape;
  }
};

/// Names the function beside the place in its text.
void check_custom(const std::string& what, const ExpressionSpec& expression, const Target& target) {
  if (expression.nodes.empty()) return;
  try {
    check_expression_shapes(expression, target.output);
  } catch (const Error& error) {
    throw Error(error.code(), what + ": " + error.what(), error.hint());
  }
}

[[noreturn]] void refuse_loss(const Target& target, TargetFit fit) {
  if (fit == TargetFit::kClasses && target.columns() < 2)
    target.refuse_shapes(target.loss.name + " needs at least two output units; use binary_crossentropy for one.");
  if (fit == TargetFit::kSameShape && target.is_class_ids())
    target.refuse_shapes(
        "Encode the classes as one-hot columns, or use categorical_crossentropy or sparse_categorical_crossentropy.");
  target.refuse_shapes(fit == TargetFit::kClasses
                           ? "The last layer needs one unit per class; the dependent variable class numbers or "
                             "one-hot columns."
                           : "The last layer needs as many units as the dependent variable has columns.");
}

void check_loss(const Target& target) {
  const TargetFit fit = target_fit(target.loss.kind);
  if (!target.fits(fit)) refuse_loss(target, fit);
  check_custom("loss " + in_quotes(target.loss.name), target.loss.expression, target);
  const std::int64_t ignored = target.loss.ignore_class && *target.loss.ignore_class >= target.columns() ? 1 : 0;
  if (target.is_class_ids() && target.class_count > target.columns() + ignored) {
    refuse(architecture(target.model) + " puts out " + std::to_string(target.columns()) +
           " classes, but the data has " + std::to_string(target.class_count));
  }
  const bool is_binary =
      target.loss.kind == LossKind::kBinaryCrossentropy || target.loss.kind == LossKind::kBinaryFocalCrossentropy;
  if (is_binary && element_count(target.dependent) == 1 && target.class_count > 2) {
    refuse("loss is " + target.loss.name + ", but the dependent variable has " + std::to_string(target.class_count) +
               " classes",
           "Encode the classes as one-hot columns.");
  }
}

void check_metric(const Target& target, const MetricSpec& metric) {
  const std::string name = "metric " + in_quotes(metric.name);
  if (!target.fits(metric_row(metric.kind).fit)) {
    refuse(name + " does not go with an output of shape " + to_text(target.output) +
           " and a dependent variable of shape " + to_text(target.dependent));
  }
  check_custom(name, metric.expression, target);
  if (metric.class_id && *metric.class_id >= target.columns()) {
    refuse(name + " looks at class " + std::to_string(*metric.class_id) + ", but the output has " +
           std::to_string(target.columns()) + " columns");
  }
  if (metric.top_k && *metric.top_k > target.columns()) {
    refuse(name + " looks at the top " + std::to_string(*metric.top_k) + ", but the output has " +
           std::to_string(target.columns()) + " columns");
  }
  const auto normalizers = static_cast<std::int64_t>(metric.normalizer.size());
  if (normalizers > 1 && normalizers != target.columns()) {
    refuse(name + " has " + std::to_string(normalizers) + " numbers as normalizer, but the output has " +
           std::to_string(target.columns()) + " columns");
  }
  const auto label_weights = static_cast<std::int64_t>(metric.label_weights.size());
  if (label_weights > 0 && label_weights != target.columns()) {
    refuse(name + " has " + std::to_string(label_weights) + " label_weights, but the output has " +
           std::to_string(target.columns()) + " columns");
  }
  const bool is_of_columns = metric.kind == MetricKind::kOneHotIoU || metric.kind == MetricKind::kOneHotMeanIoU;
  const bool is_confusion = is_of_columns || metric.kind == MetricKind::kIoU || metric.kind == MetricKind::kMeanIoU;
  const std::int64_t ignored = metric.ignore_class && *metric.ignore_class >= metric.num_classes ? 1 : 0;
  const std::int64_t classes = (is_of_columns ? target.columns() : target.class_count) - ignored;
  if (is_confusion && metric.num_classes < classes) {
    refuse(name + " has num_classes " + std::to_string(metric.num_classes) + ", but there are " +
           std::to_string(classes) + " classes");
  }
}

/// Classes that class_weight must know: columns of one-hot rows, else what the data says.
std::int64_t weighted_classes(const Target& target) {
  const bool is_one_hot = !target.is_class_ids() && target.columns() > 1;
  return is_one_hot ? target.columns() : target.class_count;
}

void check_class_weights(const TrainSpec& train, const Target& target) {
  const std::int64_t classes = weighted_classes(target);
  if (train.class_weights.empty() || classes == 0) return;
  const std::int64_t last = train.class_weights.rbegin()->first;
  if (last >= classes)
    refuse("fit_params: \"class_weight\" names class " + std::to_string(last) + ", but there are only " +
           std::to_string(classes) + " classes");
  if (target.model.profile == SemanticsProfile::kKeras3) return;
  for (std::int64_t id = 0; id < classes; ++id) {
    if (train.class_weights.contains(id)) continue;
    refuse("fit_params: \"class_weight\" says nothing about class " + std::to_string(id) + " of " +
               std::to_string(classes),
           "Keras 2 wants a weight for each class; 1.0 changes nothing.");
  }
}

void check_counts(const ModelSpec& model, const std::vector<Shape>& independent_shapes,
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
}

}  // namespace

void check_fits_data(const ModelSpec& model, const TrainSpec& train, const std::vector<Shape>& independent_shapes,
                     const std::vector<DependentVariable>& dependents) {
  check_counts(model, independent_shapes, dependents);
  check(train.losses.size() == dependents.size(), "losses are not resolved against the model");
  std::vector<Target> targets;
  for (std::size_t index = 0; index < dependents.size(); ++index) {
    // A network that puts out one number without an axis puts out one column.
    static const Shape kOneColumn = {1};
    const Shape& output = model.output_shape(index).empty() ? kOneColumn : model.output_shape(index);
    targets.push_back(
        {model, train.losses[index], index, output, dependents[index].shape, dependents[index].class_count});
    check_loss(targets.back());
    check_class_weights(train, targets.back());
  }
  std::size_t accumulators = 0;
  for (const MetricSpec& metric : train.metrics) {
    const Target& target = targets.at(static_cast<std::size_t>(metric.output_index));
    check_metric(target, metric);
    accumulators += accumulator_count(metric, target.columns());
  }
  if (accumulators > kMaxAccumulators)
    refuse("compile_params: \"metrics\" need " + std::to_string(accumulators) + " sums, the limit is " +
               std::to_string(kMaxAccumulators),
           "Lower num_thresholds or num_classes.");
}

}  // namespace modelhop
