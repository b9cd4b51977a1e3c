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
#include "keras_fixture.hpp"
#include "modelhop/error.hpp"

namespace modelhop::engine {
namespace {

at::Tensor tensor_of(const nlohmann::json& values, const std::vector<std::int64_t>& shape) {
  std::vector<float> floats = fixture_floats(values);
  return at::from_blob(floats.data(), shape, at::kFloat).clone();
}

at::Tensor target_of(const nlohmann::json& fixture, const std::vector<std::int64_t>& shape) {
  if (!fixture.at("target_is_class_id").get<bool>()) return tensor_of(fixture.at("target"), shape);
  auto ids = fixture.at("target").get<std::vector<std::int64_t>>();
  return at::from_blob(ids.data(), {static_cast<std::int64_t>(ids.size())}, at::kLong).clone();
}

Objective objective_of(const nlohmann::json& fixture) {
  const std::string fused = fixture.at("fused");
  Objective objective;
  objective.loss = fixture_loss(fixture.at("loss"));
  objective.fused = fused == "softmax"   ? FinalActivation::kSoftmax
                    : fused == "sigmoid" ? FinalActivation::kSigmoid
                                         : FinalActivation::kNone;
  objective.profile = fixture_profile(fixture.at("profile"));
  objective.target_is_class_id = fixture.at("target_is_class_id");
  return objective;
}

using LossForm = std::function<double(const Objective&, const at::Tensor&, const at::Tensor&, at::Tensor*)>;

double by_operations(const Objective& objective, const at::Tensor& outputs, const at::Tensor& target,
                     at::Tensor* gradient) {
  const auto rows = static_cast<double>(outputs.size(0));
  const double positions = static_cast<double>(outputs.numel()) / rows / static_cast<double>(outputs.size(-1));
  return loss_on_device(objective, outputs, target, gradient, 1.0 / (rows * positions)) / positions;
}

void follow_keras(const std::string& file, const LossForm& form) {
  for (const auto& fixture : keras_fixture(file)) {
    SCOPED_TRACE(fixture.at("name").get<std::string>());
    const auto shape = fixture.at("shape").get<std::vector<std::int64_t>>();
    const Objective objective = objective_of(fixture);
    const at::Tensor outputs = tensor_of(fixture.at("outputs"), shape), target = target_of(fixture, shape);
    at::Tensor gradient = at::full_like(outputs, 99.0F);
    const double sum = form(objective, outputs, target, &gradient);
    const double expected = fixture.at("mean_loss");
    EXPECT_NEAR(sum / static_cast<double>(shape[0]), expected, 1e-5 * std::abs(expected) + 1e-7);
    const std::vector<float> derivatives = fixture_floats(fixture.at("gradient"));
    for (std::size_t i = 0; i < derivatives.size(); ++i) {
      EXPECT_NEAR(gradient.const_data_ptr<float>()[i], derivatives[i], 1e-5 * std::abs(derivatives[i]) + 1e-7)
          << "derivative " << i;
    }
    EXPECT_EQ(form(objective, outputs, target, nullptr), sum);
  }
}

TEST(Loss, FollowsKeras2) {
  follow_keras("losses.tf2_legacy.json", loss_and_gradient);
}
TEST(Loss, FollowsKeras3) {
  follow_keras("losses.keras3.json", loss_and_gradient);
}
TEST(Loss, OperationsFollowKeras2) {
  follow_keras("losses.tf2_legacy.json", by_operations);
}
TEST(Loss, OperationsFollowKeras3) {
  follow_keras("losses.keras3.json", by_operations);
}

MetricKind metric_kind(const std::string& name) {
  const std::pair<const char*, MetricKind> kinds[] = {
      {"categorical_accuracy", MetricKind::kCategoricalAccuracy},
      {"sparse_categorical_accuracy", MetricKind::kSparseCategoricalAccuracy},
      {"binary_accuracy", MetricKind::kBinaryAccuracy},
      {"top_k_categorical_accuracy", MetricKind::kTopKCategoricalAccuracy},
      {"sparse_top_k_categorical_accuracy", MetricKind::kSparseTopKCategoricalAccuracy},
      {"mean_squared_error", MetricKind::kMeanSquaredError},
      {"mean_absolute_error", MetricKind::kMeanAbsoluteError},
      {"categorical_crossentropy", MetricKind::kCategoricalCrossentropy},
      {"sparse_categorical_crossentropy", MetricKind::kSparseCategoricalCrossentropy},
      {"binary_crossentropy", MetricKind::kBinaryCrossentropy}};
  for (const auto& [known, kind] : kinds) {
    if (name == known) return kind;
  }
  throw std::runtime_error("unknown metric " + name);
}

void follow_keras_metrics(const std::string& file, SemanticsProfile profile) {
  for (const auto& fixture : keras_fixture(file)) {
    const std::string name = fixture.at("name");
    const int k = fixture.at("k");
    SCOPED_TRACE(name + " k " + std::to_string(k));
    const auto shape = fixture.at("shape").get<std::vector<std::int64_t>>();
    Objective objective;
    objective.profile = profile;
    objective.metrics = {{metric_kind(name), name, k}};
    objective.target_is_class_id = fixture.at("target_is_class_id");
    double sum = 0.5;
    add_metrics(objective, tensor_of(fixture.at("predictions"), shape), target_of(fixture, shape), {&sum, 1});
    const double expected = fixture.at("mean");
    EXPECT_NEAR((sum - 0.5) / static_cast<double>(shape[0]), expected, 1e-6 * std::max(1.0, std::abs(expected)));
  }
}

TEST(Metric, FollowsKeras2) {
  follow_keras_metrics("metrics.tf2_legacy.json", SemanticsProfile::kTf2Legacy);
}
TEST(Metric, FollowsKeras3) {
  follow_keras_metrics("metrics.keras3.json", SemanticsProfile::kKeras3);
}

LossSpec loss_named(LossKind kind) {
  return {.kind = kind, .name = "loss"};
}

Objective resolve(LossKind kind, const Shape& output, std::int64_t columns,
                  FinalActivation final_activation = FinalActivation::kNone,
                  SemanticsProfile profile = SemanticsProfile::kTf2Legacy) {
  TrainSpec train;
  train.loss = loss_named(kind);
  train.metrics = {{MetricKind::kAccuracy, "accuracy"}};
  return resolve_objective(train, profile, output, columns, final_activation);
}

TEST(Objective, TakesLogitsWhereTheActivationBelongsToTheLoss) {
  const auto softmax = FinalActivation::kSoftmax, sigmoid = FinalActivation::kSigmoid;
  EXPECT_EQ(resolve(LossKind::kCategoricalCrossentropy, {3}, 3, softmax).fused, softmax);
  EXPECT_EQ(resolve(LossKind::kSparseCategoricalCrossentropy, {3}, 1, softmax).fused, softmax);
  EXPECT_EQ(resolve(LossKind::kBinaryCrossentropy, {3}, 3, sigmoid).fused, sigmoid);
  EXPECT_EQ(resolve(LossKind::kBinaryCrossentropy, {3}, 3, softmax).fused, FinalActivation::kNone);
  EXPECT_EQ(resolve(LossKind::kCategoricalCrossentropy, {3}, 3, sigmoid).fused, FinalActivation::kNone);
  EXPECT_EQ(resolve(LossKind::kMeanSquaredError, {3}, 3, softmax).fused, FinalActivation::kNone);
  EXPECT_EQ(resolve(LossKind::kCategoricalCrossentropy, {3}, 3, softmax, SemanticsProfile::kKeras22).fused,
            FinalActivation::kNone);
}

TEST(Objective, ResolvesAccuracyByShapesAndGeneration) {
  const auto accuracy = [](LossKind kind, std::int64_t outputs, std::int64_t columns, SemanticsProfile profile) {
    return resolve(kind, {outputs}, columns, FinalActivation::kNone, profile).metrics[0].kind;
  };
  const auto tf2 = SemanticsProfile::kTf2Legacy, keras22 = SemanticsProfile::kKeras22;
  EXPECT_EQ(accuracy(LossKind::kMeanSquaredError, 1, 1, tf2), MetricKind::kBinaryAccuracy);
  EXPECT_EQ(accuracy(LossKind::kBinaryCrossentropy, 3, 3, tf2), MetricKind::kCategoricalAccuracy);
  EXPECT_EQ(accuracy(LossKind::kBinaryCrossentropy, 3, 3, keras22), MetricKind::kBinaryAccuracy);
  EXPECT_EQ(accuracy(LossKind::kSparseCategoricalCrossentropy, 3, 1, tf2), MetricKind::kSparseCategoricalAccuracy);
  EXPECT_EQ(accuracy(LossKind::kSparseCategoricalCrossentropy, 3, 3, tf2), MetricKind::kCategoricalAccuracy);
}

ErrorCode code_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "no error";
  return ErrorCode::kInternal;
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
                 {LossKind::kCategoricalCrossentropy, {2, 3}, 1}};
  for (const auto& misfit : misfits) {
    EXPECT_EQ(code_of([&] { resolve(misfit.kind, misfit.output, misfit.columns); }), ErrorCode::kInvalidArgument);
  }
  EXPECT_NO_THROW(resolve(LossKind::kMeanSquaredError, {2}, 0));
  EXPECT_NO_THROW(resolve(LossKind::kMeanSquaredError, {2, 3}, 6));
}

