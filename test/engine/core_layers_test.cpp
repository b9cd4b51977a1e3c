// SPDX-License-Identifier: Apache-2.0
// Core, noise, activation, normalization and merge layers: gradients against finite differences, and values by hand.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "gradient_check.hpp"
#include "layer_network.hpp"

namespace modelhop::engine {
namespace {

using Floats = std::vector<float>;
using Texts = std::vector<LayerText>;

const LayerText kDense = {"Dense", R"("units":4)"};
const LayerText kLast = {"Dense", R"("units":2)"};

/// Dense, the layer, Dense, on an input of these extents.
ModelSpec between(const Shape& input, const LayerText& layer, SemanticsProfile profile = SemanticsProfile::kTf2Legacy) {
  Texts layers = {kDense, layer};
  if (input.size() > 1) layers.push_back({"Flatten", ""});
  layers.push_back(kLast);
  return network_of(input, layers, profile);
}

/// Two branches of a Dense layer each, merged.
ModelSpec merge_of(const std::string& class_name, const std::string& config = "", const std::string& left = ",3,4",
                   const std::string& right = ",3,4", SemanticsProfile profile = SemanticsProfile::kTf2Legacy) {
  const auto dense = [](const std::string& name, const std::string& input, int units) {
    return R"({"name":")" + name + R"(","class_name":"Dense","config":{"name":")" + name + R"(","units":)" +
           std::to_string(units) + R"(,"activation":"tanh"},"inbound_nodes":[[[")" + input + R"(",0,0,{}]]]},)";
  };
  return parse_keras_json(
      R"({"class_name":"Functional","keras_version":"2.10.0","config":{"name":"m","layers":[
        {"name":"x","class_name":"InputLayer","config":{"name":"x","batch_input_shape":[null)" +
          left + R"(]},"inbound_nodes":[]},)" + dense("l", "x", 4) +
          (right == left
               ? dense("r", "x", 4)
               : R"({"name":"f","class_name":"Flatten","config":{"name":"f"},"inbound_nodes":[[["x",0,0,{}]]]},)" +
                     dense("r", "f", 4)) +
          R"({"name":"a","class_name":")" + class_name + R"(","config":{"name":"a")" + (config.empty() ? "" : ",") +
          config + R"(},"inbound_nodes":[[["l",0,0,{}],["r",0,0,{}]]]}],
          "input_layers":[["x",0,0]],"output_layers":[["a",0,0]]}})",
      {}, profile);
}

class CoreGradientTest : public ::testing::TestWithParam<GradientCase> {};

TEST_P(CoreGradientTest, AgreesWithFiniteDifferences) {
  expect_gradients_of_differences(GetParam());
}

std::vector<GradientCase> gradient_cases() {
  constexpr auto kMse = LossKind::kMeanSquaredError;
  constexpr auto kKeras3 = SemanticsProfile::kKeras3;
  return {
      {"permute", between({3, 4}, {"Permute", R"("dims":[2,1])"})},
      {"repeat_vector", network_of({3}, {kDense, {"RepeatVector", R"("n":3)"}, {"Flatten", ""}, kLast})},
      {"flatten_channels_first", between({3, 2, 4}, {"Flatten", R"("data_format":"channels_first")"})},
      {"activity_l2", network_of({3}, {{"Dense", R"("units":4,"activation":"tanh","activity_regularizer":
          {"class_name":"L2","config":{"l2":0.5}})"},
                                       kLast})},
      {"activity_sum",
       network_of({3}, {kDense, {"ActivityRegularization", R"("l2":0.1)"}, kLast}, SemanticsProfile::kKeras22)},
      {"activity_orthogonal",
       network_of({3}, {{"Dense", R"("units":4,"activation":"tanh","activity_regularizer":
          {"class_name":"OrthogonalRegularizer","config":{"factor":0.5}})"},
                        kLast}),
       kMse, true},
      {"spatial_dropout", between({3, 4}, {"SpatialDropout1D", R"("rate":0.4)"})},
      {"dropout_with_noise_shape", between({3, 4}, {"Dropout", R"("rate":0.4,"noise_shape":[1,null,1],"seed":3)"})},
      {"gaussian_noise", between({3}, {"GaussianNoise", R"("stddev":0.3)"})},
      {"gaussian_dropout", between({3}, {"GaussianDropout", R"("rate":0.3)"})},
      {"alpha_dropout", between({3}, {"AlphaDropout", R"("rate":0.3)"})},
      {"einsum_dense", between({3, 4}, {"EinsumDense", R"("equation":"abc,cde->abde","output_shape":[3,2,3],
          "bias_axes":"e","activation":"tanh")"})},
      {"einsum_dense_ellipsis", between({3, 4}, {"EinsumDense", R"("equation":"...x,xy->...y","output_shape":5)"})},
      {"layer_scale", between({3, 4}, {"LayerScale", R"("init_values":0.5,"projection_dim":4)"})},
      {"elu", between({3}, {"ELU", R"("alpha":0.7)"}), kMse, true},
      {"thresholded_relu", between({3}, {"ThresholdedReLU", R"("theta":0.1)"}), kMse, true},
      {"prelu", between({3, 4}, {"PReLU", R"("shared_axes":[1])"}), kMse, true},
      {"softmax_of_two_axes", between({3, 4}, {"Softmax", R"("axis":[1,2])"})},
      {"leaky_function",
       network_of({3}, {{"Dense", R"("units":4,"activation":
          {"class_name":"LeakyReLU","config":{"alpha":0.1}})"},
                        kLast}),
       kMse, true},
      {"layer_normalization", between({3, 4}, {"LayerNormalization", ""})},
      {"layer_normalization_of_two_axes", between({3, 2, 4}, {"LayerNormalization", R"("axis":[1,3])"})},
      {"layer_normalization_trailing", between({3, 2, 4}, {"LayerNormalization", R"("axis":[2,3])"})},
      {"layer_normalization_rms", between({3}, {"LayerNormalization", R"("rms_scaling":true)"})},
      {"rms_normalization", between({3}, {"RMSNormalization", ""})},
      {"group_normalization", between({3, 4}, {"GroupNormalization", R"("groups":2)"})},
      {"group_normalization_first_axis", between({4, 3}, {"GroupNormalization", R"("groups":2,"axis":1)"})},
      {"unit_normalization", between({3}, {"UnitNormalization", ""})},
      {"normalization", between({3}, {"Normalization", R"("mean":[0.1,0.2,0.3,0.4],"variance":[1,2,3,4])"})},
      {"subtract", merge_of("Subtract")},
      {"multiply", merge_of("Multiply")},
      {"average", merge_of("Average")},
      {"maximum", merge_of("Maximum"), kMse, true},
      {"minimum", merge_of("Minimum"), kMse, true},
      {"multiply_of_two_ranks", merge_of("Multiply", "", ",3,4", ",12")},
      {"dot", merge_of("Dot", R"("axes":2)")},
      {"dot_normalized", merge_of("Dot", R"("axes":2,"normalize":true)", ",3,4", ",3,4", kKeras3)},
      {"dot_of_two_ranks", merge_of("Dot", R"("axes":[2,1])", ",3,4", ",12")},
  };
}

INSTANTIATE_TEST_SUITE_P(Layers, CoreGradientTest, ::testing::ValuesIn(gradient_cases()),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(CoreLayers, ArrangeAsKerasDoes) {
  Floats numbers(6);
  std::iota(numbers.begin(), numbers.end(), 0.0F);
  EXPECT_EQ(outputs_of(network_of({2, 3}, {{"Permute", R"("dims":[2,1])"}}), numbers), Floats({0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(outputs_of(network_of({2, 3}, {{"Flatten", R"("data_format":"channels_first")"}}), numbers),
            Floats({0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(outputs_of(network_of({2}, {{"RepeatVector", R"("n":2)"}}), {7, 8}), Floats({7, 8, 7, 8}));
  EXPECT_EQ(outputs_of(network_of({2}, {{"Identity", ""}}), {7, 8}), Floats({7, 8}));
}

TEST(CoreLayers, ActivationLayersHaveKerasValues) {
  const Floats x = {-2.0F, -0.5F, 0.5F, 2.0F};
  expect_near(outputs_of(network_of({4}, {{"ELU", R"("alpha":0.5)"}}), x), {-0.4323324F, -0.1967347F, 0.5F, 2.0F});
  expect_near(outputs_of(network_of({4}, {{"ThresholdedReLU", R"("theta":1.0)"}}), x), {0, 0, 0, 2});
  expect_near(outputs_of(network_of({4}, {{"PReLU", ""}}), x, {0.1F, 0.2F, 0.3F, 0.4F}), {-0.2F, -0.1F, 0.5F, 2.0F});
  expect_near(outputs_of(network_of({4}, {{"Activation", R"("activation":{"class_name":"ReLU","config":
      {"max_value":1.0,"negative_slope":0.1,"threshold":0.2}})"}}),
                         x),
              {-0.22F, -0.07F, 0.5F, 1.0F});
  expect_near(outputs_of(network_of({4}, {{"Activation", R"("activation":"sparse_plus")"}}), x),
              {0.0F, 0.0625F, 0.5625F, 2.0F});
  expect_near(outputs_of(network_of({4}, {{"Activation", R"("activation":"sparse_sigmoid")"}}), x),
              {0.0F, 0.25F, 0.75F, 1.0F});
}

TEST(CoreLayers, NormalizationsHaveKerasValues) {
  expect_near(outputs_of(network_of({2}, {{"UnitNormalization", ""}}), {3, 4}), {0.6F, 0.8F});
  expect_near(outputs_of(network_of({2}, {{"LayerNormalization", R"("epsilon":0.0)"}}), {1, 3}), {-1, 1});
  expect_near(outputs_of(network_of({4}, {{"GroupNormalization", R"("groups":2,"epsilon":0.0)"}}), {1, 3, 10, 30}),
              {-1, 1, -1, 1});
  expect_near(outputs_of(network_of({2}, {{"RMSNormalization", R"("epsilon":0.0)"}}), {1, 7}), {0.2F, 1.4F});
  expect_near(outputs_of(network_of({2}, {{"Normalization", R"("mean":1.0,"variance":4.0)"}}), {1, 5}), {0, 2});
  expect_near(outputs_of(network_of({2}, {{"Normalization", R"("mean":1.0,"variance":4.0,"invert":true)"}}), {0, 2}),
              {1, 5});
  expect_near(outputs_of(network_of({2}, {{"Normalization", ""}}), {1, 5}, {1, 1, 4, 4, 9}), {0, 2});
}

TEST(NoiseLayers, DropWholeChannels) {
  const Floats ones(2 * 50 * 4, 1.0F);
  const Floats outputs = training_outputs(network_of({50, 4}, {{"SpatialDropout1D", R"("rate":0.5)"}}), ones, {1, 2});
  for (std::size_t example = 0; example < 2; ++example) {
    for (std::size_t channel = 0; channel < 4; ++channel) {
      const float first = outputs[example * 200 + channel];
      EXPECT_TRUE(first == 0.0F || first == 2.0F);
      for (std::size_t step = 1; step < 50; ++step) EXPECT_EQ(outputs[example * 200 + step * 4 + channel], first);
    }
  }
}

TEST(NoiseLayers, KeepMeanAndDeviation) {
  const auto moments = [](const LayerText& layer, float value) {
    const Floats outputs = training_outputs(network_of({20000}, {layer}), Floats(20000, value), {1, 2});
    double mean = 0.0, square = 0.0;
    for (const float output : outputs) {
      mean += output / 20000.0;
      square += static_cast<double>(output) * output / 20000.0;
    }
    return std::pair(mean, std::sqrt(square - mean * mean));
  };
  const auto [noise_mean, noise_deviation] = moments({"GaussianNoise", R"("stddev":0.5)"}, 1.0F);
  EXPECT_NEAR(noise_mean, 1.0, 0.02);
  EXPECT_NEAR(noise_deviation, 0.5, 0.02);
  const auto [factor_mean, factor_deviation] = moments({"GaussianDropout", R"("rate":0.2)"}, 2.0F);
  EXPECT_NEAR(factor_mean, 2.0, 0.04);
  EXPECT_NEAR(factor_deviation, 1.0, 0.04);
  const double keep = 0.8, low = -1.7580993408473766, scale = 1.0 / std::sqrt(keep * (1.0 + 0.2 * low * low));
  const auto [alpha_mean, alpha_deviation] = moments({"AlphaDropout", R"("rate":0.2)"}, 0.5F);
  EXPECT_NEAR(alpha_mean, scale * keep * 0.5, 0.03);
  EXPECT_NEAR(alpha_deviation, scale * (0.5 - low) * 0.4, 0.03);
}

TEST(NoiseLayers, WithASeedDrawTheSameForEveryConfiguration) {
  const Floats ones(100, 1.0F);
  const ModelSpec seeded = network_of({100}, {{"Dropout", R"("rate":0.5,"seed":7)"}});
  const ModelSpec plain = network_of({100}, {{"Dropout", R"("rate":0.5)"}});
  EXPECT_EQ(training_outputs(seeded, ones, {1, 2}), training_outputs(seeded, ones, {99, 2}));
  EXPECT_NE(training_outputs(seeded, ones, {1, 2}), training_outputs(seeded, ones, {1, 3}));
  EXPECT_NE(training_outputs(plain, ones, {1, 2}), training_outputs(plain, ones, {99, 2}));
}

TEST(NoiseLayers, OfRateOneGiveZerosInKeras3) {
  EXPECT_EQ(
      training_outputs(network_of({3}, {{"Dropout", R"("rate":1.0)"}}, SemanticsProfile::kKeras3), {1, 2, 3}, {1, 2}),
      Floats({0, 0, 0}));
}

}  // namespace
}  // namespace modelhop::engine
