// SPDX-License-Identifier: Apache-2.0
// Philox against its authors' vectors, and what is drawn from it.
#include "engine/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

namespace modelhop::engine {
namespace {

using Words = std::array<std::uint32_t, 4>;

TEST(Philox, GivesThePublishedVectors) {
  EXPECT_EQ(philox(0, 0, 0), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox(~0ULL, ~0ULL, ~0ULL), (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox(0x299f31d0a4093822ULL, 0x85a308d3243f6a88ULL, 0x0370734413198a2eULL),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Permutation, HoldsEveryIndexOnce) {
  for (const std::int64_t n : {0, 1, 2, 3, 1000}) {
    auto order = permutation({.run_seed = 7}, n);
    std::sort(order.begin(), order.end());
    std::vector<std::int64_t> expected(static_cast<std::size_t>(n));
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(order, expected);
  }
}

TEST(Permutation, DependsOnEveryPartOfItsKey) {
  const OrderKey keys[] = {{},
                           {.run_seed = 1},
                           {.run_seed = 1ULL << 40},
                           {.iteration = 1},
                           {.segment = 1},
                           {.pass = 1},
                           {.buffer = 0},
                           {.buffer = 1}};
  std::set<std::vector<std::int64_t>> orders;
  for (const OrderKey& key : keys) orders.insert(permutation(key, 50));
  EXPECT_EQ(orders.size(), std::size(keys));
  EXPECT_EQ(permutation(keys[3], 50), permutation(keys[3], 50));
}

TEST(Permutation, TakesEveryOrderEquallyOften) {
  std::map<std::vector<std::int64_t>, int> seen;
  constexpr int kDraws = 24000;
  for (int i = 0; i < kDraws; ++i) ++seen[permutation({.run_seed = static_cast<std::uint64_t>(i)}, 4)];
  ASSERT_EQ(seen.size(), 24U);
  double chi_square = 0.0;
  for (const auto& [order, count] : seen) chi_square += (count - 1000.0) * (count - 1000.0) / 1000.0;
  EXPECT_LT(chi_square, 49.7);  // 23 degrees of freedom, one in a thousand
}

std::vector<float> mask_of(std::size_t count, double rate, std::uint64_t seed, std::uint64_t step,
                           std::uint32_t operation) {
  std::vector<float> mask(count, -1.0F);
  dropout_mask(mask, rate, seed, step, operation);
  return mask;
}

/// The definition that the vectorized loop has to give: word `index % 64 / 16` of block `16 * (index / 64) + index %
/// 16`.
float mask_element(std::size_t index, double rate, std::uint64_t seed, std::uint64_t step, std::uint32_t operation) {
  const std::uint64_t key = stream_key(seed, Stream::kDropout, 0);
  const std::uint64_t block = 16 * (index / 64) + index % 16;
  const std::uint32_t word = philox(key, block | std::uint64_t{operation} << 32, step)[index % 64 / 16];
  return word < std::nearbyint((1.0 - rate) * 4294967296.0) ? static_cast<float>(1.0 / (1.0 - rate)) : 0.0F;
}

TEST(DropoutMask, IsPhiloxElementByElement) {
  for (const std::size_t count : {1U, 63U, 64U, 1000U}) {
    const auto mask = mask_of(count, 0.3, 0x123456789abcdefULL, 0x100000002ULL, 5);
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_EQ(mask[i], mask_element(i, 0.3, 0x123456789abcdefULL, 0x100000002ULL, 5)) << i << " of " << count;
    }
  }
}

TEST(DropoutMask, KeepsAtItsRateWithUnchangedMean) {
  constexpr std::size_t kCount = 1 << 20;
  for (const double rate : {0.1, 0.25, 0.5, 0.9}) {
    const auto mask = mask_of(kCount, rate, 3, 4, 5);
    const auto kept = static_cast<double>(kCount - std::count(mask.begin(), mask.end(), 0.0F));
    EXPECT_NEAR(kept / kCount, 1.0 - rate, 4.0 * std::sqrt(rate * (1.0 - rate) / kCount));
    EXPECT_EQ(*std::max_element(mask.begin(), mask.end()), static_cast<float>(1.0 / (1.0 - rate)));
  }
}

TEST(DropoutMask, CoversTheEndsOfTheRate) {
  EXPECT_EQ(mask_of(100, 0.0, 1, 1, 1), std::vector<float>(100, 1.0F));
  EXPECT_EQ(mask_of(100, 1.0, 1, 1, 1), std::vector<float>(100, 0.0F));
}

TEST(DropoutMask, DependsOnSeedStepAndOperation) {
  const auto mask = mask_of(256, 0.5, 1, 1, 1);
  EXPECT_NE(mask, mask_of(256, 0.5, 2, 1, 1));
  EXPECT_NE(mask, mask_of(256, 0.5, 1, 2, 1));
  EXPECT_NE(mask, mask_of(256, 0.5, 1, 1, 2));
}

std::vector<float> noise_of(std::size_t count, double deviation, std::uint64_t seed, std::uint64_t step,
                            std::uint32_t operation) {
  std::vector<float> noise(count, 99.0F);
  normal_noise(noise, deviation, seed, step, operation);
  return noise;
}

TEST(NormalNoise, HasTheMomentsAndTailsOfANormal) {
  const std::vector<float> noise = noise_of(1'000'003, 1.0, 1, 2, 3);
  const auto count = static_cast<double>(noise.size());
  double mean = 0.0, square = 0.0, fourth = 0.0, neighbours = 0.0;
  std::int64_t beyond_two = 0, beyond_four = 0;
  for (std::size_t i = 0; i < noise.size(); ++i) {
    const double value = noise[i];
    mean += value / count;
    square += value * value / count;
    fourth += value * value * value * value / count;
    if (i > 0) neighbours += value * noise[i - 1] / count;
    beyond_two += std::abs(value) > 2.0 ? 1 : 0;
    beyond_four += std::abs(value) > 4.0 ? 1 : 0;
  }
  EXPECT_NEAR(mean, 0.0, 0.004);
  EXPECT_NEAR(square, 1.0, 0.006);
  EXPECT_NEAR(fourth, 3.0, 0.04);
  EXPECT_NEAR(neighbours, 0.0, 0.004);
  EXPECT_NEAR(static_cast<double>(beyond_two) / count, 0.0455, 0.001);
  EXPECT_NEAR(static_cast<double>(beyond_four) / count, 6.33e-5, 3e-5);
}

TEST(NormalNoise, DependsOnEveryPartOfItsKey) {
  const std::vector<float> noise = noise_of(70, 0.5, 1, 2, 3);
  EXPECT_EQ(noise, noise_of(70, 0.5, 1, 2, 3));
  EXPECT_NE(noise, noise_of(70, 0.5, 9, 2, 3));
  EXPECT_NE(noise, noise_of(70, 0.5, 1, 9, 3));
  EXPECT_NE(noise, noise_of(70, 0.5, 1, 2, 9));
  const std::vector<float> longer = noise_of(130, 0.5, 1, 2, 3);
  EXPECT_TRUE(std::equal(longer.begin(), longer.begin() + 64, noise.begin()));
}

}  // namespace
}  // namespace modelhop::engine
