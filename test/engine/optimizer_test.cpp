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

#include "keras_fixture.hpp"

namespace modelhop::engine {
namespace {

ModelSpec one_weight(std::int64_t count, RegularizerSpec regularizer = {}, bool is_trainable = true) {
  ModelSpec model;
  model.layers.push_back(
      {.name = "dense",
       .class_name = "Dense",
       .weights = {{.name = "kernel", .shape = {count}, .regularizer = regularizer, .is_trainable = is_trainable}}});
  return model;
}

FlatState state_of(const ModelSpec& model, const OptimizerSpec& optimizer) {
  return {std::make_shared<StateLayout>(make_state_layout(model, optimizer)), Device{}, 1};
}

using Step = std::function<void(const OptimizerSpec&, SemanticsProfile, FlatState&, at::Tensor&)>;

void follow_keras(const std::string& file, const Step& apply) {
  for (const auto& fixture : keras_fixture(file)) {
    SCOPED_TRACE(fixture.at("optimizer").dump());
    const OptimizerSpec optimizer = fixture_optimizer(fixture.at("optimizer"));
    const std::vector<float> start = fixture_floats(fixture.at("start"));
    FlatState state = state_of(one_weight(static_cast<std::int64_t>(start.size())), optimizer);
    state.set_weights(start);
    std::vector<float> weights(start.size()), before = start, expected_before = start;
    for (std::size_t step = 0; step < 4; ++step) {
      at::Tensor gradients = at::zeros_like(state.parameters);
      const std::vector<float> given = fixture_floats(fixture.at("gradients")[step]);
      std::copy(given.begin(), given.end(), gradients.mutable_data_ptr<float>());
      apply(optimizer, fixture_profile(fixture.at("profile")), state, gradients);
      state.get_weights(weights);
      const std::vector<float> expected = fixture_floats(fixture.at("weights")[step]);
      for (std::size_t i = 0; i < weights.size(); ++i) {
        const double update = std::abs(expected[i] - start[i]);
        EXPECT_NEAR(weights[i], expected[i], 1e-4 * update + 1.5e-7 * std::max(1.0F, std::abs(start[i])))
            << "step " << step << " weight " << i;
      }
    }
    EXPECT_EQ(state.step, 4);
  }
}

TEST(Optimizer, FollowsLegacyKeras) {
  follow_keras("optimizers.tf2_legacy.json", apply_optimizer);
}
TEST(Optimizer, FollowsRewrittenKeras2) {
  follow_keras("optimizers.tf2.json", apply_optimizer);
}
TEST(Optimizer, FollowsKeras3) {
  follow_keras("optimizers.keras3.json", apply_optimizer);
}
TEST(Optimizer, OperationsFollowLegacyKeras) {
  follow_keras("optimizers.tf2_legacy.json", apply_optimizer_by_operations);
}
TEST(Optimizer, OperationsFollowKeras3) {
  follow_keras("optimizers.keras3.json", apply_optimizer_by_operations);
}

TEST(Optimizer, OfStandaloneKerasCountsItsFirstStepAsTheSecond) {
  const OptimizerSpec sgd = {.kind = OptimizerKind::kSgd, .learning_rate = 0.1, .decay = 0.5, .momentum = 0.9};
  FlatState state = state_of(one_weight(1), sgd);
  const double expected[] = {-.0666667, -.1766667, -.3156667};
  for (const double weight : expected) {
    at::Tensor gradients = at::zeros_like(state.parameters);
    gradients[0] = 1.0F;
    apply_optimizer(sgd, SemanticsProfile::kKeras22, state, gradients);
    EXPECT_NEAR(state.parameters[0].item<float>(), weight, 1e-6);
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
       {OptimizerKind::kSgd, OptimizerKind::kRmsprop, OptimizerKind::kAdam, OptimizerKind::kAdagrad}) {
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
