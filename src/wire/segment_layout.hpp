// SPDX-License-Identifier: Apache-2.0
// Where rows lie in the shared file of a segment or of a stream's window: array after array, each padded to 64 bytes:
// the independent ones, the dependent ones, the sample weights. One place, so that the side that fills and the side
// that reads agree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "modelhop/segment.hpp"

namespace modelhop::wire {

struct ArrayLayout {
  modelhop::ElementType type = modelhop::ElementType::kFloat32;
  std::int64_t row_elements = 0;
  float scale = 1.0F;  ///< the network sees float32(x) * scale

  std::int64_t row_bytes() const { return row_elements * element_size(type); }
  bool operator==(const ArrayLayout&) const = default;
};

/// Sizes must be plausible (see message.fbs) before the sums are asked for: they are not checked for overflow here.
struct SegmentLayout {
  std::int64_t rows = 0;
  std::vector<ArrayLayout> independent;
  std::vector<ArrayLayout> dependent;  ///< empty: none
  bool has_sample_weight = false;      ///< one float32 a row, after the others

  std::vector<ArrayLayout> arrays() const {
    std::vector<ArrayLayout> all = independent;
    all.insert(all.end(), dependent.begin(), dependent.end());
    if (has_sample_weight) all.push_back({modelhop::ElementType::kFloat32, 1, 1.0F});
    return all;
  }
  /// Where each array begins, and behind them the size of the whole.
  std::vector<std::int64_t> offsets() const {
    std::vector<std::int64_t> list{0};
    for (const ArrayLayout& array : arrays()) list.push_back(list.back() + (rows * array.row_bytes() + 63) / 64 * 64);
    return list;
  }
  std::int64_t total_bytes() const { return offsets().back(); }
  std::int64_t row_bytes() const {
    std::int64_t bytes = 0;
    for (const ArrayLayout& array : arrays()) bytes += array.row_bytes();
    return bytes;
  }
};

}  // namespace modelhop::wire
