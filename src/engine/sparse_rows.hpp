// SPDX-License-Identifier: Apache-2.0
// Rows that are mostly zeros, as one-hot and word counts are, for products on the CPU that leave the zeros out.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/gather.hpp"
#include "engine/sparse_products.hpp"

namespace modelhop::engine {

class SparseRows {
 public:
  /// Finds what is not zero in the list's numbers, decoded and scaled as by gather_floats() and taken as a matrix of
  /// `columns`, which divide a row of the list. False where that is more than a fifth: the products of BLAS are faster
  /// then, and there are no rows here.
  bool read(const RowList& list, std::int64_t columns);
  /// The last read() gave true.
  bool has_rows() const { return has_rows_; }

  /// result [rows, width] = the matrix by `kernel` [columns, width], plus `bias` [width] where there is one, then relu
  /// where asked. A zero meets no infinity: it is left out.
  void multiply(const float* kernel, std::int64_t width, const float* bias, bool is_rectified, float* result) const;
  /// result [columns, width] = the transposed matrix by `gradient` [rows, width].
  void multiply_transposed(const float* gradient, std::int64_t width, float* result);

  SparseMatrix rows() const { return rows_; }

 private:
  /// Appends what is not zero to the numbers found in this batch; there may be `most` before this row.
  void scan(const RowList& list, std::int64_t row, std::int64_t most);

  bool has_rows_ = false;
  std::int64_t columns_ = 0;
  std::vector<SparseRow> rows_;           ///< in the array's index, or in what follows
  std::int64_t found_ = 0;                ///< by scan()
  std::vector<float> numbers_;            ///< the first `found_` of them, and room for more
  std::vector<std::int32_t> columns_of_;  ///< where each of them stands
  std::vector<float> decoded_;            ///< one row
  std::vector<CacheLine> room_;           ///< of multiply_transposed()
};

}  // namespace modelhop::engine
