// SPDX-License-Identifier: Apache-2.0
// Shapes of layers over sequences, images and volumes.
#include "spec/spatial.hpp"

#include "spec/grammar_text.hpp"
#include "spec/padding.hpp"

namespace modelhop::spec {
namespace {

bool is_channels_first(const LayerSpec& layer) {
  return string_attribute(layer, "data_format") == "channels_first";
}

PaddedExtent padded_extent(const std::string& padding, std::int64_t extent, const WindowExtent& window) {
  if (padding == "same") return same_padding(extent, window);
  return padding == "causal" ? causal_padding(extent, window) : valid_padding(extent, window);
}

}  // namespace

std::size_t channel_axis(const LayerSpec& layer, std::size_t rank) {
  return is_channels_first(layer) ? 0 : rank;
}

std::size_t first_spatial_axis(const LayerSpec& layer) {
  return is_channels_first(layer) ? 1 : 0;
}

std::int64_t channels_of(const LayerCall& call, std::size_t rank) {
  call.require_rank(rank + 1);
  return call.input()[channel_axis(call.layer, rank)];
}

std::vector<std::int64_t> spatial_extents(const LayerCall& call, std::size_t rank) {
  call.require_rank(rank + 1);
  std::vector<std::int64_t> extents = call.input();
  extents.erase(extents.begin() + static_cast<std::ptrdiff_t>(channel_axis(call.layer, rank)));
  return extents;
}

Shape spatial_shape(const LayerSpec& layer, std::vector<std::int64_t> extents, std::int64_t channels) {
  const auto axis = static_cast<std::ptrdiff_t>(channel_axis(layer, extents.size()));
  extents.insert(extents.begin() + axis, channels);
  return extents;
}

Shape windowed_shape(const LayerCall& call, const char* size_name, std::int64_t channels) {
  const auto& size = list_attribute(call.layer, size_name);
  const auto& strides = list_attribute(call.layer, "strides");
  const std::string& padding = string_attribute(call.layer, "padding");
  const bool is_dilated = call.layer.attributes.count("dilation_rate") != 0;
  std::vector<std::int64_t> extents = spatial_extents(call, size.size());
  for (std::size_t axis = 0; axis < extents.size(); ++axis) {
    const std::int64_t dilation = is_dilated ? list_attribute(call.layer, "dilation_rate")[axis] : 1;
    extents[axis] = padded_extent(padding, extents[axis], {size[axis], strides[axis], dilation}).outputs;
    if (extents[axis] >= 1) continue;
    refuse(call.where() + ": " + in_quotes(size_name) + " " + to_text(size) + " does not fit into the input of shape " +
           to_text(call.input()));
  }
  return spatial_shape(call.layer, std::move(extents), channels);
}

void read_steps(LayerConfig& config, Attributes& attributes, std::size_t rank) {
  const std::vector<std::int64_t> ones(rank, 1);
  const auto strides = config.extents("strides", ones, rank, {});
  const auto dilation = config.extents("dilation_rate", ones, rank, {});
  if (strides != ones && dilation != ones) {
    refuse(config.where() + ": \"strides\" " + to_text(strides) + " and \"dilation_rate\" " + to_text(dilation) +
           " cannot both be above 1");
  }
  attributes["strides"] = strides;
  attributes["dilation_rate"] = dilation;
}

std::int64_t window_cells(const LayerCall& call, const std::vector<std::int64_t>& size) {
  std::int64_t cells = 1;
  for (const std::int64_t extent : size) cells = product_within(cells, extent, kMaxElements, call.where() + ": window");
  return cells;
}

}  // namespace modelhop::spec
