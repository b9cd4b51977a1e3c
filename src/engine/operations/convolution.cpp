// SPDX-License-Identifier: Apache-2.0
// Convolutions, their transposes, and those of each channel by itself. Kernels are stored as ATen's channels-last wants
// them (state_layout.hpp).
#include <ATen/ops/convolution.h>
#include <ATen/ops/convolution_backward.h>

#include <algorithm>

#include "engine/operations/rectifier.hpp"
#include "engine/operations/window.hpp"
#include "spec/padding.hpp"

namespace modelhop::engine {
namespace {

class ConvolutionOperation final : public Operation {
 public:
  ConvolutionOperation(Window window, std::int64_t groups) : window_(std::move(window)), groups_(groups) {}

  void forward(const Step&) override {
    output().data.reset();
    output().data =
        window_.from_images(at::convolution(images(), weights[0].data, bias(), window_.strides, window_.padding,
                                            window_.dilation, false, window_.none, groups_));
    if (is_rectified_) rectify_in_place(output().data);
  }

  void backward(const Step&) override {
    const bool bias_learns = weights.size() > 1 && weights[1].learns();
    // Where channels are last, relu's derivative and the bias's gradient take one pass: oneDNN's own sums of the bias
    // are a tenth of its time (bench/engine_step).
    const bool sums_bias = bias_learns && !window_.is_channels_first;
    if (is_rectified_) {
      rectify_gradient_in_place(output().gradient, output().data, sums_bias ? &weights[1].gradient : nullptr);
    } else if (sums_bias) {
      sum_columns_into(weights[1].gradient, output().gradient);
    }
    const bool leaves_bias = bias_learns && !sums_bias;
    const std::int64_t filters[] = {weights[0].data.size(0)};
    const at::Tensor source = images();
    const auto [input_gradient, kernel_gradient, bias_gradient] = at::convolution_backward(
        window_.to_images(output().gradient), source, weights[0].data,
        leaves_bias ? at::OptionalIntArrayRef(filters) : at::OptionalIntArrayRef(), window_.strides, window_.padding,
        window_.dilation, false, window_.none, groups_, {input().needs_gradient, weights[0].learns(), leaves_bias});
    if (weights[0].learns()) weights[0].gradient.copy_(kernel_gradient);
    if (leaves_bias) weights[1].gradient.copy_(bias_gradient);
    if (input().needs_gradient) {
      inputs[0]->gradient = window_.from_images(window_.unpadded(input_gradient, window_.to_images(input().data)));
    }
  }

  bool keeps_output() const override { return is_rectified_; }
  bool absorb_relu_of_output() override { return is_rectified_ = true; }

 private:
  at::Tensor images() const { return window_.padded(window_.to_images(input().data), 0.0); }
  std::optional<at::Tensor> bias() const { return weights.size() > 1 ? std::optional(weights[1].data) : std::nullopt; }

