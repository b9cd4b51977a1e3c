// SPDX-License-Identifier: Apache-2.0
// Dense: Keras's kernel (in, out) is used as it lies. EinsumDense: ATen reads the same equations.
#include <ATen/ops/addmm.h>
#include <ATen/ops/einsum.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/sum.h>

#include "engine/lowering.hpp"

namespace modelhop::engine {
namespace {

class DenseOperation final : public Operation {
 public:
  explicit DenseOperation(bool has_bias) : has_bias_(has_bias) {}

  void prepare(std::int64_t rows, const at::TensorOptions& options) override {
    allocate_output(rows, options);
    output_rows_ = as_rows(output().data);
    if (input().is_preallocated) take_input();
    if (is_training && input().needs_gradient) {
      input_gradient_ = at::empty(sizes_of(rows, input().shape), options);
      input_gradient_rows_ = as_rows(input_gradient_);
    }
  }

  void bind() override { transposed_kernel_ = weights[0].data.t(); }
  void unbind() override { transposed_kernel_.reset(); }

  void forward(const Step&) override {
    if (!input().is_preallocated) take_input();
    if (has_bias_) {
      at::addmm_out(output_rows_, weights[1].data, input_rows_, weights[0].data);
    } else {
      at::mm_out(output_rows_, input_rows_, weights[0].data);
    }
  }

  void backward(const Step&) override {
    const at::Tensor gradient_rows = as_rows(output().gradient);
    if (weights[0].learns()) at::mm_out(weights[0].gradient, transposed_input_, gradient_rows);
    if (has_bias_ && weights[1].learns()) at::sum_out(weights[1].gradient, gradient_rows, {0});
    if (input().needs_gradient) {
      at::mm_out(input_gradient_rows_, gradient_rows, transposed_kernel_);
      inputs[0]->gradient = input_gradient_;
    }
  }

  bool keeps_output() const override { return false; }

 private:
  static at::Tensor as_rows(const at::Tensor& tensor) {
    return tensor.dim() == 2 ? tensor : tensor.view({-1, tensor.size(-1)});
  }
  void take_input() {
    input_rows_ = as_rows(input().data);
    transposed_input_ = input_rows_.t();
  }

  bool has_bias_;
  at::Tensor input_rows_, transposed_input_, output_rows_, transposed_kernel_;
  at::Tensor input_gradient_, input_gradient_rows_;
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
