// SPDX-License-Identifier: Apache-2.0
// Metrics in every accepted form, and what is refused.
#include "samples.hpp"
#include "spec/metric_table.hpp"
#include "spec/train_params.hpp"

namespace modelhop {
namespace {

constexpr auto kInvalid = ErrorCode::kInvalidArgument;
constexpr auto kUnsupported = ErrorCode::kNotSupported;

TrainSpec train(const std::string& text) {
  return parse_train_params("optimizer='adam', loss='mse', metrics=" + text, "");
}

std::vector<MetricSpec> metrics(const std::string& text) {
  return train(text).metrics;
}

MetricSpec metric(const std::string& text) {
  const std::vector<MetricSpec> read = metrics("[" + text + "]");
  EXPECT_EQ(read.size(), 1U) << text;
  return read.front();
}

TEST(Metrics, names_of_all_generations) {
  const struct {
    MetricKind kind;
    std::vector<const char*> spellings;
  } cases[] = {
      {MetricKind::kAccuracy, {"'accuracy'", "'acc'", "accuracy", "'Accuracy'", "'ACC'"}},
      {MetricKind::kBinaryAccuracy, {"'binary_accuracy'", "'BinaryAccuracy'", "keras.metrics.BinaryAccuracy()"}},
      {MetricKind::kCategoricalAccuracy, {"'categorical_accuracy'", "CategoricalAccuracy()"}},
      {MetricKind::kSparseCategoricalAccuracy, {"'sparse_categorical_accuracy'", "SparseCategoricalAccuracy()"}},
      {MetricKind::kTopKCategoricalAccuracy,
       {"'top_k_categorical_accuracy'", "TopKCategoricalAccuracy()", "'top_3_accuracy'", "top_10_accuracy"}},
      {MetricKind::kSparseTopKCategoricalAccuracy,
       {"'sparse_top_k_categorical_accuracy'", "keras.metrics.SparseTopKCategoricalAccuracy(2)"}},
      {MetricKind::kMeanSquaredError, {"'mse'", "'MSE'", "'mean_squared_error'", "MeanSquaredError()"}},
      {MetricKind::kMeanAbsoluteError, {"'mae'", "'MAE'", "MeanAbsoluteError()"}},
      {MetricKind::kMeanAbsolutePercentageError, {"'mape'", "MeanAbsolutePercentageError()"}},
      {MetricKind::kMeanSquaredLogarithmicError, {"'msle'", "MeanSquaredLogarithmicError()"}},
      {MetricKind::kLogCosh, {"'logcosh'", "'log_cosh'", "LogCoshError()"}},
      {MetricKind::kHuber, {"'huber'", "'huber_loss'", "Huber(delta=2)"}},
      {MetricKind::kHinge, {"'hinge'", "Hinge()"}},
      {MetricKind::kSquaredHinge, {"'squared_hinge'", "SquaredHinge()"}},
      {MetricKind::kCategoricalHinge, {"'categorical_hinge'", "CategoricalHinge()"}},
      {MetricKind::kKlDivergence, {"'kullback_leibler_divergence'", "'kld'", "KLDivergence()"}},
      {MetricKind::kPoisson, {"'poisson'", "Poisson()"}},
      {MetricKind::kCategoricalCrossentropy, {"'categorical_crossentropy'", "CategoricalCrossentropy()"}},
      {MetricKind::kSparseCategoricalCrossentropy,
       {"'sparse_categorical_crossentropy'", "SparseCategoricalCrossentropy(ignore_class=None)"}},
      {MetricKind::kBinaryCrossentropy, {"'binary_crossentropy'", "'bce'", "BinaryCrossentropy()"}},
      {MetricKind::kBinaryFocalCrossentropy, {"'binary_focal_crossentropy'"}},
      {MetricKind::kCategoricalFocalCrossentropy, {"'categorical_focal_crossentropy'"}},
      {MetricKind::kCosineSimilarity, {"'cosine_similarity'", "'cosine_proximity'", "'cosine'", "CosineSimilarity()"}},
      {MetricKind::kRootMeanSquaredError, {"RootMeanSquaredError()", "'root_mean_squared_error'", "'RMSE'"}},
      {MetricKind::kTruePositives, {"TruePositives()", "'true_positives'"}},
      {MetricKind::kFalsePositives, {"FalsePositives()"}},
      {MetricKind::kTrueNegatives, {"TrueNegatives()"}},
      {MetricKind::kFalseNegatives, {"FalseNegatives()"}},
      {MetricKind::kPrecision, {"'Precision'", "'precision'", "tf.keras.metrics.Precision()"}},
      {MetricKind::kRecall, {"'Recall'", "Recall()"}},
      {MetricKind::kAuc, {"'AUC'", "'auc'", "AUC()", "keras.metrics.AUC(curve='PR')"}},
      {MetricKind::kSensitivityAtSpecificity, {"SensitivityAtSpecificity(0.5)"}},
      {MetricKind::kSpecificityAtSensitivity, {"SpecificityAtSensitivity(sensitivity=0.5)"}},
      {MetricKind::kPrecisionAtRecall, {"PrecisionAtRecall(0.5)"}},
      {MetricKind::kRecallAtPrecision, {"RecallAtPrecision(precision=0.5)"}},
      {MetricKind::kF1Score, {"F1Score()", "'f1_score'"}},
      {MetricKind::kFBetaScore, {"FBetaScore()", "'fbeta_score'"}},
      {MetricKind::kIoU, {"IoU(2, [0])", "IoU(num_classes=2, target_class_ids=[0, 1])"}},
      {MetricKind::kMeanIoU, {"MeanIoU(num_classes=3)", "MeanIoU(3, sparse_y_true=False, sparse_y_pred=True)"}},
      {MetricKind::kOneHotIoU,
       {"OneHotIoU(num_classes=3, target_class_ids=(0, 2))", "IoU(3, [1], sparse_y_pred=False)"}},
      {MetricKind::kOneHotMeanIoU, {"OneHotMeanIoU(num_classes=3)", "MeanIoU(3, sparse_y_pred=False)"}},
      {MetricKind::kBinaryIoU, {"BinaryIoU()", "'BinaryIoU'", "BinaryIoU(target_class_ids=[1], threshold=0.3)"}},
      {MetricKind::kR2Score, {"R2Score()", "'r2_score'"}},
  };
  for (const auto& test : cases) {
    for (const char* spelling : test.spellings) EXPECT_EQ(metric(spelling).kind, test.kind) << spelling;
    EXPECT_EQ(spec::metric_row(test.kind).kind, test.kind);
  }
}

TEST(Metrics, names_that_are_shown) {
  const struct {
    const char* text;
    const char* name;
  } cases[] = {
      {"'accuracy'", "accuracy"},
      {"'acc'", "acc"},
      {"'mse'", "mse"},
      {"'AUC'", "AUC"},
      {"'top_3_accuracy'", "top_3_accuracy"},
      {"keras.metrics.AUC", "AUC"},
      {"AUC()", "auc"},
      {"AUC(name='area')", "area"},
      {"'AUC()'", "auc"},
      {"TopKCategoricalAccuracy(k=4)", "top_k_categorical_accuracy"},
      {"F1Score()", "f1_score"},
      {"FBetaScore(name=None)", "fbeta_score"},
      {"LogCoshError()", "logcosh"},
      {"MeanIoU(2)", "mean_io_u"},
      {"MeanIoU(2, sparse_y_pred=False)", "mean_io_u"},
      {"{'class_name': 'Recall', 'config': {'name': 'r', 'dtype': 'float32'}}", "r"},
  };
  for (const auto& test : cases) EXPECT_EQ(metric(test.text).name, test.name) << test.text;
}

TEST(Metrics, arguments) {
  EXPECT_EQ(metric("'top_k_categorical_accuracy'").k, 5);
  EXPECT_EQ(metric("'top_3_accuracy'").k, 3);
  EXPECT_EQ(metric("TopKCategoricalAccuracy(k=4)").k, 4);
  EXPECT_EQ(metric("'keras.metrics.SparseTopKCategoricalAccuracy(2)'").k, 2);
  EXPECT_EQ(metric("BinaryAccuracy(threshold=0.3)").threshold, 0.3);
  const MetricSpec precision = metric("Precision(thresholds=[0.3, 0.7], top_k=2, class_id=1)");
  EXPECT_EQ(precision.thresholds, (std::vector<double>{0.3, 0.7}));
  EXPECT_EQ(precision.top_k, 2);
  EXPECT_EQ(precision.class_id, 1);
  EXPECT_EQ(metric("Recall(0.4)").thresholds, (std::vector<double>{0.4}));
  EXPECT_TRUE(metric("Recall(thresholds=None, top_k=None)").thresholds.empty());
  const MetricSpec auc = metric("AUC(100, curve='PR', summation_method='minoring', multi_label=True, num_labels=3)");
  EXPECT_EQ(auc.num_thresholds, 100);
  EXPECT_EQ(auc.curve, "PR");
  EXPECT_EQ(auc.summation, "minoring");
  EXPECT_TRUE(auc.multi_label);
  EXPECT_EQ(metric("AUC(curve='roc')").curve, "ROC");
  EXPECT_EQ(metric("AUC(thresholds=[0.2, 0.5])").thresholds.size(), 2U);
  EXPECT_TRUE(metric("AUC(from_logits=True)").from_logits);
  const MetricSpec at = metric("PrecisionAtRecall(recall=0.8, num_thresholds=50, class_id=2)");
  EXPECT_EQ(at.target, 0.8);
  EXPECT_EQ(at.num_thresholds, 50);
  EXPECT_EQ(at.class_id, 2);
  EXPECT_TRUE(metric("F1Score()").thresholds.empty());
  EXPECT_EQ(metric("F1Score(average='macro', threshold=0.5)").thresholds, (std::vector<double>{0.5}));
  EXPECT_EQ(metric("F1Score(average='macro')").average, "macro");
  EXPECT_EQ(metric("FBetaScore(average=None, beta=2)").beta, 2.0);
  EXPECT_EQ(metric("BinaryIoU(threshold=0.3)").threshold, 0.3);
  EXPECT_EQ(metric("BinaryIoU()").target_class_ids, (std::vector<std::int64_t>{0, 1}));
  EXPECT_EQ(metric("IoU(3, [2])").target_class_ids, (std::vector<std::int64_t>{2}));
  EXPECT_EQ(metric("MeanIoU(7)").num_classes, 7);
  EXPECT_EQ(metric("R2Score('variance_weighted_average')").class_aggregation, "variance_weighted_average");
  EXPECT_EQ(metric("R2Score(class_aggregation=None)").class_aggregation, "uniform_average");
  EXPECT_EQ(metric("CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)").label_smoothing, 0.1);
  EXPECT_TRUE(metric("'crossentropy'").follows_loss);
  EXPECT_TRUE(metric("'ce'").follows_loss);
}

TEST(Metrics, forms) {
  using Kind = OutputForm::Kind;
  EXPECT_TRUE(metrics("[]").empty());
  EXPECT_TRUE(metrics("None").empty());
  EXPECT_TRUE(metrics("[None]").empty());
  EXPECT_EQ(train("'acc'").metric_form.kind, Kind::kAll);
  EXPECT_EQ(train("AUC()").metric_form.kind, Kind::kAll);
  EXPECT_EQ(train("{'class_name': 'AUC', 'config': {}}").metric_form.kind, Kind::kAll);
  EXPECT_EQ(train("['acc', 'mse', None]").metric_form, (OutputForm{Kind::kFlatList, 3}));
  EXPECT_EQ(train("('acc', 'mse')").metric_form, (OutputForm{Kind::kFlatList, 2}));
  EXPECT_EQ(train("\"['acc']\"").metric_form, (OutputForm{Kind::kFlatList, 1}));
  const TrainSpec nested = train("[['acc', 'mse'], [], 'mae']");
  EXPECT_EQ(nested.metric_form, (OutputForm{Kind::kPerOutput, 3}));
  ASSERT_EQ(nested.metrics.size(), 3U);
  EXPECT_EQ(nested.metrics[1].output_index, 0);
  EXPECT_EQ(nested.metrics[2].output_index, 2);
  const TrainSpec dict = train("{'b': 'acc', 'a': ['mse', AUC()], 'c': None}");
  EXPECT_EQ(dict.metric_form.kind, Kind::kNamed);
  ASSERT_EQ(dict.metrics.size(), 3U);
  EXPECT_EQ(dict.metrics[0].output, "b");
  EXPECT_EQ(dict.metrics[2].output, "a");
  const TrainSpec weighted = train("['acc'], weighted_metrics=['acc', 'mse']");
  ASSERT_EQ(weighted.metrics.size(), 3U);
  EXPECT_FALSE(weighted.metrics[0].is_weighted);
  EXPECT_TRUE(weighted.metrics[2].is_weighted);
  EXPECT_EQ(weighted.metric_form.entries, 1U);
  EXPECT_EQ(weighted.weighted_metric_form.entries, 2U);
}

TEST(Metrics, refuses) {
  const struct {
    ErrorCode code;
    const char* text;
    const char* message;
  } cases[] = {
      {kInvalid, "'acuracy'", "unknown metric \"acuracy\""},
      {kInvalid, "'top_0_accuracy'", "unknown metric \"top_0_accuracy\""},
      {kInvalid, "'top_99999999999_accuracy'", "unknown metric"},
      {kInvalid, "7", "a name or a call"},
      {kInvalid, "[['acc']]", "a name or a call"},
      {kInvalid, "TopKCategoricalAccuracy(k=0)", "\"k\" must be at least 1"},
      {kInvalid, "TopKCategoricalAccuracy(k=2.5)", "\"k\" must be an integer"},
      {kInvalid, "TopKCategoricalAccuracy(k=99999999999)", "\"k\" must be an integer below"},
      {kInvalid, "'MeanIoU'", "\"num_classes\" is missing"},
      {kInvalid, "IoU(2)", "\"target_class_ids\" is missing"},
      {kInvalid, "IoU(2, [2])", "target class 2 is not below 2"},
      {kInvalid, "IoU(2, 1)", "must be a list of classes"},
      {kInvalid, "BinaryIoU([0, 2])", "target class 2 is not below 2"},
      {kInvalid, "MeanIoU(1000000)", "\"num_classes\" must be from 1 to 2000"},
      {kInvalid, "PrecisionAtRecall()", "\"recall\" is missing"},
      {kInvalid, "PrecisionAtRecall(1.5)", "\"recall\" must be from 0 to 1"},
      {kInvalid, "AUC(curve='PRC')", "\"curve\" must be one of 'roc', 'pr'"},
      {kInvalid, "AUC(num_thresholds=1)", "num_thresholds must be at least 2"},
      {kInvalid, "AUC(thresholds=[2])", "\"thresholds\" must be from 0 to 1"},
      {kInvalid, "AUC(thresholds=[])", "\"thresholds\" is an empty list"},
      {kInvalid, "F1Score(average='best')", "\"average\" must be one of"},
      {kInvalid, "F1Score(threshold=0)", "\"threshold\" must be above 0 and at most 1"},
      {kInvalid, "FBetaScore(beta=0)", "\"beta\" must be above 0"},
      {kInvalid, "R2Score('sum')", "\"class_aggregation\" must be one of"},
      {kInvalid, "MeanSquaredError(k=1)", "\"k\" is unknown"},
      {kInvalid, "AUC(name='')", "\"name\" must have from 1 to 200 bytes"},
      {kUnsupported, "Accuracy()", "metric \"Accuracy()\""},
      {kUnsupported, "'keras.metrics.Accuracy()'", "metric \"Accuracy()\""},
      {kUnsupported, "OneHotMeanIoU(2, sparse_y_pred=True)", "\"sparse_y_pred\" = \"True\""},
      {kInvalid, "R2Score(num_regressors=-1)", "\"num_regressors\""},
      {kInvalid, "AUC(label_weights=[-1, 2])", "\"label_weights\""},
      {kUnsupported, "CosineSimilarity(axis=1)", "\"axis\""},
      {kUnsupported, "SparseTopKCategoricalAccuracy(from_sorted_ids=True)", "\"from_sorted_ids\""},
      {kUnsupported, "Mean()", "metric \"Mean\""},
      {kInvalid, "MeanRelativeError()", "\"normalizer\""},
      {kUnsupported, "PearsonCorrelation(axis=0)", "\"axis\""},
  };
  for (const auto& test : cases) expect_error(test.code, test.message, [&] { metric(test.text); });
  std::string many = "['acc'";
  for (int i = 0; i < 200; ++i) many += ",'acc'";
  expect_error(kInvalid, "more than 200 metrics", [&] { metrics(many + "]"); });
  expect_error(kInvalid, "must be a string", [] { metrics("{0: 'acc'}"); });
  EXPECT_NE(error_of([] { metric("Accuracy()"); }).hint().find("'accuracy'"), std::string::npos);
}

}  // namespace
}  // namespace modelhop
