// SPDX-License-Identifier: Apache-2.0
// Keras's activation functions, by name and by the parameters of activation layers.
#include "engine/operations/activation_function.hpp"

#include <ATen/ops/abs.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/celu.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/cumsum.h>
#include <ATen/ops/elu.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/glu.h>
#include <ATen/ops/hardshrink.h>
#include <ATen/ops/hardsigmoid.h>
#include <ATen/ops/hardswish.h>
#include <ATen/ops/hardtanh.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/log_sigmoid.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/mish.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/softplus.h>
#include <ATen/ops/softshrink.h>
#include <ATen/ops/sort.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/square.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/where.h>

#include <string_view>
#include <vector>

#include "spec/activation_names.hpp"

namespace modelhop::engine {
namespace {

using Function = at::Tensor (*)(const at::Tensor& x);
struct NamedFunction {
  std::string_view name;
  Function function;
};

constexpr double kSeluAlpha = 1.6732632423543772848170429916717;
constexpr double kSeluScale = 1.0507009873554804934193349852946;

/// As Keras 3 computes it: the threshold takes every partial sum of the support, not the last alone, so that the result
/// is the projection onto the simplex only where one element is left.
at::Tensor sparsemax(const at::Tensor& x) {
  const at::Tensor sorted = std::get<0>(at::sort(x, -1, true));
  const at::Tensor sums = at::cumsum(sorted, -1);
  const at::Tensor ranks = at::arange(1, x.size(-1) + 1, x.options());
  const at::Tensor is_in = sorted.sub(sums.sub(1).div(ranks)).gt(0);
  const at::Tensor count = is_in.sum(-1, true).clamp_min(1);
  const at::Tensor threshold = sums.mul(is_in).sum(-1, true).sub(1).div(count);
  return at::relu(x.sub(threshold));
}

/// A parabola that joins 0 and x between -1 and 1.
at::Tensor sparse_plus(const at::Tensor& x) {
  return at::where(x.ge(1), x, x.clamp(-1, 1).add(1).square().mul(0.25));
}

constexpr NamedFunction kFunctions[] = {
    {"celu", [](const at::Tensor& x) { return at::celu(x); }},
    {"elu", [](const at::Tensor& x) { return at::elu(x); }},
    {"exponential", [](const at::Tensor& x) { return at::exp(x); }},
    {"gelu", [](const at::Tensor& x) { return at::gelu(x); }},
    {"glu", [](const at::Tensor& x) { return at::glu(x, -1); }},
    {"hard_shrink", [](const at::Tensor& x) { return at::hardshrink(x, 0.5); }},
    {"hard_silu", [](const at::Tensor& x) { return at::hardswish(x); }},
    {"hard_tanh", [](const at::Tensor& x) { return at::hardtanh(x); }},
    {"leaky_relu", [](const at::Tensor& x) { return at::leaky_relu(x, 0.2); }},
    {"linear", [](const at::Tensor& x) { return x; }},
    {"log_sigmoid", [](const at::Tensor& x) { return at::log_sigmoid(x); }},
    {"log_softmax", [](const at::Tensor& x) { return at::log_softmax(x, -1); }},
    {"mish", [](const at::Tensor& x) { return at::mish(x); }},
    {"relu", [](const at::Tensor& x) { return at::relu(x); }},
    {"relu6", [](const at::Tensor& x) { return at::clamp(x, 0, 6); }},
    {"selu", [](const at::Tensor& x) { return at::elu(x, kSeluAlpha, kSeluScale); }},
    {"sigmoid", [](const at::Tensor& x) { return at::sigmoid(x); }},
    {"silu", [](const at::Tensor& x) { return at::silu(x); }},
    {"soft_shrink", [](const at::Tensor& x) { return at::softshrink(x, 0.5); }},
    {"softmax", [](const at::Tensor& x) { return at::softmax(x, -1); }},
    {"softplus", [](const at::Tensor& x) { return at::softplus(x); }},
    {"softsign", [](const at::Tensor& x) { return x.div(x.abs().add(1)); }},
    {"sparse_plus", sparse_plus},
    {"sparse_sigmoid", [](const at::Tensor& x) { return x.add(1).mul(0.5).clamp(0, 1); }},
    {"sparsemax", sparsemax},
    {"squareplus", [](const at::Tensor& x) { return at::sqrt(x.mul(x).add(4)).add(x).div(2); }},
    {"tanh", [](const at::Tensor& x) { return at::tanh(x); }},
    {"tanh_shrink", [](const at::Tensor& x) { return x.sub(at::tanh(x)); }},
};

at::Tensor hard_sigmoid_keras2(const at::Tensor& x) {
  return at::clamp(x.mul(0.2).add(0.5), 0, 1);
}

/// Functions of activation layers with parameters of their own.
ActivationFunction parametrized(const std::string& name, const std::vector<double>& numbers) {
  const double first = numbers.front();
  if (name == "leaky_relu") return [first](const at::Tensor& x) { return at::leaky_relu(x, first); };
  if (name == "elu") return [first](const at::Tensor& x) { return at::elu(x, first); };
  if (name == "thresholded_relu") return [first](const at::Tensor& x) { return x.mul(x.gt(first)); };
  if (name == "softmax") {
    const auto axis = static_cast<std::int64_t>(first);
    return [axis](const at::Tensor& x) { return at::softmax(x, axis); };
  }
  if (name == "relu" && numbers.size() == 3) {
    const double maximum = first, slope = numbers[1], threshold = numbers[2];
    return [=](const at::Tensor& x) {
      return at::where(x.gt(threshold), x.clamp_max(maximum), x.sub(threshold).mul(slope));
    };
  }
  return {};
}

}  // namespace

ActivationFunction activation_function(const std::string& text, SemanticsProfile profile) {
  const auto [name, parameters] = spec::split_activation(text);
  if (!parameters.empty()) return parametrized(name, parameters);
  if (name == "hard_sigmoid") {
    if (profile != SemanticsProfile::kKeras3) return hard_sigmoid_keras2;
    return [](const at::Tensor& x) { return at::hardsigmoid(x); };
  }
  for (const NamedFunction& entry : kFunctions) {
    if (entry.name == name) return entry.function;
  }
  return {};
}

}  // namespace modelhop::engine
