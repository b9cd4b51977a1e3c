// SPDX-License-Identifier: Apache-2.0
// Moves a segment of a packed table into the trainer, through SQL where the data lives (aggregate train_segment).
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "server/packed_table.hpp"
#include "server/segment_list.hpp"
#include "server/trainer_client.hpp"
#include "wire/shared_memory.hpp"

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

/// As messages describe arrays.
using Layouts = flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<wire::Layout>>>;
Layouts make_layouts(flatbuffers::FlatBufferBuilder& builder, const std::vector<wire::ArrayLayout>& arrays);

/// Caches one segment in the trainer: reads the list of its rows, and the rows themselves only where the trainer does
/// not hold exactly this list already. Runs inside the caller's snapshot. `between` is called after each buffer, when
/// the trainer owes no answer; what it throws ends the feeding and comes out as it was.
SegmentFacts feed_segment(TrainerClient& trainer, const PackedTable& table, const SegmentShare& share,
                          const std::function<void()>& between = {});

/// A segment that is read again for each scan, one buffer a window, in the order of buffer_id. The client and the table
/// outlive it.
class SegmentStream {
 public:
  SegmentStream(TrainerClient& trainer, const PackedTable& table, const SegmentShare& share);

  struct Item {
    std::uint64_t unit = 0;
    std::int32_t configuration = 0;
    bool evaluate = false;
    std::int32_t iteration = 1;  ///< counts from 1
  };
  /// Streams the segment once while `units` train (or are evaluated) on it, and returns when all its windows are free
  /// again. UnitFinished and UnitFailed events follow. `pass` counts from 0.
  void scan(std::int32_t pass, const std::vector<Item>& units);

  std::int64_t rows() const { return list_.rows; }

 private:
  TrainerClient& trainer_;
  const PackedTable& table_;
  SegmentShare share_;
  SegmentList list_;
  std::int64_t window_bytes_ = 0;
  wire::SharedMemory windows_;
};

}  // namespace modelhop::server
