// SPDX-License-Identifier: Apache-2.0
// The loops of batch normalization, which see relu(x), against the same in double precision, with two passes.
#include "engine/batch_normalization_loops.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace modelhop::engine {
namespace {

using Floats = std::vector<float>;
using Doubles = std::vector<double>;

Floats random_floats(std::int64_t count, unsigned seed, float mean = 0.0F, float deviation = 1.0F) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(mean, deviation);
  Floats values(count);
  for (float& value : values) value = normal(generator);
  return values;
}

double rectified(float x) {
  return std::isnan(x) ? x : std::max(x, 0.0F);
}

struct Moments {
  Doubles mean, variance;
};

Moments exact_moments(RowsOfChannels size, const Floats& x) {
  Moments result{Doubles(size.channels), Doubles(size.channels)};
  const auto n = static_cast<double>(size.rows);
  for (std::int64_t i = 0; i < size.rows * size.channels; ++i) result.mean[i % size.channels] += rectified(x[i]) / n;
  for (std::int64_t i = 0; i < size.rows * size.channels; ++i) {
    const double apart = rectified(x[i]) - result.mean[i % size.channels];
    result.variance[i % size.channels] += apart * apart / n;
  }
  return result;
}

/// `tolerance` of the variance is relative, that of the mean counts deviations.
void expect_exact_moments(RowsOfChannels size, const Floats& x, double tolerance = 1e-6) {
  const Moments exact = exact_moments(size, x);
  Doubles mean, variance;
  channel_moments(size, x.data(), mean, variance);
  ASSERT_EQ(mean.size(), exact.mean.size());
  for (std::int64_t i = 0; i < size.channels; ++i) {
    EXPECT_NEAR(mean[i], exact.mean[i], tolerance * std::sqrt(exact.variance[i])) << i;
    EXPECT_NEAR(variance[i], exact.variance[i], tolerance * exact.variance[i]) << i;
  }
}

class BatchNormalizationLoops : public testing::TestWithParam<RowsOfChannels> {
 protected:
  RowsOfChannels size_ = GetParam();
  std::int64_t count_ = size_.rows * size_.channels;
};

TEST_P(BatchNormalizationLoops, find_mean_and_variance) {
  expect_exact_moments(size_, random_floats(count_, 1));
}

TEST_P(BatchNormalizationLoops, find_a_small_variance_around_a_large_mean) {
  expect_exact_moments(size_, random_floats(count_, 2, 1e6F, 0.5F));
}

TEST_P(BatchNormalizationLoops, find_the_variance_of_rows_that_drift) {
  Floats x = random_floats(count_, 3, 0.0F, 0.01F);
  for (std::int64_t i = 0; i < count_; ++i) x[i] += static_cast<float>(i / size_.channels) * 0.1F;
  expect_exact_moments(size_, x);
}

TEST_P(BatchNormalizationLoops, find_the_variance_around_one_far_row) {
  Floats x = random_floats(count_, 4);
  std::fill(x.begin(), x.begin() + size_.channels, 1e4F);
  expect_exact_moments(size_, x);
}

TEST_P(BatchNormalizationLoops, scale_in_place_too) {
  const Floats x = random_floats(count_, 5), mean = random_floats(size_.channels, 6),
               scale = random_floats(size_.channels, 7), shift = random_floats(size_.channels, 8);
  Floats y(count_), in_place = x;
  scale_channels(size_, x.data(), mean, scale, shift, y.data());
  scale_channels(size_, in_place.data(), mean, scale, shift, in_place.data());
  for (std::int64_t i = 0; i < count_; ++i) {
    const std::int64_t channel = i % size_.channels;
    const double centered = rectified(x[i]) - mean[channel];
    EXPECT_NEAR(y[i], centered * scale[channel] + shift[channel], 1e-5) << i;
  }
  EXPECT_EQ(in_place, y);
}

