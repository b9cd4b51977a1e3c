// SPDX-License-Identifier: Apache-2.0
// The rows of one segment, listed without their big values: what there is to feed, and the key under which sessions
// share it.
#pragma once

#include "server/postgres.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include "server/packed_table.hpp"

namespace modelhop::server {

struct SegmentList {
  std::vector<std::int64_t> buffer_ids;   ///< ascending
  std::vector<std::int64_t> buffer_rows;  ///< beside them
  std::vector<std::uint8_t> share_key;    ///< SHA-256 of the exact rows, columns and layout; empty: never shared
  std::int64_t rows = 0;

  /// Position of a buffer in the list; throws where it is not listed.
  std::size_t position(std::int64_t buffer_id) const;
};

/// Rows with buffer_id % segments == segment, in the caller's snapshot. Throws SqlError naming the buffer whose bytes
/// do not fit its shape, or that comes twice; models do not visit a segment without rows, so it throws there as well.
SegmentList list_segment(const PackedTable& table, int segment, int segments);

}  // namespace modelhop::server
