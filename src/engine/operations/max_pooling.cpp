// SPDX-License-Identifier: Apache-2.0
// Maximum pooling over windows and over whole inputs: loops for images and sequences on the CPU with channels last,
// ATen for the rest. ATen's take a twentieth of a step of Keras's cifar10 CNN more (bench/engine_step). Padded cells
// never win.
#include <ATen/ops/amax.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/max_pool2d_with_indices.h>
#include <ATen/ops/max_pool2d_with_indices_backward.h>
#include <ATen/ops/max_pool3d_with_indices.h>
#include <ATen/ops/max_pool3d_with_indices_backward.h>
#include <ATen/ops/relu.h>

#include <limits>

#include "engine/operations/window.hpp"
#include "engine/pooling_loops.hpp"

namespace modelhop::engine {
namespace {

class MaxPoolingOperation final : public Operation {
 public:
  explicit MaxPoolingOperation(Window window) : window_(std::move(window)) {}

  void prepare(std::int64_t rows, const at::TensorOptions& options) override {
    rows_ = rows;
    has_loops_ = options.device().is_cpu() && window_.rank() == 2 && !window_.is_channels_first &&
                 window_.size[0] * window_.size[1] <= kMaxPoolingCells;
    if (has_loops_) describe_loops();
  }

  void forward(const Step&) override {
    output().data.reset();
    if (has_loops_) {
      forward_by_loops();
      return;
    }
    auto [maxima, indexes] =
        window_.rank() == 2 ? at::max_pool2d_with_indices(images(), window_.size, window_.strides, window_.padding)
                            : at::max_pool3d_with_indices(images(), window_.size, window_.strides, window_.padding);
    if (is_rectified_ && is_training) is_open_ = maxima.le(0).logical_not();
    output().data = window_.from_images(is_rectified_ ? at::relu_(maxima) : maxima);
    if (is_training) places_ = indexes;
  }

  void backward(const Step&) override {
    inputs[0]->gradient = has_loops_ ? gradient_by_loops() : gradient_by_operations();
    places_.reset();
    is_open_.reset();
  }

  bool keeps_output() const override { return false; }
  bool absorb_relu_of_input() override { return is_rectified_ = true; }

 private:
  void describe_loops() {
    const std::vector<std::int64_t> extents = extents_of(window_, input().shape);
    const std::vector<std::int64_t> outputs = extents_of(window_, output().shape);
    loop_.height = extents[0];
    loop_.width = extents[1];
    loop_.channels = input().shape.back();
    loop_.output_height = outputs[0];
    loop_.output_width = outputs[1];
    for (std::size_t axis = 0; axis < 2; ++axis) {
      loop_.size[axis] = window_.size[axis];
      loop_.strides[axis] = window_.strides[axis];
      loop_.before[axis] = window_.before[axis];
    }
    loop_.is_rectified = is_rectified_;
  }

  void forward_by_loops() {
    output().data = at::empty(sizes_of(rows_, output().shape), input().data.options());
    const bool keeps_places = is_training && input().needs_gradient;
    if (keeps_places) places_ = at::empty(output().data.sizes(), output().data.options().dtype(at::kByte));
    max_pooling(loop_, rows_, input().data.const_data_ptr<float>(), output().data.mutable_data_ptr<float>(),
                keeps_places ? places_.mutable_data_ptr<std::uint8_t>() : nullptr);
  }

  at::Tensor gradient_by_loops() const {
    const at::Tensor given = output().gradient.contiguous();
    at::Tensor gradient = at::empty(sizes_of(rows_, input().shape), given.options());
    max_pooling_gradient(loop_, rows_, given.const_data_ptr<float>(), places_.const_data_ptr<std::uint8_t>(),
                         gradient.mutable_data_ptr<float>());
    return gradient;
  }

