// SPDX-License-Identifier: Apache-2.0
// Moves a segment of a packed table into the trainer, through SQL where the data lives (aggregate train_segment).
#pragma once

#include "server/packed_table.hpp"
#include "server/trainer_client.hpp"

namespace modelhop::server {

struct SegmentShare {
  wire::TableKind kind = wire::TableKind_Training;
  int segment = 0;
  int segments = 1;  ///< rows with buffer_id % segments == segment
};

struct SegmentFacts {
  std::int64_t rows = 0;
  std::int64_t bytes = 0;
  bool was_shared = false;  ///< the trainer held it already
};

/// Caches one segment in the trainer: reads the list of its rows, and the rows themselves only where the trainer does
/// not hold exactly this list already. Runs inside the caller's snapshot.
SegmentFacts feed_segment(TrainerClient& trainer, const PackedTable& table, const SegmentShare& share);

/// Sizes without reading big values: rows of each segment. For plans and estimates.
std::vector<std::int64_t> segment_rows(const PackedTable& table, int segments);

/// Streams one segment once while `units` train (or are evaluated) on it. UnitFinished events follow.
struct StreamedScan {
  SegmentShare share;
  std::int32_t iteration = 1;
  std::int32_t pass = 0;
  struct Item {
    std::uint64_t unit;
    std::int32_t configuration;
    bool evaluate;
  };
  std::vector<Item> units;
};
void open_stream(TrainerClient& trainer, const PackedTable& table, const SegmentShare& share);
void stream_segment(TrainerClient& trainer, const PackedTable& table, const StreamedScan& scan);

}  // namespace modelhop::server
