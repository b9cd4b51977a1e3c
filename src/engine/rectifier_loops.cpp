// SPDX-License-Identifier: Apache-2.0
// Columns are summed in blocks of rows, so that rounding does not grow with a batch of images: an image of 32 x 32 has
// a thousand rows.
#include "engine/rectifier_loops.hpp"

#include <algorithm>

#include "engine/vector_functions.hpp"

namespace modelhop::engine {
namespace {

constexpr std::int64_t kBlockRows = 64;
constexpr std::int64_t kTile = 64;  ///< columns that are summed side by side

/// Calls term(row, column) once for each element of `width` columns from `first` on, in order of rows.
template <typename Term>
MODELHOP_INLINE void sum_tile(std::int64_t rows, std::int64_t first, std::int64_t width, float* sums, Term term) {
  float total[kTile] = {};
  for (std::int64_t begin = 0; begin < rows; begin += kBlockRows) {
    const std::int64_t end = std::min(begin + kBlockRows, rows);
    float block[kTile] = {};
    for (std::int64_t row = begin; row < end; ++row) {
#pragma GCC ivdep
      for (std::int64_t i = 0; i < width; ++i) block[i] += term(row, first + i);
    }
    for (std::int64_t i = 0; i < width; ++i) total[i] += block[i];
  }
  for (std::int64_t i = 0; i < width; ++i) sums[first + i] = total[i];
}

/// Widths that the compiler knows become whole vectors.
template <typename Term>
MODELHOP_INLINE void sum_by_column(std::int64_t rows, std::int64_t columns, float* sums, Term term) {
  std::int64_t first = 0;
  for (; first + kTile <= columns; first += kTile) sum_tile(rows, first, kTile, sums, term);
  for (; first + kTile / 2 <= columns; first += kTile / 2) sum_tile(rows, first, kTile / 2, sums, term);
  for (; first + kTile / 4 <= columns; first += kTile / 4) sum_tile(rows, first, kTile / 4, sums, term);
  if (first < columns) sum_tile(rows, first, columns - first, sums, term);
}

}  // namespace

MODELHOP_VECTOR_CLONES void rectify(float* values, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) values[i] = rectified(values[i]);
}

MODELHOP_VECTOR_CLONES void add_bias(float* __restrict values, std::int64_t rows, std::int64_t columns,
                                     const float* __restrict bias, bool is_rectified) {
  for (std::int64_t row = 0; row < rows; ++row, values += columns) {
    if (is_rectified) {
      for (std::int64_t i = 0; i < columns; ++i) values[i] = rectified(values[i] + bias[i]);
    } else {
      for (std::int64_t i = 0; i < columns; ++i) values[i] += bias[i];
    }
  }
}

MODELHOP_VECTOR_CLONES void rectify_gradient(float* __restrict gradient, const float* __restrict output,
                                             std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) gradient[i] = output[i] <= 0.0F ? 0.0F : gradient[i];
}

MODELHOP_VECTOR_CLONES void rectify_gradient(float* __restrict gradient, const float* __restrict output,
                                             std::int64_t rows, std::int64_t columns, float* __restrict sums) {
  sum_by_column(
      rows, columns, sums, [=](std::int64_t row, std::int64_t column) __attribute__((always_inline)) {
        const std::int64_t place = row * columns + column;
        const float kept = output[place] <= 0.0F ? 0.0F : gradient[place];
        gradient[place] = kept;
        return kept;
      });
}

MODELHOP_VECTOR_CLONES void sum_columns(const float* __restrict values, std::int64_t rows, std::int64_t columns,
                                        float* __restrict sums) {
  sum_by_column(
      rows, columns, sums, [=](std::int64_t row, std::int64_t column) __attribute__((always_inline)) {
        return values[row * columns + column];
      });
}

}  // namespace modelhop::engine
