// SPDX-License-Identifier: Apache-2.0
// Losses, their gradients and metrics against real Keras, in both forms; shapes that do not fit; not-a-number.
#include "engine/loss.hpp"

#include <ATen/ops/empty_like.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/full_like.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "engine/loss_rows.hpp"
#include "keras_case.hpp"
#include "modelhop/error.hpp"

namespace modelhop::engine {
namespace {

ErrorCode code_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "no error";
  return ErrorCode::kInternal;
}

at::Tensor tensor_of(const nlohmann::json& values, const std::vector<std::int64_t>& shape) {
  std::vector<float> floats = fixture_floats(values);
  return at::from_blob(floats.data(), shape, at::kFloat).clone();
}

at::Tensor target_of(const nlohmann::json& fixture, const std::vector<std::int64_t>& shape) {
  if (!fixture.at("target_is_class_id").get<bool>()) return tensor_of(fixture.at("target"), shape);
  auto ids = fixture.at("target").get<std::vector<std::int64_t>>();
  return at::from_blob(ids.data(), {static_cast<std::int64_t>(ids.size())}, at::kLong).clone();
}

at::Tensor optional_tensor(const nlohmann::json& fixture, const char* key, const std::vector<std::int64_t>& shape) {
  return fixture.contains(key) ? tensor_of(fixture.at(key), shape) : at::Tensor();
}

/// The specs of `loss` and `metrics` as the reader of compile parameters gives them.
TrainSpec train_of(const std::string& compile, SemanticsProfile profile) {
  return parse_train_params("optimizer=SGD(), " + compile, "", profile);
}

OutputLoss loss_of(const nlohmann::json& fixture) {
  const std::string fused = fixture.at("fused");
  OutputLoss output;
  output.profile = fixture_profile(fixture.at("profile"));
  output.loss = train_of("loss=" + python_text(fixture.at("loss")), output.profile).losses.front();
  output.fused = fused == "softmax"   ? FinalActivation::kSoftmax
                 : fused == "sigmoid" ? FinalActivation::kSigmoid
                                      : FinalActivation::kNone;
  output.target_is_class_id = fixture.at("target_is_class_id");
  return output;
}

using LossForm =
    std::function<double(const OutputLoss&, const at::Tensor&, const at::Tensor&, const at::Tensor&, at::Tensor*)>;

double by_expression(const OutputLoss& loss, const at::Tensor& outputs, const at::Tensor& target,
                     const at::Tensor& factors, at::Tensor* gradient) {
  const auto rows = static_cast<double>(outputs.size(0));
  const std::int64_t columns = outputs.size(-1);
  const double positions = static_cast<double>(outputs.numel()) / rows / static_cast<double>(columns);
  return loss_by_expression(loss, outputs.reshape({-1, columns}), target, factors, gradient, 1.0 / (rows * positions)) /
         positions;
}

/// A loss without a reduction gives one value per example or position.
double mean_of(const nlohmann::json& value) {
  if (!value.is_array()) return fixture_floats({value}).front();
  double sum = 0.0;
  for (const float each : fixture_floats(value)) sum += each;
  return sum;
}

/// Equal up to rounding, or both not a number.
void expect_near(double value, double expected, double tolerance) {
  if (std::isnan(expected)) {
    EXPECT_TRUE(std::isnan(value));
  } else {
    EXPECT_NEAR(value, expected, tolerance);
  }
}

/// An axis other than the last is refused, and so are a few metrics that no output of a network gives.
bool is_refused(const nlohmann::json& fixture) {
  for (const char* key : {"loss", "metric"}) {
    if (!fixture.contains(key)) continue;
    const nlohmann::json& spec = fixture.at(key);
    const std::string kind = spec.at("kind");
    const bool has_axis = spec.contains("axis") && spec.at("axis") != -1;
    if (has_axis || kind == "Accuracy" || kind == "Mean" || kind == "Sum") return true;
  }
  return false;
}

void follow_keras(const nlohmann::json& fixture, const LossForm& form) {
  if (is_refused(fixture)) {
    EXPECT_EQ(code_of([&] { loss_of(fixture); }), ErrorCode::kNotSupported);
    return;
  }
  const auto shape = fixture.at("shape").get<std::vector<std::int64_t>>();
  // Keras 2.2 does not look behind an activation for logits.
  const bool is_keras22 = fixture_profile(fixture.at("profile")) == SemanticsProfile::kKeras22;
  if (is_keras22 && fixture.at("fused") != "none") return;
  if (fixture.at("value").is_array()) return;  // reduction none: refused by the reader of compile parameters
  const OutputLoss loss = loss_of(fixture);
  const at::Tensor outputs = tensor_of(fixture.at("outputs"), shape),
                   target = target_of(fixture, fixture.at("target_shape"));
  std::vector<std::int64_t> weight_shape = fixture.value("weight_shape", std::vector<std::int64_t>());
  const std::vector<std::int64_t> mask_shape(shape.begin(), shape.end() - 1);
  // A loss object of tf.keras to 2.10 does not look at the mask of its predictions: the model does that around it.
  const bool has_mask = loss.profile != SemanticsProfile::kTf1 && loss.profile != SemanticsProfile::kTf2Legacy;
  const at::Tensor factors =
      loss_factors(loss, outputs, target, optional_tensor(fixture, "sample_weights", weight_shape),
                   has_mask ? optional_tensor(fixture, "mask", mask_shape) : at::Tensor());
  at::Tensor gradient = at::full_like(outputs, 99.0F);
  const double sum = form(loss, outputs, target, factors, &gradient);
  const double expected = mean_of(fixture.at("value"));
  expect_near(sum / static_cast<double>(shape[0]), expected, 1e-5 * std::abs(expected) + 1e-7);
  expect_near(form(loss, outputs, target, factors, nullptr), sum, 1e-6 * std::abs(sum));
  if (!fixture.contains("gradient")) return;
  const std::vector<float> derivatives = fixture_floats(fixture.at("gradient"));
  for (std::size_t i = 0; i < derivatives.size(); ++i) {
    SCOPED_TRACE("derivative " + std::to_string(i));
    expect_near(gradient.const_data_ptr<float>()[i], derivatives[i], 1e-5 * std::abs(derivatives[i]) + 1e-7);
  }
}

class KerasLossTest : public ::testing::TestWithParam<NamedCase> {};

TEST_P(KerasLossTest, HasKerasValueAndGradient) {
  follow_keras(*GetParam().content, loss_and_gradient);
}
TEST_P(KerasLossTest, HasThemAsAnExpression) {
  follow_keras(*GetParam().content, by_expression);
}
INSTANTIATE_TEST_SUITE_P(Keras, KerasLossTest, ::testing::ValuesIn(keras_cases("loss_values")),
                         [](const auto& info) { return info.param.name; });

class KerasMetricTest : public ::testing::TestWithParam<NamedCase> {};

TEST_P(KerasMetricTest, HasKerasValueAfterEachUpdate) {
  const nlohmann::json& fixture = *GetParam().content;
  const SemanticsProfile profile = fixture_profile(fixture.at("profile"));
  const bool is_weighted = fixture.contains("sample_weights");
  const nlohmann::json& metric = fixture.at("metric");
  const bool shows_cut_weights = metric.at("kind") == "OneHotMeanIoU" || metric.contains("ignore_class");
  if (is_weighted && shows_cut_weights && profile == SemanticsProfile::kKeras3) {
    GTEST_SKIP() << "Keras 3.15 cuts the weights of MeanIoU to integers";
  }
  if (is_refused(fixture)) {
    const std::string text = "loss='mse', metrics=[" + python_text(fixture.at("metric")) + "]";
    EXPECT_EQ(code_of([&] { train_of(text, profile); }), ErrorCode::kNotSupported);
    return;
  }
  const std::string key = is_weighted ? "weighted_metrics" : "metrics";
  const TrainSpec train = train_of("loss='mse', " + key + "=[" + python_text(fixture.at("metric")) + "]", profile);
  const auto shape = fixture.at("shape").get<std::vector<std::int64_t>>();
  const std::int64_t columns = shape.size() > 1 ? shape.back() : 1;
  Objective objective;
  objective.metrics = train.metrics;
  objective.metric_columns = {columns};
  std::vector<double> sums(objective.accumulators());
  const at::Tensor predictions = tensor_of(fixture.at("predictions"), shape);
  const at::Tensor target = target_of(fixture, fixture.at("target_shape"));
  const at::Tensor weights = optional_tensor(fixture, "sample_weights", {shape[0]});
  const std::int64_t ends[] = {0, 4, shape[0]};
  for (std::size_t update = 0; update < 2; ++update) {
    const auto part = [&](const at::Tensor& tensor) {
      const std::int64_t per_row = tensor.size(0) / shape[0];
      return tensor.narrow(0, ends[update] * per_row, (ends[update + 1] - ends[update]) * per_row).contiguous();
    };
    const PredictedOutput output{part(predictions), part(target), fixture.at("target_is_class_id"), {}};
    add_metrics(objective, {&output, 1}, profile, is_weighted ? part(weights) : at::Tensor(), sums);
    const std::vector<float> results = fixture_floats(fixture.at("results")[update]);
    double expected = 0.0;
    for (const float result : results) expected += result / static_cast<double>(results.size());
    EXPECT_NEAR(metric_value(train.metrics[0], sums, columns), expected, 2e-6 * std::max(1.0, std::abs(expected)))
        << "update " << update;
  }
}
INSTANTIATE_TEST_SUITE_P(Keras, KerasMetricTest, ::testing::ValuesIn(keras_cases("metric_values")),
                         [](const auto& info) { return info.param.name; });

LossSpec loss_named(LossKind kind) {
  return {.kind = kind, .name = "loss"};
}

Objective resolve(LossKind kind, const Shape& output, const std::vector<std::int64_t>& columns,
                  FinalActivation final_activation = FinalActivation::kNone,
                  SemanticsProfile profile = SemanticsProfile::kTf2Legacy) {
  TrainSpec train;
  train.losses = {loss_named(kind)};
  train.metrics = {{MetricKind::kAccuracy, "accuracy"}};
  return resolve_objective(train, profile, {output}, columns, {final_activation});
}

TEST(Objective, TakesLogitsWhereTheActivationBelongsToTheLoss) {
  const auto softmax = FinalActivation::kSoftmax, sigmoid = FinalActivation::kSigmoid, none = FinalActivation::kNone;
  const auto fused = [](LossKind kind, std::int64_t columns, FinalActivation last,
                        SemanticsProfile profile = SemanticsProfile::kTf2Legacy) {
    return resolve(kind, {3}, {columns}, last, profile).outputs[0].fused;
  };
  EXPECT_EQ(fused(LossKind::kCategoricalCrossentropy, 3, softmax), softmax);
  EXPECT_EQ(fused(LossKind::kSparseCategoricalCrossentropy, 1, softmax), softmax);
  EXPECT_EQ(fused(LossKind::kBinaryCrossentropy, 3, sigmoid), sigmoid);
  EXPECT_EQ(fused(LossKind::kBinaryCrossentropy, 3, softmax), none);
  EXPECT_EQ(fused(LossKind::kCategoricalCrossentropy, 3, sigmoid), none);
  EXPECT_EQ(fused(LossKind::kMeanSquaredError, 3, softmax), none);
  EXPECT_EQ(fused(LossKind::kCategoricalCrossentropy, 3, softmax, SemanticsProfile::kKeras22), none);
}

TEST(Objective, ResolvesAccuracyByShapesAndGeneration) {
  const auto accuracy = [](LossKind kind, std::int64_t outputs, std::int64_t columns, SemanticsProfile profile) {
    return resolve(kind, {outputs}, {columns}, FinalActivation::kNone, profile).metrics[0].kind;
  };
  const auto tf2 = SemanticsProfile::kTf2Legacy, keras22 = SemanticsProfile::kKeras22;
  EXPECT_EQ(accuracy(LossKind::kMeanSquaredError, 1, 1, tf2), MetricKind::kBinaryAccuracy);
  EXPECT_EQ(accuracy(LossKind::kBinaryCrossentropy, 3, 3, tf2), MetricKind::kCategoricalAccuracy);
  EXPECT_EQ(accuracy(LossKind::kBinaryCrossentropy, 3, 3, keras22), MetricKind::kBinaryAccuracy);
  EXPECT_EQ(accuracy(LossKind::kSparseCategoricalCrossentropy, 3, 1, tf2), MetricKind::kSparseCategoricalAccuracy);
  EXPECT_EQ(accuracy(LossKind::kSparseCategoricalCrossentropy, 3, 3, tf2), MetricKind::kCategoricalAccuracy);
}

TEST(Objective, RefusesShapesThatDoNotFit) {
  const struct {
    LossKind kind;
    Shape output;
    std::int64_t columns;
  } misfits[] = {{LossKind::kCategoricalCrossentropy, {3}, 2},
                 {LossKind::kCategoricalCrossentropy, {1}, 1},
                 {LossKind::kSparseCategoricalCrossentropy, {1}, 1},
                 {LossKind::kBinaryCrossentropy, {3}, 1},
                 {LossKind::kMeanSquaredError, {2}, 1},
                 {LossKind::kCategoricalCrossentropy, {2, 3}, 3}};
  for (const auto& misfit : misfits) {
    EXPECT_EQ(code_of([&] { resolve(misfit.kind, misfit.output, {misfit.columns}); }), ErrorCode::kInvalidArgument);
  }
  EXPECT_NO_THROW(resolve(LossKind::kMeanSquaredError, {2}, {}));
  EXPECT_NO_THROW(resolve(LossKind::kMeanSquaredError, {2, 3}, {6}));
}

TEST(Loss, IsTheSameForClassIdsAndTheirOneHot) {
  const at::Tensor outputs = at::tensor({0.5F, -1.0F, 2.0F, 0.0F, 0.25F, 4.0F}).view({2, 3});
  const at::Tensor one_hot = at::tensor({0.0F, 1.0F, 0.0F, 1.0F, 0.0F, 0.0F}).view({2, 3});
  const at::Tensor ids = at::tensor({1, 0}, at::kLong);
  for (const LossKind kind : {LossKind::kCategoricalCrossentropy, LossKind::kSparseCategoricalCrossentropy}) {
    OutputLoss loss = resolve(kind, {3}, {3}, FinalActivation::kSoftmax).outputs[0];
    const double from_one_hot = loss_and_gradient(loss, outputs, one_hot, {}, nullptr);
    loss.target_is_class_id = true;
    EXPECT_EQ(loss_and_gradient(loss, outputs, ids, {}, nullptr), from_one_hot);
  }
}

TEST(Loss, RefusesClassIdsOutsideTheOutputs) {
  const OutputLoss loss =
      resolve(LossKind::kSparseCategoricalCrossentropy, {3}, {1}, FinalActivation::kSoftmax).outputs[0];
  const at::Tensor outputs = at::tensor({0.5F, -1.0F, 2.0F}).view({1, 3});
  for (const std::int64_t id : {-1, 3}) {
    EXPECT_EQ(code_of([&] { loss_and_gradient(loss, outputs, at::tensor({id}, at::kLong), {}, nullptr); }),
              ErrorCode::kInvalidArgument);
  }
}

TEST(Loss, OfNotANumberIsNotANumber) {
  const at::Tensor target = at::tensor({0.0F, 1.0F, 0.0F}).view({1, 3});
  for (const LossKind kind :
       {LossKind::kCategoricalCrossentropy, LossKind::kSparseCategoricalCrossentropy, LossKind::kBinaryCrossentropy,
        LossKind::kMeanSquaredError, LossKind::kMeanAbsoluteError}) {
    for (const auto activation : {FinalActivation::kNone, FinalActivation::kSoftmax, FinalActivation::kSigmoid}) {
      for (int place = 0; place < 3; ++place) {
        at::Tensor outputs = at::tensor({0.25F, 0.5F, 0.25F}).view({1, 3});
        outputs[0][place] = std::nanf("");
        const OutputLoss loss = resolve(kind, {3}, {3}, activation).outputs[0];
        EXPECT_TRUE(std::isnan(loss_and_gradient(loss, outputs, target, {}, nullptr)))
            << static_cast<int>(kind) << " place " << place;
      }
    }
  }
}

TEST(Metric, CountsNotANumberAsMiss) {
  const at::Tensor target = at::tensor({1.0F, 0.0F, 1.0F, 0.0F}).view({2, 2});
  const at::Tensor predictions = at::tensor({1.0F, std::nanf(""), 1.0F, 0.0F}).view({2, 2});
  Objective objective;
  objective.metrics = {{MetricKind::kCategoricalAccuracy, "a"},
                       {MetricKind::kTopKCategoricalAccuracy, "t"},
                       {MetricKind::kBinaryAccuracy, "b"}};
  objective.metric_columns = {2, 2, 2};
  std::vector<double> sums(objective.accumulators());
  const PredictedOutput output{predictions, target, false, {}};
  add_metrics(objective, {&output, 1}, SemanticsProfile::kTf2Legacy, {}, sums);
  EXPECT_EQ(sums, (std::vector<double>{1.0, 2.0, 1.0, 2.0, 1.5, 2.0}));
}

TEST(Metric, CountsAnIgnoredClassAsMiss) {
  const at::Tensor predictions = at::tensor({0.1F, 0.9F, 0.8F, 0.2F}).view({2, 2});
  Objective objective;
  objective.metrics = {{MetricKind::kSparseCategoricalAccuracy, "a"},
                       {MetricKind::kSparseTopKCategoricalAccuracy, "t"}};
  objective.metric_columns = {2, 2};
  std::vector<double> sums(objective.accumulators());
  for (const std::int64_t ignored : {-1, 255}) {
    const PredictedOutput output{predictions, at::tensor({std::int64_t{1}, ignored}, at::kLong), true, {}};
    std::fill(sums.begin(), sums.end(), 0.0);
    add_metrics(objective, {&output, 1}, SemanticsProfile::kTf2Legacy, {}, sums);
    EXPECT_EQ(sums, (std::vector<double>{1.0, 2.0, 1.0, 2.0}));
  }
}

TEST(Metric, CountsPredictionsThatAreNoClassAsMisses) {
  Objective objective;
  objective.metrics = {{MetricKind::kMeanIoU, "iou"}};
  objective.metric_columns = {1};
  const at::Tensor target = at::tensor({1.0F, 1.0F, 0.0F}).view({3, 1});
  for (const float predicted : {2.0F, -1.0F, 1e30F, std::nanf("")}) {
    std::vector<double> sums(objective.accumulators());
    const PredictedOutput output{at::tensor({predicted, 1.0F, 0.0F}).view({3, 1}), target, false, {}};
    add_metrics(objective, {&output, 1}, SemanticsProfile::kTf2Legacy, {}, sums);
    EXPECT_DOUBLE_EQ(metric_value(objective.metrics[0], sums, 1), (0.5 + 1.0) / 2.0) << predicted;
  }
}

TEST(Metric, CountsNotANumberAsMissOfItsClass) {
  Objective objective;
  objective.metrics = {{MetricKind::kOneHotMeanIoU, "one_hot"}, {MetricKind::kBinaryIoU, "binary"}};
  objective.metric_columns = {2, 2};
  const at::Tensor target = at::tensor({1.0F, 0.0F, 0.0F, 1.0F}).view({2, 2});
  const at::Tensor predictions = at::tensor({std::nanf(""), 0.0F, 0.0F, 1.0F}).view({2, 2});
  std::vector<double> sums(objective.accumulators());
  const PredictedOutput output{predictions, target, false, {}};
  add_metrics(objective, {&output, 1}, SemanticsProfile::kTf2Legacy, {}, sums);
  const std::span<const double> all = sums;
  EXPECT_DOUBLE_EQ(metric_value(objective.metrics[0], all.first(6), 2), 0.5);
  EXPECT_DOUBLE_EQ(metric_value(objective.metrics[1], all.subspan(6), 2), (1.0 + 0.5) / 2.0);
}

TEST(Metric, RefusesTargetsThatAreNoClass) {
  Objective objective;
  objective.metrics = {{MetricKind::kMeanIoU, "iou"}};
  objective.metric_columns = {1};
  std::vector<double> sums(objective.accumulators());
  for (const float target : {2.0F, -1.0F}) {
    const PredictedOutput output{at::tensor({1.0F}).view({1, 1}), at::tensor({target}).view({1, 1}), false, {}};
    EXPECT_EQ(code_of([&] {
                add_metrics(objective, {&output, 1}, SemanticsProfile::kTf2Legacy, {}, sums);
              }),
              ErrorCode::kInvalidArgument);
  }
}

TEST(Loss, IgnoresAClassOfOneHotTargetsAtEveryPosition) {
  OutputLoss loss = resolve(LossKind::kSparseCategoricalCrossentropy, {2, 3}, {6}).outputs[0];
  loss.loss.ignore_class = 2;
  const at::Tensor outputs = at::tensor({0.5F, 0.3F, 0.2F, 0.1F, 0.2F, 0.7F}).view({1, 2, 3});
  const at::Tensor target = at::tensor({1.0F, 0.0F, 0.0F, 0.0F, 0.0F, 1.0F}).view({1, 6});
  const at::Tensor factors = loss_factors(loss, outputs, target, {}, {});
  EXPECT_EQ(factors[0].item<float>(), 2.0F);
  EXPECT_EQ(factors[1].item<float>(), 0.0F);
}

TEST(Loss, OfAnIgnoredClassIsLeftOutOfTheMean) {
  OutputLoss loss = resolve(LossKind::kSparseCategoricalCrossentropy, {3}, {1}, FinalActivation::kSoftmax).outputs[0];
  loss.profile = SemanticsProfile::kKeras3;
  const at::Tensor outputs = at::tensor({0.5F, -1.0F, 2.0F, 9.0F, 0.0F, 0.0F}).view({2, 3});
  const double alone =
      loss_and_gradient(loss, outputs.narrow(0, 0, 1).contiguous(), at::tensor({1}, at::kLong), {}, nullptr);
  loss.loss.ignore_class = -1;
  const at::Tensor ids = at::tensor({1, -1}, at::kLong);
  at::Tensor gradient = at::empty_like(outputs);
  const double both = loss_and_gradient(loss, outputs, ids, loss_factors(loss, outputs, ids, {}, {}), &gradient);
  EXPECT_NEAR(both / 2, alone, 1e-6);
  EXPECT_EQ(gradient[1].abs().sum().item<float>(), 0.0F);
}

}  // namespace
}  // namespace modelhop::engine
