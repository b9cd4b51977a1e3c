// SPDX-License-Identifier: Apache-2.0
// A row of the census table has 14 numbers of 108: a step of 64-32-1 on it takes 11.2 us by these loops and 14.4 by
// BLAS (bench/step_parts). The order of sums is fixed, and so are bits.
#include "engine/sparse_rows.hpp"

#include <immintrin.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "engine/vector_clones.hpp"

namespace modelhop::engine {
namespace {

/// One register of AVX-512, or the registers of older processors that hold as much.
using Lanes = float __attribute__((vector_size(64)));
constexpr std::int64_t kLanes = 16;

constexpr std::int64_t kFullestShare = 5;  ///< one in so many numbers may be other than zero

/// Appends the columns of a row that are not zero; returns where they end. Without branches: nobody can predict them.
std::int64_t append_places(const float* row, std::int64_t first, std::int64_t columns, std::int32_t* places,
                           std::int64_t end) {
  for (std::int64_t column = first; column < columns; ++column) {
    places[end] = static_cast<std::int32_t>(column);
    const bool is_zero = (std::bit_cast<std::uint32_t>(row[column]) << 1) == 0;
    end += is_zero ? 0 : 1;
  }
  return end;
}

/// The same, sixteen columns at once: what a loop cannot say to the compiler. It takes a tenth off a step of 64-32-1.
__attribute__((target("avx512f"))) std::int64_t append_places_by_sixteen(const float* row, std::int64_t columns,
                                                                         std::int32_t* places, std::int64_t end) {
  const __m512i sixteen = _mm512_set1_epi32(kLanes);
  __m512i numbers = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  std::int64_t column = 0;
  for (; column + kLanes <= columns; column += kLanes, numbers = _mm512_add_epi32(numbers, sixteen)) {
    const __m512i bits = _mm512_loadu_si512(row + column);  // a comparison would take denormal numbers for zeros
    const __mmask16 found = _mm512_test_epi32_mask(bits, _mm512_set1_epi32(0x7FFFFFFF));
    _mm512_storeu_si512(places + end, _mm512_maskz_compress_epi32(found, numbers));
    end += __builtin_popcount(found);
  }
  return append_places(row, column, columns, places, end);
}

const bool kHasSixteen = __builtin_cpu_supports("avx512f");

std::int64_t append_places(const float* row, std::int64_t columns, std::int32_t* places, std::int64_t end) {
  return kHasSixteen ? append_places_by_sixteen(row, columns, places, end)
                     : append_places(row, 0, columns, places, end);
}

struct Row {
  const float* values;
  const std::int32_t *begin, *end;  ///< of its places
};

/// sums = the row by kVectors * kLanes columns of the kernel. A compiler does not keep the sums of an array of floats
/// in registers, which takes three times as long.
template <int kVectors>
MODELHOP_INLINE void multiply_tile(const Row& row, const float* kernel, std::int64_t width, float* sums) {
  Lanes total[kVectors] = {};
  for (const std::int32_t* place = row.begin; place != row.end; ++place) {
    const float value = row.values[*place];
    const float* from = kernel + *place * width;
#pragma GCC unroll 4
    for (int i = 0; i < kVectors; ++i) {
      Lanes column;
      std::memcpy(&column, from + i * kLanes, sizeof column);
      total[i] += column * value;
    }
  }
  std::memcpy(sums, total, sizeof total);
}

MODELHOP_INLINE void multiply_row(const Row& row, const float* kernel, std::int64_t width, float* sums) {
  std::int64_t first = 0;
  for (; first + 4 * kLanes <= width; first += 4 * kLanes) multiply_tile<4>(row, kernel + first, width, sums + first);
  for (; first + kLanes <= width; first += kLanes) multiply_tile<1>(row, kernel + first, width, sums + first);
  for (; first < width; ++first) {
    float total = 0.0F;
    for (const std::int32_t* place = row.begin; place != row.end; ++place) {
      total += row.values[*place] * kernel[*place * width + first];
    }
    sums[first] = total;
  }
}

/// result[place's row] += the number there times kVectors * kLanes numbers of the gradient.
template <int kVectors>
MODELHOP_INLINE void add_tile(const Row& row, const float* gradient, std::int64_t width, float* result) {
  Lanes given[kVectors];
  std::memcpy(given, gradient, sizeof given);
  for (const std::int32_t* place = row.begin; place != row.end; ++place) {
    const float value = row.values[*place];
    float* into = result + *place * width;
#pragma GCC unroll 4
    for (int i = 0; i < kVectors; ++i) {
      Lanes sum;
      std::memcpy(&sum, into + i * kLanes, sizeof sum);
      sum += given[i] * value;
      std::memcpy(into + i * kLanes, &sum, sizeof sum);
    }
  }
}

MODELHOP_INLINE void add_outer_product(const Row& row, const float* gradient, std::int64_t width, float* result) {
  std::int64_t first = 0;
  for (; first + 4 * kLanes <= width; first += 4 * kLanes) add_tile<4>(row, gradient + first, width, result + first);
  for (; first + kLanes <= width; first += kLanes) add_tile<1>(row, gradient + first, width, result + first);
  for (; first < width; ++first) {
    for (const std::int32_t* place = row.begin; place != row.end; ++place) {
      result[*place * width + first] += row.values[*place] * gradient[first];
    }
  }
}

MODELHOP_VECTOR_CLONES void multiply_rows(const float* values, std::int64_t rows, std::int64_t columns,
                                          const std::int32_t* places, const std::int64_t* ends, const float* kernel,
                                          std::int64_t width, float* result) {
  std::int64_t begin = 0;
  for (std::int64_t row = 0; row < rows; ++row) {
    multiply_row({values + row * columns, places + begin, places + ends[row]}, kernel, width, result + row * width);
    begin = ends[row];
  }
}

MODELHOP_VECTOR_CLONES void add_outer_products(const float* values, std::int64_t rows, std::int64_t columns,
                                               const std::int32_t* places, const std::int64_t* ends,
                                               const float* gradient, std::int64_t width, float* result) {
  std::int64_t begin = 0;
  for (std::int64_t row = 0; row < rows; ++row, values += columns, gradient += width) {
    add_outer_product({values, places + begin, places + ends[row]}, gradient, width, result);
    begin = ends[row];
  }
}

}  // namespace

bool SparseRows::read(const float* values, std::int64_t rows, std::int64_t columns) {
  values_ = values;
  rows_ = rows;
  columns_ = columns;
  const std::int64_t room = rows * columns / kFullestShare;
  places_.resize(
      static_cast<std::size_t>(room + columns + kLanes));  // a row may end behind the room, and is the last then
  ends_.resize(static_cast<std::size_t>(rows));
  std::int64_t end = 0;
  for (std::int64_t row = 0; row < rows; ++row) {
    end = append_places(values + row * columns, columns, places_.data(), end);
    ends_[static_cast<std::size_t>(row)] = end;
    if (end > room) return false;
  }
  return true;
}

void SparseRows::multiply(const float* kernel, std::int64_t width, float* result) const {
  multiply_rows(values_, rows_, columns_, places_.data(), ends_.data(), kernel, width, result);
}

void SparseRows::multiply_transposed(const float* gradient, std::int64_t width, float* result) const {
  std::fill_n(result, columns_ * width, 0.0F);
  add_outer_products(values_, rows_, columns_, places_.data(), ends_.data(), gradient, width, result);
}

}  // namespace modelhop::engine
