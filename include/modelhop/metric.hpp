// SPDX-License-Identifier: Apache-2.0
// Metrics as plain values, and how sums over examples become a metric's value. Sums of several segments add up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "modelhop/expression.hpp"

namespace modelhop {

enum class MetricKind : std::uint8_t {
  kAccuracy,  ///< "accuracy"/"acc": which accuracy depends on the shapes (and, before tf.keras 2, on the loss)
  kBinaryAccuracy,
  kCategoricalAccuracy,
  kSparseCategoricalAccuracy,
  kTopKCategoricalAccuracy,
  kSparseTopKCategoricalAccuracy,
  // Means of a loss of the same name.
  kMeanSquaredError,
  kMeanAbsoluteError,
  kMeanAbsolutePercentageError,
  kMeanSquaredLogarithmicError,
  kLogCosh,
  kHuber,
  kHinge,
  kSquaredHinge,
  kCategoricalHinge,
  kKlDivergence,
  kPoisson,
  kCategoricalCrossentropy,
  kSparseCategoricalCrossentropy,
  kBinaryCrossentropy,
  kBinaryFocalCrossentropy,
  kCategoricalFocalCrossentropy,
  kCosineSimilarity,  ///< positive where vectors agree, unlike the loss
  kRootMeanSquaredError,
  // Means of a value of each row.
  kPearsonCorrelation,
  kConcordanceCorrelation,
  kMeanRelativeError,
  // Counts against thresholds.
  kTruePositives,
  kFalsePositives,
  kTrueNegatives,
  kFalseNegatives,
  kPrecision,
  kRecall,
  kAuc,
  kSensitivityAtSpecificity,
  kSpecificityAtSensitivity,
  kPrecisionAtRecall,
  kRecallAtPrecision,
  kF1Score,  ///< FBetaScore with beta 1
  kFBetaScore,
  // Confusion matrices.
  kIoU,
  kMeanIoU,
  kOneHotIoU,
  kOneHotMeanIoU,
  kBinaryIoU,
  kR2Score,
  kCustom,  ///< MetricSpec::expression, the mean over rows
};

/// keras.metrics. Fields that a kind does not use are ignored.
struct MetricSpec {
  MetricKind kind = MetricKind::kAccuracy;
  /// Shown in metrics_type, known to callbacks: a name as the user wrote it, of a call `name=` or Keras's own ("auc").
  /// Resolved: unique, and "<output>_<name>" where there are several outputs.
  std::string name;
  std::string output;                       ///< the output that a dict named; empty: by position, see `output_index`
  int output_index = 0;                     ///< the model's output that it looks at
  bool is_weighted = false;                 ///< of weighted_metrics: sample and class weights count
  bool follows_loss = false;                ///< "crossentropy"/"ce", as parsed: resolve_train_spec() chooses which
  int k = 5;                                ///< top-k metrics
  double threshold = 0.5;                   ///< BinaryAccuracy
  std::vector<double> thresholds;           ///< Precision, Recall, counts, F scores: empty is 0.5 (F scores: arg max)
  std::optional<int> top_k;                 ///< Precision, Recall
  std::optional<int> class_id;              ///< Precision, Recall, threshold metrics at a target
  double target = 0.5;                      ///< XAtY: the value of Y
  int num_thresholds = 200;                 ///< AUC, XAtY
  std::string curve = "ROC";                ///< AUC: ROC or PR
  std::string summation = "interpolation";  ///< AUC: interpolation, minoring, majoring
  bool multi_label = false;                 ///< AUC
  std::vector<double> label_weights;        ///< AUC: of each column; empty: 1 each
  bool from_logits = false;
  double label_smoothing = 0.0;
  double delta = 1.0;   ///< Huber
  double gamma = 2.0;   ///< focal losses
  double alpha = 0.25;  ///< focal losses
  bool apply_class_balancing = false;
  std::vector<double> normalizer;  ///< MeanRelativeError: of each column, or one for all
  double beta = 1.0;               ///< FBetaScore
  std::string average;             ///< F scores: "" (per class, of which the mean is reported), micro, macro, weighted
  int num_classes = 2;             ///< IoU family
  std::vector<std::int64_t> target_class_ids;         ///< IoU family; empty: all
  std::optional<std::int64_t> ignore_class;           ///< IoU family: rows of this true class are left out
  std::string class_aggregation = "uniform_average";  ///< R2Score
  int num_regressors = 0;                             ///< R2Score: above 0 the adjusted score
  std::string function;                               ///< kCustom: name of the function
  ExpressionSpec expression;                          ///< kCustom

  bool operator==(const MetricSpec&) const = default;
};

// What a metric sums up, weighted by masks and (weighted_metrics) by sample weights:
//   means of rows          sum of values, sum of weights
//   counts                 true positives, false positives, true negatives, false negatives, each [thresholds];
//                          AUC with multi_label: each [thresholds, columns]
//   F scores               true positives, false positives, false negatives, each [columns], then true counts [columns]
//   IoU family             confusion matrix [true class, predicted class, and behind them none]
//   R2Score                sums of y, of y squared, of squared errors, each [columns], then the sum of weights and the
//                          number of elements

/// How many sums a metric keeps for an output of `columns` elements on its last axis.
std::size_t accumulator_count(const MetricSpec& metric, std::int64_t columns);

/// The value from these sums, as Keras's result() gives it; a metric of several values (several thresholds, one per
/// class) gives their mean. 0 where nothing was counted, as in Keras.
double metric_value(const MetricSpec& metric, std::span<const double> accumulators, std::int64_t columns);

enum class MetricFamily : std::uint8_t { kMeanOfRows, kCounts, kFScores, kConfusion, kR2 };
MetricFamily metric_family(MetricKind kind);

/// What predictions are compared with, ascending: those that were given, 0.5, or the grid of AUC and of the values at a
/// target. A prediction counts as positive where it is above.
std::vector<double> metric_thresholds(const MetricSpec& metric);

}  // namespace modelhop