TEST_P(BatchNormalizationLoops, sum_gradients) {
  const Floats gradient = random_floats(count_, 9, 0.5F), x = random_floats(count_, 10, 3.0F),
               mean(size_.channels, 3.0F);
  Doubles sum, product, exact_sum(size_.channels), exact_product(size_.channels), sizes(size_.channels);
  channel_gradient_sums(size_, gradient.data(), x.data(), mean, sum, product);
  for (std::int64_t i = 0; i < count_; ++i) {
    const std::int64_t channel = i % size_.channels;
    const double term = gradient[i] * (rectified(x[i]) - mean[channel]);
    exact_sum[channel] += gradient[i];
    exact_product[channel] += term;
    sizes[channel] += std::abs(gradient[i]) + std::abs(term);
  }
  for (std::int64_t i = 0; i < size_.channels; ++i) {
    EXPECT_NEAR(sum[i], exact_sum[i], 1e-6 * sizes[i]) << i;
    EXPECT_NEAR(product[i], exact_product[i], 1e-6 * sizes[i]) << i;
  }
}

TEST_P(BatchNormalizationLoops, scale_gradients) {
  const Floats gradient = random_floats(count_, 11), x = random_floats(count_, 12),
               mean = random_floats(size_.channels, 13), offset = random_floats(size_.channels, 14),
               slope = random_floats(size_.channels, 15), scale = random_floats(size_.channels, 16);
  Floats result = gradient;
  scale_channel_gradients(size_, result.data(), x.data(), mean, offset, slope, scale);
  for (std::int64_t i = 0; i < count_; ++i) {
    const std::int64_t channel = i % size_.channels;
    const double along = (static_cast<double>(x[i]) - mean[channel]) * slope[channel];
    const double expected = (static_cast<double>(gradient[i]) - offset[channel] - along) * scale[channel];
    EXPECT_NEAR(result[i], x[i] > 0.0F ? expected : 0.0, 1e-5) << i;
  }
}

TEST_P(BatchNormalizationLoops, keep_a_nan_within_its_channel) {
  Floats x = random_floats(count_, 17);
  x[count_ - 1] = std::numeric_limits<float>::quiet_NaN();
  Doubles mean, variance;
  channel_moments(size_, x.data(), mean, variance);
  for (std::int64_t i = 0; i < size_.channels; ++i) {
    const bool is_last = i == size_.channels - 1;
    EXPECT_EQ(std::isnan(mean[i]), is_last) << i;
    EXPECT_EQ(std::isnan(variance[i]), is_last) << i;
  }
}

TEST(BatchNormalizationLoopsAlone, stop_gradients_at_zero_and_pass_nan_on) {
  const Floats x = {0.0F, std::numeric_limits<float>::quiet_NaN(), -1.0F, 1.0F}, one = {1.0F}, zero = {0.0F};
  Floats gradient(4, 2.0F), y(4);
  scale_channel_gradients({4, 1}, gradient.data(), x.data(), zero, zero, zero, one);
  scale_channels({4, 1}, x.data(), zero, one, zero, y.data());
  EXPECT_EQ(gradient[0], 0.0F);
  EXPECT_TRUE(std::isnan(gradient[1]));
  EXPECT_EQ(gradient[2], 0.0F);
  EXPECT_EQ(gradient[3], 2.0F);
  EXPECT_TRUE(std::isnan(y[1]));
  EXPECT_EQ(y[2], 0.0F);
}

std::string size_name(const testing::TestParamInfo<RowsOfChannels>& info) {
  return std::to_string(info.param.rows) + "_rows_of_" + std::to_string(info.param.channels);
}

INSTANTIATE_TEST_SUITE_P(sizes, BatchNormalizationLoops,
                         testing::Values(RowsOfChannels{1, 1}, RowsOfChannels{1, 64}, RowsOfChannels{5, 3},
                                         RowsOfChannels{30011, 1}, RowsOfChannels{10007, 3}, RowsOfChannels{3001, 17},
                                         RowsOfChannels{4096, 32}, RowsOfChannels{1027, 64}, RowsOfChannels{259, 200}),
                         size_name);

TEST(BatchNormalizationLoopsAlone, give_equal_rows_no_variance) {
  const RowsOfChannels size{1000, 3};
  const Floats x(3000, 0.25F);
  Doubles mean, variance;
  channel_moments(size, x.data(), mean, variance);
  EXPECT_EQ(mean, Doubles(3, 0.25));
  EXPECT_EQ(variance, Doubles(3, 0.0));
}

}  // namespace
}  // namespace modelhop::engine
