// SPDX-License-Identifier: Apache-2.0
// From a metric's sums to its value: keras.metrics, result().
#include <algorithm>
#include <cmath>

#include "modelhop/error.hpp"
#include "modelhop/metric.hpp"

namespace modelhop {
namespace {

/// Keras's divide_no_nan.
double ratio(double numerator, double denominator) {
  return denominator == 0.0 ? 0.0 : numerator / denominator;
}

bool is_at_target(MetricKind kind) {
  return kind == MetricKind::kSensitivityAtSpecificity || kind == MetricKind::kSpecificityAtSensitivity ||
         kind == MetricKind::kPrecisionAtRecall || kind == MetricKind::kRecallAtPrecision;
}

/// Counts at each threshold, of one label.
struct Counts {
  std::vector<double> tp, fp, tn, fn;
  std::size_t size() const { return tp.size(); }
};

Counts counts_of(std::span<const double> sums, std::size_t thresholds, std::size_t labels, std::size_t label) {
  Counts counts;
  std::vector<double>* lists[] = {&counts.tp, &counts.fp, &counts.tn, &counts.fn};
  for (std::size_t list = 0; list < 4; ++list) {
    for (std::size_t i = 0; i < thresholds; ++i) {
      lists[list]->push_back(sums[(list * thresholds + i) * labels + label]);
    }
  }
  return counts;
}

/// Area under precision and recall by the interpolation of Davis and Goadrich (ICML 2006), as Keras computes it.
double interpolated_pr_area(const Counts& c) {
  double area = 0.0;
  for (std::size_t i = 0; i + 1 < c.size(); ++i) {
    const double dtp = c.tp[i] - c.tp[i + 1];
    const double p = c.tp[i] + c.fp[i], next_p = c.tp[i + 1] + c.fp[i + 1];
    const double slope = ratio(dtp, std::max(p - next_p, 0.0));
    const double intercept = c.tp[i + 1] - slope * next_p;
    const double safe_ratio = p > 0.0 && next_p > 0.0 ? p / next_p : 1.0;
    area += ratio(slope * (dtp + intercept * std::log(safe_ratio)), std::max(c.tp[i + 1] + c.fn[i + 1], 0.0));
  }
  return area;
}

double area_of(const MetricSpec& metric, const Counts& c) {
  const bool is_pr = metric.curve == "PR";
  if (is_pr && metric.summation == "interpolation") return interpolated_pr_area(c);
  double area = 0.0;
  for (std::size_t i = 0; i + 1 < c.size(); ++i) {
    const auto x = [&](std::size_t k) {
      return is_pr ? ratio(c.tp[k], c.tp[k] + c.fn[k]) : ratio(c.fp[k], c.fp[k] + c.tn[k]);
    };
    const auto y = [&](std::size_t k) {
      return is_pr ? ratio(c.tp[k], c.tp[k] + c.fp[k]) : ratio(c.tp[k], c.tp[k] + c.fn[k]);
    };
    const double low = std::min(y(i), y(i + 1)), high = std::max(y(i), y(i + 1));
    const double height = metric.summation == "minoring"   ? low
                          : metric.summation == "majoring" ? high
                                                           : 0.5 * (low + high);
    area += (x(i) - x(i + 1)) * height;
  }
  return area;
}

/// The best value of one rate where another reaches the target; 0 where none does.
double value_at_target(const MetricSpec& metric, const Counts& c) {
  double best = 0.0;
  for (std::size_t i = 0; i < c.size(); ++i) {
    const double sensitivity = ratio(c.tp[i], c.tp[i] + c.fn[i]), specificity = ratio(c.tn[i], c.tn[i] + c.fp[i]);
    const double precision = ratio(c.tp[i], c.tp[i] + c.fp[i]);
    const auto [condition, value] =
        metric.kind == MetricKind::kSensitivityAtSpecificity   ? std::pair(specificity, sensitivity)
        : metric.kind == MetricKind::kSpecificityAtSensitivity ? std::pair(sensitivity, specificity)
        : metric.kind == MetricKind::kPrecisionAtRecall        ? std::pair(sensitivity, precision)
                                                               : std::pair(precision, sensitivity);
    if (condition >= metric.target) best = std::max(best, value);
  }
  return best;
}

double counts_at(MetricKind kind, const Counts& c, std::size_t i) {
  switch (kind) {
    case MetricKind::kTruePositives:
      return c.tp[i];
    case MetricKind::kFalsePositives:
      return c.fp[i];
    case MetricKind::kTrueNegatives:
      return c.tn[i];
    case MetricKind::kFalseNegatives:
      return c.fn[i];
    case MetricKind::kPrecision:
      return ratio(c.tp[i], c.tp[i] + c.fp[i]);
    case MetricKind::kRecall:
      return ratio(c.tp[i], c.tp[i] + c.fn[i]);
    default:
      throw Error(ErrorCode::kInternal, "a metric is not one of counts");
  }
}

double value_of_counts(const MetricSpec& metric, std::span<const double> sums, std::int64_t columns) {
  const std::size_t thresholds = metric_thresholds(metric).size();
  const std::size_t labels = metric.multi_label ? static_cast<std::size_t>(columns) : 1;
  double sum = 0.0, weights = 0.0;
  for (std::size_t label = 0; label < labels; ++label) {
    const Counts counts = counts_of(sums, thresholds, labels, label);
    // Where labels count together, their weights are in the counts.
    const double weight = metric.multi_label && !metric.label_weights.empty() ? metric.label_weights.at(label) : 1.0;
    weights += weight;
    if (metric.kind == MetricKind::kAuc) {
      sum += weight * area_of(metric, counts);
    } else if (is_at_target(metric.kind)) {
      sum += value_at_target(metric, counts);
    } else {
      double values = 0.0;
      for (std::size_t i = 0; i < thresholds; ++i) values += counts_at(metric.kind, counts, i);
      sum += values / static_cast<double>(thresholds);
    }
  }
  return ratio(sum, weights);
}

double f_score(const MetricSpec& metric, double tp, double fp, double fn) {
  const double beta = metric.kind == MetricKind::kF1Score ? 1.0 : metric.beta;
  const double precision = ratio(tp, tp + fp + 1e-7), recall = ratio(tp, tp + fn + 1e-7);
  return precision * recall * (1.0 + beta * beta) / (precision * beta * beta + recall + 1e-7);
}

double value_of_f_scores(const MetricSpec& metric, std::span<const double> sums, std::int64_t columns) {
  const auto classes = static_cast<std::size_t>(columns);
  const auto total = [&](std::size_t list) {
    double sum = 0.0;
    for (std::size_t i = 0; i < classes; ++i) sum += sums[list * classes + i];
    return sum;
  };
  if (metric.average == "micro") return f_score(metric, total(0), total(1), total(2));
  double sum = 0.0;
  for (std::size_t i = 0; i < classes; ++i) {
    const double weight =
        metric.average == "weighted" ? ratio(sums[3 * classes + i], total(3)) : 1.0 / static_cast<double>(classes);
    sum += weight * f_score(metric, sums[i], sums[classes + i], sums[2 * classes + i]);
  }
  return sum;
}

/// Mean over the wanted classes that occur, in truth or prediction, of intersection over union.
double value_of_confusion(const MetricSpec& metric, std::span<const double> sums) {
  const auto classes = static_cast<std::size_t>(metric.num_classes);
  double sum = 0.0, counted = 0.0;
  for (std::size_t i = 0; i < classes; ++i) {
    const auto& wanted = metric.target_class_ids;
    const auto id = static_cast<std::int64_t>(i);
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), id) == wanted.end()) continue;
    double row = 0.0, column = 0.0;
    for (std::size_t j = 0; j < classes; ++j) {
      row += sums[i * (classes + 1) + j];
      column += sums[j * (classes + 1) + i];
    }
    row += sums[i * (classes + 1) + classes];
    const double hits = sums[i * (classes + 1) + i], whole = row + column - hits;
    if (whole == 0.0) continue;
    sum += hits / whole;
    counted += 1.0;
  }
  return ratio(sum, counted);
}

