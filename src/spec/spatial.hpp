// SPDX-License-Identifier: Apache-2.0
// Layers over sequences, images and volumes: which axes are spatial, and what windows that move over them leave.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "spec/layer_kind.hpp"

namespace modelhop::spec {

/// Where `data_format` puts the channels in a shape with `rank` spatial axes (0 or rank), and the first of the others.
std::size_t channel_axis(const LayerSpec& layer, std::size_t rank);
std::size_t first_spatial_axis(const LayerSpec& layer);

/// Of the call's input, which must have `rank` spatial axes.
std::int64_t channels_of(const LayerCall& call, std::size_t rank);
std::vector<std::int64_t> spatial_extents(const LayerCall& call, std::size_t rank);

/// A shape of the layer's data_format.
Shape spatial_shape(const LayerSpec& layer, std::vector<std::int64_t> extents, std::int64_t channels);

/// The shape after windows of `size_name` have moved over the input by strides, padding and dilation_rate.
Shape windowed_shape(const LayerCall& call, const char* size_name, std::int64_t channels);

/// `strides` and `dilation_rate`, of which Keras lets only one be above 1.
void read_steps(LayerConfig& config, Attributes& attributes, std::size_t rank);

/// The product of the list, within kMaxElements.
std::int64_t window_cells(const LayerCall& call, const std::vector<std::int64_t>& size);

}  // namespace modelhop::spec
