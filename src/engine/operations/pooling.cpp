// SPDX-License-Identifier: Apache-2.0
// Average pooling over windows and over whole inputs, where padded cells never count; and pooling to a given size.
#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/adaptive_avg_pool3d.h>
#include <ATen/ops/adaptive_max_pool2d.h>
#include <ATen/ops/adaptive_max_pool3d.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/avg_pool2d_backward.h>
#include <ATen/ops/avg_pool3d.h>
#include <ATen/ops/avg_pool3d_backward.h>
#include <ATen/ops/div.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/ones.h>

#include "engine/operations/window.hpp"

namespace modelhop::engine {
namespace {

/// Sums of windows (padding is zeros) over the number of cells that are inside the image.
class AveragePoolingOperation final : public Operation {
 public:
  explicit AveragePoolingOperation(Window window) : window_(std::move(window)) {}

  void prepare(std::int64_t, const at::TensorOptions& options) override {
    std::vector<std::int64_t> sizes = {1, 1};
    for (const std::int64_t extent : extents_of(window_, input().shape)) sizes.push_back(extent);
    cells_ = sums(at::ones(sizes, options));
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
        window_.rank() == 2
            ? at::avg_pool2d_backward(shares, source, window_.size, window_.strides, window_.padding, false, true, 1)
            : at::avg_pool3d_backward(shares, source, window_.size, window_.strides, window_.padding, false, true, 1);
    inputs[0]->gradient = window_.from_images(window_.unpadded(gradient, window_.to_images(input().data)));
  }
  bool keeps_output() const override { return false; }

 private:
  at::Tensor sums(const at::Tensor& images) const {
    const at::Tensor source = window_.padded(images, 0.0);
    return window_.rank() == 2 ? at::avg_pool2d(source, window_.size, window_.strides, window_.padding, false, true, 1)
                               : at::avg_pool3d(source, window_.size, window_.strides, window_.padding, false, true, 1);
  }

  Window window_;
  at::Tensor cells_;  ///< [1, 1, extents...] of the output
};

class GlobalAveragePoolingOperation final : public Operation {
 public:
  explicit GlobalAveragePoolingOperation(std::vector<std::int64_t> axes) : axes_(std::move(axes)) {}

  void prepare(std::int64_t rows, const at::TensorOptions&) override {
    full_sizes_ = pooled_sizes_ = sizes_of(rows, input().shape);
    cells_ = 1.0;
    for (const std::int64_t axis : axes_) {
      cells_ *= static_cast<double>(full_sizes_[static_cast<std::size_t>(axis)]);
      pooled_sizes_[static_cast<std::size_t>(axis)] = 1;
    }
    output_sizes_ = sizes_of(rows, output().shape);
  }
  void forward(const Step&) override { output().data = at::mean(input().data, axes_).view(output_sizes_); }
  void backward(const Step&) override {
    output().gradient.div_(cells_);
    inputs[0]->gradient = output().gradient.view(pooled_sizes_).expand(full_sizes_).clone(at::MemoryFormat::Contiguous);
  }
  bool keeps_output() const override { return false; }

 private:
  std::vector<std::int64_t> axes_;  ///< count the batch axis
  double cells_ = 1.0;
  std::vector<std::int64_t> pooled_sizes_, full_sizes_, output_sizes_;
};

/// Steps that the mask leaves out count neither in the sum nor in the number.
Value* masked_average(Lowering& lowering) {
  const std::int64_t axis = spatial_axes(lowering).front();
  const Shape shape = lowering.output_shape();
  const auto average = [axis, shape](const ForwardInputs& given) {
    const at::Tensor& x = given.inputs[0];
    const at::Tensor mask = given.inputs[1].unsqueeze(axis == 1 ? 2 : 1);
    return x.mul(mask).sum(axis).div(mask.sum(axis)).view(sizes_of(x.size(0), shape));
  };
  return lowering.emit<AutogradOperation>({lowering.inputs[0], lowering.masks[0]}, shape, {}, average);
}

}  // namespace

static Values lower_average_pooling(Lowering& lowering) {
  return lowering.emit<AveragePoolingOperation>({lowering.inputs[0]}, lowering.output_shape(), {},
                                                window_of(lowering, "pool_size"));
}

static Values lower_global_average_pooling(Lowering& lowering) {
  if (lowering.layer().class_name == "GlobalAveragePooling1D" && lowering.masks[0] != nullptr) {
    return masked_average(lowering);
  }
  return lowering.emit<GlobalAveragePoolingOperation>({lowering.inputs[0]}, lowering.output_shape(), {},
                                                      spatial_axes(lowering));
}

static Values lower_adaptive_pooling(Lowering& lowering) {
  const bool is_maximum = lowering.layer().class_name.starts_with("AdaptiveMax");
  Window window;
  window.size = list_attribute(lowering.layer(), "output_size");
  window.is_channels_first = string_attribute(lowering.layer(), "data_format") == "channels_first";
  window.is_sequence = window.size.size() == 1;
  if (window.is_sequence) window.size.insert(window.size.begin(), 1);
  const auto pool = [window, is_maximum](const ForwardInputs& given) {
    const at::Tensor images = window.to_images(given.inputs[0]);
    if (window.rank() == 3) {
      return window.from_images(is_maximum ? std::get<0>(at::adaptive_max_pool3d(images, window.size))
                                           : at::adaptive_avg_pool3d(images, window.size));
    }
    return window.from_images(is_maximum ? std::get<0>(at::adaptive_max_pool2d(images, window.size))
                                         : at::adaptive_avg_pool2d(images, window.size));
  };
  return lowering.emit<AutogradOperation>({lowering.inputs[0]}, lowering.output_shape(), {}, pool);
}

std::span<const LayerLowering> pooling_lowerings() {
  static constexpr LayerLowering kLowerings[] = {
      {"AdaptiveAveragePooling1D", lower_adaptive_pooling},
      {"AdaptiveAveragePooling2D", lower_adaptive_pooling},
      {"AdaptiveAveragePooling3D", lower_adaptive_pooling},
      {"AdaptiveMaxPooling1D", lower_adaptive_pooling},
      {"AdaptiveMaxPooling2D", lower_adaptive_pooling},
      {"AdaptiveMaxPooling3D", lower_adaptive_pooling},
      {"AveragePooling1D", lower_average_pooling},
      {"AveragePooling2D", lower_average_pooling},
      {"AveragePooling3D", lower_average_pooling},
      {"GlobalAveragePooling1D", lower_global_average_pooling},
      {"GlobalAveragePooling2D", lower_global_average_pooling},
      {"GlobalAveragePooling3D", lower_global_average_pooling},
  };
  return kLowerings;
}

}  // namespace modelhop::engine