  Window window_;
  std::int64_t groups_;
  bool is_rectified_ = false;
};

/// What a transposed convolution keeps of ATen's result, by axis.
struct Kept {
  std::vector<std::int64_t> cropped;    ///< at both ends
  std::vector<std::int64_t> extension;  ///< cells that no window reaches, at the end
  std::vector<std::int64_t> outputs;    ///< from the first on
};

Kept kept_of(const Lowering& lowering, const Window& window) {
  const LayerSpec& layer = lowering.layer();
  const std::vector<std::int64_t>& given = list_attribute(layer, "output_padding");
  const bool is_same = string_attribute(layer, "padding") == "same";
  const std::vector<std::int64_t> extents = extents_of(window, lowering.input_shape());
  Kept kept;
  for (std::size_t axis = 0; axis < extents.size(); ++axis) {
    const WindowExtent cells{window.size[axis], window.strides[axis], window.dilation[axis]};
    const bool is_extra_axis = window.is_sequence && axis == 0;
    const std::size_t given_axis = window.is_sequence ? 0 : axis;
    const std::int64_t padding = is_extra_axis || given.empty() ? -1 : given[given_axis];
    const TransposedExtent transposed = transposed_extent(extents[axis], cells, is_same, padding);
    const std::int64_t full = (extents[axis] - 1) * cells.stride + (cells.size - 1) * cells.dilation + 1;
    kept.cropped.push_back(transposed.before);
    kept.extension.push_back(std::max<std::int64_t>(transposed.outputs - (full - 2 * transposed.before), 0));
    kept.outputs.push_back(transposed.outputs);
  }
  return kept;
}

/// The channels of the layer's input, and its output's shape with other channels.
std::int64_t input_channels(const Lowering& lowering, const Window& window) {
  return window.is_channels_first ? lowering.input_shape().front() : lowering.input_shape().back();
}

Shape with_channels(Shape shape, const Window& window, std::int64_t channels) {
  (window.is_channels_first ? shape.front() : shape.back()) = channels;
  return shape;
}

}  // namespace

static Values lower_convolution(Lowering& lowering) {
  const LayerSpec& layer = lowering.layer();
  const std::int64_t groups = layer.attributes.count("groups") != 0 ? integer_attribute(layer, "groups") : 1;
  const std::string& activation = string_attribute(layer, "activation");
  Value* sums = lowering.emit<ConvolutionOperation>({lowering.inputs[0]}, lowering.shape_before(activation),
                                                    {lowering.weight("kernel"), lowering.weight("bias")},
                                                    window_of(lowering, "kernel_size"), groups);
  return lowering.activate(sums, activation);
}

static Values lower_transposed(Lowering& lowering) {
  Window window = window_of(lowering, "kernel_size");
  const Kept kept = kept_of(lowering, window);
  const auto transposed = [window, kept](const ForwardInputs& given) {
    const auto bias = given.weights.size() > 1 ? std::optional(given.weights[1]) : std::nullopt;
    at::Tensor images = at::convolution(window.to_images(given.inputs[0]), given.weights[0], bias, window.strides,
                                        kept.cropped, window.dilation, true, kept.extension, 1);
    for (std::int64_t axis = 0; axis < window.rank(); ++axis) {
      images = images.narrow(axis + 2, 0, kept.outputs[static_cast<std::size_t>(axis)]);
    }
    return window.from_images(images);
  };
  const std::string& activation = string_attribute(lowering.layer(), "activation");
  Value* sums = lowering.emit<AutogradOperation>({lowering.inputs[0]}, lowering.shape_before(activation),
                                                 {lowering.weight("kernel"), lowering.weight("bias")}, transposed);
  return lowering.activate(sums, activation);
}

static Values lower_depthwise(Lowering& lowering) {
  const Window window = window_of(lowering, "kernel_size");
  const std::string& activation = string_attribute(lowering.layer(), "activation");
  Value* sums = lowering.emit<ConvolutionOperation>({lowering.inputs[0]}, lowering.shape_before(activation),
                                                    {lowering.weight("depthwise_kernel"), lowering.weight("bias")},
                                                    window, input_channels(lowering, window));
  return lowering.activate(sums, activation);
}

static Values lower_separable(Lowering& lowering) {
  const Window window = window_of(lowering, "kernel_size");
  const std::string& activation = string_attribute(lowering.layer(), "activation");
  const Shape shape = lowering.shape_before(activation);
  const std::int64_t channels = input_channels(lowering, window);
  const std::int64_t depth = channels * integer_attribute(lowering.layer(), "depth_multiplier");
  Value* depthwise = lowering.emit<ConvolutionOperation>({lowering.inputs[0]}, with_channels(shape, window, depth),
                                                         {lowering.weight("depthwise_kernel")}, window, channels);
  Window pointwise = window;
  pointwise.size = pointwise.strides = pointwise.dilation = std::vector<std::int64_t>(window.size.size(), 1);
  pointwise.before = pointwise.after = pointwise.padding = pointwise.none;
  Value* sums = lowering.emit<ConvolutionOperation>(
      {depthwise}, shape, {lowering.weight("pointwise_kernel"), lowering.weight("bias")}, pointwise, 1);
  return lowering.activate(sums, activation);
}

std::span<const LayerLowering> convolution_lowerings() {
  static constexpr LayerLowering kLowerings[] = {
      {"Conv1D", lower_convolution},        {"Conv1DTranspose", lower_transposed},
      {"Conv2D", lower_convolution},        {"Conv2DTranspose", lower_transposed},
      {"Conv3D", lower_convolution},        {"Conv3DTranspose", lower_transposed},
      {"DepthwiseConv1D", lower_depthwise}, {"DepthwiseConv2D", lower_depthwise},
      {"SeparableConv1D", lower_separable}, {"SeparableConv2D", lower_separable},
  };
  return kLowerings;
}

}  // namespace modelhop::engine
