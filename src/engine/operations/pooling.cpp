// SPDX-License-Identifier: Apache-2.0
// Pooling over windows and over whole images. Padded cells never win a maximum and never count in an average.
#include <ATen/ops/amax.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/avg_pool2d_backward.h>
#include <ATen/ops/div.h>
#include <ATen/ops/max_pool2d_with_indices.h>
#include <ATen/ops/max_pool2d_with_indices_backward.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/ones.h>

#include <limits>

#include "engine/operations/window.hpp"

namespace modelhop::engine {
namespace {

class MaxPoolingOperation final : public Operation {
 public:
  explicit MaxPoolingOperation(const Window& window) : window_(window) {}

  void forward(const Step&) override {
    output().data.reset();
    auto [maxima, indexes] = at::max_pool2d_with_indices(images(), window_.size, window_.strides, window_.padding());
    output().data = window_.from_images(maxima);
    if (is_training) indexes_ = indexes;
  }

  void backward(const Step&) override {
    const at::Tensor source = images();
    const at::Tensor gradient =
        at::max_pool2d_with_indices_backward(window_.to_images(output().gradient), source, window_.size,
                                             window_.strides, window_.padding(), {1, 1}, false, indexes_);
    inputs[0]->gradient = window_.from_images(window_.unpadded(gradient, window_.to_images(input().data)));
    indexes_.reset();
  }
  bool keeps_output() const override { return false; }

 private:
  at::Tensor images() const {
    return window_.padded(window_.to_images(input().data), -std::numeric_limits<double>::infinity());
  }

  Window window_;
  at::Tensor indexes_;
};

/// Sums of windows (padding is zeros) over the number of cells that are inside the image.
class AveragePoolingOperation final : public Operation {
 public:
  explicit AveragePoolingOperation(const Window& window) : window_(window) {}

  void prepare(std::int64_t, const at::TensorOptions& options) override {
    const Shape& shape = input().shape;
    const std::int64_t height = shape[window_.height_axis() - 1], width = shape[window_.height_axis()];
    cells_ = sums(at::ones({1, 1, height, width}, options));
  }

  void forward(const Step&) override {
    output().data.reset();
    at::Tensor result = sums(window_.to_images(input().data));
    output().data = window_.from_images(at::div_out(result, result, cells_));
  }

  void backward(const Step&) override {
    const at::Tensor source = window_.padded(window_.to_images(input().data), 0.0);
    at::Tensor shares = window_.to_images(output().gradient);
    at::div_out(shares, shares, cells_);
    const at::Tensor gradient =
        at::avg_pool2d_backward(shares, source, window_.size, window_.strides, window_.padding(), false, true, 1);
    inputs[0]->gradient = window_.from_images(window_.unpadded(gradient, window_.to_images(input().data)));
  }
  bool keeps_output() const override { return false; }

 private:
  at::Tensor sums(const at::Tensor& images) const {
    return at::avg_pool2d(window_.padded(images, 0.0), window_.size, window_.strides, window_.padding(), false, true,
                          1);
  }

  Window window_;
  at::Tensor cells_;  ///< [1, 1, height, width] of the output
};

class GlobalAveragePoolingOperation final : public Operation {
 public:
  explicit GlobalAveragePoolingOperation(std::int64_t height_axis) : height_axis_(height_axis) {}

  void prepare(std::int64_t rows, const at::TensorOptions&) override {
    pooled_sizes_ = sizes_of(rows, input().shape);
    cells_ = static_cast<double>(pooled_sizes_[height_axis_] * pooled_sizes_[height_axis_ + 1]);
    full_sizes_ = pooled_sizes_;
    pooled_sizes_[height_axis_] = pooled_sizes_[height_axis_ + 1] = 1;
    output_sizes_ = sizes_of(rows, output().shape);
  }
  void forward(const Step&) override {
    output().data = at::mean(input().data, {height_axis_, height_axis_ + 1}).view(output_sizes_);
  }
  void backward(const Step&) override {
    output().gradient.div_(cells_);
    inputs[0]->gradient = output().gradient.view(pooled_sizes_).expand(full_sizes_).clone(at::MemoryFormat::Contiguous);
  }
  bool keeps_output() const override { return false; }

 private:
  std::int64_t height_axis_;
  double cells_ = 1.0;
  std::vector<std::int64_t> pooled_sizes_, full_sizes_, output_sizes_;
};

std::int64_t global_height_axis(const Lowering& lowering) {
  return string_attribute(lowering.layer(), "data_format") == "channels_first" ? 2 : 1;
}

}  // namespace

static Values lower_max_pooling2d(Lowering& lowering) {
  return lowering.emit<MaxPoolingOperation>({lowering.inputs[0]}, lowering.output_shape(), {},
                                            window_of(lowering, "pool_size"));
}

static Values lower_average_pooling2d(Lowering& lowering) {
  return lowering.emit<AveragePoolingOperation>({lowering.inputs[0]}, lowering.output_shape(), {},
                                                window_of(lowering, "pool_size"));
}

static Values lower_global_average_pooling2d(Lowering& lowering) {
  return lowering.emit<GlobalAveragePoolingOperation>({lowering.inputs[0]}, lowering.output_shape(), {},
                                                      global_height_axis(lowering));
}

static Values lower_global_max_pooling2d(Lowering& lowering) {
  const std::int64_t axis = global_height_axis(lowering);
  const Shape shape = lowering.output_shape();
  const auto maximum = [axis, shape](const ForwardInputs& given) {
    const at::Tensor& x = given.inputs[0];
    return at::amax(x, {axis, axis + 1}).view(sizes_of(x.size(0), shape));
  };
  return lowering.emit<AutogradOperation>({lowering.inputs[0]}, shape, {}, maximum);
}

std::span<const LayerLowering> pooling_lowerings() {
  static constexpr LayerLowering kLowerings[] = {
      {"AveragePooling2D", lower_average_pooling2d},
      {"GlobalAveragePooling2D", lower_global_average_pooling2d},
      {"GlobalMaxPooling2D", lower_global_max_pooling2d},
      {"MaxPooling2D", lower_max_pooling2d},
  };
  return kLowerings;
}

}  // namespace modelhop::engine
