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
  std::vector<std::byte> independent;
  std::vector<std::byte> dependent;
  std::int64_t rows = 0;
};

/// Columns: buffer_id integer, rows integer, independent bytea, dependent bytea. Sorted by buffer_id.
std::vector<PackedRow> read_copy_file(const std::string& path);

/// The buffers with buffer_id % segments == segment, in order, in one block.
class JoinedSegment {
 public:
  JoinedSegment(const std::vector<PackedRow>& rows, int segment, int segments, ElementType independent,
                ElementType dependent, float independent_scale);
  Segment view() const;

 private:
  std::vector<std::byte> independent_;
  std::vector<std::byte> dependent_;
  std::vector<std::int64_t> buffer_starts_;
  Examples examples_;
};

}  // namespace modelhop::replay
