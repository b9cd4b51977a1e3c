// SPDX-License-Identifier: Apache-2.0
// Where weights lie, Keras's layouts in and out, and training state that survives only undamaged.
#include <ATen/ops/full.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/zeros_like.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <functional>
#include <numeric>

#include "engine/flat_state.hpp"
#include "engine/optimizer.hpp"
#include "modelhop/error.hpp"

namespace modelhop::engine {
namespace {

ModelSpec small_model() {
  ModelSpec model;
  model.layers.push_back({.name = "conv",
                          .class_name = "Conv2D",
                          .weights = {{.name = "kernel", .shape = {2, 3, 4, 5}}, {.name = "bias", .shape = {5}}}});
  model.layers.push_back({.name = "relu", .class_name = "Activation"});
  model.layers.push_back(
      {.name = "bn",
       .class_name = "BatchNormalization",
       .weights = {{.name = "gamma", .shape = {5}}, {.name = "moving_mean", .shape = {5}, .is_trainable = false}}});
  model.weight_order = {{0, 0}, {0, 1}, {2, 0}, {2, 1}};
  return model;
}

FlatState make_state(const OptimizerSpec& optimizer, std::uint64_t seed = 9) {
  return {std::make_shared<StateLayout>(make_state_layout(small_model(), optimizer)), Device{}, seed};
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

TEST(StateLayout, StartsEveryWeightAtSixtyFourBytes) {
  const StateLayout layout = make_state_layout(small_model(), {.kind = OptimizerKind::kAdam});
  ASSERT_EQ(layout.weights.size(), 4U);
  EXPECT_EQ(layout.weights[0].offset, 0);
  EXPECT_EQ(layout.weights[1].offset, 128);
  EXPECT_EQ(layout.weights[2].offset, 144);
  EXPECT_EQ(layout.weights[3].offset, 0);
  EXPECT_EQ(layout.parameter_floats, 160);
  EXPECT_EQ(layout.statistics_floats, 16);
  EXPECT_EQ(layout.weights[3].name, "bn/moving_mean");
  EXPECT_EQ(layout.layer_weights, (std::vector<std::vector<int>>{{0, 1}, {}, {2, 3}}));
}

TEST(StateLayout, HashTellsWhatDecidesThatStateFits) {
  const auto hash = [](const ModelSpec& model, const OptimizerSpec& optimizer) {
    return make_state_layout(model, optimizer).hash;
  };
  const OptimizerSpec sgd = {.kind = OptimizerKind::kSgd};
  const std::uint64_t base = hash(small_model(), sgd);
  ModelSpec renamed = small_model();
  renamed.layers[0].name = "another";
  EXPECT_EQ(hash(renamed, sgd), base);
  ModelSpec reshaped = small_model();
  reshaped.layers[0].weights[0].shape = {3, 2, 4, 5};
  EXPECT_NE(hash(reshaped, sgd), base);
  ModelSpec frozen = small_model();
  frozen.layers[0].weights[0].is_trainable = false;
  EXPECT_NE(hash(frozen, sgd), base);
  EXPECT_NE(hash(small_model(), {.kind = OptimizerKind::kSgd, .momentum = 0.9}), base);
  EXPECT_NE(hash(small_model(), {.kind = OptimizerKind::kAdagrad}),
            hash(small_model(), {.kind = OptimizerKind::kRmsprop}));
  EXPECT_NE(hash(small_model(), {.kind = OptimizerKind::kRmsprop, .momentum = 0.9}),
            hash(small_model(), {.kind = OptimizerKind::kRmsprop, .centered = true}));
  EXPECT_NE(hash(small_model(), {.kind = OptimizerKind::kAdam, .amsgrad = true}),
            hash(small_model(), {.kind = OptimizerKind::kAdam, .use_ema = true}));
}

TEST(FlatState, KeepsTheRateThatACallbackSet) {
  for (const OptimizerKind kind :
       {OptimizerKind::kSgd, OptimizerKind::kAdam, OptimizerKind::kNadam, OptimizerKind::kAdafactor}) {
    const OptimizerSpec optimizer = {.kind = kind, .learning_rate = 0.25};
    FlatState state = make_state(optimizer), copy = make_state(optimizer);
    EXPECT_EQ(state.learning_rate(), 0.25);
    copy.set_training_state(state.get_training_state());
    EXPECT_EQ(copy.learning_rate(), 0.25);
    state.set_learning_rate(0.125);
    copy.set_training_state(state.get_training_state());
    EXPECT_EQ(copy.learning_rate(), 0.125);
  }
}

TEST(FlatState, ReturnsTheWeightsItWasGivenAndStoresKernelsChannelsLast) {
  FlatState state = make_state({});
  std::vector<float> weights(2 * 3 * 4 * 5 + 15);
  std::iota(weights.begin(), weights.end(), 1.0F);
  state.set_weights(weights);
  std::vector<float> back(weights.size());
  state.get_weights(back);
  EXPECT_EQ(back, weights);

  const at::Tensor kernel = state.weight(0);
  EXPECT_EQ(kernel.sizes(), (at::IntArrayRef{5, 4, 2, 3}));
  EXPECT_TRUE(kernel.is_contiguous(at::MemoryFormat::ChannelsLast));
  // Keras index (height 1, width 2, input 3, output 4)
  EXPECT_EQ(kernel[4][3][1][2].item<float>(), weights[((1 * 3 + 2) * 4 + 3) * 5 + 4]);
  EXPECT_EQ(state.weight(3)[0].item<float>(), weights[130]);
  for (int index = 0; index < 4; ++index) {
    EXPECT_EQ(std::bit_cast<std::uintptr_t>(state.weight(index).data_ptr()) % 64, 0U);
  }
}

TEST(FlatState, RefusesAnotherNumberOfWeights) {
  FlatState state = make_state({});
  std::vector<float> weights(3);
  EXPECT_EQ(code_of([&] { state.set_weights(weights); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of([&] { state.get_weights(weights); }), ErrorCode::kInvalidArgument);
}

TEST(FlatState, CarriesItsTrainingStateOn) {
  const OptimizerSpec adam = {.kind = OptimizerKind::kAdam};
  FlatState state = make_state(adam, 77);
  at::Tensor gradients = at::ones_like(state.parameters);
  for (int step = 0; step < 3; ++step) apply_optimizer(adam, SemanticsProfile::kTf2Legacy, state, gradients);
  FlatState other = make_state(adam, 1);
  other.set_training_state(state.get_training_state());
  EXPECT_EQ(other.step, 3);
  EXPECT_EQ(other.configuration_seed, 77U);
  ASSERT_EQ(other.slots.size(), 2U);
  EXPECT_TRUE(other.slots[0].equal(state.slots[0]));
  EXPECT_TRUE(other.slots[1].equal(state.slots[1]));
  EXPECT_EQ(other.get_training_state(), state.get_training_state());
}

TEST(FlatState, RefusesTrainingStateWithAnyByteDamaged) {
  const OptimizerSpec momentum = {.kind = OptimizerKind::kSgd, .momentum = 0.9};
  FlatState state = make_state(momentum);
  const std::vector<std::byte> bytes = state.get_training_state();
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    auto damaged = bytes;
    damaged[at] ^= std::byte{4};
    ASSERT_EQ(code_of([&] { state.set_training_state(damaged); }), ErrorCode::kInvalidArgument) << "byte " << at;
  }
  for (const std::size_t size : {std::size_t{0}, std::size_t{20}, bytes.size() - 1}) {
    ASSERT_EQ(code_of([&] { state.set_training_state(std::span(bytes).first(size)); }), ErrorCode::kInvalidArgument);
  }
}

TEST(FlatState, RefusesTrainingStateOfAnotherOptimizer) {
  FlatState sgd = make_state({.kind = OptimizerKind::kSgd, .momentum = 0.9});
  FlatState adagrad = make_state({.kind = OptimizerKind::kAdagrad});
  EXPECT_EQ(code_of([&] { adagrad.set_training_state(sgd.get_training_state()); }), ErrorCode::kInvalidArgument);
}

TEST(FlatState, ResetsSlotsToTheirInitialValuesAndKeepsPaddingZero) {
  const OptimizerSpec adagrad = {.kind = OptimizerKind::kAdagrad, .initial_accumulator_value = 0.1};
  // Memory that the slot is likely to get.
  { const at::Tensor used = at::full({160}, 7.0F, at::kFloat), more = at::full({160}, 7.0F, at::kFloat); }
  FlatState state = make_state(adagrad);
  const at::Tensor fresh = state.slots[0].clone();
  EXPECT_EQ(fresh[0].item<float>(), 0.1F);
  EXPECT_EQ(fresh[125].item<float>(), 0.0F);  // between kernel and bias
  at::Tensor gradients = at::zeros_like(state.parameters);
  weight_view(state.layout().weights[1], gradients).fill_(1.0F);
  apply_optimizer(adagrad, SemanticsProfile::kTf2Legacy, state, gradients);
  EXPECT_FALSE(state.slots[0].equal(fresh));
  EXPECT_EQ(state.parameters[125].item<float>(), 0.0F);
  state.reset_optimizer(adagrad);
  EXPECT_TRUE(state.slots[0].equal(fresh));
  EXPECT_EQ(state.step, 0);
}

}  // namespace
}  // namespace modelhop::engine