TEST(Loss, IsTheSameForClassIdsAndTheirOneHot) {
  const at::Tensor outputs = at::tensor({0.5F, -1.0F, 2.0F, 0.0F, 0.25F, 4.0F}).view({2, 3});
  const at::Tensor one_hot = at::tensor({0.0F, 1.0F, 0.0F, 1.0F, 0.0F, 0.0F}).view({2, 3});
  const at::Tensor ids = at::tensor({1, 0}, at::kLong);
  for (const LossKind kind : {LossKind::kCategoricalCrossentropy, LossKind::kSparseCategoricalCrossentropy}) {
    Objective objective = resolve(kind, {3}, 3, FinalActivation::kSoftmax);
    const double from_one_hot = loss_and_gradient(objective, outputs, one_hot, nullptr);
    objective.target_is_class_id = true;
    EXPECT_EQ(loss_and_gradient(objective, outputs, ids, nullptr), from_one_hot);
  }
}

TEST(Loss, RefusesClassIdsOutsideTheOutputs) {
  const Objective objective = resolve(LossKind::kSparseCategoricalCrossentropy, {3}, 1, FinalActivation::kSoftmax);
  const at::Tensor outputs = at::tensor({0.5F, -1.0F, 2.0F}).view({1, 3});
  for (const std::int64_t id : {-1, 3}) {
    EXPECT_EQ(code_of([&] { loss_and_gradient(objective, outputs, at::tensor({id}, at::kLong), nullptr); }),
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
        const Objective objective = resolve(kind, {3}, 3, activation);
        EXPECT_TRUE(std::isnan(loss_and_gradient(objective, outputs, target, nullptr)))
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
                       {MetricKind::kTopKCategoricalAccuracy, "t", 2},
                       {MetricKind::kBinaryAccuracy, "b"}};
  std::vector<double> sums(3);
  add_metrics(objective, predictions, target, sums);
  EXPECT_EQ(sums, (std::vector<double>{1.0, 1.0, 1.5}));
}

}  // namespace
}  // namespace modelhop::engine
