// SPDX-License-Identifier: Apache-2.0
// BLAS counts by columns: it reads a matrix that lies by rows as its transposed, so the factors change places.
#include "engine/product.hpp"

// libtorch exports the BLAS that its own operators call, but has no header for it.
extern "C" void sgemm_(const char* form_a, const char* form_b, const int* m, const int* n, const int* k,
                       const float* alpha, const float* a, const int* a_stride, const float* b, const int* b_stride,
                       const float* beta, float* c, const int* c_stride);

namespace modelhop::engine {

void multiply(const ProductShape& shape, const Factor& left, const Factor& right, float* result,
              std::int64_t result_stride, bool accumulates) {
  const char left_form = left.is_transposed ? 't' : 'n', right_form = right.is_transposed ? 't' : 'n';
  const int rows = static_cast<int>(shape.rows), columns = static_cast<int>(shape.columns);
  const int inner = static_cast<int>(shape.inner);
  const int left_stride = static_cast<int>(left.stride), right_stride = static_cast<int>(right.stride);
  const int stride = static_cast<int>(result_stride);
  const float one = 1.0F, kept = accumulates ? 1.0F : 0.0F;
  sgemm_(&right_form, &left_form, &columns, &rows, &inner, &one, right.values, &right_stride, left.values, &left_stride,
         &kept, result, &stride);
}

}  // namespace modelhop::engine
