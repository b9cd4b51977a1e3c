// SPDX-License-Identifier: Apache-2.0
// Windows that slide over sequences, images and volumes: Keras's padding arithmetic and the views that ATen's image
// operations want.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "engine/lowering.hpp"

namespace modelhop::engine {

/// Lists are of height and width, or of depth, height and width. A sequence is an image of height 1, for which ATen has
/// the faster operations.
struct Window {
  std::vector<std::int64_t> size, strides, dilation;
  std::vector<std::int64_t> before, after;  ///< cells that the layer pads with
  std::vector<std::int64_t> padding;        ///< what of it is left for ATen to do: all if it is symmetric, else nothing
  std::vector<std::int64_t> none;           ///< zeros
  bool is_channels_first = false;
  bool is_sequence = false;

  std::int64_t rank() const { return static_cast<std::int64_t>(size.size()); }
  bool is_symmetric() const { return before == after; }

  /// [rows, channels, height, width] or [rows, channels, depth, height, width], without a copy.
  at::Tensor to_images(const at::Tensor& values) const;
  /// Back to the layout of values, contiguous.
  at::Tensor from_images(const at::Tensor& images) const;
  /// Images with explicit padding where it is not symmetric.
  at::Tensor padded(const at::Tensor& images, double value) const;
  /// Takes explicit padding off again.
  at::Tensor unpadded(const at::Tensor& images, const at::Tensor& like) const;
};

/// Reads size (under the given name), strides, dilation_rate, padding and data_format.
Window window_of(const Lowering& lowering, const char* size_name);

/// The extents of a shape in the window's order, without the channels.
std::vector<std::int64_t> extents_of(const Window& window, const Shape& shape);

/// The spatial axes of the layer's input, counting the batch axis.
std::vector<std::int64_t> spatial_axes(const Lowering& lowering);

}  // namespace modelhop::engine
