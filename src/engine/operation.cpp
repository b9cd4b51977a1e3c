// SPDX-License-Identifier: Apache-2.0
// What operations share, and the operation that leaves its backward to autograd.
#include "engine/operation.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>

#include "engine/autograd_scope.hpp"
#include "modelhop/error.hpp"

namespace modelhop::engine {
namespace {

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

bool Operation::needs_gradient() const {
  return std::any_of(outputs.begin(), outputs.end(), [](const Value* value) { return value->needs_gradient; });
}

void Operation::allocate_output(std::int64_t rows, const at::TensorOptions& options) {
  output().data = at::empty(sizes_of(rows, output().shape), options);
  output().is_preallocated = true;
}

void AutogradOperation::forward(const Step& step) {
  const bool records = is_training && needs_gradient();
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
  results_ = forward_({values, weight_values, step});
  check(results_.size() == outputs.size(), "an expression gives another number of outputs than its operation has");
  for (std::size_t index = 0; index < outputs.size(); ++index) {
    outputs[index]->data = results_[index].detach().contiguous();
  }
  if (!records) results_.clear();
}

void AutogradOperation::backward(const Step&) {
  const AutogradScope scope;
  std::vector<at::Tensor> roots, root_gradients;
  for (std::size_t index = 0; index < outputs.size(); ++index) {
    if (!outputs[index]->gradient.defined() || !results_[index].requires_grad()) continue;
    roots.push_back(results_[index]);
    root_gradients.push_back(outputs[index]->gradient);
  }
  std::vector<at::Tensor> gradients(leaves_.size());
  if (!roots.empty()) {
    gradients = torch::autograd::grad(roots, leaves_, root_gradients, std::nullopt, false, true);
  }
  results_.clear();
  std::size_t next = 0;
  const auto take = [&] {
    const at::Tensor& gradient = gradients[next];
    at::Tensor result = gradient.defined() ? gradient.detach() : at::zeros_like(leaves_[next]);
    ++next;
    return result;
  };
  // Autograd keeps no promise about aliasing, so gradients that leave are copies where they are not fresh.
  const auto is_shared = [&](const at::Tensor& gradient) {
    return inputs.size() > 1 || std::any_of(root_gradients.begin(), root_gradients.end(),
                                            [&](const at::Tensor& root) { return gradient.is_alias_of(root); });
  };
  for (Value* value : inputs) {
    if (!value->needs_gradient) continue;
    const at::Tensor gradient = take().contiguous();
    value->gradient = is_shared(gradient) ? gradient.clone() : gradient;
  }
  for (WeightUse& weight : weights) {
    if (weight.learns()) weight.gradient.copy_(take());
  }
  leaves_.clear();
}

/// A forward whose backward nobody called still has views of the weights.
void AutogradOperation::unbind() {
  leaves_.clear();
  results_.clear();
}

}  // namespace modelhop::engine
