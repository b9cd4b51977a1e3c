// SPDX-License-Identifier: Apache-2.0
// relu, its derivative, biases and their gradients on tensors: loops on the CPU, ATen elsewhere.
#pragma once

#include <ATen/core/Tensor.h>

namespace modelhop::engine {

/// values = relu(values)
void rectify_in_place(const at::Tensor& values);

/// values += bias along the last axis, then relu where asked.
void add_bias_in_place(const at::Tensor& values, const at::Tensor& bias, bool is_rectified);

/// gradient = gradient where output > 0, else 0; in place. `column_sums`, where given, gets the sums over all axes but
/// the last.
void rectify_gradient_in_place(const at::Tensor& gradient, const at::Tensor& output, const at::Tensor* column_sums);

/// The sums over all axes but the last.
void sum_columns_into(const at::Tensor& column_sums, const at::Tensor& values);

}  // namespace modelhop::engine
