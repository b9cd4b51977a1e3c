// SPDX-License-Identifier: Apache-2.0
// Plain loops over channels that the compiler vectorizes. Where a row is short several make one wide row, so that the
// vectors are full; lanes are added up afterwards.
#include "engine/batch_normalization_loops.hpp"

#include <algorithm>
#include <bit>
#include <vector>

#include "engine/vector_functions.hpp"

namespace modelhop::engine {
namespace {

constexpr std::int64_t kLanes =
    64;  ///< short rows are joined until a wide one has more than half as many: whole vectors
constexpr std::int64_t kWideRows = 128;  ///< of a block: floats sum these, doubles sum the blocks

/// Rows that make a wide row.
std::int64_t fold_of(RowsOfChannels size) {
  const std::int64_t fits = std::max<std::int64_t>(kLanes / size.channels, 1);
  return static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(fits)));
}

/// A channel's number in each of its lanes.
std::vector<float> lanes_of(const std::vector<float>& values, std::int64_t fold) {
  std::vector<float> lanes;
  lanes.reserve(values.size() * fold);
  for (std::int64_t i = 0; i < fold; ++i) lanes.insert(lanes.end(), values.begin(), values.end());
  return lanes;
}

/// Four rows at a time: their sum is added to the lane's once.
MODELHOP_VECTOR_CLONES
void add_deviations(RowsOfChannels size, const float* __restrict x, const float* __restrict shift,
                    float* __restrict sum, float* __restrict square) {
  const std::int64_t width = size.channels;
  std::int64_t row = 0;
  for (; row + 4 <= size.rows; row += 4, x += 4 * width) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < width; ++i) {
      const float a = rectified(x[i]) - shift[i], b = rectified(x[i + width]) - shift[i];
      const float c = rectified(x[i + 2 * width]) - shift[i], d = rectified(x[i + 3 * width]) - shift[i];
      sum[i] += (a + b) + (c + d);
      square[i] += (a * a + b * b) + (c * c + d * d);
    }
  }
  for (; row < size.rows; ++row, x += width) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < width; ++i) {
      const float a = rectified(x[i]) - shift[i];
      sum[i] += a;
      square[i] += a * a;
    }
  }
}

MODELHOP_VECTOR_CLONES
void add_gradients(RowsOfChannels size, const float* __restrict gradient, const float* __restrict x,
                   const float* __restrict mean, float* __restrict sum, float* __restrict product) {
  const std::int64_t width = size.channels;
  std::int64_t row = 0;
  for (; row + 4 <= size.rows; row += 4, x += 4 * width, gradient += 4 * width) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < width; ++i) {
      const float a = gradient[i], b = gradient[i + width];
      const float c = gradient[i + 2 * width], d = gradient[i + 3 * width];
      sum[i] += (a + b) + (c + d);
      product[i] += (a * (rectified(x[i]) - mean[i]) + b * (rectified(x[i + width]) - mean[i])) +
                    (c * (rectified(x[i + 2 * width]) - mean[i]) + d * (rectified(x[i + 3 * width]) - mean[i]));
    }
  }
  for (; row < size.rows; ++row, x += width, gradient += width) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < width; ++i) {
      sum[i] += gradient[i];
      product[i] += gradient[i] * (rectified(x[i]) - mean[i]);
    }
  }
}

MODELHOP_VECTOR_CLONES
void scale_rows(RowsOfChannels size, const float* x, const float* __restrict mean, const float* __restrict scale,
                const float* __restrict shift, float* y) {
  const std::int64_t width = size.channels;
  for (std::int64_t row = 0; row < size.rows; ++row, x += width, y += width) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < width; ++i) y[i] = (rectified(x[i]) - mean[i]) * scale[i] + shift[i];
  }
}

MODELHOP_VECTOR_CLONES
void scale_gradient_rows(RowsOfChannels size, float* __restrict gradient, const float* __restrict x,
                         const float* __restrict mean, const float* __restrict offset, const float* __restrict slope,
                         const float* __restrict scale) {
  const std::int64_t width = size.channels;
  for (std::int64_t row = 0; row < size.rows; ++row, x += width, gradient += width) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < width; ++i) {
      const float of_relu = ((gradient[i] - offset[i]) - (x[i] - mean[i]) * slope[i]) * scale[i];
      gradient[i] = x[i] <= 0.0F ? 0.0F : of_relu;
    }
  }
}

void add_lanes(const std::vector<float>& lanes, std::int64_t channels, std::vector<double>& sums) {
  const auto count = static_cast<std::int64_t>(lanes.size());
  for (std::int64_t lane = 0; lane < count; lane += channels) {
    for (std::int64_t i = 0; i < channels; ++i) sums[i] += lanes[lane + i];
  }
}

/// Gives a loop rows as wide rows, then those that are left.
template <typename Loop>
void each_width(std::int64_t row, std::int64_t rows, std::int64_t channels, std::int64_t fold, Loop loop) {
  const std::int64_t wide = rows / fold, left = rows % fold;
  if (wide > 0) loop(RowsOfChannels{wide, channels * fold}, row * channels);
  if (left > 0) loop(RowsOfChannels{left, channels}, (row + wide * fold) * channels);
}

/// Sums of the deviations from a shift, and of their squares, block by block.
class Deviations {
 public:
  Deviations(RowsOfChannels size, const float* x)
      : size_(size),
        fold_(fold_of(size)),
        x_(x),
        shift_(size.channels * fold_),
        lane_sums_(shift_.size()),
        lane_squares_(shift_.size()),
        sums_(size.channels),
        squares_(size.channels) {}

