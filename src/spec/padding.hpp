// SPDX-License-Identifier: Apache-2.0
// Keras's padding arithmetic along one axis, for convolutions and pools.
#pragma once

#include <algorithm>
#include <cstdint>

namespace modelhop {

struct PaddedExtent {
  std::int64_t outputs = 0;  ///< below 1 where the window does not fit ("valid")
  std::int64_t before = 0;
  std::int64_t after = 0;  ///< "same" puts the odd cell here: at the bottom, at the right
  bool operator==(const PaddedExtent&) const = default;
};

struct WindowExtent {
  std::int64_t size = 1;
  std::int64_t stride = 1;
  std::int64_t dilation = 1;
};

inline PaddedExtent valid_padding(std::int64_t extent, const WindowExtent& window) {
  const std::int64_t reach = (window.size - 1) * window.dilation + 1;
  return {extent < reach ? 0 : (extent - reach) / window.stride + 1, 0, 0};
}

inline PaddedExtent same_padding(std::int64_t extent, const WindowExtent& window) {
  const std::int64_t reach = (window.size - 1) * window.dilation + 1;
  const std::int64_t outputs = (extent - 1) / window.stride + 1;
  const std::int64_t total = std::max<std::int64_t>((outputs - 1) * window.stride + reach - extent, 0);
  return {outputs, total / 2, total - total / 2};
}

/// No output sees a later cell than its own.
inline PaddedExtent causal_padding(std::int64_t extent, const WindowExtent& window) {
  return {(extent - 1) / window.stride + 1, (window.size - 1) * window.dilation, 0};
}

/// What a transposed convolution keeps of its full result of (extent - 1) * stride + reach cells: `outputs` of them
/// from `before` on. Where the result is shorter than that, the rest is zero ("same" and "valid" with strides beyond
/// the window, and `output_padding`, below 0 where there is none).
struct TransposedExtent {
  std::int64_t outputs = 0;
  std::int64_t before = 0;
  bool operator==(const TransposedExtent&) const = default;
};

inline TransposedExtent transposed_extent(std::int64_t extent, const WindowExtent& window, bool is_same,
                                          std::int64_t output_padding) {
  const std::int64_t reach = (window.size - 1) * window.dilation + 1;
  const std::int64_t full = (extent - 1) * window.stride + reach;
  std::int64_t outputs = extent * window.stride;
  if (output_padding >= 0) {
    outputs = full - (is_same ? reach / 2 * 2 : 0) + output_padding;
  } else if (!is_same) {
    outputs += std::max<std::int64_t>(reach - window.stride, 0);
  }
  return {outputs, is_same ? std::max<std::int64_t>(full - outputs, 0) / 2 : 0};
}

}  // namespace modelhop
