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

}  // namespace modelhop
