// SPDX-License-Identifier: Apache-2.0
// Gradients of every layer against finite differences of the loss, and forward passes worked out by hand.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <numeric>

#include "gradient_check.hpp"
#include "layer_network.hpp"
#include "modelhop/error.hpp"
#include "spec/activation_names.hpp"

namespace modelhop::engine {
namespace {

using test::Dataset;
using test::NetworkBuilder;

class GradientTest : public ::testing::TestWithParam<GradientCase> {};

TEST_P(GradientTest, AgreesWithFiniteDifferences) {
  expect_gradients_of_differences(GetParam());
}

ModelSpec activation_network(const std::string& activation, SemanticsProfile profile = SemanticsProfile::kTf2Legacy) {
  return NetworkBuilder({3}).profile(profile).dense(4).activation(activation).dense(2).build();
}

NetworkBuilder images() {
  return NetworkBuilder({5, 6, 2});
}

ModelSpec shared_layer(const std::string& activation = "tanh") {
  NetworkBuilder builder({4});
  builder.dense(4, activation);
  const int first = builder.last();
  builder.call_again(first).call_again(first);
  return builder.dense(2).build();
}

ModelSpec branches(const std::string& merge) {
  NetworkBuilder builder = images();
  builder.conv2d(3, 3, "same", "tanh");
  const int stem = builder.last();
  builder.conv2d(3, 1, "same", "sigmoid");
  const int left = builder.last();
  builder.from(stem).conv2d(3, 3, "same");
  const int right = builder.last();
  return builder.merge(merge, {left, stem, right}).global_pool("Average").dense(2).build();
}

/// A relu that neither neighbour may take over alone.
ModelSpec relu_of_two_consumers() {
  NetworkBuilder builder = images();
  builder.conv2d(3, 3, "same", "relu");
  const int stem = builder.last();
  builder.pool("Max", 2, 1, "same");
  return builder.merge("Add", {builder.last(), stem}).flatten().dense(2).build();
}

std::vector<GradientCase> gradient_cases() {
  std::vector<GradientCase> cases = {
      {"dense", NetworkBuilder({3}).dense(4).dense(2).build()},
      {"dense_without_bias", NetworkBuilder({3}).dense(4, "tanh", false).dense(2, "linear", false).build()},
      {"dense_of_rank_3", NetworkBuilder({3, 4}).dense(5, "tanh").dense(2).flatten().dense(2).build()},
      {"conv2d_valid", images().conv2d(3, 3).conv2d(2, 2).flatten().build()},
      {"conv2d_same", images().conv2d(3, 3, "same", "tanh").conv2d(2, 3, "same").flatten().build()},
      {"conv2d_same_stride",
       images().conv2d(3, 3, "same", "tanh", 2).conv2d(2, 2, "same", "linear", 2).flatten().build()},
      {"conv2d_even_kernel", images().conv2d(3, 2, "same", "tanh").conv2d(2, 4, "same").flatten().build()},
      {"conv2d_dilation", images().conv2d(2, 3, "same").conv2d(2, 2, "same", "linear", 1, 2).flatten().build()},
      {"conv2d_groups", images().conv2d(4, 3, "same").conv2d(4, 3, "same", "linear", 1, 1, 2).flatten().build()},
      {"conv2d_to_one_channel", images().conv2d(1, 3, "same").conv2d(1, 3, "same").flatten().build()},
      {"max_pooling_valid", images().conv2d(3, 3, "same").pool("Max", 2, 2).flatten().dense(2).build(),
       LossKind::kMeanSquaredError, true},
      {"max_pooling_same", images().conv2d(3, 3, "same").pool("Max", 3, 2, "same").flatten().dense(2).build(),
       LossKind::kMeanSquaredError, true},
      {"max_pooling_even_same", images().conv2d(3, 3, "same").pool("Max", 2, 1, "same").flatten().dense(2).build(),
       LossKind::kMeanSquaredError, true},
      {"relu_before_max_pooling", images().conv2d(3, 3, "same", "relu").pool("Max", 2, 2).flatten().dense(2).build(),
       LossKind::kMeanSquaredError, true},
      {"relu_before_overlapping_max_pooling",
       images().conv2d(17, 3, "same", "relu").pool("Max", 3, 2, "same").flatten().dense(2).build(),
       LossKind::kMeanSquaredError, true},
      {"relu_before_global_max_pooling", images().conv2d(3, 3, "same", "relu").global_pool("Max").dense(2).build(),
       LossKind::kMeanSquaredError, true},
      {"relu_of_dense_and_conv2d",
       images().conv2d(3, 3, "same", "relu").conv2d(2, 3).flatten().dense(5, "relu").dense(2).build(),
       LossKind::kMeanSquaredError, true},
      {"relu_before_dropout", NetworkBuilder({6}).dense(8, "relu").dropout(0.4).dense(2).build(),
       LossKind::kMeanSquaredError, true},
      {"relu_of_frozen_dense", NetworkBuilder({3}).dense(4, "tanh").dense(4, "relu").freeze().dense(2).build(),
       LossKind::kMeanSquaredError, true},
      {"relu_of_shared_layer", shared_layer("relu"), LossKind::kMeanSquaredError, true},
      {"relu_behind_relu", NetworkBuilder({3}).dense(6, "relu").activation("relu").dense(2).build(),
       LossKind::kMeanSquaredError, true},
      {"relu_at_the_end", NetworkBuilder({3}).dense(4, "tanh").dense(4, "relu").build(), LossKind::kMeanSquaredError,
       true},
      {"relu_of_two_consumers", relu_of_two_consumers(), LossKind::kMeanSquaredError, true},
      {"average_pooling_valid", images().conv2d(3, 3, "same").pool("Average", 2, 2).flatten().build()},
      {"average_pooling_same", images().conv2d(3, 3, "same").pool("Average", 3, 2, "same").flatten().build()},
      {"average_pooling_even_same", images().conv2d(2, 3, "same").pool("Average", 2, 1, "same").flatten().build()},
      {"global_average_pooling", images().conv2d(3, 3, "same").global_pool("Average").dense(2).build()},
      {"global_max_pooling", images().conv2d(3, 3, "same").global_pool("Max").dense(2).build(),
       LossKind::kMeanSquaredError, true},
      {"zero_padding", images().conv2d(2, 2).zero_padding({1, 2, 0, 3}).conv2d(2, 3).flatten().build()},
      {"batch_normalization_rank_2",
       NetworkBuilder({3}).dense(4).batch_normalization().activation("tanh").dense(2).build(),
       LossKind::kMeanSquaredError, true},
      {"batch_normalization_rank_3",
       NetworkBuilder({3, 4}).dense(4).batch_normalization().activation("tanh").flatten().dense(2).build()},
      {"batch_normalization_rank_4",
       images().conv2d(3, 3).batch_normalization().activation("tanh").flatten().dense(2).build()},
      {"relu_before_batch_normalization",
       images().conv2d(3, 3, "same", "relu").batch_normalization().flatten().dense(2).build(),
       LossKind::kMeanSquaredError, true},
      {"relu_before_batch_normalization_frozen",
       images().conv2d(3, 3, "same", "relu").batch_normalization(false).flatten().dense(2).build(),
       LossKind::kMeanSquaredError, true},
      {"relu_before_batch_normalization_frozen_keras22",
       images()
           .profile(SemanticsProfile::kKeras22)
           .conv2d(3, 3, "same", "relu")
           .batch_normalization(false)
           .flatten()
           .dense(2)
           .build(),
       LossKind::kMeanSquaredError, true},
      {"batch_normalization_first_axis",
       images().conv2d(3, 3).batch_normalization(true, 0).activation("tanh").flatten().dense(2).build()},
      {"batch_normalization_frozen",
       images().conv2d(3, 3).batch_normalization(false).activation("tanh").flatten().dense(2).build()},
      {"batch_normalization_frozen_keras22", images()
                                                 .profile(SemanticsProfile::kKeras22)
                                                 .conv2d(3, 3)
                                                 .batch_normalization(false)
                                                 .activation("tanh")
                                                 .flatten()
                                                 .dense(2)
                                                 .build()},
      {"batch_normalization_first", NetworkBuilder({3}).batch_normalization().dense(2, "tanh").build()},
      {"dropout", NetworkBuilder({6}).dense(8, "tanh").dropout(0.4).dense(6).dropout(0.3).dense(2).build()},
      {"dropout_of_the_input", NetworkBuilder({6}).dropout(0.4).dense(2).build()},
      {"reshape", NetworkBuilder({12}).dense(12, "tanh").reshape({2, 3, 2}).conv2d(2, 2, "same").flatten().build()},
      {"output_without_axes", NetworkBuilder({3}).dense(4, "tanh").dense(1).reshape({}).build()},
      {"softmax_inside", NetworkBuilder({3}).dense(4, "softmax").dense(2).build()},
      {"softmax_over_first_axis", NetworkBuilder({3, 4}).dense(4).softmax(0).flatten().dense(2).build()},
      {"relu_layer", NetworkBuilder({3}).dense(4).relu(0.5, 0.1, 0.05).dense(2).build(), LossKind::kMeanSquaredError,
       true},
      {"leaky_relu_layer", NetworkBuilder({3}).dense(4).leaky_relu(0.3).dense(2).build(), LossKind::kMeanSquaredError,
       true},
      {"gated_dense", NetworkBuilder({3}).dense(6, "glu").dense(2).build()},
      {"gated_conv2d", images().conv2d(4, 3, "same", "glu").conv2d(2, 3).flatten().build()},
      {"frozen_dense", NetworkBuilder({3}).dense(4, "tanh").dense(4, "tanh").freeze().dense(2).build()},
      {"shared_layer", shared_layer()},
      {"add", branches("Add")},
      {"concatenate", branches("Concatenate")},
      {"softmax_crossentropy", NetworkBuilder({3}).dense(4, "softmax").build(), LossKind::kCategoricalCrossentropy},
      {"softmax_mean_squared_error", NetworkBuilder({3}).dense(4, "softmax").build()},
      {"sigmoid_crossentropy", NetworkBuilder({3}).dense(4, "sigmoid").build(), LossKind::kBinaryCrossentropy},
      {"probabilities_crossentropy",
       NetworkBuilder({3}).profile(SemanticsProfile::kKeras22).dense(4, "softmax").build(),
       LossKind::kCategoricalCrossentropy},
      {"hard_sigmoid_keras2", activation_network("hard_sigmoid"), LossKind::kMeanSquaredError, true},
      {"hard_sigmoid_keras3", activation_network("hard_sigmoid", SemanticsProfile::kKeras3),
       LossKind::kMeanSquaredError, true},
  };
  for (const char* name : {"sigmoid", "tanh", "elu", "softplus", "exponential", "silu", "gelu", "mish", "log_softmax",
                           "log_sigmoid", "celu", "glu", "squareplus", "tanh_shrink"}) {
    cases.push_back({name, activation_network(name)});
  }
  for (const char* name : {"relu", "selu", "softsign", "relu6", "leaky_relu", "hard_silu", "hard_tanh", "hard_shrink",
                           "soft_shrink", "sparsemax"}) {
    cases.push_back({name, activation_network(name), LossKind::kMeanSquaredError, true});
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Layers, GradientTest, ::testing::ValuesIn(gradient_cases()),
                         [](const auto& info) { return std::string(info.param.name); });

using Floats = std::vector<float>;

TEST(LayerTest, SamePaddingPutsTheOddCellLast) {
  const Floats image = {1, 2, 3, 4, 5, 6};  // 2 x 3
  EXPECT_EQ(outputs_of(NetworkBuilder({2, 3, 1}).pool("Max", 2, 2, "same").build(), image), Floats({5, 6}));
  EXPECT_EQ(outputs_of(NetworkBuilder({2, 3, 1}).pool("Average", 2, 2, "same").build(), image), Floats({3, 4.5F}));
  EXPECT_EQ(outputs_of(NetworkBuilder({2, 3, 1}).pool("Max", 2, 2, "same").build(), {-1, -2, -3, -4, -5, -6}),
            Floats({-1, -3}));
}

TEST(LayerTest, ReluHasItsOwnSlopeThresholdAndMaximum) {
  EXPECT_EQ(outputs_of(NetworkBuilder({4}).relu(6, 0.5, 2).build(), {-2, 2, 3, 9}), Floats({-2, 0, 3, 6}));
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(outputs_of(NetworkBuilder({3}).relu(infinity, 0, 1).build(), {-2, 0.5F, 3}), Floats({0, 0, 3}));
}

TEST(LayerTest, FlattenKeepsHeightWidthChannels) {
  Floats input(12);
  std::iota(input.begin(), input.end(), 0.0F);
  EXPECT_EQ(outputs_of(NetworkBuilder({2, 3, 2}).flatten().build(), input), input);
}

TEST(LayerTest, HardSigmoidDependsOnTheGeneration) {
  const Floats x = {-3, -1, 1, 3};
  const Floats keras2 = outputs_of(NetworkBuilder({4}).activation("hard_sigmoid").build(), x);
  const Floats keras3 =
      outputs_of(NetworkBuilder({4}).profile(SemanticsProfile::kKeras3).activation("hard_sigmoid").build(), x);
  EXPECT_NEAR(keras2[1], 0.3F, 1e-6F);
  EXPECT_NEAR(keras3[1], 1.0F / 3, 1e-6F);
}

TEST(LayerTest, ActivationsOfKeras3HaveTheirValues) {
  const auto expect = [](const char* name, const Floats& expected) {
    const Floats outputs = outputs_of(NetworkBuilder({4}).activation(name).build(), {-2.0F, -0.3F, 0.4F, 1.0F});
    ASSERT_EQ(outputs.size(), expected.size()) << name;
    for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(outputs[i], expected[i], 1e-6F) << name << i;
  };
  expect("celu", {-0.8646647F, -0.2591818F, 0.4F, 1.0F});
  expect("glu", {-2.0F * 0.5986877F, -0.3F * 0.7310586F});
  expect("hard_shrink", {-2.0F, 0.0F, 0.0F, 1.0F});
  expect("soft_shrink", {-1.5F, 0.0F, 0.0F, 0.5F});
  expect("tanh_shrink", {-1.0359724F, -0.0086874F, 0.0200510F, 0.2384058F});
  expect("squareplus", {0.4142136F, 0.8611874F, 1.2198039F, 1.6180340F});
  expect("sparsemax", {0.0F, 0.0F, 0.0F, 0.3F});
}

TEST(LayerTest, EveryActivationThatTheSpecificationKnowsIsThere) {
  for (const std::string_view name : spec::activation_names()) {
    EXPECT_NO_THROW(outputs_of(NetworkBuilder({4}).activation(std::string(name)).build(), {1, 2, 3, 4})) << name;
  }
}

TEST(LayerTest, ZeroPaddingIsTopBottomLeftRight) {
  EXPECT_EQ(outputs_of(NetworkBuilder({1, 1, 1}).zero_padding({1, 0, 0, 2}).build(), {7}), Floats({0, 0, 0, 7, 0, 0}));
}

TEST(LayerTest, DropoutDoesNothingInInference) {
  EXPECT_EQ(outputs_of(NetworkBuilder({3}).dropout(0.5).build(), {1, 2, 3}), Floats({1, 2, 3}));
}

TEST(LayerTest, UnknownLayersAndActivationsAreRefused) {
  EXPECT_THROW(outputs_of(NetworkBuilder({3}).activation("nonsense").build(), {1, 2, 3}), Error);
  ModelSpec spec = NetworkBuilder({3}).dropout(0.5).build();
  spec.layers.back().class_name = "Conv9D";
  EXPECT_THROW(outputs_of(spec, {1, 2, 3}), Error);
}

/// Moving statistics after one step over x = 1, 2, 3, 4 with momentum 0.99 (values of Keras itself).
float moving_variance_after(SemanticsProfile profile, const Shape& shape) {
  initialize_engine({});
  ModelSpec spec = NetworkBuilder(shape).profile(profile).batch_normalization().flatten().build();
  spec.layers[1].attributes["momentum"] = 0.99;
  const auto model = compile_model(spec, test::train_spec(LossKind::kMeanSquaredError, test::sgd(0.0), 4), {}, {1});
  Dataset data(4, 1, 1);
  data.features = {1, 2, 3, 4};
  const auto state = model->initial_state(1);
  make_executor({})->train(*model, *state, data.segment(), {}, {});
  const Floats weights = test::weights_of(*model, *state);
  EXPECT_NEAR(weights[2], 0.025F, 1e-7F);
  return weights[3];
}

TEST(LayerTest, MovingVarianceDependsOnGenerationAndRank) {
  EXPECT_NEAR(moving_variance_after(SemanticsProfile::kTf2Legacy, {1}), 1.0025F, 2e-7F);
  EXPECT_NEAR(moving_variance_after(SemanticsProfile::kTf2Legacy, {1, 1, 1}), 1.0066667F, 2e-7F);
  EXPECT_NEAR(moving_variance_after(SemanticsProfile::kKeras3, {1, 1, 1}), 1.0025F, 2e-7F);
  EXPECT_NEAR(moving_variance_after(SemanticsProfile::kKeras22, {1}), 1.0066722F, 2e-7F);
  EXPECT_NEAR(moving_variance_after(SemanticsProfile::kKeras22, {1, 1, 1}), 1.0122296F, 2e-7F);
}

}  // namespace
}  // namespace modelhop::engine
