// SPDX-License-Identifier: Apache-2.0
// Products of small matrices on the CPU: BLAS without what ATen's operators do before they call it, which for the
// product of one time step takes as long as the product.
#pragma once

#include <cstdint>

namespace modelhop::engine {

/// A factor as it lies in memory, row by row, `stride` floats from one row to the next.
struct Factor {
  const float* values = nullptr;
  std::int64_t stride = 0;
  bool is_transposed = false;  ///< the product takes the transposed of what lies there
};

struct ProductShape {
  std::int64_t rows = 0, columns = 0, inner = 0;
};

/// result [rows, columns] = left [rows, inner] by right [inner, columns], added to what `result` holds where
/// `accumulates`. No dimension is 0; one of 2^31 throws kInternal; a stride is at least the length of a row as it lies;
/// `result` overlaps no factor. Runs on as many threads as at::set_num_threads gave the calling thread: the same bits
/// follow from the same call there.
void multiply(const ProductShape& shape, const Factor& left, const Factor& right, float* result,
              std::int64_t result_stride, bool accumulates);

}  // namespace modelhop::engine
