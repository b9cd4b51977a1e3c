// SPDX-License-Identifier: Apache-2.0
// Packed rows from a file that COPY ... (FORMAT binary) wrote, joined into segments.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "modelhop/segment.hpp"

namespace modelhop::replay {

struct PackedRow {
  std::int64_t buffer_id = 0;
  std::int64_t rows = 0;
  std::vector<std::vector<std::byte>> arrays;  ///< independent, dependent, sample weights
};

/// Columns: buffer_id integer, rows integer, then bytea columns. Sorted by buffer_id.
std::vector<PackedRow> read_copy_file(const std::string& path);

/// How the numbers of a bytea column lie, and what they are multiplied by.
struct ArrayType {
  ElementType type = ElementType::kFloat32;
  float scale = 1.0F;
};

struct Arrays {
  std::vector<ArrayType> independent;
  std::vector<ArrayType> dependent;
  bool has_sample_weight = false;
};

/// The buffers with buffer_id % segments == segment, in order, in one block.
class JoinedSegment {
 public:
  JoinedSegment(const std::vector<PackedRow>& rows, int segment, int segments, const Arrays& arrays);
  Segment view() const;

 private:
  std::vector<std::vector<std::byte>> bytes_;  ///< of each array
  std::vector<std::int64_t> buffer_starts_;
  Examples examples_;
};

}  // namespace modelhop::replay
