// SPDX-License-Identifier: Apache-2.0
// Metrics, always on the host: their sums are wanted there, and predictions are small.
#include <algorithm>
#include <cmath>

#include "engine/loss.hpp"
#include "engine/loss_rows.hpp"
#include "modelhop/error.hpp"

namespace modelhop::engine {
namespace {

bool has_nan(const float* p, std::int64_t columns) {
  return std::any_of(p, p + columns, [](float value) { return std::isnan(value); });
}

double hits_of_first_maximum(const LossRows& rows) {
  double hits = 0.0;
  for (std::int64_t row = 0; row < rows.count(); ++row) {
    const float* p = rows.outputs + row * rows.columns;
    const std::int64_t expected = true_class(rows, row);
    if (!has_nan(p, rows.columns) && std::max_element(p, p + rows.columns) - p == expected) hits += 1.0;
  }
  return hits;
}

/// A tie with the k-th largest is a hit.
double hits_of_top(const LossRows& rows, int k) {
  double hits = 0.0;
  for (std::int64_t row = 0; row < rows.count(); ++row) {
    const float* p = rows.outputs + row * rows.columns;
    const float mine = p[true_class(rows, row)];
    const auto larger = std::count_if(p, p + rows.columns, [mine](float value) { return value > mine; });
    if (!has_nan(p, rows.columns) && larger < k) hits += 1.0;
  }
  return hits;
}

double hits_of_threshold(const LossRows& rows) {
  check(rows.targets != nullptr, "binary accuracy needs float targets");
  std::int64_t hits = 0;
  for (std::int64_t i = 0; i < rows.count() * rows.columns; ++i) {
    const float predicted = rows.outputs[i] > 0.5F ? 1.0F : 0.0F;
    if (!std::isnan(rows.outputs[i]) && predicted == rows.targets[i]) ++hits;
  }
  return static_cast<double>(hits) / static_cast<double>(rows.columns);
}

double loss_as_metric(LossKind kind, SemanticsProfile profile, const LossRows& rows) {
  const LossSpec loss = {.kind = kind};
  return loss_on_host(loss, profile, false, rows, nullptr, 0.0F);
}

double metric_of(const MetricSpec& metric, SemanticsProfile profile, const LossRows& rows) {
  switch (metric.kind) {
    case MetricKind::kBinaryAccuracy:
      return hits_of_threshold(rows);
    case MetricKind::kCategoricalAccuracy:
    case MetricKind::kSparseCategoricalAccuracy:
      return hits_of_first_maximum(rows);
    case MetricKind::kTopKCategoricalAccuracy:
    case MetricKind::kSparseTopKCategoricalAccuracy:
      return hits_of_top(rows, metric.k);
    case MetricKind::kMeanSquaredError:
      return loss_as_metric(LossKind::kMeanSquaredError, profile, rows);
    case MetricKind::kMeanAbsoluteError:
      return loss_as_metric(LossKind::kMeanAbsoluteError, profile, rows);
    case MetricKind::kCategoricalCrossentropy:
      return loss_as_metric(LossKind::kCategoricalCrossentropy, profile, rows);
    case MetricKind::kSparseCategoricalCrossentropy:
      return loss_as_metric(LossKind::kSparseCategoricalCrossentropy, profile, rows);
    case MetricKind::kBinaryCrossentropy:
      return loss_as_metric(LossKind::kBinaryCrossentropy, profile, rows);
    case MetricKind::kAccuracy:
      break;
  }
  throw Error(ErrorCode::kInternal, "metric \"" + metric.name + "\" is not resolved");
}

}  // namespace

void add_metrics(const Objective& objective, std::span<const PredictedOutput> outputs, SemanticsProfile profile,
                 const at::Tensor& sample_weight, std::span<double> accumulators) {
  check(accumulators.size() == objective.accumulators(), "the accumulators are not those of the metrics");
  check(!sample_weight.defined(), "weighted metrics are not implemented");
  std::size_t first = 0;
  for (std::size_t index = 0; index < objective.metrics.size(); ++index) {
    const MetricSpec& metric = objective.metrics[index];
    const PredictedOutput& output = outputs[static_cast<std::size_t>(metric.output_index)];
    const std::span<double> sums =
        accumulators.subspan(first, accumulator_count(metric, objective.metric_columns[index]));
    first += sums.size();
    if (output.predictions.numel() == 0) continue;
    const at::Tensor predictions = output.predictions.to(at::kCPU), target = output.target.to(at::kCPU);
    const LossRows rows = host_rows(predictions, target, output.target_is_class_id);
    sums[0] += metric_of(metric, profile, rows);
    sums[1] += static_cast<double>(rows.count());
  }
}

}  // namespace modelhop::engine