double value_of_r2(const MetricSpec& metric, std::span<const double> sums, std::int64_t columns) {
  const auto count = static_cast<std::size_t>(columns);
  const double weight = sums[3 * count];
  double mean = 0.0, weighted = 0.0, variances = 0.0;
  for (std::size_t i = 0; i < count; ++i) {
    const double variance = sums[count + i] - sums[i] * ratio(sums[i], weight);
    const double score = 1.0 - ratio(sums[2 * count + i], variance);
    mean += score / static_cast<double>(count);
    weighted += score * variance;
    variances += variance;
  }
  const double score = metric.class_aggregation == "variance_weighted_average" ? ratio(weighted, variances) : mean;
  // With fewer samples Keras warns and gives the plain score.
  const double samples = sums[3 * count + 1], freedom = samples - metric.num_regressors - 1.0;
  if (metric.num_regressors == 0 || freedom <= 0.0) return score;
  return 1.0 - (1.0 - score) * (samples - 1.0) / freedom;
}

}  // namespace

MetricFamily metric_family(MetricKind kind) {
  if (kind >= MetricKind::kTruePositives && kind <= MetricKind::kRecallAtPrecision) return MetricFamily::kCounts;
  if (kind == MetricKind::kF1Score || kind == MetricKind::kFBetaScore) return MetricFamily::kFScores;
  if (kind >= MetricKind::kIoU && kind <= MetricKind::kBinaryIoU) return MetricFamily::kConfusion;
  return kind == MetricKind::kR2Score ? MetricFamily::kR2 : MetricFamily::kMeanOfRows;
}

