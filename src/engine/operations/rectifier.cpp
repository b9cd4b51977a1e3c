// SPDX-License-Identifier: Apache-2.0
#include "engine/operations/rectifier.hpp"

#include <ATen/ops/relu.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/threshold_backward.h>

#include "engine/rectifier_loops.hpp"

namespace modelhop::engine {
namespace {

bool has_loops(const at::Tensor& tensor) {
  return tensor.is_cpu() && tensor.is_contiguous();
}

std::int64_t columns_of(const at::Tensor& tensor) {
  return tensor.size(-1);
}

}  // namespace

void rectify_in_place(const at::Tensor& values) {
  if (!has_loops(values)) {
    at::Tensor result = values;
    at::relu_(result);
    return;
  }
  rectify(values.mutable_data_ptr<float>(), values.numel());
}

void add_bias_in_place(const at::Tensor& values, const at::Tensor& bias, bool is_rectified) {
  if (!has_loops(values)) {
    at::Tensor result = values;
    result.add_(bias);
    if (is_rectified) at::relu_(result);
    return;
  }
  const std::int64_t columns = columns_of(values);
  add_bias(values.mutable_data_ptr<float>(), values.numel() / columns, columns, bias.const_data_ptr<float>(),
           is_rectified);
}

void rectify_gradient_in_place(const at::Tensor& gradient, const at::Tensor& output, const at::Tensor* column_sums) {
  if (!has_loops(gradient) || !has_loops(output)) {
    at::Tensor result = gradient;
    at::threshold_backward_out(result, result, output, 0);
    if (column_sums != nullptr) sum_columns_into(*column_sums, gradient);
    return;
  }
  float* values = gradient.mutable_data_ptr<float>();
  const float* outputs = output.const_data_ptr<float>();
  if (column_sums == nullptr) {
    rectify_gradient(values, outputs, gradient.numel());
  } else {
    const std::int64_t columns = columns_of(gradient);
    rectify_gradient(values, outputs, gradient.numel() / columns, columns, column_sums->mutable_data_ptr<float>());
  }
}

void sum_columns_into(const at::Tensor& column_sums, const at::Tensor& values) {
  const std::int64_t columns = columns_of(values);
  if (has_loops(values)) {
    sum_columns(values.const_data_ptr<float>(), values.numel() / columns, columns,
                column_sums.mutable_data_ptr<float>());
    return;
  }
  at::Tensor result = column_sums;
  at::sum_out(result, values.reshape({-1, columns}), {0});
}

}  // namespace modelhop::engine
