// SPDX-License-Identifier: Apache-2.0
// Conv2D on channels-last images; the kernel is stored as ATen's channels-last wants it (state_layout.hpp).
#include <ATen/ops/convolution.h>
#include <ATen/ops/convolution_backward.h>

#include "engine/operations/window.hpp"

namespace modelhop::engine {
namespace {

class Conv2DOperation final : public Operation {
 public:
  Conv2DOperation(const Window& window, std::int64_t groups) : window_(window), groups_(groups) {}

  void forward(const Step&) override {
    output().data.reset();
    output().data = window_.from_images(at::convolution(images(), weights[0].data, bias(), window_.strides,
                                                        window_.padding(), window_.dilation, false, {0, 0}, groups_));
  }

  void backward(const Step&) override {
    const bool has_bias = weights.size() > 1;
    const bool bias_learns = has_bias && weights[1].learns();
    const std::int64_t filters[] = {weights[0].data.size(0)};
    const at::Tensor source = images();
    const auto [input_gradient, kernel_gradient, bias_gradient] = at::convolution_backward(
        window_.to_images(output().gradient), source, weights[0].data,
        has_bias ? at::OptionalIntArrayRef(filters) : at::OptionalIntArrayRef(), window_.strides, window_.padding(),
        window_.dilation, false, {0, 0}, groups_, {input().needs_gradient, weights[0].learns(), bias_learns});
    if (weights[0].learns()) weights[0].gradient.copy_(kernel_gradient);
    if (bias_learns) weights[1].gradient.copy_(bias_gradient);
    if (input().needs_gradient) {
      inputs[0]->gradient = window_.from_images(window_.unpadded(input_gradient, window_.to_images(input().data)));
    }
  }
  bool keeps_output() const override { return false; }

 private:
  at::Tensor images() const { return window_.padded(window_.to_images(input().data), 0.0); }
  std::optional<at::Tensor> bias() const { return weights.size() > 1 ? std::optional(weights[1].data) : std::nullopt; }

  Window window_;
  std::int64_t groups_;
};

}  // namespace

static Values lower_conv2d(Lowering& lowering) {
  const LayerSpec& layer = lowering.layer();
  const Window window = window_of(lowering, "kernel_size");
  const std::int64_t groups = layer.attributes.count("groups") != 0 ? integer_attribute(layer, "groups") : 1;
  const std::string& activation = string_attribute(layer, "activation");
  if (activation == "softmax" && window.is_channels_first) lowering.refuse("softmax needs channels last");
  Value* sums = lowering.emit<Conv2DOperation>({lowering.inputs[0]}, lowering.shape_before(activation),
                                               {lowering.weight("kernel"), lowering.weight("bias")}, window, groups);
  return lowering.activate(sums, activation);
}

std::span<const LayerLowering> convolution_lowerings() {
  static constexpr LayerLowering kLowerings[] = {
      {"Conv2D", lower_conv2d},
  };
  return kLowerings;
}

}  // namespace modelhop::engine
