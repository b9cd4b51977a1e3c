// SPDX-License-Identifier: Apache-2.0
// BLAS counts by columns: it reads a matrix that lies by rows as its transposed, so the factors change places.
#include "engine/product.hpp"

#include <limits>

#include "modelhop/error.hpp"

// libtorch exports the BLAS that its own operators call, but has no header for it.
extern "C" void sgemm_(const char* form_a, const char* form_b, const int* m, const int* n, const int* k,
                       const float* alpha, const float* a, const int* a_stride, const float* b, const int* b_stride,
                       const float* beta, float* c, const int* c_stride);

namespace modelhop::engine {
namespace {

int blas_size(std::int64_t size) {
  check(size <= std::numeric_limits<int>::max(), "a matrix is larger than BLAS counts");
  return static_cast<int>(size);
}

}  // namespace

void multiply(const ProductShape& shape, const Factor& left, const Factor& right, float* result,
              std::int64_t result_stride, bool accumulates) {
  const char left_form = left.is_transposed ? 't' : 'n', right_form = right.is_transposed ? 't' : 'n';
  const int rows = blas_size(shape.rows), columns = blas_size(shape.columns), inner = blas_size(shape.inner);
  const int left_stride = blas_size(left.stride), right_stride = blas_size(right.stride);
  const int stride = blas_size(result_stride);
  const float one = 1.0F, kept = accumulates ? 1.0F : 0.0F;
  sgemm_(&right_form, &left_form, &columns, &rows, &inner, &one, right.values, &right_stride, left.values, &left_stride,
         &kept, result, &stride);
}

}  // namespace modelhop::engine
