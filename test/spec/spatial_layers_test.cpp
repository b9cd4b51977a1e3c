// SPDX-License-Identifier: Apache-2.0
// Layers over sequences, images and volumes: shapes, parameter counts, attributes and errors.
#include "samples.hpp"
#include "spec/keras_json.hpp"

namespace modelhop {
namespace {

/// A Sequential model of one layer on an input of the given extents.
ModelSpec one_layer(const std::string& class_name, const std::string& config, const std::string& input,
                    SemanticsProfile profile = SemanticsProfile::kTf2Legacy) {
  return parse_keras_json(R"({"class_name":"Sequential","keras_version":"2.10.0","config":{"name":"m","layers":[
    {"class_name":")" + class_name +
                              R"(","config":{"name":"a","batch_input_shape":[null,)" + input + "]" +
                              (config.empty() ? "" : ",") + config + "}}]}}",
                          {}, profile);
}

Shape shape_after(const std::string& class_name, const std::string& config, const std::string& input) {
  const ModelSpec model = one_layer(class_name, config, input);
  return model.output_shape(0);
}

std::vector<Shape> weights_of(const std::string& class_name, const std::string& config, const std::string& input) {
  std::vector<Shape> shapes;
  const ModelSpec model = one_layer(class_name, config, input);
  for (const WeightSpec& weight : model.layers.back().weights) shapes.push_back(weight.shape);
  return shapes;
}

void expect_refused(const std::string& text, const std::string& class_name, const std::string& config,
                    const std::string& input, ErrorCode code = ErrorCode::kInvalidArgument) {
  SCOPED_TRACE(class_name + " " + config);
  expect_error(code, "layer \"a\"", [&] { one_layer(class_name, config, input); });
  expect_error(code, text, [&] { one_layer(class_name, config, input); });
}

using Shapes = std::vector<Shape>;
const std::string kFirst = R"("data_format":"channels_first")";

TEST(Convolutions, have_shapes_of_every_rank) {
  EXPECT_EQ(shape_after("Conv1D", R"("filters":4,"kernel_size":3)", "7,2"), Shape({5, 4}));
  EXPECT_EQ(shape_after("Conv1D", R"("filters":4,"kernel_size":[3],"padding":"causal","strides":2)", "7,2"),
            Shape({4, 4}));
  EXPECT_EQ(shape_after("Conv2D", R"("filters":4,"kernel_size":3,"padding":"same","strides":[1,2],)" + kFirst, "2,5,6"),
            Shape({4, 5, 3}));
  EXPECT_EQ(shape_after("Conv3D", R"("filters":4,"kernel_size":[1,2,3])", "3,4,5,2"), Shape({3, 3, 3, 4}));
  EXPECT_EQ(weights_of("Conv1D", R"("filters":4,"kernel_size":3,"groups":2)", "7,6"), Shapes({{3, 3, 4}, {4}}));
  EXPECT_EQ(weights_of("Conv3D", R"("filters":4,"kernel_size":[1,2,3],"use_bias":false,)" + kFirst, "2,3,4,5"),
            Shapes({{1, 2, 3, 2, 4}}));
}

TEST(Convolutions, transpose) {
  const std::string config = R"("filters":4,"kernel_size":3,"strides":2)";
  EXPECT_EQ(shape_after("Conv2DTranspose", config, "3,4,2"), Shape({7, 9, 4}));
  EXPECT_EQ(shape_after("Deconvolution2D", config + R"(,"padding":"same")", "3,4,2"), Shape({6, 8, 4}));
  EXPECT_EQ(shape_after("Conv2DTranspose", config + R"(,"padding":"same","output_padding":[1,0])", "3,4,2"),
            Shape({6, 7, 4}));
  EXPECT_EQ(shape_after("Conv1DTranspose", R"("filters":4,"kernel_size":2,"strides":3)", "3,2"), Shape({9, 4}));
  EXPECT_EQ(shape_after("Conv3DTranspose", config + "," + kFirst, "2,3,4,1"), Shape({4, 7, 9, 3}));
  EXPECT_EQ(weights_of("Conv2DTranspose", config, "3,4,2"), Shapes({{3, 3, 4, 2}, {4}}));
  expect_refused("\"output_padding\" (2, 2) must be below \"strides\"", "Conv2DTranspose",
                 config + R"(,"output_padding":2)", "3,4,2");
  expect_refused("does not go with", "Conv2DTranspose",
                 R"("filters":4,"kernel_size":4,"strides":2,"padding":"same","output_padding":0)", "3,4,2");
  expect_refused("\"padding\" must be", "Conv1DTranspose", config + R"(,"padding":"causal")", "3,2");
}

TEST(Convolutions, of_each_channel) {
  EXPECT_EQ(shape_after("DepthwiseConv2D", R"("kernel_size":3,"depth_multiplier":2)", "5,6,3"), Shape({3, 4, 6}));
  EXPECT_EQ(shape_after("DepthwiseConv1D", R"("kernel_size":3,"strides":2,)" + kFirst, "3,7"), Shape({3, 3}));
  EXPECT_EQ(weights_of("DepthwiseConv2D", R"("kernel_size":[3,2],"depth_multiplier":2)", "5,6,3"),
            Shapes({{3, 2, 3, 2}, {6}}));
  EXPECT_EQ(shape_after("SeparableConv2D", R"("filters":4,"kernel_size":3,"padding":"same")", "5,6,3"),
            Shape({5, 6, 4}));
  EXPECT_EQ(weights_of("SeparableConvolution1D", R"("filters":4,"kernel_size":3,"depth_multiplier":2)", "7,3"),
            Shapes({{3, 3, 2}, {1, 6, 4}, {4}}));
  const ModelSpec model = one_layer("SeparableConv2D",
                                    R"("filters":4,"kernel_size":3,"depth_multiplier":2,
      "depthwise_regularizer":{"class_name":"L2","config":{"l2":0.5}})",
                                    "5,6,3");
  const std::vector<WeightSpec>& weights = model.layers.back().weights;
  EXPECT_EQ(weights[0].name, "depthwise_kernel");
  EXPECT_EQ(weights[0].regularizer.l2, 0.5);
  EXPECT_FALSE(weights[1].regularizer.is_active());
  // 12 positions: 6 channels of 9 cells, then 6 x 4; a bias each.
  EXPECT_EQ(model.nodes.back().forward_flops, 12 * (2 * 6 * 9 + 2 * 6 * 4 + 4));
}

TEST(Convolutions, count_operations) {
  const auto flops = [](const std::string& class_name, const std::string& config, const std::string& input) {
    return one_layer(class_name, config, input).nodes.back().forward_flops;
  };
  EXPECT_EQ(flops("Conv1D", R"("filters":4,"kernel_size":3,"groups":2)", "7,2"), 5 * 4 * (2 * 3 + 1));
  EXPECT_EQ(flops("Conv2DTranspose", R"("filters":4,"kernel_size":3,"strides":2,"use_bias":false)", "3,4,2"),
            3 * 4 * 2 * 2 * 9 * 4);
  EXPECT_EQ(flops("DepthwiseConv2D", R"("kernel_size":3,"use_bias":false)", "5,6,3"), 3 * 4 * 3 * 2 * 9);
  EXPECT_EQ(flops("MaxPooling3D", "", "4,4,4,2"), 8 * 2 * 8);
}

TEST(Convolutions, refuse_what_does_not_fit) {
  expect_refused("needs an input with 2 axes", "Conv1D", R"("filters":4,"kernel_size":3)", "5,6,3");
  expect_refused("does not fit", "Conv3D", R"("filters":4,"kernel_size":3)", "2,6,6,3");
  expect_refused("cannot both be above 1", "Conv3D", R"("filters":4,"kernel_size":1,"strides":2,"dilation_rate":2)",
                 "2,6,6,3");
  expect_refused("cannot both be above 1", "DepthwiseConv2D", R"("kernel_size":1,"strides":2,"dilation_rate":2)",
                 "6,6,3");
  expect_refused("does not divide", "Conv1D", R"("filters":4,"kernel_size":3,"groups":2)", "7,3");
  expect_refused("\"padding\" must be", "Conv2D", R"("filters":4,"kernel_size":3,"padding":"causal")", "5,6,3");
  expect_refused("\"kernel_size\" must be", "Conv1D", R"("filters":4,"kernel_size":[3,3])", "7,3");
  expect_refused("\"groups\"", "SeparableConv2D", R"("filters":4,"kernel_size":3,"groups":3)", "5,6,3",
                 ErrorCode::kNotSupported);
}

TEST(Pooling, has_shapes_of_every_rank) {
  EXPECT_EQ(shape_after("MaxPool1D", "", "7,3"), Shape({3, 3}));
  EXPECT_EQ(shape_after("AveragePooling1D", R"("pool_size":3,"strides":2,"padding":"same",)" + kFirst, "3,7"),
            Shape({3, 4}));
  EXPECT_EQ(shape_after("AvgPool3D", R"("pool_size":[1,2,3])", "3,4,6,2"), Shape({3, 2, 2, 2}));
  EXPECT_EQ(shape_after("GlobalMaxPooling1D", "", "7,3"), Shape({3}));
  EXPECT_EQ(shape_after("GlobalAveragePooling3D", R"("keepdims":true,)" + kFirst, "2,3,4,5"), Shape({2, 1, 1, 1}));
  EXPECT_EQ(shape_after("AdaptiveMaxPooling2D", R"("output_size":[2,3])", "5,6,4"), Shape({2, 3, 4}));
  EXPECT_EQ(one_layer("GlobalAveragePooling1D", "", "7,3").nodes.back().mask_rule, MaskRule::kOwn);
  expect_refused("does not fit", "MaxPooling1D", R"("pool_size":8)", "7,3");
  expect_refused("needs an input with 4 axes", "GlobalMaxPooling3D", "", "7,3");
}

TEST(Resampling, has_shapes_of_every_rank) {
  EXPECT_EQ(shape_after("UpSampling1D", R"("size":3)", "4,2"), Shape({12, 2}));
  EXPECT_EQ(shape_after("UpSampling2D", R"("size":[2,3],)" + kFirst, "4,5,6"), Shape({4, 10, 18}));
  EXPECT_EQ(shape_after("UpSampling3D", "", "1,2,3,4"), Shape({2, 4, 6, 4}));
  EXPECT_EQ(shape_after("ZeroPadding1D", R"("padding":[2,1])", "4,2"), Shape({7, 2}));
  EXPECT_EQ(shape_after("ZeroPadding2D", R"("padding":[[1,0],[2,1]],)" + kFirst, "2,4,5"), Shape({2, 5, 8}));
  EXPECT_EQ(shape_after("ZeroPadding3D", R"("padding":[1,2,3])", "1,1,1,2"), Shape({3, 5, 7, 2}));
  EXPECT_EQ(shape_after("Cropping1D", "", "4,2"), Shape({2, 2}));
  EXPECT_EQ(shape_after("Cropping2D", "", "4,5,2"), Shape({4, 5, 2}));
  EXPECT_EQ(shape_after("Cropping3D", R"("cropping":[[1,0],[0,1],[1,1]])", "4,4,4,2"), Shape({3, 3, 2, 2}));
  EXPECT_EQ(shape_after("Resizing", R"("height":3,"width":4)", "9,9,2"), Shape({3, 4, 2}));
  EXPECT_EQ(shape_after("CenterCrop", R"("height":3,"width":4,)" + kFirst, "2,9,9"), Shape({2, 3, 4}));
  expect_refused("leaves nothing", "Cropping1D", R"("cropping":2)", "4,2");
  expect_refused("\"padding\" must be an integer or a list of 2", "ZeroPadding1D", R"("padding":[1,2,3])", "4,2");
  expect_refused("\"padding\" must be", "ZeroPadding3D", R"("padding":[1,2])", "1,1,1,2");
  expect_refused("\"interpolation\" must be", "Resizing", R"("height":3,"width":4,"interpolation":"gaussian")",
                 "9,9,2");
  expect_refused("cannot both be true", "Resizing",
                 R"("height":3,"width":4,"crop_to_aspect_ratio":true,"pad_to_aspect_ratio":true)", "9,9,2");
  expect_refused("\"fill_mode\" must be", "Resizing", R"("height":3,"width":4,"fill_mode":"reflect")", "9,9,2");
}

std::vector<double> numbers_of(const std::string& class_name, const std::string& config, const std::string& name,
                               SemanticsProfile profile = SemanticsProfile::kTf2Legacy) {
  return numbers_attribute(one_layer(class_name, config, "5,6,3", profile).layers.back(), name);
}

TEST(Images, normalize_factors_and_ranges) {
  using Numbers = std::vector<double>;
  EXPECT_EQ(numbers_of("RandomRotation", R"("factor":0.2,"seed":7)", "factor"), Numbers({-0.2, 0.2}));
  EXPECT_EQ(numbers_of("RandomRotation", R"("factor":[-0.1,0.3])", "factor"), Numbers({-0.1, 0.3}));
  EXPECT_EQ(numbers_of("RandomZoom", R"("height_factor":0.2)", "width_factor"), Numbers());
  EXPECT_EQ(numbers_of("RandomZoom", R"("height_factor":0.2,"width_factor":[0,0.5])", "width_factor"),
            Numbers({0, 0.5}));
  EXPECT_EQ(numbers_of("RandomContrast", R"("factor":0.3)", "factor"), Numbers({0.3, 0.3}));
  EXPECT_EQ(numbers_of("RandomContrast", R"("factor":0.3)", "factor", SemanticsProfile::kKeras3), Numbers({0, 0.3}));
  EXPECT_EQ(numbers_of("RandomBrightness", R"("factor":0.3,"value_range":[0,1])", "value_range"), Numbers({0, 1}));
  EXPECT_EQ(numbers_of("Rescaling", R"("scale":0.5)", "offset"), Numbers({0}));
  EXPECT_EQ(numbers_of("Rescaling", R"("scale":[1,2,3],"offset":[4,5,6])", "scale"), Numbers({1, 2, 3}));
  EXPECT_EQ(shape_after("RandomCrop", R"("height":2,"width":3)", "5,6,3"), Shape({2, 3, 3}));
}

TEST(Images, refuse_what_keras_refuses) {
  expect_refused("do not go with", "Rescaling", R"("scale":[1,2])", "5,6,3");
  expect_refused("needs an input with 3 axes", "RandomFlip", "", "5,6");
  expect_refused("\"mode\" must be", "RandomFlip", R"("mode":"diagonal")", "5,6,3");
  expect_refused("\"fill_mode\" must be", "RandomZoom", R"("height_factor":0.1,"fill_mode":"mirror")", "5,6,3");
  expect_refused("\"height_factor\" must be", "RandomTranslation", R"("height_factor":2,"width_factor":0)", "5,6,3");
  expect_refused("\"factor\" must be", "RandomContrast", R"("factor":-0.1)", "5,6,3");
  expect_refused("\"factor\" must be", "RandomRotation", R"("factor":[1,2,3])", "5,6,3");
}

}  // namespace
}  // namespace modelhop
