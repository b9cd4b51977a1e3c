// SPDX-License-Identifier: Apache-2.0
// Windows that slide over images: Keras's padding arithmetic and the views that ATen's image operations want.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>

#include "engine/lowering.hpp"

namespace modelhop::engine {

struct Window {
  std::array<std::int64_t, 2> size = {1, 1}, strides = {1, 1}, dilation = {1, 1};
  std::array<std::int64_t, 2> before = {0, 0}, after = {0, 0};  ///< padding of height and width
  bool is_channels_first = false;

  bool is_symmetric() const { return before == after; }
  int height_axis() const { return is_channels_first ? 2 : 1; }  ///< counts the batch axis

  /// [rows, channels, height, width], without a copy.
  at::Tensor to_images(const at::Tensor& values) const;
  /// Back to the layout of values, contiguous.
  at::Tensor from_images(const at::Tensor& images) const;
  /// Images with explicit padding where it is not symmetric; `padding()` is what is left for ATen to do.
  at::Tensor padded(const at::Tensor& images, double value) const;
  std::array<std::int64_t, 2> padding() const;
  /// Takes explicit padding off again.
  at::Tensor unpadded(const at::Tensor& images, const at::Tensor& like) const;
};

/// Reads size (under the given name), strides, dilation_rate, padding and data_format.
Window window_of(const Lowering& lowering, const char* size_name);

}  // namespace modelhop::engine
