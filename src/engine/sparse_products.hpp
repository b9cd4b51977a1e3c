// SPDX-License-Identifier: Apache-2.0
// Products of a matrix that is mostly zeros on the CPU, vectorized for the processor at run time. The order of all sums
// is fixed: same bits on every processor.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace modelhop::engine {

/// What is not zero in a row of a matrix.
struct SparseRow {
  const float* numbers = nullptr;
  const std::int32_t* columns = nullptr;  ///< where each number stands
  std::int64_t count = 0;
};
using SparseMatrix = std::span<const SparseRow>;

/// result [rows, width] = the matrix by `kernel` [columns, width], plus `bias` [width] where there is one, then relu
/// where asked.
void multiply(SparseMatrix matrix, const float* kernel, std::int64_t width, const float* bias, bool is_rectified,
              float* result);

/// Room for some columns of a result.
struct alignas(64) CacheLine {
  float numbers[16];
};

/// result [columns, width] = the transposed matrix by `gradient` [rows, width].
void multiply_transposed(SparseMatrix matrix, std::int64_t columns, const float* gradient, std::int64_t width,
                         float* result, std::vector<CacheLine>& room);

}  // namespace modelhop::engine
