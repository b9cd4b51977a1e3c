// SPDX-License-Identifier: Apache-2.0
// Reads a layer's window and pads images as it says.
#include "engine/operations/window.hpp"

#include <ATen/ops/constant_pad_nd.h>

#include "spec/padding.hpp"

namespace modelhop::engine {
namespace {

std::vector<std::int64_t> window_list(const LayerSpec& layer, const char* name) {
  std::vector<std::int64_t> values = list_attribute(layer, name);
  if (values.size() == 1) values.insert(values.begin(), 1);
  return values;
}

PaddedExtent padded_extent(const std::string& padding, std::int64_t extent, const WindowExtent& window) {
  return padding == "same" ? same_padding(extent, window) : causal_padding(extent, window);
}

}  // namespace

Window window_of(const Lowering& lowering, const char* size_name) {
  const LayerSpec& layer = lowering.layer();
  Window window;
  window.size = window_list(layer, size_name);
  window.is_sequence = list_attribute(layer, size_name).size() == 1;
  window.is_channels_first = string_attribute(layer, "data_format") == "channels_first";
  window.strides = window_list(layer, "strides");
  window.none.assign(window.size.size(), 0);
  window.dilation.assign(window.size.size(), 1);
  if (layer.attributes.count("dilation_rate") != 0) window.dilation = window_list(layer, "dilation_rate");
  window.before = window.after = window.padding = window.none;
  const std::string& padding = string_attribute(layer, "padding");
  if (padding == "valid") return window;
  const std::vector<std::int64_t> extents = extents_of(window, lowering.input_shape());
  for (std::size_t axis = 0; axis < extents.size(); ++axis) {
    const PaddedExtent padded =
        padded_extent(padding, extents[axis], {window.size[axis], window.strides[axis], window.dilation[axis]});
    window.before[axis] = padded.before;
    window.after[axis] = padded.after;
  }
  if (window.is_symmetric()) window.padding = window.before;
  return window;
}

std::vector<std::int64_t> extents_of(const Window& window, const Shape& shape) {
  std::vector<std::int64_t> extents = shape;
  extents.erase(window.is_channels_first ? extents.begin() : extents.end() - 1);
  if (window.is_sequence) extents.insert(extents.begin(), 1);
  return extents;
}

std::vector<std::int64_t> spatial_axes(const Lowering& lowering) {
  const bool is_channels_first = string_attribute(lowering.layer(), "data_format") == "channels_first";
  std::vector<std::int64_t> axes;
  for (std::size_t axis = 1; axis < lowering.input_shape().size(); ++axis) {
    axes.push_back(static_cast<std::int64_t>(axis) + (is_channels_first ? 1 : 0));
  }
  return axes;
}

at::Tensor Window::to_images(const at::Tensor& values) const {
  const at::Tensor images = is_sequence ? values.unsqueeze(is_channels_first ? 2 : 1) : values;
  if (is_channels_first) return images;
  return rank() == 2 ? images.permute({0, 3, 1, 2}) : images.permute({0, 4, 1, 2, 3});
}

at::Tensor Window::from_images(const at::Tensor& images) const {
  at::Tensor values = images;
  if (!is_channels_first) values = rank() == 2 ? images.permute({0, 2, 3, 1}) : images.permute({0, 2, 3, 4, 1});
  values = values.contiguous();
  return is_sequence ? values.squeeze(is_channels_first ? 2 : 1) : values;
}

at::Tensor Window::padded(const at::Tensor& images, double value) const {
  if (is_symmetric()) return images;
  std::vector<std::int64_t> sides;
  for (std::size_t axis = before.size(); axis-- > 0;) sides.insert(sides.end(), {before[axis], after[axis]});
  return at::constant_pad_nd(images, sides, value);
}

at::Tensor Window::unpadded(const at::Tensor& images, const at::Tensor& like) const {
  if (is_symmetric()) return images;
  at::Tensor inner = images;
  for (std::int64_t axis = 0; axis < rank(); ++axis) {
    inner = inner.narrow(axis + 2, before[static_cast<std::size_t>(axis)], like.size(axis + 2));
  }
  return inner;
}

}  // namespace modelhop::engine
