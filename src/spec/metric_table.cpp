// SPDX-License-Identifier: Apache-2.0
// One table row per metric.
#include "spec/metric_table.hpp"

#include <algorithm>
#include <array>

#include "modelhop/error.hpp"
#include "spec/call_arguments.hpp"
#include "spec/grammar_text.hpp"

namespace modelhop::spec {
namespace {

constexpr auto kUp = MetricDirection::kUp;
constexpr auto kDown = MetricDirection::kDown;
constexpr auto kUnknown = MetricDirection::kUnknown;
constexpr auto kSame = TargetFit::kSameShape;
constexpr auto kClasses = TargetFit::kClasses;
constexpr auto kEither = TargetFit::kEither;

constexpr std::string_view kThresholds = "thresholds";
constexpr std::string_view kPrecisionLike = "thresholds top_k class_id";

constexpr std::array kMetrics = std::to_array<MetricRow>({
    {MetricKind::kAccuracy, "accuracy", "acc", "", kEither, kUp},
    {MetricKind::kBinaryAccuracy, "binary_accuracy", "", "* threshold", kSame, kUp},
    {MetricKind::kCategoricalAccuracy, "categorical_accuracy", "", "", kClasses, kUp},
    {MetricKind::kSparseCategoricalAccuracy, "sparse_categorical_accuracy", "", "", kClasses, kUp},
    {MetricKind::kTopKCategoricalAccuracy, "top_k_categorical_accuracy", "", "k", kClasses, kUp},
    {MetricKind::kSparseTopKCategoricalAccuracy, "sparse_top_k_categorical_accuracy", "", "k * from_sorted_ids",
     kClasses, kUp},
    {MetricKind::kMeanSquaredError, "mean_squared_error", "mse", "", kSame, kDown},
    {MetricKind::kMeanAbsoluteError, "mean_absolute_error", "mae", "", kSame, kDown},
    {MetricKind::kMeanAbsolutePercentageError, "mean_absolute_percentage_error", "mape", "", kSame, kDown},
    {MetricKind::kMeanSquaredLogarithmicError, "mean_squared_logarithmic_error", "msle", "", kSame, kDown},
    {MetricKind::kLogCosh, "logcosh", "log_cosh log_cosh_error", "", kSame, kDown},
    {MetricKind::kHuber, "huber", "huber_loss", "delta", kSame, kDown},
    {MetricKind::kHinge, "hinge", "", "", kSame, kDown},
    {MetricKind::kSquaredHinge, "squared_hinge", "", "", kSame, kDown},
    {MetricKind::kCategoricalHinge, "categorical_hinge", "", "", kClasses, kDown},
    {MetricKind::kKlDivergence, "kl_divergence", "kullback_leibler_divergence kld", "", kSame, kUnknown},
    {MetricKind::kPoisson, "poisson", "", "", kSame, kUnknown},
    {MetricKind::kCategoricalCrossentropy, "categorical_crossentropy", "", "* from_logits label_smoothing axis",
     kClasses, kDown},
    {MetricKind::kSparseCategoricalCrossentropy, "sparse_categorical_crossentropy", "",
     "* from_logits ignore_class axis", kClasses, kDown},
    {MetricKind::kBinaryCrossentropy, "binary_crossentropy", "bce", "* from_logits label_smoothing", kSame, kDown},
    {MetricKind::kBinaryFocalCrossentropy, "binary_focal_crossentropy", "",
     "apply_class_balancing alpha gamma from_logits label_smoothing axis", kSame, kDown},
    {MetricKind::kCategoricalFocalCrossentropy, "categorical_focal_crossentropy", "",
     "alpha gamma from_logits label_smoothing axis", kClasses, kDown},
    {MetricKind::kCosineSimilarity, "cosine_similarity", "cosine_proximity cosine", "* axis", kSame, kUp},
    {MetricKind::kRootMeanSquaredError, "root_mean_squared_error", "rmse", "", kSame, kDown},
    {MetricKind::kPearsonCorrelation, "pearson_correlation", "", "axis", kSame, kUp},
    {MetricKind::kConcordanceCorrelation, "concordance_correlation", "", "axis", kSame, kUp},
    {MetricKind::kMeanRelativeError, "mean_relative_error", "", "normalizer!", kSame, kDown},
    {MetricKind::kTruePositives, "true_positives", "", kThresholds, kSame, kUnknown},
    {MetricKind::kFalsePositives, "false_positives", "", kThresholds, kSame, kUnknown},
    {MetricKind::kTrueNegatives, "true_negatives", "", kThresholds, kSame, kUnknown},
    {MetricKind::kFalseNegatives, "false_negatives", "", kThresholds, kSame, kUnknown},
    {MetricKind::kPrecision, "precision", "", kPrecisionLike, kSame, kUp},
    {MetricKind::kRecall, "recall", "", kPrecisionLike, kSame, kUp},
    {MetricKind::kAuc, "auc", "",
     "num_thresholds curve summation_method * thresholds multi_label num_labels label_weights from_logits", kSame, kUp},
    {MetricKind::kSensitivityAtSpecificity, "sensitivity_at_specificity", "", "specificity! num_thresholds class_id",
     kSame, kUp},
    {MetricKind::kSpecificityAtSensitivity, "specificity_at_sensitivity", "", "sensitivity! num_thresholds class_id",
     kSame, kUp},
    {MetricKind::kPrecisionAtRecall, "precision_at_recall", "", "recall! num_thresholds class_id", kSame, kUp},
    {MetricKind::kRecallAtPrecision, "recall_at_precision", "", "precision! num_thresholds class_id", kSame, kUp},
    {MetricKind::kF1Score, "f1_score", "", "average threshold", kSame, kUp},
    {MetricKind::kFBetaScore, "fbeta_score", "f_beta_score", "average beta threshold", kSame, kUp},
    {MetricKind::kIoU, "io_u", "iou", "num_classes! target_class_ids! * ignore_class sparse_y_true sparse_y_pred axis",
     kSame, kUp},
    {MetricKind::kMeanIoU, "mean_io_u", "mean_iou", "num_classes! * ignore_class sparse_y_true sparse_y_pred axis",
     kSame, kUp},
    {MetricKind::kOneHotIoU, "one_hot_io_u", "one_hot_iou",
     "num_classes! target_class_ids! * ignore_class sparse_y_pred axis", kClasses, kUp},
    {MetricKind::kOneHotMeanIoU, "one_hot_mean_io_u", "one_hot_mean_iou",
     "num_classes! * ignore_class sparse_y_pred axis", kClasses, kUp},
    {MetricKind::kBinaryIoU, "binary_io_u", "binary_iou", "target_class_ids threshold", kSame, kUp},
    {MetricKind::kR2Score, "r2_score", "", "class_aggregation num_regressors", kSame, kUp},
});

// Keras knows no direction of a function.
constexpr MetricRow kCustomRow = {MetricKind::kCustom, "custom", "", "", kEither, kUnknown};

}  // namespace

std::span<const MetricRow> metric_rows() {
  return kMetrics;
}

const MetricRow* find_metric_row(const std::string& name) {
  for (const MetricRow& row : kMetrics) {
    if (row.name == name || has_word(row.aliases, name)) return &row;
  }
  return nullptr;
}

const MetricRow& metric_row(MetricKind kind) {
  if (kind == MetricKind::kCustom) return kCustomRow;
  for (const MetricRow& row : kMetrics) {
    if (row.kind == kind) return row;
  }
  throw Error(ErrorCode::kInternal, "a metric without a row in its table");
}

bool grows_with_quality(const MetricSpec& metric) {
  if (metric.kind == MetricKind::kFalsePositives || metric.kind == MetricKind::kFalseNegatives) return false;
  if (metric.kind != MetricKind::kCustom) return metric_row(metric.kind).direction != MetricDirection::kDown;
  std::string words = lower_case(metric.function);
  std::replace(words.begin(), words.end(), '_', ' ');
  for (const std::string_view good : {"acc", "accuracy", "auc", "precision", "recall", "f1", "iou", "score"}) {
    if (has_word(words, good)) return true;
  }
  return false;
}

}  // namespace modelhop::spec
