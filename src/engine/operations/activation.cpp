// SPDX-License-Identifier: Apache-2.0
// Activations: relu, sigmoid and tanh in place, softmax over one axis, the rest by autograd. And the layers that are
// activations.
#include <ATen/ops/_softmax.h>
#include <ATen/ops/_softmax_backward_data.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/sigmoid_backward.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/tanh_backward.h>

#include <cmath>
#include <vector>

#include "engine/lowering.hpp"
#include "engine/operations/activation_function.hpp"
#include "engine/operations/rectifier.hpp"
#include "spec/activation_names.hpp"

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
        if (!input().may_overwrite) result.copy_(input().data);
        rectify_in_place(result);
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
        rectify_gradient_in_place(gradient, output().data, nullptr);
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

}  // namespace

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
  const auto rank = static_cast<std::int64_t>(shape.size());
  if (activation == "softmax") return emit<SoftmaxOperation>({value}, shape, {}, rank);
  if (const auto [name, parameters] = spec::split_activation(activation); name == "softmax") {
    const auto axis = static_cast<std::int64_t>(parameters.front());
    return emit<SoftmaxOperation>({value}, shape, {}, axis < 0 ? axis + rank + 1 : axis);
  }
  const ActivationFunction function = activation_function(activation, model.profile);
  if (!function) refuse("activation \"" + activation + "\" is not supported");
  return emit<AutogradOperation>({value}, shape, {},
                                 [function](const ForwardInputs& given) { return function(given.inputs[0]); });
}

static Values lower_activation(Lowering& lowering) {
  return lowering.activate(lowering.inputs[0], string_attribute(lowering.layer(), "activation"));
}

static Values lower_relu(Lowering& lowering) {
  const LayerSpec& layer = lowering.layer();
  const double maximum = number_attribute(layer, "max_value"), slope = number_attribute(layer, "negative_slope"),
               threshold = number_attribute(layer, "threshold");
  const bool is_plain = std::isinf(maximum) && slope == 0.0 && threshold == 0.0;
  return lowering.activate(lowering.inputs[0],
                           is_plain ? "relu" : spec::activation_text("relu", {maximum, slope, threshold}));
}

static Values lower_leaky_relu(Lowering& lowering) {
  const double slope = number_attribute(lowering.layer(), "alpha");
  return lowering.activate(lowering.inputs[0], spec::activation_text("leaky_relu", {slope}));
}

static Values lower_elu(Lowering& lowering) {
  const double alpha = number_attribute(lowering.layer(), "alpha");
  return lowering.activate(lowering.inputs[0], spec::activation_text("elu", {alpha}));
}

static Values lower_thresholded_relu(Lowering& lowering) {
  const double theta = number_attribute(lowering.layer(), "theta");
  return lowering.activate(lowering.inputs[0], spec::activation_text("thresholded_relu", {theta}));
}

static Values lower_prelu(Lowering& lowering) {
  const auto prelu = [](const ForwardInputs& given) {
    const at::Tensor& x = given.inputs[0];
    return at::relu(x).sub(given.weights[0].mul(at::relu(x.neg())));
  };
  return lowering.emit<AutogradOperation>({lowering.inputs[0]}, lowering.output_shape(), {lowering.weight("alpha")},
                                          prelu);
}

/// Several axes are flattened into one; elements that the mask leaves out get nothing.
static at::Tensor masked_softmax(at::Tensor x, const at::Tensor& mask, const std::vector<std::int64_t>& axes,
                                 SemanticsProfile profile) {
  if (mask.defined()) x = x.add(mask.sub(1).mul(1e9));
  const at::Tensor shifted = x.sub(x.amax(axes, true).detach()).exp();
  at::Tensor result = shifted.div(shifted.sum(axes, true));
  // Keras 3 leaves nothing where the mask takes a whole axis; Keras 2 shares it out evenly.
  if (mask.defined() && profile == SemanticsProfile::kKeras3) result = result.mul(mask);
  return result;
}

static Values lower_softmax(Lowering& lowering) {
  std::vector<std::int64_t> axes = list_attribute(lowering.layer(), "axis");
  for (std::int64_t& axis : axes) ++axis;
  Value* mask = lowering.input_of("mask");
  // The mask of a sequence fits only where the input is one number per step.
  if (mask == nullptr && lowering.input_shape().size() == 1)
    mask = lowering.masks.empty() ? nullptr : lowering.masks[0];
  const Shape& shape = lowering.input_shape();
  if (mask == nullptr && axes.size() == 1) {
    return lowering.emit<SoftmaxOperation>({lowering.inputs[0]}, shape, {}, axes.front());
  }
  std::vector<Value*> from = {lowering.inputs[0]};
  if (mask != nullptr) from.push_back(mask);
  const auto softmax = [axes, profile = lowering.model.profile](const ForwardInputs& given) {
    return masked_softmax(given.inputs[0], given.inputs.size() > 1 ? given.inputs[1] : at::Tensor(), axes, profile);
  };
  return lowering.emit<AutogradOperation>(from, shape, {}, softmax);
}

bool is_relu(const Operation& operation) {
  const auto* activation = dynamic_cast<const InPlaceActivation*>(&operation);
  return activation != nullptr && activation->kind() == Kind::kRelu;
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
      {"ELU", lower_elu},
      {"LeakyReLU", lower_leaky_relu},
      {"PReLU", lower_prelu},
      {"ReLU", lower_relu},
      {"Softmax", lower_softmax},
      {"ThresholdedReLU", lower_thresholded_relu},
  };
  return kLowerings;
}

}  // namespace modelhop::engine
