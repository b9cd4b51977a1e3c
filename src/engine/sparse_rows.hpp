// SPDX-License-Identifier: Apache-2.0
// Rows that are mostly zeros, as one-hot and word counts are, for products on the CPU that leave the zeros out.
#pragma once

#include <cstdint>
#include <vector>

namespace modelhop::engine {

class SparseRows {
 public:
  /// Finds what is not zero in a matrix [rows, columns], which must stay as it is as long as products are asked for.
  /// False where that is more than a fifth: the products of BLAS are faster then.
  bool read(const float* values, std::int64_t rows, std::int64_t columns);

  /// result [rows, width] = the matrix by `kernel` [columns, width]. A zero meets no infinity: it is left out.
  void multiply(const float* kernel, std::int64_t width, float* result) const;
  /// result [columns, width] = the transposed matrix by `gradient` [rows, width].
  void multiply_transposed(const float* gradient, std::int64_t width, float* result) const;

 private:
  const float* values_ = nullptr;
  std::int64_t rows_ = 0, columns_ = 0;
  std::vector<std::int32_t> places_;  ///< columns of the numbers that are not zero, row after row
  std::vector<std::int64_t> ends_;    ///< of each row in places_
};

}  // namespace modelhop::engine
