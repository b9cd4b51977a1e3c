// SPDX-License-Identifier: Apache-2.0
// Maximum pooling by loops against the definition, cell by cell.
#include "engine/pooling_loops.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace modelhop::engine {
namespace {

using Floats = std::vector<float>;

/// Few different numbers, so that maxima are tied often; about half of them below zero.
Floats numbers(std::int64_t count) {
  Floats values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i * i * 31 % 17) - 8.0F;
  return values;
}

struct Expected {
  Floats output, gradient;
};

/// `given` is the gradient of the output.
Expected by_definition(const PoolingWindow& window, std::int64_t rows, const Floats& images, const Floats& given) {
  Expected expected{{}, Floats(images.size(), 0.0F)};
  const auto place = [&](std::int64_t row, std::int64_t y, std::int64_t x, std::int64_t channel) {
    return static_cast<std::size_t>(((row * window.height + y) * window.width + x) * window.channels + channel);
  };
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t y = 0; y < window.output_height; ++y) {
      for (std::int64_t x = 0; x < window.output_width; ++x) {
        for (std::int64_t channel = 0; channel < window.channels; ++channel) {
          float best = -std::numeric_limits<float>::infinity();
          std::size_t winner = images.size();
          for (std::int64_t dy = 0; dy < window.size[0]; ++dy) {
            for (std::int64_t dx = 0; dx < window.size[1]; ++dx) {
              const std::int64_t cell_y = y * window.strides[0] - window.before[0] + dy;
              const std::int64_t cell_x = x * window.strides[1] - window.before[1] + dx;
              if (cell_y < 0 || cell_y >= window.height || cell_x < 0 || cell_x >= window.width) continue;
              const std::size_t cell = place(row, cell_y, cell_x, channel);
              if (images[cell] > best) {
                best = images[cell];
                winner = cell;
              }
            }
          }
          const bool is_closed = window.is_rectified && best <= 0.0F;
          if (!is_closed) expected.gradient[winner] += given[expected.output.size()];
          expected.output.push_back(is_closed ? 0.0F : best);
        }
      }
    }
  }
  return expected;
}

PoolingWindow window_of(std::int64_t extent, std::int64_t size, std::int64_t stride, std::int64_t before,
                        std::int64_t channels) {
  PoolingWindow window;
  window.height = extent;
  window.width = extent + 1;
  window.channels = channels;
  const auto outputs = [&](std::int64_t cells) { return (cells + before - size) / stride + 1; };
  window.output_height = outputs(window.height);
  window.output_width = outputs(window.width);
  for (int axis = 0; axis < 2; ++axis) {
    window.size[axis] = size;
    window.strides[axis] = stride;
    window.before[axis] = before;
  }
  return window;
}

void expect_definition(PoolingWindow window) {
  constexpr std::int64_t kRows = 3;
  const Floats images = numbers(kRows * window.height * window.width * window.channels);
  const std::int64_t outputs = kRows * window.output_height * window.output_width * window.channels;
  const Floats given = numbers(outputs);
  for (const bool is_rectified : {false, true}) {
    window.is_rectified = is_rectified;
    const Expected expected = by_definition(window, kRows, images, given);
    Floats output(static_cast<std::size_t>(outputs)), without_places = output, gradient(images.size(), 99.0F);
    std::vector<std::uint8_t> places(output.size());
    max_pooling(window, kRows, images.data(), output.data(), places.data());
    max_pooling(window, kRows, images.data(), without_places.data(), nullptr);
    max_pooling_gradient(window, kRows, given.data(), places.data(), gradient.data());
    EXPECT_EQ(output, expected.output);
    EXPECT_EQ(without_places, expected.output);
    EXPECT_EQ(gradient, expected.gradient);
  }
}

TEST(PoolingLoops, FollowTheDefinition) {
  for (const std::int64_t channels : {1, 3, 16, 32, 53}) {
    SCOPED_TRACE(channels);
    expect_definition(window_of(7, 2, 2, 0, channels));  // cells that no window reaches
    expect_definition(window_of(7, 3, 2, 1, channels));  // padding, and windows that overlap
    expect_definition(window_of(5, 2, 3, 0, channels));  // gaps between windows
    expect_definition(window_of(5, 3, 1, 2, channels));  // one cell of the image in the first window
  }
}

TEST(PoolingLoops, EachCellInOneWindow) {
  PoolingWindow window = window_of(6, 2, 2, 0, 40);
  window.width = 8;
  window.output_width = 4;
  expect_definition(window);
}

TEST(PoolingLoops, NotANumberWins) {
  const PoolingWindow window = window_of(2, 2, 2, 0, 1);
  Floats images = {1, 5, 0, NAN, 2, 0};
  Floats output(1);
  std::vector<std::uint8_t> places(1);
  max_pooling(window, 1, images.data(), output.data(), places.data());
  EXPECT_TRUE(std::isnan(output[0]));
  global_maxima(1, 6, 1, true, images.data(), output.data());
  EXPECT_TRUE(std::isnan(output[0]));
}

TEST(PoolingLoops, GlobalMaximaShareTheirGradient) {
  constexpr std::int64_t kChannels = 35;
  Floats images(4 * kChannels, -2.0F);
  images[0] = images[2 * kChannels] = 3.0F;  // channel 0: twice the maximum
  images[kChannels + 34] = 1.0F;             // the last channel: once
  const Floats given(kChannels, 6.0F);
  for (const bool is_rectified : {false, true}) {
    Floats output(kChannels), gradient(images.size(), 99.0F);
    global_maxima(1, 4, kChannels, is_rectified, images.data(), output.data());
    global_maxima_gradient(1, 4, kChannels, is_rectified, images.data(), output.data(), given.data(), gradient.data());
    EXPECT_EQ(output[0], 3.0F);
    EXPECT_EQ(output[5], is_rectified ? 0.0F : -2.0F);
    EXPECT_EQ(gradient[0], 3.0F);
    EXPECT_EQ(gradient[kChannels], 0.0F);
    EXPECT_EQ(gradient[2 * kChannels], 3.0F);
    EXPECT_EQ(gradient[kChannels + 34], 6.0F);
    EXPECT_EQ(gradient[5], is_rectified ? 0.0F : 1.5F);
  }
}

}  // namespace
}  // namespace modelhop::engine
