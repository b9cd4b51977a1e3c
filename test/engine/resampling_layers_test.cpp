// SPDX-License-Identifier: Apache-2.0
// Layers that change the size of images, and those that vary images while training. Expected values without another
// source are those of Keras 3.15 on TensorFlow.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "engine/random.hpp"
#include "gradient_check.hpp"
#include "layer_network.hpp"

namespace modelhop::engine {
namespace {

using Floats = std::vector<float>;
using Profile = SemanticsProfile;

/// cos(0.9 i) of a 3 x 4 and of a 2 x 3 image.
const Floats kImage = {1, 0.622F, -0.227F, -0.904F, -0.897F, -0.211F, 0.635F, 1, 0.608F, -0.244F, -0.911F, -0.889F};
const Floats kSmallImage = {1, 0.622F, -0.227F, -0.904F, -0.897F, -0.211F};

Floats resized(const std::string& config, const Shape& shape = {3, 4, 1}, const Floats& image = kImage) {
  return outputs_of(network_of(shape, {{"Resizing", config}}), image);
}

Floats upsampled(Profile profile, const std::string& config, const Shape& shape, const Floats& image) {
  return outputs_of(network_of(shape, {{"UpSampling2D", config}}, profile), image);
}

Floats counted(std::int64_t cells) {
  Floats values(static_cast<std::size_t>(cells));
  std::iota(values.begin(), values.end(), 1.0F);
  return values;
}

TEST(ResamplingTest, UpSamplingRepeatsCells) {
  EXPECT_EQ(outputs_of(network_of({2, 2}, {{"UpSampling1D", R"("size":2)"}}), {1, 2, 3, 4}),
            Floats({1, 2, 1, 2, 3, 4, 3, 4}));
  EXPECT_EQ(upsampled(Profile::kTf2, R"("size":[1,2],"data_format":"channels_first")", {2, 1, 2}, {1, 2, 3, 4}),
            Floats({1, 1, 2, 2, 3, 3, 4, 4}));
  EXPECT_EQ(outputs_of(network_of({1, 1, 2, 1}, {{"UpSampling3D", R"("size":[2,1,2])"}}), {1, 2}),
            Floats({1, 1, 2, 2, 1, 1, 2, 2}));
}

TEST(ResamplingTest, BilinearUpSamplingDependsOnTheGeneration) {
  const std::string config = R"("size":[1,2],"interpolation":"bilinear")";
  expect_near(upsampled(Profile::kKeras22, config, {1, 2, 1}, {0, 1}), {0, 0.5F, 1, 1});
  expect_near(upsampled(Profile::kTf1, config, {1, 2, 1}, {0, 1}), {0, 0.5F, 1, 1});
  expect_near(upsampled(Profile::kTf2, config, {1, 2, 1}, {0, 1}), {0, 0.25F, 0.75F, 1});
  expect_near(upsampled(Profile::kKeras3, config, {1, 2, 1}, {0, 1}), {0, 0.25F, 0.75F, 1});
}

TEST(ResamplingTest, SidesOfEveryAxis) {
  EXPECT_EQ(outputs_of(network_of({1, 1, 1}, {{"ZeroPadding2D", R"("padding":[[1,0],[0,2]])"}}), {7}),
            Floats({0, 0, 0, 7, 0, 0}));
  EXPECT_EQ(outputs_of(network_of({1, 1, 1, 1}, {{"ZeroPadding3D", R"("padding":[[1,0],[0,1],[1,0]])"}}), {7}),
            Floats({0, 0, 0, 0, 0, 7, 0, 0}));
  EXPECT_EQ(outputs_of(network_of({2, 2}, {{"ZeroPadding1D", R"("padding":[0,1],"data_format":"channels_first")"}}),
                       {1, 2, 3, 4}),
            Floats({1, 2, 0, 3, 4, 0}));
  EXPECT_EQ(outputs_of(network_of({4, 1}, {{"Cropping1D", R"("cropping":[1,2])"}}), counted(4)), Floats({2}));
  EXPECT_EQ(outputs_of(network_of({3, 3, 1}, {{"Cropping2D", R"("cropping":[[1,0],[0,1]])"}}), counted(9)),
            Floats({4, 5, 7, 8}));
  EXPECT_EQ(outputs_of(network_of({2, 1, 2, 2}, {{"Cropping3D", R"("cropping":[[1,0],[0,0],[0,1]])"}}), counted(8)),
            Floats({5, 6}));
}

TEST(ResamplingTest, ResizesAsTensorFlowDoes) {
  expect_near(resized(R"("height":4,"width":5,"interpolation":"bilinear")", {2, 3, 1}, kSmallImage),
              {1,       0.8488F,  0.622F,    0.1126F,  -0.227F, 0.524F,  0.4113F,  0.24225F, -0.0369001F, -0.223F,
               -0.428F, -0.4637F, -0.51725F, -0.3359F, -0.215F, -0.904F, -0.9012F, -0.897F,  -0.4854F,    -0.211F});
  expect_near(resized(R"("height":2,"width":2,"interpolation":"bilinear","antialias":true)"),
              {0.270143F, 0.00405356F, -0.127893F, -0.252464F});
  expect_near(resized(R"("height":4,"width":5,"interpolation":"bicubic")", {2, 3, 1}, kSmallImage),
              {1.19911F,   1.06745F,    0.756029F,  0.0988517F, -0.302762F, 0.628125F, 0.524664F,
               0.30735F,   -0.0505589F, -0.263792F, -0.504106F, -0.551651F, -0.58235F, -0.34683F,
               -0.186518F, -1.07509F,   -1.09444F,  -1.03103F,  -0.49624F,  -0.147548F});
  expect_near(resized(R"("height":2,"width":2,"interpolation":"bicubic","antialias":true)"),
              {0.301116F, 0.0179129F, -0.154105F, -0.255447F});
  expect_near(resized(R"("height":4,"width":5,"interpolation":"lanczos3")", {2, 3, 1}, kSmallImage),
              {1.34565F,   1.30244F,    0.888551F,  0.0919861F, -0.336078F, 0.571684F,  0.512293F,
               0.268269F,  -0.0913303F, -0.266954F, -0.440928F, -0.521485F, -0.543269F, -0.331171F,
               -0.176517F, -1.2149F,    -1.31163F,  -1.16355F,  -0.514487F, -0.107393F});
  expect_near(resized(R"("height":2,"width":2,"interpolation":"lanczos3","antialias":true)"),
              {0.298221F, 0.065679F, -0.196492F, -0.228668F});
  expect_near(resized(R"("height":4,"width":5,"interpolation":"lanczos5")", {2, 3, 1}, kSmallImage),
              {1.38006F,   1.45184F,  0.957261F,  0.0677022F, -0.310795F, 0.529123F, 0.517828F,
               0.25162F,   -0.11845F, -0.248148F, -0.409358F, -0.51228F,  -0.52662F, -0.323753F,
               -0.179055F, -1.2603F,  -1.4463F,   -1.23226F,  -0.509905F, -0.116408F});
  expect_near(resized(R"("height":2,"width":2,"interpolation":"lanczos5","antialias":true)"),
              {0.296714F, 0.0870422F, -0.215637F, -0.216428F});
  EXPECT_EQ(resized(R"("height":2,"width":2,"interpolation":"nearest")", {3, 4, 1}, counted(12)),
            Floats({2, 4, 10, 12}));
}

TEST(ResamplingTest, KeepsTheAspectRatioWhereAsked) {
  expect_near(resized(R"("height":2,"width":2,"pad_to_aspect_ratio":true,"fill_value":0.5)"),
              {0.46975F, -0.21975F, -0.00200003F, -0.470625F});
  expect_near(resized(R"("height":2,"width":3,"crop_to_aspect_ratio":true)"),
              {0.937F, 0.1975F, -0.791167F, -0.782667F, 0.212F, 0.939167F});
}

TEST(ResamplingTest, CenterCropIsTheMiddle) {
  EXPECT_EQ(outputs_of(network_of({3, 4, 1}, {{"CenterCrop", R"("height":2,"width":1)"}}), counted(12)),
            Floats({2, 6}));
  // Too small: the middle with the ratio of the output, made larger.
  expect_near(outputs_of(network_of({1, 4, 1}, {{"CenterCrop", R"("height":2,"width":4)"}}), counted(4)),
              {2, 2.25F, 2.75F, 3, 2, 2.25F, 2.75F, 3});
}

TEST(ImageTest, RescalesByNumberOrByChannel) {
  EXPECT_EQ(outputs_of(network_of({2}, {{"Rescaling", R"("scale":0.5,"offset":1)"}}), {2, 4}), Floats({2, 3}));
  EXPECT_EQ(outputs_of(network_of({2, 2}, {{"Rescaling", R"("scale":[1,10],"offset":[0,1])"}}), {1, 2, 3, 4}),
            Floats({1, 21, 3, 41}));
}

const std::vector<LayerText> kRandomLayers = {{"RandomFlip", ""},
                                              {"RandomRotation", R"("factor":0.2)"},
                                              {"RandomTranslation", R"("height_factor":0.3,"width_factor":0.2)"},
                                              {"RandomZoom", R"("height_factor":0.3)"},
                                              {"RandomContrast", R"("factor":0.5,"value_range":[-9,9])"},
                                              {"RandomBrightness", R"("factor":0.5,"value_range":[-9,9])"}};

TEST(RandomImageTest, LeavesImagesAloneInInference) {
  for (const LayerText& layer : kRandomLayers) {
    EXPECT_EQ(outputs_of(network_of({3, 4, 1}, {layer}), kImage), kImage) << layer.first;
  }
}

TEST(RandomImageTest, CallsOfKeras3HaveTheModeOfTheModel) {
  const auto turned = [](Profile profile) {
    ModelSpec spec = network_of({3, 4, 1}, {{"RandomRotation", R"("factor":[0.5,0.5])"}}, profile);
    spec.nodes.back().arguments["training"] = true;
    return outputs_of(spec, kImage);
  };
  EXPECT_EQ(turned(Profile::kKeras3), kImage);
  EXPECT_NE(turned(Profile::kTf2), kImage);
}

TEST(RandomImageTest, DrawsForEachExampleAndStep) {
  Floats batch;
  for (int example = 0; example < 8; ++example) batch.insert(batch.end(), kImage.begin(), kImage.end());
  for (const LayerText& layer : kRandomLayers) {
    SCOPED_TRACE(layer.first);
    const ModelSpec spec = network_of({3, 4, 1}, {layer});
    const Floats first = training_outputs(spec, batch, {1, 2});
    EXPECT_EQ(training_outputs(spec, batch, {1, 2}), first);
    EXPECT_NE(training_outputs(spec, batch, {1, 3}), first);
    EXPECT_NE(training_outputs(spec, batch, {2, 2}), first);
    const std::size_t cells = kImage.size();
    bool is_same = true;
    for (std::size_t i = cells; i < first.size(); ++i) is_same &= first[i] == first[i % cells];
    EXPECT_FALSE(is_same);
  }
}

TEST(RandomImageTest, CallsOfOneNetworkDrawTheirOwn) {
  Floats batch;
  for (int example = 0; example < 16; ++example) batch.insert(batch.end(), {1, 2});
  const LayerText flip = {"RandomFlip", R"("mode":"horizontal")"};
  const Floats once = training_outputs(network_of({1, 2, 1}, {flip}), batch, {1, 2});
  const Floats twice = training_outputs(network_of({1, 2, 1}, {flip, flip}), batch, {1, 2});
  EXPECT_NE(twice, batch);
  EXPECT_NE(twice, once);
}

/// One image in training, where low and high of the factors are the same.
void expect_transformed(const LayerText& layer, const Floats& expected) {
  SCOPED_TRACE(layer.first + " " + layer.second);
  expect_near(training_outputs(network_of({3, 4, 1}, {layer}), kImage, {1, 2}), expected);
}

std::string filled(const std::string& config, const std::string& mode) {
  return config + R"(,"fill_value":0.5,"fill_mode":")" + mode + "\"";
}

const std::string kTurn = R"("factor":[0.1,0.1])";
const std::string kShift = R"("height_factor":[0.55,0.55],"width_factor":[-0.6,-0.6])";
const std::string kZoom = R"("height_factor":[0.7,0.7],"width_factor":[0.4,0.4])";

TEST(RandomImageTest, RotatesAsTensorFlowDoes) {
  expect_transformed({"RandomRotation", filled(kTurn, "reflect")},
                     {0.66953F, 0.0418981F, 0.106407F, 0.862743F, 0.703321F, 0.0670295F, 0.142317F, -0.683418F,
                      -0.759162F, -0.175687F, -0.455254F, -0.908234F});
  expect_transformed({"RandomRotation", filled(kTurn, "constant")},
                     {0.552436F, 0.0890412F, 0.106407F, 0.753445F, 0.703321F, 0.0670295F, 0.142317F, -0.683418F,
                      -0.379763F, -0.175687F, -0.35695F, 0.064426F});
  expect_transformed({"RandomRotation", filled(kTurn, "wrap")},
                     {-0.136869F, -0.699746F, 0.106407F, -0.787645F, 0.703321F, 0.0670295F, 0.142317F, -0.683418F,
                      0.861654F, -0.175687F, 0.353102F, -0.312126F});
  expect_transformed({"RandomRotation", filled(kTurn, "nearest")},
                     {0.66953F, 0.0418981F, 0.106407F, 0.862743F, 0.703321F, 0.0670295F, 0.142317F, -0.683418F,
                      -0.759162F, -0.175687F, -0.455254F, -0.908234F});
  expect_transformed({"RandomRotation", kTurn + R"(,"interpolation":"nearest")"},
                     {0.622F, -0.227F, -0.227F, 1, 1, -0.211F, 0.635F, -0.889F, -0.897F, -0.244F, -0.244F, -0.911F});
}

TEST(RandomImageTest, TranslatesAsTensorFlowDoes) {
  expect_transformed({"RandomTranslation", filled(kShift, "reflect")},
                     {0.33342F, 0.3336F, 0.33348F, 0.2322F, -0.4978F, -0.904F, -0.6332F, 0.1126F, -0.0502201F, -0.2376F,
                      -0.11268F, 0.177F});
  expect_transformed({"RandomTranslation", filled(kShift, "constant")},
                     {0.5F, 0.5F, 0.5F, 0.5F, 0.15077F, 0.20516F, 0.5F, 0.5F, -0.0502201F, 0.05744F, 0.5F, 0.5F});
  expect_transformed({"RandomTranslation", filled(kShift, "wrap")},
                     {0.19188F, -0.37025F, -0.31117F, -0.0959699F, -0.9022F, 0.608F, 0.2672F, -0.5108F, -0.0502201F,
                      0.33605F, 0.33381F, 0.22815F});
  expect_transformed({"RandomTranslation", filled(kShift, "nearest")},
                     {-0.4978F, -0.904F, -0.904F, -0.904F, -0.4978F, -0.904F, -0.904F, -0.904F, -0.0502201F, -0.2376F,
                      -0.2376F, -0.2376F});
}

TEST(RandomImageTest, ZoomsAsTensorFlowDoes) {
  expect_transformed({"RandomZoom", filled(kZoom, "reflect")}, {1, 0.6976F, -0.3624F, -0.904F, -0.897F, -0.3482F,
                                                                0.708F, 1, 0.608F, -0.0736F, -0.9066F, -0.889F});
  expect_transformed({"RandomZoom", filled(kZoom, "constant")},
                     {0.56F, 0.55928F, 0.24128F, 0.33152F, -0.0588F, -0.3482F, 0.708F, 0.7F, 0.51296F, 0.32792F,
                      0.0780201F, 0.33332F});
  expect_transformed({"RandomZoom", filled(kZoom, "wrap")}, {-0.889F, -0.0736F, -0.9066F, 0.608F, 1, -0.3482F, 0.708F,
                                                             -0.897F, -0.904F, 0.6976F, -0.3624F, 1});
  expect_transformed({"RandomZoom", filled(kZoom, "nearest")}, {1, 0.6976F, -0.3624F, -0.904F, -0.897F, -0.3482F,
                                                                0.708F, 1, 0.608F, -0.0736F, -0.9066F, -0.889F});
  expect_transformed({"RandomZoom", R"("height_factor":[-0.4,-0.4])"},
                     {0.26976F, 0.2546F, 0.152F, 0.0137199F, -0.4854F, -0.0417999F, 0.4658F, 0.781F, -0.13608F,
                      -0.24316F, -0.28024F, -0.22892F});
}

TEST(RandomImageTest, ChangesContrastAndBrightnessWithinTheRange) {
  expect_transformed({"RandomContrast", R"("factor":[0,0],"value_range":[-1,1])"}, kImage);
  const Floats pair =
      training_outputs(network_of({1, 2, 1}, {{"RandomContrast", R"("factor":0.5)"}}), {10, 12}, {1, 2});
  EXPECT_NEAR(pair[0] + pair[1], 22.0F, 1e-5F);
  EXPECT_GE(pair[1] - pair[0], 1.0F);
  EXPECT_LE(pair[1] - pair[0], 3.0F);
  EXPECT_NE(pair[1] - pair[0], 2.0F);
  expect_transformed({"RandomBrightness", R"("factor":[0.3,0.3],"value_range":[-0.5,0.5])"},
                     {0.5F, 0.5F, 0.073F, -0.5F, -0.5F, 0.089F, 0.5F, 0.5F, 0.5F, 0.056F, -0.5F, -0.5F});
}

TEST(RandomImageTest, CropsSomewhereInTrainingAndTheMiddleElse) {
  const ModelSpec spec = network_of({3, 4, 1}, {{"RandomCrop", R"("height":2,"width":2)"}});
  Floats batch;
  for (int example = 0; example < 32; ++example) {
    const Floats image = counted(12);
    batch.insert(batch.end(), image.begin(), image.end());
  }
  const Floats crops = training_outputs(spec, batch, {1, 2});
  std::vector<float> corners;
  for (std::size_t i = 0; i < crops.size(); i += 4) {
    EXPECT_EQ(Floats(crops.begin() + i, crops.begin() + i + 4),
              Floats({crops[i], crops[i] + 1, crops[i] + 4, crops[i] + 5}));
    corners.push_back(crops[i]);
  }
  std::sort(corners.begin(), corners.end());
  corners.erase(std::unique(corners.begin(), corners.end()), corners.end());
  EXPECT_EQ(corners, Floats({1, 2, 3, 5, 6, 7}));
  // The middle 3 x 3, resized.
  expect_near(outputs_of(spec, counted(12)), {2.25F, 3.75F, 8.25F, 9.75F});
}

class ResamplingGradientTest : public ::testing::TestWithParam<GradientCase> {};

TEST_P(ResamplingGradientTest, AgreesWithFiniteDifferences) {
  expect_gradients_of_differences(GetParam());
}

/// The layer between a layer that gives it a gradient and the loss.
ModelSpec between(const Shape& input, const std::string& class_name, const std::string& config) {
  return network_of(input,
                    {{"Dense", R"("units":)" + std::to_string(input.back())}, {class_name, config}, {"Flatten", ""}});
}

std::vector<GradientCase> gradient_cases() {
  const std::string first = R"(,"data_format":"channels_first")";
  const std::string wide = R"("factor":0.2,"value_range":[-50,50])";
  const LossKind loss = LossKind::kMeanSquaredError;
  return {
      {"up_sampling1d", between({3, 2}, "UpSampling1D", "")},
      {"up_sampling2d", between({2, 2, 3}, "UpSampling2D", R"("size":[2,3])" + first)},
      {"up_sampling2d_bilinear", between({2, 3, 2}, "UpSampling2D", R"("interpolation":"bilinear")")},
      {"up_sampling3d", between({2, 1, 2, 2}, "UpSampling3D", R"("size":[1,2,3])")},
      {"zero_padding3d", between({1, 2, 2, 2}, "ZeroPadding3D", R"("padding":[[1,0],[0,1],[2,1]])")},
      {"cropping2d", between({2, 4, 4}, "Cropping2D", R"("cropping":[[1,0],[0,2]])" + first)},
      {"resizing", between({4, 5, 2}, "Resizing", R"("height":3,"width":7,"crop_to_aspect_ratio":true)")},
      {"resizing_padded",
       between({4, 5, 2}, "Resizing", R"("height":3,"width":3,"pad_to_aspect_ratio":true,"fill_value":1)")},
      {"resizing_channels_first", between({2, 4, 5}, "Resizing", R"("height":3,"width":7)" + first)},
      {"center_crop", between({4, 5, 2}, "CenterCrop", R"("height":3,"width":2)")},
      {"rescaling", between({3, 2}, "Rescaling", R"("scale":[2,-1],"offset":[0.5,1])")},
      {"random_flip", between({3, 4, 2}, "RandomFlip", "")},
      {"random_rotation", between({3, 4, 2}, "RandomRotation", R"("factor":0.2)")},
      {"random_translation_channels_first",
       between({2, 3, 4}, "RandomTranslation", R"("height_factor":0.3,"width_factor":0.3,"fill_mode":"wrap")" + first)},
      {"random_zoom", between({3, 4, 2}, "RandomZoom", R"("height_factor":0.3,"fill_mode":"constant")")},
      {"random_crop", between({3, 4, 2}, "RandomCrop", R"("height":2,"width":3)")},
      {"random_contrast", between({3, 4, 2}, "RandomContrast", wide), loss},
      {"random_brightness", between({3, 4, 2}, "RandomBrightness", wide), loss},
  };
}

INSTANTIATE_TEST_SUITE_P(Layers, ResamplingGradientTest, ::testing::ValuesIn(gradient_cases()),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace modelhop::engine
