// SPDX-License-Identifier: Apache-2.0
// Dense: Keras's kernel (in, out) is used as it lies. EinsumDense: ATen reads the same equations.
#include <ATen/ops/einsum.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>

#include "engine/lowering.hpp"
#include "engine/operations/rectifier.hpp"
#include "engine/product.hpp"
#include "engine/sparse_rows.hpp"

namespace modelhop::engine {
namespace {

/// A matrix or its transposed.
struct Matrix {
  const at::Tensor& values;
  bool is_transposed = false;

  Factor factor() const { return {values.const_data_ptr<float>(), values.size(1), is_transposed}; }
  at::Tensor tensor() const { return is_transposed ? values.t() : values; }
};

void multiply_into(at::Tensor& result, const Matrix& left, const Matrix& right) {
  if (!result.is_cpu()) {
    at::mm_out(result, left.tensor(), right.tensor());
    return;
  }
  const std::int64_t inner = left.values.size(left.is_transposed ? 0 : 1);
  multiply({result.size(0), result.size(1), inner}, left.factor(), right.factor(), result.mutable_data_ptr<float>(),
           result.size(1), false);
}

/// Narrower kernels leave loops over their columns nothing to gain.
constexpr std::int64_t kSparseWidth = 16;

class DenseOperation final : public Operation {
 public:
  explicit DenseOperation(bool has_bias) : has_bias_(has_bias) {}

  void prepare(std::int64_t rows, const at::TensorOptions& options) override {
    allocate_output(rows, options);
    output_rows_ = as_rows(output().data);
    if (input().is_preallocated) input_rows_ = as_rows(input().data);
    const bool is_model_input = input().producer == nullptr;
    if (is_model_input && options.device().is_cpu() && output().shape.back() >= kSparseWidth) {
      inputs[0]->sparse = &sparse_input_;
    }
    if (is_training && input().needs_gradient) {
      input_gradient_ = at::empty(sizes_of(rows, input().shape), options);
      input_gradient_rows_ = as_rows(input_gradient_);
    }
  }

  void forward(const Step&) override {
    if (!input().is_preallocated) input_rows_ = as_rows(input().data);
    if (sparse_input_.has_rows()) {
      multiply_sparse();
      return;
    }
    multiply_into(output_rows_, {input_rows_}, {weights[0].data});
    if (has_bias_) {
      add_bias_in_place(output_rows_, weights[1].data, is_rectified_);
    } else if (is_rectified_) {
      rectify_in_place(output_rows_);
    }
  }

  void backward(const Step&) override {
    const at::Tensor gradient_rows = as_rows(output().gradient);
    const bool bias_learns = has_bias_ && weights[1].learns();
    if (is_rectified_) {
      rectify_gradient_in_place(gradient_rows, output_rows_, bias_learns ? &weights[1].gradient : nullptr);
    } else if (bias_learns) {
      sum_columns_into(weights[1].gradient, gradient_rows);
    }
    if (weights[0].learns() && sparse_input_.has_rows()) {
      sparse_input_.multiply_transposed(gradient_rows.const_data_ptr<float>(), gradient_rows.size(1),
                                        weights[0].gradient.mutable_data_ptr<float>());
    } else if (weights[0].learns()) {
      multiply_into(weights[0].gradient, {input_rows_, true}, {gradient_rows});
    }
    if (input().needs_gradient) {
      multiply_into(input_gradient_rows_, {gradient_rows}, {weights[0].data, true});
      inputs[0]->gradient = input_gradient_;
    }
  }

  bool keeps_output() const override { return is_rectified_; }
  bool absorb_relu_of_output() override { return is_rectified_ = true; }

 private:
  static at::Tensor as_rows(const at::Tensor& tensor) {
    return tensor.dim() == 2 ? tensor : tensor.view({-1, tensor.size(-1)});
  }

  void multiply_sparse() {
    const float* bias = has_bias_ ? weights[1].data.const_data_ptr<float>() : nullptr;
    sparse_input_.multiply(weights[0].data.const_data_ptr<float>(), output_rows_.size(1), bias, is_rectified_,
                           output_rows_.mutable_data_ptr<float>());
  }

  bool has_bias_;
  bool is_rectified_ = false;
  SparseRows sparse_input_;  ///< has rows where the batch is sparse and the input the model's own
  at::Tensor input_rows_, output_rows_, input_gradient_, input_gradient_rows_;
};

}  // namespace

static Values lower_dense(Lowering& lowering) {
  const std::string& activation = string_attribute(lowering.layer(), "activation");
  Value* product =
      lowering.emit<DenseOperation>({lowering.inputs[0]}, lowering.shape_before(activation),
                                    {lowering.weight("kernel"), lowering.weight("bias")}, lowering.weight("bias") >= 0);
  return lowering.activate(product, activation);
}

static Values lower_einsum_dense(Lowering& lowering) {
  const std::string& activation = string_attribute(lowering.layer(), "activation");
  const auto product = [equation = string_attribute(lowering.layer(), "equation")](const ForwardInputs& given) {
    const at::Tensor result = at::einsum(equation, {given.inputs[0], given.weights[0]});
    return given.weights.size() > 1 ? result.add(given.weights[1]) : result;
  };
  Value* value = lowering.emit<AutogradOperation>({lowering.inputs[0]}, lowering.shape_before(activation),
                                                  {lowering.weight("kernel"), lowering.weight("bias")}, product);
  return lowering.activate(value, activation);
}

std::span<const LayerLowering> dense_lowerings() {
  static constexpr LayerLowering kLowerings[] = {
      {"Dense", lower_dense},
      {"EinsumDense", lower_einsum_dense},
  };
  return kLowerings;
}

}  // namespace modelhop::engine
