// SPDX-License-Identifier: Apache-2.0
// Convolutions and pools of every rank: values worked out by hand, and gradients against finite differences.
#include <gtest/gtest.h>

#include "engine/flat_state.hpp"
#include "gradient_check.hpp"
#include "layer_network.hpp"

namespace modelhop::engine {
namespace {

using Floats = std::vector<float>;
const std::string kTwo = R"("filters":2,"kernel_size":2)";
const std::string kOne = R"("filters":1,"use_bias":false)";

TEST(ConvolutionTest, CausalOutputsSeeNoLaterStep) {
  const auto causal = [](const std::string& more, const Floats& x) {
    const ModelSpec spec = network_of({4, 1}, {{"Conv1D", kOne + R"(,"kernel_size":2,"padding":"causal")" + more}});
    return outputs_of(spec, x, {10, 1});
  };
  EXPECT_EQ(causal("", {1, 2, 3, 4}), Floats({1, 12, 23, 34}));
  EXPECT_EQ(causal(R"(,"dilation_rate":2)", {1, 2, 3, 4}), Floats({1, 2, 13, 24}));
  EXPECT_EQ(causal(R"(,"strides":2)", {1, 2, 3, 4}), Floats({1, 23}));
}

TEST(ConvolutionTest, TransposeKeepsWhatKerasKeeps) {
  const auto transposed = [](const std::string& more, const Floats& kernel) {
    const std::string size = R"(,"kernel_size":)" + std::to_string(kernel.size());
    return outputs_of(network_of({2, 1}, {{"Conv1DTranspose", kOne + size + more}}), {1, 2}, kernel);
  };
  EXPECT_EQ(transposed(R"(,"strides":2)", {1, 10, 100}), Floats({1, 10, 102, 20, 200}));
  EXPECT_EQ(transposed(R"(,"strides":2,"padding":"same")", {1, 10, 100}), Floats({1, 10, 102, 20}));
  EXPECT_EQ(transposed(R"(,"strides":2,"padding":"same")", {1, 10, 100, 1000}), Floats({10, 102, 1020, 200}));
  EXPECT_EQ(transposed(R"(,"strides":3)", {1, 10}), Floats({1, 10, 0, 2, 20, 0}));
  EXPECT_EQ(transposed(R"(,"strides":2,"output_padding":1)", {1, 10, 100}), Floats({1, 10, 102, 20, 200, 0}));
  EXPECT_EQ(transposed(R"(,"dilation_rate":2)", {1, 10}), Floats({1, 2, 10, 20}));
}

TEST(ConvolutionTest, DepthwiseChannelsLieTogether) {
  const ModelSpec spec =
      network_of({1, 1, 2}, {{"DepthwiseConv2D", R"("kernel_size":1,"depth_multiplier":2,"use_bias":false)"}});
  EXPECT_EQ(outputs_of(spec, {1, 10}, {1, 2, 3, 4}), Floats({1, 2, 30, 40}));
}

TEST(ConvolutionTest, SeparableIsDepthwiseThenPointwise) {
  const ModelSpec spec = network_of({3, 2}, {{"SeparableConv1D", R"("filters":1,"kernel_size":2)"}});
  // Depthwise sums of neighbours, of the second channel doubled; then channel 0 + 10 * channel 1 + bias.
  EXPECT_EQ(outputs_of(spec, {1, 1, 2, 1, 3, 1}, {1, 2, 1, 2, 1, 10, 0.5F}), Floats({43.5F, 45.5F}));
}

TEST(ConvolutionTest, ChannelsMayComeFirst) {
  const std::string first = R"(,"data_format":"channels_first")";
  const Floats last =
      outputs_of(network_of({3, 2}, {{"Conv1D", kTwo}}), {1, 4, 2, 5, 3, 6}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  const Floats moved =
      outputs_of(network_of({2, 3}, {{"Conv1D", kTwo + first}}), {1, 2, 3, 4, 5, 6}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  EXPECT_EQ(moved, Floats({last[0], last[2], last[1], last[3]}));
  EXPECT_EQ(outputs_of(network_of({1, 4}, {{"MaxPooling1D", R"("pool_size":2)" + first}}), {1, 2, 4, 3}),
            Floats({2, 4}));
}

TEST(PoolingTest, PadsWithNothing) {
  const std::string same = R"("pool_size":2,"padding":"same")";
  EXPECT_EQ(outputs_of(network_of({3, 1}, {{"AveragePooling1D", same}}), {1, 2, 6}), Floats({1.5F, 6}));
  EXPECT_EQ(outputs_of(network_of({3, 1}, {{"MaxPooling1D", same}}), {-1, -2, -6}), Floats({-1, -6}));
  EXPECT_EQ(outputs_of(network_of({1, 1, 3, 1}, {{"AveragePooling3D", same}}), {1, 2, 6}), Floats({1.5F, 6}));
  EXPECT_EQ(outputs_of(network_of({3, 1, 1, 1}, {{"MaxPooling3D", same}}), {-1, -2, -6}), Floats({-1, -6}));
}

TEST(PoolingTest, AdaptsWindowsToTheirNumber) {
  const std::string two = R"("output_size":2)";
  EXPECT_EQ(outputs_of(network_of({3, 1}, {{"AdaptiveAveragePooling1D", two}}), {1, 2, 6}), Floats({1.5F, 4}));
  EXPECT_EQ(outputs_of(network_of({3, 1}, {{"AdaptiveMaxPooling1D", two}}), {1, 2, 6}), Floats({2, 6}));
}

TEST(StateTest, KernelsOfEveryKindGoOutAsTheyCameIn) {
  initialize_engine({});
  const ModelSpec spec =
      network_of({4, 4, 4, 2}, {{"Conv3D", R"("filters":3,"kernel_size":[1,2,3])"},
                                {"Conv3DTranspose", R"("filters":2,"kernel_size":[2,1,1])"},
                                {"Reshape", R"("target_shape":[5,6,2])"},
                                {"SeparableConv2D", R"("filters":3,"kernel_size":[2,3],"depth_multiplier":2)"},
                                {"Reshape", R"("target_shape":[-1,3])"},
                                {"DepthwiseConv1D", R"("kernel_size":3,"depth_multiplier":2)"},
                                {"Conv1D", R"("filters":2,"kernel_size":3)"}});
  const auto layout = std::make_shared<StateLayout>(make_state_layout(spec, test::sgd(0.1)));
  FlatState state(layout, {}, 1);
  Floats weights(static_cast<std::size_t>(parameter_count(spec)));
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<float>(i);
  state.set_weights(weights);
  Floats back(weights.size());
  state.get_weights(back);
  EXPECT_EQ(back, weights);
  // The view of an optimizer has Keras's order too.
  float expected = 0;
  for (const WeightPlace& place : layout->weights) {
    const at::Tensor view = keras_view(place, state.parameters);
    ASSERT_EQ(view.sizes().vec(), place.keras_shape) << place.name;
    const at::Tensor flat = view.reshape({-1});
    for (std::int64_t i = 0; i < flat.numel(); ++i) ASSERT_EQ(flat[i].item<float>(), expected++) << place.name;
  }
}

class SpatialGradientTest : public ::testing::TestWithParam<GradientCase> {};

TEST_P(SpatialGradientTest, AgreesWithFiniteDifferences) {
  expect_gradients_of_differences(GetParam());
}

/// The layer between a layer that gives it a gradient and the loss.
ModelSpec between(const Shape& input, const std::string& class_name, const std::string& config) {
  return network_of(input,
                    {{"Dense", R"("units":)" + std::to_string(input.back())}, {class_name, config}, {"Flatten", ""}});
}

/// The same behind a relu, which the layer takes over.
ModelSpec rectified(const Shape& input, const std::string& class_name, const std::string& config) {
  return network_of(input, {{"Dense", R"("activation":"relu","units":)" + std::to_string(input.back())},
                            {class_name, config},
                            {"Flatten", ""}});
}

std::vector<GradientCase> gradient_cases() {
  const std::string first = R"(,"data_format":"channels_first")";
  const std::string same = R"(,"padding":"same")";
  const LossKind loss = LossKind::kMeanSquaredError;
  return {
      {"conv1d_causal", between({5, 2}, "Conv1D", kTwo + R"(,"padding":"causal","dilation_rate":2)")},
      {"conv1d_channels_first", between({2, 5}, "Conv1D", kTwo + same + R"(,"strides":2)" + first)},
      {"conv3d_same", between({3, 2, 3, 2}, "Conv3D", kTwo + same)},
      {"conv3d_groups", between({3, 2, 3, 4}, "Conv3D", kTwo + R"(,"groups":2,"strides":[1,2,1])")},
      {"conv3d_channels_first", between({2, 3, 2, 3}, "Conv3D", kTwo + first)},
      {"conv1d_transpose", between({3, 2}, "Conv1DTranspose", kTwo + R"(,"strides":3)")},
      {"conv2d_transpose_same",
       between({3, 2, 2}, "Conv2DTranspose", R"("filters":2,"kernel_size":3,"strides":2)" + same)},
      {"conv2d_transpose_channels_first",
       between({2, 3, 2}, "Conv2DTranspose", kTwo + R"(,"output_padding":1,"strides":2)" + first)},
      {"conv3d_transpose", between({2, 2, 2, 2}, "Conv3DTranspose", kTwo + R"(,"strides":2)")},
      {"separable_conv1d", between({5, 2}, "SeparableConv1D", kTwo + R"(,"depth_multiplier":2,"padding":"causal")")},
      {"separable_conv2d", between({4, 5, 2}, "SeparableConv2D", kTwo + R"(,"depth_multiplier":2,"strides":2)" + same)},
      {"separable_conv2d_channels_first", between({2, 3, 4}, "SeparableConv2D", kTwo + first)},
      {"depthwise_conv1d", between({5, 2}, "DepthwiseConv1D", R"("kernel_size":3,"depth_multiplier":3)")},
      {"depthwise_conv2d", between({4, 5, 3}, "DepthwiseConv2D", R"("kernel_size":3,"strides":2)" + same)},
      {"max_pooling1d", between({5, 2}, "MaxPooling1D", R"("pool_size":3,"strides":2)" + same), loss, true},
      {"max_pooling3d", between({3, 2, 3, 2}, "MaxPooling3D", R"("pool_size":2)" + same), loss, true},
      {"relu_of_conv1d_before_global_max_pooling1d",
       network_of({7, 2}, {{"Conv1D", kTwo + R"(,"activation":"relu")"}, {"GlobalMaxPooling1D", ""}}), loss, true},
      {"max_pooling1d_of_255_cells", between({300, 1}, "MaxPooling1D", R"("pool_size":255,"strides":45)"), loss, true},
      {"max_pooling1d_of_256_cells", between({300, 1}, "MaxPooling1D", R"("pool_size":256,"strides":44)"), loss, true},
      {"relu_before_max_pooling3d", rectified({3, 2, 3, 2}, "MaxPooling3D", R"("pool_size":2)" + same), loss, true},
      {"relu_before_max_pooling2d_channels_first",
       rectified({2, 3, 4}, "MaxPooling2D", R"("pool_size":2,"strides":1)" + first), loss, true},
      {"relu_before_global_max_pooling1d_channels_first", rectified({2, 5}, "GlobalMaxPooling1D", first.substr(1)),
       loss, true},
      {"relu_of_conv2d_channels_first", between({2, 3, 4}, "Conv2D", kTwo + R"(,"activation":"relu")" + first), loss,
       true},
      {"average_pooling1d", between({2, 5}, "AveragePooling1D", R"("pool_size":2)" + same + first)},
      {"average_pooling3d", between({3, 2, 3, 2}, "AveragePooling3D", R"("pool_size":2,"strides":1)" + same)},
      {"global_max_pooling3d", between({3, 2, 3, 2}, "GlobalMaxPooling3D", ""), loss, true},
      {"global_average_pooling1d", between({2, 5}, "GlobalAveragePooling1D", R"("keepdims":true)" + first)},
      {"adaptive_average_pooling3d", between({3, 2, 3, 2}, "AdaptiveAveragePooling3D", R"("output_size":2)")},
      {"adaptive_max_pooling3d", between({3, 2, 3, 2}, "AdaptiveMaxPooling3D", R"("output_size":2)"), loss, true},
  };
}

INSTANTIATE_TEST_SUITE_P(Layers, SpatialGradientTest, ::testing::ValuesIn(gradient_cases()),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace modelhop::engine
