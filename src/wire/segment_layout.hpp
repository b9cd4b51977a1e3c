// SPDX-License-Identifier: Apache-2.0
// Where rows lie in the shared file of a segment or of a stream's window: all independent rows, padded to 64 bytes,
// then all dependent rows. One place, so that the side that fills and the side that reads agree.
#pragma once

#include <cstdint>

#include "modelhop/segment.hpp"

namespace modelhop::wire {

/// Sizes must be plausible (see message.fbs) before the sums are asked for: they are not checked for overflow here.
struct SegmentLayout {
  std::int64_t rows = 0;
  modelhop::ElementType independent_type = modelhop::ElementType::kFloat32;
  std::int64_t independent_row_elements = 0;
  modelhop::ElementType dependent_type = modelhop::ElementType::kInt16;
  std::int64_t dependent_row_elements = 0;  ///< 0: none

  std::int64_t independent_row_bytes() const { return independent_row_elements * element_size(independent_type); }
  std::int64_t dependent_row_bytes() const { return dependent_row_elements * element_size(dependent_type); }
  std::int64_t dependent_offset() const { return (rows * independent_row_bytes() + 63) / 64 * 64; }
  std::int64_t total_bytes() const { return dependent_offset() + rows * dependent_row_bytes(); }
};

}  // namespace modelhop::wire
