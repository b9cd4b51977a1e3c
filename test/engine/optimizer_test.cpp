// SPDX-License-Identifier: Apache-2.0
// Optimizers against real Keras, step by step, and both forms of a step against each other.
#include "engine/optimizer.hpp"
#include "engine/regularizer.hpp"

#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros_like.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "keras_case.hpp"
#include "spec/learning_rate.hpp"

namespace modelhop::engine {
namespace {

ModelSpec one_weight(std::int64_t count, RegularizerSpec regularizer = {}, bool is_trainable = true) {
  ModelSpec model;
  model.layers.push_back(
      {.name = "dense",
       .class_name = "Dense",
       .weights = {{.name = "kernel", .shape = {count}, .regularizer = regularizer, .is_trainable = is_trainable}}});
  model.weight_order = {{0, 0}};
  return model;
}

FlatState state_of(const ModelSpec& model, const OptimizerSpec& optimizer) {
  return {std::make_shared<StateLayout>(make_state_layout(model, optimizer)), Device{}, 1};
}

using Step = std::function<void(const OptimizerSpec&, SemanticsProfile, FlatState&, at::Tensor&)>;

void follow_keras(const nlohmann::json& fixture, const Step& apply) {
  const SemanticsProfile profile = fixture_profile(fixture.at("profile"));
  if (fixture.at("optimizer").at("kind") == "Lamb") GTEST_SKIP() << "Lamb is refused";
  const OptimizerSpec optimizer =
      parse_train_params("optimizer=" + python_text(fixture.at("optimizer")) + ", loss='mse'", "", profile).optimizer;
  const std::vector<float> start = fixture_floats(fixture.at("start"));
  ModelSpec model = one_weight(1);
  model.layers[0].weights[0].shape = fixture.at("shape").get<Shape>();
  FlatState state = state_of(model, optimizer);
  state.set_weights(start);
  std::vector<float> weights(start.size());
  for (std::size_t step = 0; step < fixture.at("gradients").size(); ++step) {
    at::Tensor gradients = at::zeros_like(state.parameters);
    const std::vector<float> given = fixture_floats(fixture.at("gradients")[step]);
    std::copy(given.begin(), given.end(), gradients.mutable_data_ptr<float>());
    apply(optimizer, profile, state, gradients);
    state.get_weights(weights);
    const std::vector<float> expected = fixture_floats(fixture.at("weights")[step]);
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const double update = std::abs(expected[i] - start[i]);
      EXPECT_NEAR(weights[i], expected[i], 1e-4 * update + 1.5e-7 * std::max(1.0F, std::abs(start[i])))
          << "step " << step << " weight " << i;
    }
  }
}

class KerasOptimizerTest : public ::testing::TestWithParam<NamedCase> {};

TEST_P(KerasOptimizerTest, TakesKerasSteps) {
  follow_keras(*GetParam().content, apply_optimizer);
}
TEST_P(KerasOptimizerTest, TakesThemByOperations) {
  follow_keras(*GetParam().content, apply_optimizer_by_operations);
}
INSTANTIATE_TEST_SUITE_P(Keras, KerasOptimizerTest, ::testing::ValuesIn(keras_cases("optimizer_steps")),
                         [](const auto& info) { return info.param.name; });

class KerasScheduleTest : public ::testing::TestWithParam<NamedCase> {};

TEST_P(KerasScheduleTest, HasKerasRates) {
  const nlohmann::json& fixture = *GetParam().content;
  const OptimizerSpec optimizer =
      parse_train_params("optimizer=SGD(learning_rate=" + python_text(fixture.at("schedule")) + "), loss='mse'", "")
          .optimizer;
  for (std::size_t i = 0; i < fixture.at("steps").size(); ++i) {
    const double expected = fixture.at("rates")[i];
    EXPECT_NEAR(learning_rate_at(optimizer, fixture.at("steps")[i]), expected, 2e-6 * std::abs(expected) + 1e-9)
        << "step " << fixture.at("steps")[i];
  }
}
INSTANTIATE_TEST_SUITE_P(Keras, KerasScheduleTest, ::testing::ValuesIn(keras_cases("schedules")),
                         [](const auto& info) { return info.param.name; });

TEST(Optimizer, AveragesWeightsWhileItAccumulatesGradients) {
  OptimizerSpec sgd = {.kind = OptimizerKind::kSgd, .learning_rate = 1.0};
  sgd.gradient_accumulation_steps = 2;
  sgd.use_ema = true;
  sgd.ema_momentum = 0.5;
  for (const SemanticsProfile profile : {SemanticsProfile::kTf2, SemanticsProfile::kKeras3}) {
    FlatState state = state_of(one_weight(1), sgd);
    for (int step = 0; step < 2; ++step) {
      at::Tensor gradients = at::zeros_like(state.parameters);
      gradients[0] = 4.0F;
      apply_optimizer(sgd, profile, state, gradients);
    }
    EXPECT_EQ(state.parameters[0].item<float>(), -4.0F);
    EXPECT_EQ(state.slots.back()[0].item<float>(), profile == SemanticsProfile::kKeras3 ? -4.0F : -2.0F);
  }
}

TEST(Optimizer, AveragesItsAccumulatedGradients) {
  OptimizerSpec sgd = {.kind = OptimizerKind::kSgd, .learning_rate = 1.0};
  sgd.gradient_accumulation_steps = 2;
  FlatState state = state_of(one_weight(1), sgd);
  const float expected[] = {0.0F, -2.0F, -2.0F, -5.0F};
  const float given[] = {1.0F, 3.0F, 2.0F, 4.0F};
  for (int step = 0; step < 4; ++step) {
    at::Tensor gradients = at::zeros_like(state.parameters);
    gradients[0] = given[step];
    apply_optimizer(sgd, SemanticsProfile::kKeras3, state, gradients);
    EXPECT_EQ(state.parameters[0].item<float>(), expected[step]) << "step " << step;
  }
}

TEST(Optimizer, AddsPenaltyGradientsFirst) {
  const OptimizerSpec sgd = {.kind = OptimizerKind::kSgd, .learning_rate = 1.0};
  const Step forms[] = {apply_optimizer, apply_optimizer_by_operations};
  for (const Step& apply : forms) {
    FlatState state = state_of(one_weight(3, {.l1 = 0.25, .l2 = 0.125}), sgd);
    state.set_weights(std::vector<float>{2.0F, -4.0F, 0.0F});
    at::Tensor gradients = at::zeros_like(state.parameters);
    apply(sgd, SemanticsProfile::kTf2Legacy, state, gradients);
    std::vector<float> weights(3);
    state.get_weights(weights);
    EXPECT_EQ(weights, (std::vector<float>{2.0F - 0.75F, -4.0F + 1.25F, 0.0F}));
  }
}

TEST(Optimizer, PenaltyCountsFrozenWeights) {
  const OptimizerSpec sgd = {.kind = OptimizerKind::kSgd};
  for (const bool is_trainable : {true, false}) {
    FlatState state = state_of(one_weight(2, {.l1 = 0.5, .l2 = 0.25}, is_trainable), sgd);
    state.set_weights(std::vector<float>{2.0F, -4.0F});
    EXPECT_DOUBLE_EQ(regularization_penalty(state), 0.5 * 6.0 + 0.25 * 20.0);
  }
}

TEST(Optimizer, LeavesPaddingAndUntouchedWeightsAlone) {
  for (const OptimizerKind kind :
       {OptimizerKind::kSgd, OptimizerKind::kRmsprop, OptimizerKind::kAdam, OptimizerKind::kAdagrad,
        OptimizerKind::kAdadelta, OptimizerKind::kAdamax, OptimizerKind::kNadam, OptimizerKind::kLion}) {
    const OptimizerSpec optimizer = {.kind = kind, .momentum = 0.9, .epsilon = 0.0, .amsgrad = true};
    FlatState state = state_of(one_weight(5), optimizer);
    at::Tensor gradients = at::zeros_like(state.parameters);
    for (int step = 0; step < 3; ++step) apply_optimizer(optimizer, SemanticsProfile::kKeras3, state, gradients);
    EXPECT_TRUE(state.parameters.equal(at::zeros_like(state.parameters)));
  }
}

TEST(Optimizer, BothFormsAgreeOnManyWeights) {
  for (const bool is_variant : {false, true}) {
    for (const OptimizerKind kind :
         {OptimizerKind::kSgd, OptimizerKind::kRmsprop, OptimizerKind::kAdam, OptimizerKind::kAdagrad}) {
      const OptimizerSpec optimizer = {.kind = kind,
                                       .momentum = is_variant ? 0.5 : 0.0,
                                       .nesterov = is_variant,
                                       .centered = is_variant,
                                       .amsgrad = is_variant};
      FlatState host = state_of(one_weight(1003), optimizer), device = state_of(one_weight(1003), optimizer);
      for (int step = 0; step < 3; ++step) {
        at::Tensor gradients = at::randn(host.parameters.sizes()), same = gradients.clone();
        apply_optimizer(optimizer, SemanticsProfile::kKeras3, host, gradients);
        apply_optimizer_by_operations(optimizer, SemanticsProfile::kKeras3, device, same);
      }
      EXPECT_TRUE(host.parameters.allclose(device.parameters, 1e-4, 1e-6)) << static_cast<int>(kind) << is_variant;
    }
  }
}

}  // namespace
}  // namespace modelhop::engine
