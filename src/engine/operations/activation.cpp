// SPDX-License-Identifier: Apache-2.0
// Activation functions: relu, sigmoid and tanh in place, softmax over the last axis, the rest by autograd.
#include <ATen/ops/_softmax.h>
#include <ATen/ops/_softmax_backward_data.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/celu.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/cumsum.h>
#include <ATen/ops/elu.h>
#include <ATen/ops/empty.h>
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
#include <ATen/ops/selu.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/sigmoid_backward.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/softplus.h>
#include <ATen/ops/softshrink.h>
#include <ATen/ops/sort.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/tanh_backward.h>
#include <ATen/ops/threshold_backward.h>
#include <ATen/ops/where.h>

#include <cmath>
#include <functional>
#include <string_view>

#include "engine/lowering.hpp"
#include "engine/operations/activation.hpp"

namespace modelhop::engine {
namespace {

enum class Kind { kRelu, kSigmoid, kTanh };

/// A function whose backward needs its output alone.
class InPlaceActivation final : public Operation {
 public:
  explicit InPlaceActivation(Kind kind) : kind_(kind) {}
  Kind kind() const { return kind_; }

  void prepare(std::int64_t rows, const at::TensorOptions& options) override {
    if (!input().may_overwrite) {
      allocate_output(rows, options);
    } else if (input().is_preallocated) {
      output().data = input().data;
      output().is_preallocated = true;
    }
  }

  void forward(const Step&) override {
    if (input().may_overwrite) output().data = input().data;
    at::Tensor& result = output().data;
    switch (kind_) {
      case Kind::kRelu:
        at::relu_out(result, input().data);
        break;
      case Kind::kSigmoid:
        at::sigmoid_out(result, input().data);
        break;
      case Kind::kTanh:
        at::tanh_out(result, input().data);
        break;
    }
  }

  void backward(const Step&) override {
    at::Tensor& gradient = output().gradient;
    switch (kind_) {
      case Kind::kRelu:
        at::threshold_backward_out(gradient, gradient, output().data, 0);
        break;
      case Kind::kSigmoid:
        at::sigmoid_backward_out(gradient, gradient, output().data);
        break;
      case Kind::kTanh:
        at::tanh_backward_out(gradient, gradient, output().data);
        break;
    }
    inputs[0]->gradient = gradient;
  }

 private:
  Kind kind_;
};

class SoftmaxOperation final : public Operation {
 public:
  explicit SoftmaxOperation(std::int64_t axis) : axis_(axis) {}
  bool is_over_last_axis() const { return axis_ == static_cast<std::int64_t>(output().shape.size()); }

  void prepare(std::int64_t rows, const at::TensorOptions& options) override {
    allocate_output(rows, options);
    if (is_training && input().needs_gradient) gradient_ = at::empty(sizes_of(rows, input().shape), options);
  }
  void forward(const Step&) override { at::_softmax_out(output().data, input().data, axis_, false); }
  void backward(const Step&) override {
    at::_softmax_backward_data_out(gradient_, output().gradient, output().data, axis_, at::kFloat);
    inputs[0]->gradient = gradient_;
  }