  at::Tensor gradient_by_operations() const {
    at::Tensor gradient = window_.to_images(output().gradient);
    if (is_rectified_) gradient = gradient.mul(is_open_);
    const at::Tensor source = images();
    const at::Tensor source_gradient =
        window_.rank() == 2 ? at::max_pool2d_with_indices_backward(gradient, source, window_.size, window_.strides,
                                                                   window_.padding, window_.dilation, false, places_)
                            : at::max_pool3d_with_indices_backward(gradient, source, window_.size, window_.strides,
                                                                   window_.padding, window_.dilation, false, places_);
    return window_.from_images(window_.unpadded(source_gradient, window_.to_images(input().data)));
  }

  at::Tensor images() const {
    return window_.padded(window_.to_images(input().data), -std::numeric_limits<double>::infinity());
  }

  Window window_;
  std::int64_t rows_ = 0;
  bool is_rectified_ = false, has_loops_ = false;
  PoolingWindow loop_;
  at::Tensor places_;   ///< of the maxima: bytes of the loops, or ATen's indexes
  at::Tensor is_open_;  ///< where a gradient flows, without loops
};

class GlobalMaxPoolingOperation final : public AutogradOperation {
 public:
  explicit GlobalMaxPoolingOperation(const std::vector<std::int64_t>& axes, const Shape& shape)
      : AutogradOperation([this, axes, shape](const ForwardInputs& given) {
          const at::Tensor maxima = at::amax(given.inputs[0], axes).view(sizes_of(given.inputs[0].size(0), shape));
          return is_rectified_ ? at::relu(maxima) : maxima;
        }),
        has_loops_(axes.front() == 1) {}

  void prepare(std::int64_t rows, const at::TensorOptions& options) override {
    rows_ = rows;
    has_loops_ = has_loops_ && options.device().is_cpu();
    if (!has_loops_) return;
    const Shape& shape = input().shape;
    channels_ = shape.back();
    cells_ = element_count(shape) / channels_;
    allocate_output(rows, options);
  }

  void forward(const Step& step) override {
    if (!has_loops_) return AutogradOperation::forward(step);
    global_maxima(rows_, cells_, channels_, is_rectified_, input().data.const_data_ptr<float>(),
                  output().data.mutable_data_ptr<float>());
  }

  void backward(const Step& step) override {
    if (!has_loops_) return AutogradOperation::backward(step);
    const at::Tensor given = output().gradient.contiguous();
    inputs[0]->gradient = at::empty(input().data.sizes(), given.options());
    global_maxima_gradient(rows_, cells_, channels_, is_rectified_, input().data.const_data_ptr<float>(),
                           output().data.const_data_ptr<float>(), given.const_data_ptr<float>(),
                           inputs[0]->gradient.mutable_data_ptr<float>());
  }

  bool absorb_relu_of_input() override { return is_rectified_ = true; }

 private:
  bool has_loops_;
  bool is_rectified_ = false;
  std::int64_t rows_ = 0, cells_ = 0, channels_ = 0;
};

}  // namespace

static Values lower_max_pooling(Lowering& lowering) {
  return lowering.emit<MaxPoolingOperation>({lowering.inputs[0]}, lowering.output_shape(), {},
                                            window_of(lowering, "pool_size"));
}

static Values lower_global_max_pooling(Lowering& lowering) {
  return lowering.emit<GlobalMaxPoolingOperation>({lowering.inputs[0]}, lowering.output_shape(), {},
                                                  spatial_axes(lowering), lowering.output_shape());
}

std::span<const LayerLowering> max_pooling_lowerings() {
  static constexpr LayerLowering kLowerings[] = {
      {"GlobalMaxPooling1D", lower_global_max_pooling},
      {"GlobalMaxPooling2D", lower_global_max_pooling},
      {"GlobalMaxPooling3D", lower_global_max_pooling},
      {"MaxPooling1D", lower_max_pooling},
      {"MaxPooling2D", lower_max_pooling},
      {"MaxPooling3D", lower_max_pooling},
  };
  return kLowerings;
}

}  // namespace modelhop::engine
