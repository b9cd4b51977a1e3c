// SPDX-License-Identifier: Apache-2.0
// One pass of a segment's rows through a few windows of shared memory, while several units consume them, each at its
// own pace. For the thread that owns the connections; the slots see only what StreamedWork and Stream hold.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "modelhop/segment.hpp"
#include "trainer/run.hpp"
#include "wire/segment_layout.hpp"
#include "wire/shared_memory.hpp"

namespace modelhop::trainer {

/// The windows of one segment. Immutable apart from the bytes, which the client writes.
class Stream {
 public:
  /// Throws kInvalidArgument on sizes that make no sense, kOutOfMemory over the run's memory.
  Stream(const wire::OpenStream& message, std::shared_ptr<Run> run);
  ~Stream() { run_->memory().release(memory_.size()); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  int windows() const { return windows_; }
  std::int32_t segment() const { return segment_; }
  std::int64_t size() const { return memory_.size(); }
  const wire::SegmentLayout& layout() const { return layout_; }  ///< of no rows
  wire::FileDescriptor file() const { return memory_.duplicate(); }
  /// Throws kInvalidArgument where the rows do not fit into a window.
  Examples examples(int window, std::int64_t rows) const;

 private:
  std::shared_ptr<Run> run_;
  int windows_;
  std::int64_t window_bytes_;
  std::int32_t segment_;
  wire::SegmentLayout layout_;
  wire::SharedMemory memory_;
};

/// A unit's part in its scans. One slot at a time; a training unit stays in the slot where it began, because its
/// StreamedUnit works in that slot's Executor.
struct StreamedWork {
  std::uint64_t unit = 0;
  int configuration = 0;
  bool evaluates = false;
  std::int32_t iteration = 0;
  int pass = 0;  ///< that comes next or is running
  bool is_last_pass = false;
  int slot = kAnySlot;
  std::int64_t started_us = 0;
  std::unique_ptr<StreamedUnit> training;
  EvaluationSums sums;
};

class StreamScan {
 public:
  struct Item {
    std::shared_ptr<StreamedWork> work;
    Configuration* configuration = nullptr;
  };
  /// Puts one unit's next step into the slots: consume the blocks, each followed by consumed(), then end the pass where
  /// `is_end`; afterwards idle() or, where the unit ended or failed, retire().
  using Dispatch = std::function<void(const Item& item, std::vector<Examples> blocks, bool is_end)>;
  using FreeWindow = std::function<void(int window)>;

  StreamScan(std::shared_ptr<Stream> stream, std::vector<Item> items, Dispatch dispatch, FreeWindow free_window);

  /// Throws kInternal for a window that is not free.
  void window_filled(int window, std::int64_t rows);
  void end();

  void consumed(std::uint64_t unit);
  void idle(std::uint64_t unit);
  /// The unit is out: ended well or failed. Its share of all windows is given back.
  void retire(std::uint64_t unit);
  bool is_over() const { return has_ended_ && live_ == 0; }

 private:
  struct Window {
    int index = 0;
    std::int64_t rows = 0;
    int readers_left = 0;
  };
  struct Member {
    Item item;
    std::uint64_t next = 0;  ///< number of the window that it consumes next, counted from the scan's begin
    bool is_running = false;
    bool is_live = true;
  };
  void advance(Member& member);
  void release_windows();

  std::shared_ptr<Stream> stream_;
  Dispatch dispatch_;
  FreeWindow free_window_;
  std::map<std::uint64_t, Member> members_;  ///< by unit
  int live_ = 0;
  std::deque<Window> filled_;  ///< not yet consumed by everyone, in the order of filling
  std::uint64_t first_ = 0;    ///< number of filled_.front()
  bool has_ended_ = false;
};

}  // namespace modelhop::trainer