 private:
  std::int64_t axis_;  ///< counts the batch axis
  at::Tensor gradient_;
};

struct NamedFunction {
  std::string_view name;
  ActivationFunction function;
};

constexpr double kSeluAlpha = 1.6732632423543772848170429916717;
constexpr double kSeluScale = 1.0507009873554804934193349852946;

/// The projection onto the simplex: what is above a threshold that leaves a sum of one.
at::Tensor sparsemax(const at::Tensor& x) {
  const at::Tensor sorted = std::get<0>(at::sort(x, -1, true));
  const at::Tensor sums = at::cumsum(sorted, -1);
  const at::Tensor ranks = at::arange(1, x.size(-1) + 1, x.options());
  const at::Tensor support = ranks.mul(sorted).add(1).gt(sums).sum(-1, true).clamp_min(1);
  const at::Tensor threshold = sums.gather(-1, support.sub(1)).sub(1).div(support);
  return at::relu(x.sub(threshold));
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
    {"log_sigmoid", [](const at::Tensor& x) { return at::log_sigmoid(x); }},
    {"linear", [](const at::Tensor& x) { return x; }},
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
    {"sparsemax", sparsemax},
    {"squareplus", [](const at::Tensor& x) { return at::sqrt(x.mul(x).add(4)).add(x).div(2); }},
    {"tanh", [](const at::Tensor& x) { return at::tanh(x); }},
    {"tanh_shrink", [](const at::Tensor& x) { return x.sub(at::tanh(x)); }},
};

at::Tensor hard_sigmoid_keras2(const at::Tensor& x) {
  return at::clamp(x.mul(0.2).add(0.5), 0, 1);
}
at::Tensor hard_sigmoid_keras3(const at::Tensor& x) {
  return at::hardsigmoid(x);
}

}  // namespace

ActivationFunction activation_function(const std::string& name, SemanticsProfile profile) {
  if (name == "hard_sigmoid") {
    return profile == SemanticsProfile::kKeras3 ? hard_sigmoid_keras3 : hard_sigmoid_keras2;
  }
  for (const NamedFunction& entry : kFunctions) {
    if (entry.name == name) return entry.function;
  }
  return nullptr;
}

Shape Lowering::shape_before(const std::string& activation) const {
  Shape shape = output_shape();
  if (activation == "glu") shape.back() *= 2;
  return shape;
}

Value* Lowering::activate(Value* value, const std::string& activation) {
  Shape shape = value->shape;
  if (activation == "glu") shape.back() /= 2;
  if (activation == "linear") return value;
  if (activation == "relu") return emit<InPlaceActivation>({value}, shape, {}, Kind::kRelu);
  if (activation == "sigmoid") return emit<InPlaceActivation>({value}, shape, {}, Kind::kSigmoid);
  if (activation == "tanh") return emit<InPlaceActivation>({value}, shape, {}, Kind::kTanh);
  if (activation == "softmax") {
    return emit<SoftmaxOperation>({value}, shape, {}, static_cast<std::int64_t>(shape.size()));
  }
  const ActivationFunction function = activation_function(activation, model.profile);
  if (function == nullptr) refuse("activation \"" + activation + "\" is not supported");
  return emit<AutogradOperation>({value}, shape, {},
                                 [function](const ForwardInputs& given) { return function(given.inputs[0]); });
}

static Values lower_activation(Lowering& lowering) {
  return lowering.activate(lowering.inputs[0], string_attribute(lowering.layer(), "activation"));
}

static Values lower_softmax(Lowering& lowering) {
  const Shape& shape = lowering.output_shape();
  return lowering.emit<SoftmaxOperation>({lowering.inputs[0]}, shape, {},
                                         integer_attribute(lowering.layer(), "axis") + 1);
}

static Values lower_relu(Lowering& lowering) {
  const double maximum = number_attribute(lowering.layer(), "max_value");
  const double slope = number_attribute(lowering.layer(), "negative_slope");
  const double threshold = number_attribute(lowering.layer(), "threshold");
  if (std::isinf(maximum) && slope == 0.0 && threshold == 0.0) return lowering.activate(lowering.inputs[0], "relu");
  const auto relu = [=](const ForwardInputs& given) {
    const at::Tensor& x = given.inputs[0];
    return at::where(x.gt(threshold), x.clamp_max(maximum), x.sub(threshold).mul(slope));
  };
  return lowering.emit<AutogradOperation>({lowering.inputs[0]}, lowering.output_shape(), {}, relu);
}

static Values lower_leaky_relu(Lowering& lowering) {
  const double alpha = number_attribute(lowering.layer(), "alpha");
  const auto leaky_relu = [alpha](const ForwardInputs& given) { return at::leaky_relu(given.inputs[0], alpha); };
  return lowering.emit<AutogradOperation>({lowering.inputs[0]}, lowering.output_shape(), {}, leaky_relu);
}

FinalActivation final_activation_of(const Operation& operation) {
  if (const auto* softmax = dynamic_cast<const SoftmaxOperation*>(&operation)) {
    return softmax->is_over_last_axis() ? FinalActivation::kSoftmax : FinalActivation::kNone;
  }
  const auto* activation = dynamic_cast<const InPlaceActivation*>(&operation);
  return activation != nullptr && activation->kind() == Kind::kSigmoid ? FinalActivation::kSigmoid
                                                                       : FinalActivation::kNone;
}

std::span<const LayerLowering> activation_lowerings() {
  static constexpr LayerLowering kLowerings[] = {
      {"Activation", lower_activation},
      {"LeakyReLU", lower_leaky_relu},
      {"ReLU", lower_relu},
      {"Softmax", lower_softmax},
  };
  return kLowerings;
}

}  // namespace modelhop::engine