  std::int64_t block() const { return kWideRows * fold_; }

  void sum(std::int64_t row, std::int64_t rows) {
    std::fill(lane_sums_.begin(), lane_sums_.end(), 0.0F);
    std::fill(lane_squares_.begin(), lane_squares_.end(), 0.0F);
    each_width(row, rows, size_.channels, fold_, [&](RowsOfChannels part, std::int64_t at) {
      add_deviations(part, x_ + at, shift_.data(), lane_sums_.data(), lane_squares_.data());
    });
    std::fill(sums_.begin(), sums_.end(), 0.0);
    std::fill(squares_.begin(), squares_.end(), 0.0);
    add_lanes(lane_sums_, size_.channels, sums_);
    add_lanes(lane_squares_, size_.channels, squares_);
  }
  /// Of the rows that were summed last.
  double mean(std::int64_t channel, double rows) const { return shift_[channel] + sums_[channel] / rows; }
  double squares_around_mean(std::int64_t channel, double rows) const {
    return squares_[channel] - sums_[channel] * sums_[channel] / rows;
  }
  void shift_to_mean(double rows) {
    for (std::int64_t i = 0; i < size_.channels; ++i) shift_[i] = static_cast<float>(mean(i, rows));
    const auto lanes = static_cast<std::int64_t>(shift_.size());
    for (std::int64_t lane = size_.channels; lane < lanes; ++lane) shift_[lane] = shift_[lane - size_.channels];
  }

 private:
  RowsOfChannels size_;
  std::int64_t fold_;
  const float* x_;
  std::vector<float> shift_, lane_sums_, lane_squares_;
  std::vector<double> sums_, squares_;
};

}  // namespace

// The deviations are from the mean of the block before. Where that is far from the block's own mean, their squares
// lose digits, but then the variance of the whole is as large: the error stays within a few float roundings of it.
void channel_moments(RowsOfChannels size, const float* x, std::vector<double>& mean, std::vector<double>& variance) {
  mean.assign(size.channels, 0.0);
  variance.assign(size.channels, 0.0);
  Deviations block(size, x);
  const std::int64_t first = std::min(block.block(), size.rows);
  block.sum(0, first);
  block.shift_to_mean(static_cast<double>(first));
  for (std::int64_t row = 0; row < size.rows; row += block.block()) {
    const std::int64_t rows = std::min(block.block(), size.rows - row);
    block.sum(row, rows);
    const auto before = static_cast<double>(row), own = static_cast<double>(rows);
    const double share = own / (before + own);
    for (std::int64_t i = 0; i < size.channels; ++i) {
      const double apart = block.mean(i, own) - mean[i];
      mean[i] += apart * share;
      variance[i] += block.squares_around_mean(i, own) + apart * apart * before * share;
    }
    block.shift_to_mean(own);
  }
  // A difference of sums that should be zero may be below it; a NaN stays.
  for (double& value : variance) value = value < 0.0 ? 0.0 : value / static_cast<double>(size.rows);
}

void scale_channels(RowsOfChannels size, const float* x, const std::vector<float>& mean,
                    const std::vector<float>& scale, const std::vector<float>& shift, float* y) {
  const std::int64_t fold = fold_of(size);
  const auto means = lanes_of(mean, fold), scales = lanes_of(scale, fold), shifts = lanes_of(shift, fold);
  each_width(0, size.rows, size.channels, fold, [&](RowsOfChannels part, std::int64_t at) {
    scale_rows(part, x + at, means.data(), scales.data(), shifts.data(), y + at);
  });
}

void channel_gradient_sums(RowsOfChannels size, const float* gradient, const float* x, const std::vector<float>& mean,
                           std::vector<double>& sum, std::vector<double>& product) {
  const std::int64_t fold = fold_of(size), block = kWideRows * fold;
  const auto means = lanes_of(mean, fold);
  std::vector<float> lane_sums(means.size()), lane_products(means.size());
  sum.assign(size.channels, 0.0);
  product.assign(size.channels, 0.0);
  for (std::int64_t row = 0; row < size.rows; row += block) {
    std::fill(lane_sums.begin(), lane_sums.end(), 0.0F);
    std::fill(lane_products.begin(), lane_products.end(), 0.0F);
    const std::int64_t rows = std::min(block, size.rows - row);
    each_width(row, rows, size.channels, fold, [&](RowsOfChannels part, std::int64_t at) {
      add_gradients(part, gradient + at, x + at, means.data(), lane_sums.data(), lane_products.data());
    });
    add_lanes(lane_sums, size.channels, sum);
    add_lanes(lane_products, size.channels, product);
  }
}

void scale_channel_gradients(RowsOfChannels size, float* gradient, const float* x, const std::vector<float>& mean,
                             const std::vector<float>& offset, const std::vector<float>& slope,
                             const std::vector<float>& scale) {
  const std::int64_t fold = fold_of(size);
  const auto means = lanes_of(mean, fold), offsets = lanes_of(offset, fold), slopes = lanes_of(slope, fold),
             scales = lanes_of(scale, fold);
  each_width(0, size.rows, size.channels, fold, [&](RowsOfChannels part, std::int64_t at) {
    scale_gradient_rows(part, gradient + at, x + at, means.data(), offsets.data(), slopes.data(), scales.data());
  });
}

}  // namespace modelhop::engine
