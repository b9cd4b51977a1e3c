// SPDX-License-Identifier: Apache-2.0
// Initializers against the moments that real Keras shows, and what their numbers depend on.
#include "engine/initializer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "keras_case.hpp"
#include "modelhop/error.hpp"
#include "spec/initializers.hpp"

namespace modelhop::engine {
namespace {

std::vector<float> values_of(const InitializerSpec& spec, const Shape& shape, std::uint64_t seed = 5,
                             std::uint64_t weight = 0) {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) count *= extent;
  std::vector<float> values(static_cast<std::size_t>(count), 99.0F);
  initialize_weight(spec, shape, seed, weight, values);
  return values;
}

/// As a layer's config would say it.
InitializerSpec spec_of(const nlohmann::json& initializer, SemanticsProfile profile) {
  nlohmann::json arguments = initializer;
  arguments.erase("kind");
  const spec::Json config = {{"w_initializer", {{"class_name", initializer.at("kind")}, {"config", arguments}}}};
  spec::LayerConfig reader("layer", config, profile);
  return spec::read_initializer(reader, "w_initializer", "zeros");
}

class KerasInitializerTest : public ::testing::TestWithParam<NamedCase> {};

TEST_P(KerasInitializerTest, HasKerasMoments) {
  const nlohmann::json& fixture = *GetParam().content;
  const std::string kind = fixture.at("initializer").at("kind");
  const InitializerSpec spec = spec_of(fixture.at("initializer"), fixture_profile(fixture.at("profile")));
  const std::vector<float> values = values_of(spec, fixture.at("shape").get<Shape>());
  const auto count = static_cast<double>(values.size());
  double mean = 0.0, square = 0.0;
  for (const float value : values) mean += value / count;
  for (const float value : values) square += (value - mean) * (value - mean) / count;
  const double deviation = fixture.at("deviation");
  EXPECT_NEAR(std::sqrt(square), deviation, 0.02 * deviation);
  EXPECT_NEAR(mean, fixture.at("mean").get<double>(), 5.0 * deviation / std::sqrt(count));
  if (kind == "RandomNormal" || kind == "Orthogonal" ||
      fixture.at("initializer").value("distribution", "") == "untruncated_normal") {
    return;  // unbounded
  }
  const auto [smallest, largest] = std::minmax_element(values.begin(), values.end());
  const double range = fixture.at("largest").get<double>() - fixture.at("smallest").get<double>();
  EXPECT_NEAR(*largest, fixture.at("largest").get<double>(), 0.002 * range);
  EXPECT_NEAR(*smallest, fixture.at("smallest").get<double>(), 0.002 * range);
}
INSTANTIATE_TEST_SUITE_P(Keras, KerasInitializerTest, ::testing::ValuesIn(keras_cases("initializer_draws")),
                         [](const auto& info) { return info.param.name; });

TEST(Initializer, NormalHasNormalTails) {
  const auto values = values_of({.class_name = "RandomNormal", .stddev = 1.0}, {100000});
  for (const auto& [bound, share] : {std::pair{0.5, 0.6171}, {1.0, 0.3173}, {2.0, 0.0455}, {3.0, 0.0027}}) {
    const auto beyond = static_cast<double>(std::count_if(values.begin(), values.end(),
                                                          [b = bound](float v) { return std::abs(v) > b; })) /
                        1e5;
    EXPECT_NEAR(beyond, share, 5.0 * std::sqrt(share / 1e5)) << bound;
  }
}

TEST(Initializer, OrthogonalHasOrthonormalRowsOrColumns) {
  for (const Shape& shape : {Shape{7, 4}, Shape{4, 7}, Shape{2, 3, 2, 5}}) {
    const auto values = values_of({.class_name = "Orthogonal", .gain = 2.0}, shape);
    const auto columns = static_cast<std::size_t>(shape.back()), rows = values.size() / columns;
    const bool by_column = rows >= columns;
    const std::size_t vectors = by_column ? columns : rows, length = by_column ? rows : columns;
    const auto at = [&](std::size_t vector, std::size_t i) {
      return static_cast<double>(by_column ? values[i * columns + vector] : values[vector * columns + i]);
    };
    for (std::size_t a = 0; a < vectors; ++a) {
      for (std::size_t b = 0; b < vectors; ++b) {
        double product = 0.0;
        for (std::size_t i = 0; i < length; ++i) product += at(a, i) * at(b, i);
        EXPECT_NEAR(product, a == b ? 4.0 : 0.0, 1e-5);
      }
    }
  }
}

TEST(Initializer, FillsConstants) {
  EXPECT_EQ(values_of({.class_name = "Zeros"}, {3}), std::vector<float>(3, 0.0F));
  EXPECT_EQ(values_of({.class_name = "Ones"}, {3}), std::vector<float>(3, 1.0F));
  EXPECT_EQ(values_of({.class_name = "Constant", .value = 0.25}, {3}), std::vector<float>(3, 0.25F));
  EXPECT_EQ(values_of({.class_name = "Identity", .gain = 3.0}, {2, 3}), (std::vector<float>{3, 0, 0, 0, 3, 0}));
}

TEST(Initializer, DependsOnSeedAndWeightUnlessItHasItsOwnSeed) {
  InitializerSpec spec = {.class_name = "VarianceScaling", .mode = "fan_avg"};
  const Shape shape = {8, 9};
  const auto values = values_of(spec, shape, 5, 2);
  EXPECT_EQ(values, values_of(spec, shape, 5, 2));
  EXPECT_NE(values, values_of(spec, shape, 6, 2));
  EXPECT_NE(values, values_of(spec, shape, 5, 3));
  spec.seed = 11;
  const auto seeded = values_of(spec, shape, 5, 2);
  EXPECT_EQ(seeded, values_of(spec, shape, 6, 3));
  spec.seed = 12;
  EXPECT_NE(seeded, values_of(spec, shape, 5, 2));
}

TEST(Initializer, TakesFansFromKerasShapes) {
  EXPECT_EQ(fans_of({3, 5, 4, 6}).in, 60.0);
  EXPECT_EQ(fans_of({3, 5, 4, 6}).out, 90.0);
  EXPECT_EQ(fans_of({7, 2}).in, 7.0);
  EXPECT_EQ(fans_of({7}).out, 7.0);
}

TEST(Initializer, RefusesUnknownNames) {
  EXPECT_THROW(values_of({.class_name = "Glorious"}, {2}), Error);
}

TEST(Initializer, IdentityOfKeras22IsTiled) {
  InitializerSpec spec = {.class_name = "Identity", .gain = 2.0};
  EXPECT_EQ(values_of(spec, {2, 4}), std::vector<float>({2, 0, 0, 0, 0, 2, 0, 0}));
  spec.is_tiled = true;
  EXPECT_EQ(values_of(spec, {2, 4}), std::vector<float>({2, 0, 2, 0, 0, 2, 0, 2}));
  EXPECT_EQ(values_of(spec, {4, 2}), std::vector<float>({2, 0, 0, 2, 2, 0, 0, 2}));
}

}  // namespace
}  // namespace modelhop::engine
