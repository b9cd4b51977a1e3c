// SPDX-License-Identifier: Apache-2.0
// What operations share, and the operation that leaves its backward to autograd.
#include "engine/operation.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/DispatchKeySet.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <torch/csrc/autograd/autograd.h>

#include "modelhop/error.hpp"

namespace modelhop::engine {
namespace {

/// Plans run below autograd's dispatch keys (plan.cpp); this brings them back for one expression.
class AutogradScope {
 public:
  AutogradScope() : keys_(c10::default_included_set, c10::default_excluded_set), grad_mode_(true) {}

 private:
  c10::impl::ForceDispatchKeyGuard keys_;
  at::AutoGradMode grad_mode_;
};

at::Tensor leaf(const at::Tensor& data, bool learns) {
  at::Tensor result = data.detach();
  if (learns) result.set_requires_grad(true);
  return result;
}

}  // namespace

std::vector<std::int64_t> sizes_of(std::int64_t rows, const Shape& shape) {
  std::vector<std::int64_t> sizes = {rows};
  sizes.insert(sizes.end(), shape.begin(), shape.end());
  return sizes;
}

void Operation::allocate_output(std::int64_t rows, const at::TensorOptions& options) {
  output->data = at::empty(sizes_of(rows, output->shape), options);
  output->is_preallocated = true;
}

void AutogradOperation::forward(const Step&) {
  const bool records = is_training && output->needs_gradient;
  const AutogradScope scope;
  const at::AutoGradMode grad_mode(records);
  std::vector<at::Tensor> values, weight_values;
  leaves_.clear();
  for (const Value* value : inputs) {
    values.push_back(leaf(value->data, records && value->needs_gradient));
    if (records && value->needs_gradient) leaves_.push_back(values.back());
  }
  for (const WeightUse& weight : weights) {
    weight_values.push_back(leaf(weight.data, records && weight.learns()));
    if (records && weight.learns()) leaves_.push_back(weight_values.back());
  }
  result_ = forward_(values, weight_values);
  output->data = result_.detach().contiguous();
  if (!records) result_.reset();
}

void AutogradOperation::backward(const Step&) {
  const AutogradScope scope;
  // Autograd keeps no promise about aliasing, so gradients that leave are copies where they are not fresh.
  const auto gradients = torch::autograd::grad({result_}, leaves_, {output->gradient}, std::nullopt, false, true);
  result_.reset();
  std::size_t next = 0;
  const auto take = [&] {
    const at::Tensor& gradient = gradients[next];
    at::Tensor result = gradient.defined() ? gradient.detach() : at::zeros_like(leaves_[next]);
    ++next;
    return result;
  };
  for (Value* value : inputs) {
    if (!value->needs_gradient) continue;
    at::Tensor gradient = take().contiguous();
    value->gradient = inputs.size() == 1 && !gradient.is_alias_of(output->gradient) ? gradient : gradient.clone();
  }
  for (WeightUse& weight : weights) {
    if (weight.learns()) weight.gradient.copy_(take());
  }
  leaves_.clear();
}

}  // namespace modelhop::engine