std::vector<double> metric_thresholds(const MetricSpec& metric) {
  std::vector<double> thresholds;
  const bool is_auc = metric.kind == MetricKind::kAuc;
  if (!metric.thresholds.empty()) {
    thresholds = metric.thresholds;
    std::sort(thresholds.begin(), thresholds.end());
    if (!is_auc) return thresholds;
  } else if (is_auc || is_at_target(metric.kind)) {
    if (metric.num_thresholds == 1) return {0.5};
    for (int i = 1; i + 1 < metric.num_thresholds; ++i) {
      thresholds.push_back(static_cast<double>(i) / (metric.num_thresholds - 1));
    }
  } else {
    return {metric.top_k ? -1e10 : 0.5};
  }
  const double margin = is_auc ? 1e-7 : 0.0;
  thresholds.insert(thresholds.begin(), 0.0 - margin);
  thresholds.push_back(1.0 + margin);
  return thresholds;
}

std::size_t accumulator_count(const MetricSpec& metric, std::int64_t columns) {
  const auto width = static_cast<std::size_t>(columns);
  switch (metric_family(metric.kind)) {
    case MetricFamily::kMeanOfRows:
      return 2;
    case MetricFamily::kCounts:
      return 4 * metric_thresholds(metric).size() * (metric.multi_label ? width : 1);
    case MetricFamily::kFScores:
      return 4 * width;
    case MetricFamily::kConfusion:
      return static_cast<std::size_t>(metric.num_classes) * (static_cast<std::size_t>(metric.num_classes) + 1);
    case MetricFamily::kR2:
      return 3 * width + 2;
  }
  throw Error(ErrorCode::kInternal, "unknown metric family");
}

double metric_value(const MetricSpec& metric, std::span<const double> sums, std::int64_t columns) {
  check(sums.size() == accumulator_count(metric, columns), "the accumulators are not those of the metric");
  switch (metric_family(metric.kind)) {
    case MetricFamily::kMeanOfRows: {
      const double mean = ratio(sums[0], sums[1]);
      return metric.kind == MetricKind::kRootMeanSquaredError ? std::sqrt(mean) : mean;
    }
    case MetricFamily::kCounts:
      return value_of_counts(metric, sums, columns);
    case MetricFamily::kFScores:
      return value_of_f_scores(metric, sums, columns);
    case MetricFamily::kConfusion:
      return value_of_confusion(metric, sums);
    case MetricFamily::kR2:
      return value_of_r2(metric, sums, columns);
  }
  throw Error(ErrorCode::kInternal, "unknown metric family");
}

}  // namespace modelhop
