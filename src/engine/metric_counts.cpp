// SPDX-License-Identifier: Apache-2.0
// Metrics that count: against thresholds, per class, in confusion matrices; and the sums of R2Score.
#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

#include "engine/metric_rows.hpp"
#include "modelhop/error.hpp"

namespace modelhop::engine {
namespace {

constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

/// Predictions of a row as thresholds see them: probabilities where logits were given, and only the k largest. Keras
/// compares in float32.
std::vector<float> compared_row(const MetricSpec& metric, const float* p, std::int64_t columns) {
  std::vector<float> values(p, p + columns);
  if (metric.from_logits) {
    for (float& value : values) value = 1.0F / (1.0F + std::exp(-value));
  }
  if (!metric.top_k) return values;
  std::vector<std::int64_t> order(static_cast<std::size_t>(columns));
  for (std::int64_t column = 0; column < columns; ++column) order[static_cast<std::size_t>(column)] = column;
  // What is not a number comes last, so that the order is one.
  const auto size_of = [&](std::int64_t column) {
    const float value = values[static_cast<std::size_t>(column)];
    return std::isnan(value) ? -std::numeric_limits<float>::infinity() : value;
  };
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) { return size_of(a) > size_of(b); });
  for (std::size_t rank = static_cast<std::size_t>(std::min<std::int64_t>(*metric.top_k, columns)); rank < order.size();
       ++rank) {
    values[static_cast<std::size_t>(order[rank])] = -1e10F;
  }
  return values;
}

std::int64_t first_maximum(const MetricRows& batch, std::int64_t row, bool of_target) {
  std::int64_t best = 0;
  const auto value = [&](std::int64_t column) {
    return of_target ? batch.target(row, column)
                     : static_cast<double>(batch.rows.outputs[row * batch.rows.columns + column]);
  };
  for (std::int64_t column = 1; column < batch.rows.columns; ++column) {
    if (value(column) > value(best)) best = column;
  }
  return best;
}

[[noreturn]] void refuse_target(const MetricSpec& metric, double target) {
  std::ostringstream text;
  text << "metric \"" << metric.name << "\": class " << target << " of the data is outside 0.."
       << metric.num_classes - 1;
  throw Error(ErrorCode::kInvalidArgument, text.str(), "Give num_classes as many classes as there are.");
}

}  // namespace

void add_counts(const MetricSpec& metric, const MetricRows& batch, std::span<double> sums) {
  const std::vector<double> exact = metric_thresholds(metric);
  const std::vector<float> thresholds(exact.begin(), exact.end());
  const auto labels = static_cast<std::size_t>(metric.multi_label ? batch.rows.columns : 1);
  const std::size_t list = thresholds.size() * labels;
  for (std::int64_t row = 0; row < batch.rows.count(); ++row) {
    const std::vector<float> p =
        compared_row(metric, batch.rows.outputs + row * batch.rows.columns, batch.rows.columns);
    for (std::int64_t column = 0; column < batch.rows.columns; ++column) {
      if (metric.class_id && *metric.class_id != column) continue;
      const bool is_positive = batch.target(row, column) > 0.5;
      const std::size_t label = metric.multi_label ? static_cast<std::size_t>(column) : 0;
      double weight = batch.weight(row);
      if (!metric.multi_label && !metric.label_weights.empty())
        weight *= metric.label_weights.at(static_cast<std::size_t>(column));
      for (std::size_t i = 0; i < thresholds.size(); ++i) {
        const bool is_predicted = p[static_cast<std::size_t>(column)] > thresholds[i];
        // True positives, false positives, true negatives, false negatives.
        const std::size_t which = is_predicted ? (is_positive ? 0 : 1) : (is_positive ? 3 : 2);
        sums[which * list + i * labels + label] += weight;
      }
    }
  }
}

void add_f_scores(const MetricSpec& metric, const MetricRows& batch, std::span<double> sums) {
  const auto columns = static_cast<std::size_t>(batch.rows.columns);
  for (std::int64_t row = 0; row < batch.rows.count(); ++row) {
    const float* p = batch.rows.outputs + row * batch.rows.columns;
    const float largest = *std::max_element(p, p + columns);
    for (std::size_t column = 0; column < columns; ++column) {
      // Without a threshold the largest predictions are 1, but for those that are nothing.
      const bool is_predicted = metric.thresholds.empty() ? p[column] >= largest && std::abs(p[column]) > 1e-9F
                                                          : p[column] > static_cast<float>(metric.thresholds.front());
      const double y = batch.target(row, static_cast<std::int64_t>(column)), weight = batch.weight(row);
      const double predicted = is_predicted ? 1.0 : 0.0;
      sums[column] += weight * predicted * y;
      sums[columns + column] += weight * predicted * (1.0 - y);
      sums[2 * columns + column] += weight * (1.0 - predicted) * y;
      sums[3 * columns + column] += weight * y;
    }
  }
}

void add_confusion(const MetricSpec& metric, const MetricRows& batch, std::span<double> sums) {
  const std::int64_t classes = metric.num_classes;
  // Numbers are cut off as Keras casts them. What is no class misses them all: Keras ends there, which would end a run.
  const auto class_of = [&](double value) {
    return value > -1.0 && value < static_cast<double>(classes) ? static_cast<std::int64_t>(value) : classes;
  };
  const auto add = [&](double truth, double predicted, std::int64_t row) {
    if (metric.ignore_class && truth == static_cast<double>(*metric.ignore_class)) return;
    const std::int64_t true_class = class_of(truth);
    if (true_class == classes) refuse_target(metric, truth);
    sums[static_cast<std::size_t>(true_class * (classes + 1) + class_of(predicted))] += batch.weight(row);
  };
  for (std::int64_t row = 0; row < batch.rows.count(); ++row) {
    const float* p = batch.rows.outputs + row * batch.rows.columns;
    if (metric.kind == MetricKind::kOneHotIoU || metric.kind == MetricKind::kOneHotMeanIoU) {
      const double predicted =
          has_nan(p, batch.rows.columns) ? kNotANumber : static_cast<double>(first_maximum(batch, row, false));
      add(static_cast<double>(first_maximum(batch, row, true)), predicted, row);
      continue;
    }
    for (std::int64_t column = 0; column < batch.rows.columns; ++column) {
      double predicted = p[column];
      if (metric.kind == MetricKind::kBinaryIoU && !std::isnan(predicted)) {
        predicted = p[column] >= static_cast<float>(metric.threshold) ? 1.0 : 0.0;
      }
      add(batch.target(row, column), predicted, row);
    }
  }
}

void add_r2(const MetricRows& batch, std::span<double> sums) {
  const auto columns = static_cast<std::size_t>(batch.rows.columns);
  for (std::int64_t row = 0; row < batch.rows.count(); ++row) {
    const double weight = batch.weight(row);
    for (std::size_t column = 0; column < columns; ++column) {
      const double y = batch.target(row, static_cast<std::int64_t>(column));
      const double error = y - batch.rows.outputs[static_cast<std::size_t>(row) * columns + column];
      sums[column] += weight * y;
      sums[columns + column] += weight * y * y;
      sums[2 * columns + column] += weight * error * error;
    }
    sums[3 * columns] += weight;
    sums[3 * columns + 1] += static_cast<double>(columns);  // Keras counts the elements of the target
  }
}

}  // namespace modelhop::engine
