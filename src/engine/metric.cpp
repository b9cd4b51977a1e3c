// SPDX-License-Identifier: Apache-2.0
// Metrics, always on the host: their sums are wanted there, and predictions are small.
#include <algorithm>
#include <cmath>

#include "engine/metric_rows.hpp"
#include "modelhop/error.hpp"

namespace modelhop::engine {
namespace {

/// The id of a class that the loss ignores, which no prediction hits: others were refused when the batch was loaded.
bool is_outside(const LossRows& rows, std::int64_t row) {
  return rows.class_ids != nullptr && (rows.class_ids[row] < 0 || rows.class_ids[row] >= rows.columns);
}

double is_first_maximum(const LossRows& rows, std::int64_t row) {
  if (is_outside(rows, row)) return 0.0;
  const float* p = rows.outputs + row * rows.columns;
  const bool hits = std::max_element(p, p + rows.columns) - p == true_class(rows, row);
  return hits && !has_nan(p, rows.columns) ? 1.0 : 0.0;
}

/// A tie with the k-th largest is a hit.
double is_among_top(const LossRows& rows, std::int64_t row, int k) {
  if (is_outside(rows, row)) return 0.0;
  const float* p = rows.outputs + row * rows.columns;
  const float mine = p[true_class(rows, row)];
  const auto larger = std::count_if(p, p + rows.columns, [mine](float value) { return value > mine; });
  return larger < k && !has_nan(p, rows.columns) ? 1.0 : 0.0;
}

double share_of_threshold_hits(const LossRows& rows, std::int64_t row, float threshold) {
  check(rows.targets != nullptr, "binary accuracy needs float targets");
  std::int64_t hits = 0;
  for (std::int64_t i = row * rows.columns; i < (row + 1) * rows.columns; ++i) {
    const float predicted = rows.outputs[i] > threshold ? 1.0F : 0.0F;
    if (!std::isnan(rows.outputs[i]) && predicted == rows.targets[i]) ++hits;
  }
  return static_cast<double>(hits) / static_cast<double>(rows.columns);
}

struct LossOfMetric {
  MetricKind metric;
  LossKind loss;
};

constexpr LossOfMetric kLosses[] = {
    {MetricKind::kMeanSquaredError, LossKind::kMeanSquaredError},
    {MetricKind::kRootMeanSquaredError, LossKind::kMeanSquaredError},
    {MetricKind::kMeanAbsoluteError, LossKind::kMeanAbsoluteError},
    {MetricKind::kMeanAbsolutePercentageError, LossKind::kMeanAbsolutePercentageError},
    {MetricKind::kMeanSquaredLogarithmicError, LossKind::kMeanSquaredLogarithmicError},
    {MetricKind::kLogCosh, LossKind::kLogCosh},
    {MetricKind::kHuber, LossKind::kHuber},
    {MetricKind::kHinge, LossKind::kHinge},
    {MetricKind::kSquaredHinge, LossKind::kSquaredHinge},
    {MetricKind::kCategoricalHinge, LossKind::kCategoricalHinge},
    {MetricKind::kKlDivergence, LossKind::kKlDivergence},
    {MetricKind::kPoisson, LossKind::kPoisson},
    {MetricKind::kCategoricalCrossentropy, LossKind::kCategoricalCrossentropy},
    {MetricKind::kSparseCategoricalCrossentropy, LossKind::kSparseCategoricalCrossentropy},
    {MetricKind::kBinaryCrossentropy, LossKind::kBinaryCrossentropy},
    {MetricKind::kBinaryFocalCrossentropy, LossKind::kBinaryFocalCrossentropy},
    {MetricKind::kCategoricalFocalCrossentropy, LossKind::kCategoricalFocalCrossentropy},
    {MetricKind::kCosineSimilarity, LossKind::kCosineSimilarity},
    {MetricKind::kCustom, LossKind::kCustom},
};

/// The loss whose mean the metric is, on probabilities unless its own argument says logits.
OutputLoss loss_of(const MetricSpec& metric, SemanticsProfile profile, const PredictedOutput& predicted) {
  const auto* entry = std::find_if(std::begin(kLosses), std::end(kLosses),
                                   [&](const LossOfMetric& known) { return known.metric == metric.kind; });
  check(entry != std::end(kLosses), "a metric is neither an accuracy nor the mean of a loss");
  OutputLoss output;
  output.loss.kind = entry->loss;
  output.loss.from_logits = metric.from_logits;
  output.loss.label_smoothing = metric.label_smoothing;
  output.loss.delta = metric.delta;
  output.loss.gamma = metric.gamma;
  output.loss.alpha = metric.alpha;
  output.loss.apply_class_balancing = metric.apply_class_balancing;
  output.loss.expression = metric.expression;
  output.profile = profile;
  output.target_is_class_id = predicted.target_is_class_id;
  const at::Tensor& p = predicted.predictions;
  output.example_shape = p.dim() > 1 ? p.sizes().slice(1).vec() : Shape{1};
  return output;
}

double hit_of(const MetricSpec& metric, const LossRows& rows, std::int64_t row) {
  switch (metric.kind) {
    case MetricKind::kBinaryAccuracy:
      return share_of_threshold_hits(rows, row, static_cast<float>(metric.threshold));
    case MetricKind::kCategoricalAccuracy:
    case MetricKind::kSparseCategoricalAccuracy:
      return is_first_maximum(rows, row);
    case MetricKind::kTopKCategoricalAccuracy:
    case MetricKind::kSparseTopKCategoricalAccuracy:
      return is_among_top(rows, row, metric.k);
    default:
      throw Error(ErrorCode::kInternal, "metric \"" + metric.name + "\" is not resolved");
  }
}

/// Correlations are over the columns of a row; not a number where one of the two does not vary, as in Keras.
double correlation(const MetricSpec& metric, const MetricRows& batch, std::int64_t row) {
  const std::int64_t columns = batch.rows.columns;
  const auto count = static_cast<double>(columns);
  const float* p = batch.rows.outputs + row * columns;
  double mean_y = 0.0, mean_p = 0.0, var_y = 0.0, var_p = 0.0, covariance = 0.0;
  for (std::int64_t i = 0; i < columns; ++i) {
    mean_y += batch.target(row, i) / count;
    mean_p += p[i] / count;
  }
  for (std::int64_t i = 0; i < columns; ++i) {
    const double dy = batch.target(row, i) - mean_y, dp = p[i] - mean_p;
    var_y += dy * dy / count;
    var_p += dp * dp / count;
    covariance += dy * dp / count;
  }
  if (metric.kind == MetricKind::kPearsonCorrelation) return covariance / (std::sqrt(var_y) * std::sqrt(var_p));
  const double distance = mean_y - mean_p;
  return 2.0 * covariance / (var_y + var_p + distance * distance + 1e-7);
}

double relative_error(const MetricSpec& metric, const MetricRows& batch, std::int64_t row) {
  const std::int64_t columns = batch.rows.columns;
  double sum = 0.0;
  for (std::int64_t i = 0; i < columns; ++i) {
    const double unit = metric.normalizer.at(static_cast<std::size_t>(i) % metric.normalizer.size());
    const double error = std::abs(batch.target(row, i) - batch.rows.outputs[row * columns + i]);
    if (unit != 0.0) sum += error / unit;
  }
  return sum / static_cast<double>(columns);
}

/// Computed here row by row; the others are means of a loss.
bool is_of_rows(MetricKind kind) {
  return kind <= MetricKind::kSparseTopKCategoricalAccuracy || kind == MetricKind::kPearsonCorrelation ||
         kind == MetricKind::kConcordanceCorrelation || kind == MetricKind::kMeanRelativeError;
}

double value_of_row(const MetricSpec& metric, const MetricRows& batch, std::int64_t row) {
  switch (metric.kind) {
    case MetricKind::kPearsonCorrelation:
    case MetricKind::kConcordanceCorrelation:
      return correlation(metric, batch, row);
    case MetricKind::kMeanRelativeError:
      return relative_error(metric, batch, row);
    default:
      return hit_of(metric, batch.rows, row);
  }
}

void add_mean(const MetricSpec& metric, SemanticsProfile profile, const MetricRows& batch,
              const PredictedOutput& output, std::span<double> sums) {
  at::Tensor values;
  if (!is_of_rows(metric.kind)) {
    const at::Tensor rows = output.predictions.reshape({batch.rows.count(), batch.rows.columns});
    values = loss_values(loss_of(metric, profile, output), rows, output.target).contiguous();
    // The loss is turned so that less is better; the metric is not, but for Keras 2.2, where it is the loss.
    if (metric.kind == MetricKind::kCosineSimilarity && profile != SemanticsProfile::kKeras22) values = values.neg();
  }
  for (std::int64_t row = 0; row < batch.rows.count(); ++row) {
    const double value = is_of_rows(metric.kind) ? value_of_row(metric, batch, row)
                                                 : static_cast<double>(values.const_data_ptr<float>()[row]);
    const double weight = batch.weight(row);
    if (weight != 0.0) sums[0] += weight * value;
    sums[1] += weight;
  }
}

/// Weight of each row: its mask and, for weighted metrics, the weight of its example.
std::vector<double> row_weights(const MetricSpec& metric, const LossRows& rows, const at::Tensor& mask,
                                const at::Tensor& sample_weight) {
  std::vector<double> weights;
  const bool uses_weight = metric.is_weighted && sample_weight.defined();
  if (!mask.defined() && !uses_weight) return weights;
  weights.assign(static_cast<std::size_t>(rows.count()), 1.0);
  const auto multiply = [&](const at::Tensor& values) {
    const at::Tensor host = values.to(at::kCPU).contiguous();
    const std::int64_t repeats = rows.count() / host.numel();
    for (std::int64_t row = 0; row < rows.count(); ++row) {
      weights[static_cast<std::size_t>(row)] *= host.const_data_ptr<float>()[row / repeats];
    }
  };
  if (mask.defined()) multiply(mask);
  if (uses_weight) multiply(sample_weight);
  return weights;
}

}  // namespace

bool has_nan(const float* p, std::int64_t columns) {
  return std::any_of(p, p + columns, [](float value) { return std::isnan(value); });
}

void add_metrics(const Objective& objective, std::span<const PredictedOutput> outputs, SemanticsProfile profile,
                 const at::Tensor& sample_weight, std::span<double> accumulators) {
  check(accumulators.size() == objective.accumulators(), "the accumulators are not those of the metrics");
  std::size_t first = 0;
  for (std::size_t index = 0; index < objective.metrics.size(); ++index) {
    const MetricSpec& metric = objective.metrics[index];
    const std::span<double> sums =
        accumulators.subspan(first, accumulator_count(metric, objective.metric_columns[index]));
    first += sums.size();
    PredictedOutput output = outputs[static_cast<std::size_t>(metric.output_index)];
    if (output.predictions.numel() == 0) continue;
    output.predictions = output.predictions.to(at::kCPU).contiguous();
    output.target = output.target.to(at::kCPU);
    MetricRows batch;
    batch.rows = host_rows(output.predictions, output.target, output.target_is_class_id);
    batch.weights = row_weights(metric, batch.rows, output.mask, sample_weight);
    switch (metric_family(metric.kind)) {
      case MetricFamily::kMeanOfRows:
        add_mean(metric, profile, batch, output, sums);
        break;
      case MetricFamily::kCounts:
        add_counts(metric, batch, sums);
        break;
      case MetricFamily::kFScores:
        add_f_scores(metric, batch, sums);
        break;
      case MetricFamily::kConfusion:
        add_confusion(metric, batch, sums);
        break;
      case MetricFamily::kR2:
        add_r2(batch, sums);
        break;
    }
  }
}

}  // namespace modelhop::engine
