// SPDX-License-Identifier: Apache-2.0
// Tiles of 64 columns: what a kernel has in one stays in the first-level cache for all rows. A row of the census table
// has 12 numbers of 108.
#include "engine/sparse_products.hpp"

#include <algorithm>
#include <cstring>

#include "engine/vector_clones.hpp"
#include "engine/vector_functions.hpp"

namespace modelhop::engine {
namespace {

/// One register of AVX-512, or the registers of older processors that hold as much.
using Lanes = float __attribute__((vector_size(64)));
constexpr std::int64_t kLanes = 16;
constexpr std::int64_t kTile = 4 * kLanes;

/// A matrix that is written, or some columns of it.
struct Result {
  float* data;
  std::int64_t rows;
};

MODELHOP_INLINE void load(const float* from, Lanes& lanes) {
  std::memcpy(&lanes, from, sizeof lanes);
}

MODELHOP_INLINE void store(const Lanes& lanes, float* to) {
  std::memcpy(to, &lanes, sizeof lanes);
}

/// kVectors * kLanes columns of the result. No array is copied as a whole, or compilers do not keep it in registers.
template <int kVectors>
MODELHOP_INLINE void multiply_tile(SparseMatrix matrix, const float* kernel, std::int64_t width, const float* bias,
                                   bool is_rectified, float* result) {
  for (const SparseRow& row : matrix) {
    Lanes sums[kVectors];
#pragma GCC unroll 4
    for (int i = 0; i < kVectors; ++i) {
      sums[i] = Lanes{};
      if (bias != nullptr) load(bias + i * kLanes, sums[i]);
    }
    for (std::int64_t place = 0; place < row.count; ++place) {
      const float number = row.numbers[place];
      const float* from = kernel + row.columns[place] * width;
#pragma GCC unroll 4
      for (int i = 0; i < kVectors; ++i) {
        Lanes factor;
        load(from + i * kLanes, factor);
        sums[i] += factor * number;
      }
    }
#pragma GCC unroll 4
    for (int i = 0; i < kVectors; ++i) {
      const Lanes negative_as_zero = sums[i] < 0.0F ? Lanes{} : sums[i];
      store(is_rectified ? negative_as_zero : sums[i], result + i * kLanes);
    }
    result += width;
  }
}

/// One column of the result.
MODELHOP_INLINE void multiply_column(SparseMatrix matrix, const float* kernel, std::int64_t width, float bias,
                                     bool is_rectified, float* result) {
  for (const SparseRow& row : matrix) {
    float total = bias;
    for (std::int64_t place = 0; place < row.count; ++place) {
      total += row.numbers[place] * kernel[row.columns[place] * width];
    }
    *result = is_rectified ? rectified(total) : total;
    result += width;
  }
}

/// kVectors * kLanes columns of the result are summed in rows of `distance` numbers each.
template <int kVectors>
MODELHOP_INLINE void add_transposed(SparseMatrix matrix, const float* gradient, std::int64_t width, float* sums,
                                    std::int64_t distance) {
  for (const SparseRow& row : matrix) {
    Lanes given[kVectors];
#pragma GCC unroll 4
    for (int i = 0; i < kVectors; ++i) load(gradient + i * kLanes, given[i]);
    for (std::int64_t place = 0; place < row.count; ++place) {
      const float number = row.numbers[place];
      float* into = sums + row.columns[place] * distance;
#pragma GCC unroll 4
      for (int i = 0; i < kVectors; ++i) {
        Lanes sum;
        load(into + i * kLanes, sum);
        store(sum + given[i] * number, into + i * kLanes);
      }
    }
    gradient += width;
  }
}

/// The columns are summed side by side in a tile where it fits into the second-level cache: strewn over the rows of a
/// wide result they would share few sets of the first, which takes half as long again.
template <int kVectors>
MODELHOP_INLINE void multiply_transposed_tile(SparseMatrix matrix, const float* gradient, std::int64_t width,
                                              const Result& result, std::vector<CacheLine>& room) {
  constexpr std::int64_t kColumns = kVectors * kLanes, kMostLines = 8192;
  const std::int64_t lines = result.rows * kVectors;
  if (lines > kMostLines) {
    for (std::int64_t row = 0; row < result.rows; ++row) std::fill_n(result.data + row * width, kColumns, 0.0F);
    add_transposed<kVectors>(matrix, gradient, width, result.data, width);
    return;
  }
  room.resize(static_cast<std::size_t>(std::max(lines, std::ssize(room))));
  auto* tile = reinterpret_cast<float*>(room.data());
  std::fill_n(tile, lines * kLanes, 0.0F);
  add_transposed<kVectors>(matrix, gradient, width, tile, kColumns);
  for (std::int64_t row = 0; row < result.rows; ++row, tile += kColumns) {
    std::copy_n(tile, kColumns, result.data + row * width);
  }
}

MODELHOP_INLINE void multiply_transposed_column(SparseMatrix matrix, const float* gradient, std::int64_t width,
                                                const Result& result) {
  for (std::int64_t row = 0; row < result.rows; ++row) result.data[row * width] = 0.0F;
  for (const SparseRow& row : matrix) {
    for (std::int64_t place = 0; place < row.count; ++place) {
      result.data[row.columns[place] * width] += row.numbers[place] * *gradient;
    }
    gradient += width;
  }
}

}  // namespace

MODELHOP_VECTOR_CLONES void multiply(SparseMatrix matrix, const float* kernel, std::int64_t width, const float* bias,
                                     bool is_rectified, float* result) {
  const auto bias_at = [bias](std::int64_t column) { return bias == nullptr ? nullptr : bias + column; };
  std::int64_t first = 0;
  for (; first + kTile <= width; first += kTile) {
    multiply_tile<4>(matrix, kernel + first, width, bias_at(first), is_rectified, result + first);
  }
  for (; first + kLanes <= width; first += kLanes) {
    multiply_tile<1>(matrix, kernel + first, width, bias_at(first), is_rectified, result + first);
  }
  for (; first < width; ++first) {
    multiply_column(matrix, kernel + first, width, bias == nullptr ? 0.0F : bias[first], is_rectified, result + first);
  }
}

MODELHOP_VECTOR_CLONES void multiply_transposed(SparseMatrix matrix, std::int64_t columns, const float* gradient,
                                                std::int64_t width, float* result, std::vector<CacheLine>& room) {
  std::int64_t first = 0;
  const auto part = [&] { return Result{result + first, columns}; };
  for (; first + kTile <= width; first += kTile) {
    multiply_transposed_tile<4>(matrix, gradient + first, width, part(), room);
  }
  for (; first + kLanes <= width; first += kLanes) {
    multiply_transposed_tile<1>(matrix, gradient + first, width, part(), room);
  }
  for (; first < width; ++first) multiply_transposed_column(matrix, gradient + first, width, part());
}

}  // namespace modelhop::engine
