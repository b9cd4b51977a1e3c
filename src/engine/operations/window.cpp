// SPDX-License-Identifier: Apache-2.0
// Reads a layer's window and pads images as it says.
#include "engine/operations/window.hpp"

#include <ATen/ops/constant_pad_nd.h>

#include "modelhop/error.hpp"
#include "spec/padding.hpp"

namespace modelhop::engine {
namespace {

std::array<std::int64_t, 2> pair_attribute(const LayerSpec& layer, const char* name) {
  const std::vector<std::int64_t>& values = list_attribute(layer, name);
  check(values.size() == 2, "a window attribute has not two extents");
  return {values[0], values[1]};
}

}  // namespace

Window window_of(const Lowering& lowering, const char* size_name) {
  const LayerSpec& layer = lowering.layer();
  Window window;
  window.size = pair_attribute(layer, size_name);
  window.strides = pair_attribute(layer, "strides");
  if (layer.attributes.count("dilation_rate") != 0) window.dilation = pair_attribute(layer, "dilation_rate");
  window.is_channels_first = string_attribute(layer, "data_format") == "channels_first";
  if (string_attribute(layer, "padding") != "same") return window;
  for (int axis = 0; axis < 2; ++axis) {
    const std::int64_t extent = lowering.input_shape()[window.height_axis() - 1 + axis];
    const PaddedExtent padded = same_padding(extent, {window.size[axis], window.strides[axis], window.dilation[axis]});
    window.before[axis] = padded.before;
    window.after[axis] = padded.after;
  }
  return window;
}

at::Tensor Window::to_images(const at::Tensor& values) const {
  return is_channels_first ? values : values.permute({0, 3, 1, 2});
}

at::Tensor Window::from_images(const at::Tensor& images) const {
  return is_channels_first ? images.contiguous() : images.permute({0, 2, 3, 1}).contiguous();
}

at::Tensor Window::padded(const at::Tensor& images, double value) const {
  if (is_symmetric()) return images;
  return at::constant_pad_nd(images, {before[1], after[1], before[0], after[0]}, value);
}

std::array<std::int64_t, 2> Window::padding() const {
  return is_symmetric() ? before : std::array<std::int64_t, 2>{0, 0};
}

at::Tensor Window::unpadded(const at::Tensor& images, const at::Tensor& like) const {
  if (is_symmetric()) return images;
  return images.narrow(2, before[0], like.size(2)).narrow(3, before[1], like.size(3));
}

}  // namespace modelhop::engine
