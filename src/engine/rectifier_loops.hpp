// SPDX-License-Identifier: Apache-2.0
// relu, its derivative, biases and their gradients as passes over a matrix on the CPU, vectorized for the processor at
// run time. Matrices are [rows, columns], contiguous. The order of all sums is fixed: same bits on every processor.
#pragma once

#include <cstdint>

namespace modelhop::engine {

/// values = max(values, 0); NaN stays NaN.
void rectify(float* values, std::int64_t count);

/// Adds a bias to each row and, where asked, rectifies.
void add_bias(float* values, std::int64_t rows, std::int64_t columns, const float* bias, bool is_rectified);

/// The gradient of what rectify() was given: zero where the `output` of rectify() is not above zero.
void rectify_gradient(float* gradient, const float* output, std::int64_t count);

/// The same, and the sums of the result's columns, in one pass.
void rectify_gradient(float* gradient, const float* output, std::int64_t rows, std::int64_t columns, float* sums);

/// Sums of columns.
void sum_columns(const float* values, std::int64_t rows, std::int64_t columns, float* sums);

}  // namespace modelhop::engine
