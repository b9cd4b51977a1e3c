// SPDX-License-Identifier: Apache-2.0
// Metrics as plain values, and how sums over examples become a metric's value. Sums of several segments add up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

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
  kMean,  ///< of the predictions
  kSum,
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
  bool from_logits = false;
  double label_smoothing = 0.0;
  double delta = 1.0;   ///< Huber
  double gamma = 2.0;   ///< focal losses
  double alpha = 0.25;  ///< focal losses
  bool apply_class_balancing = false;
  double beta = 1.0;    ///< FBetaScore
  std::string average;  ///< F scores: "" (per class, of which the mean is reported), micro, macro, weighted
  int num_classes = 2;  ///< IoU family
  std::vector<std::int64_t> target_class_ids;         ///< IoU family; empty: all
  std::string class_aggregation = "uniform_average";  ///< R2Score

  bool operator==(const MetricSpec&) const = default;
};

/// How many sums a metric keeps for an output of `columns` elements on its last axis.
std::size_t accumulator_count(const MetricSpec& metric, std::int64_t columns);

/// The value from these sums, as Keras's result() gives it; a metric of several values (several thresholds, one per
/// class) gives their mean. Not a number where nothing was counted and Keras would say so.
double metric_value(const MetricSpec& metric, std::span<const double> accumulators, std::int64_t columns);

}  // namespace modelhop
