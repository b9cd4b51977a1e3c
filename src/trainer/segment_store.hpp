// SPDX-License-Identifier: Apache-2.0
// Decoded segments in shared memory: filled by one client, read by the slots of every run that asks for the same rows.
// For the thread that owns the connections; only blocks go to other threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "modelhop/engine.hpp"
#include "modelhop/error.hpp"
#include "modelhop/segment.hpp"
#include "wire/segment_layout.hpp"
#include "wire/shared_memory.hpp"

namespace modelhop::trainer {

/// What a client declares.
struct SegmentRequest {
  std::string share_key;  ///< empty: never shared
  wire::SegmentLayout layout;
  std::vector<std::int64_t> buffer_rows;  ///< adds up to layout.rows
};

/// One segment's memory. Freed with its last holder, in whatever thread that is.
class SegmentBlock {
 public:
  SegmentBlock(const SegmentRequest& request, std::shared_ptr<std::atomic<std::int64_t>> total);
  ~SegmentBlock();
  SegmentBlock(const SegmentBlock&) = delete;
  SegmentBlock& operator=(const SegmentBlock&) = delete;

  Segment view() const;
  std::int64_t size() const { return memory_.size(); }
  wire::FileDescriptor file() const { return memory_.duplicate(); }

 private:
  wire::SegmentLayout layout_;
  std::vector<std::int64_t> buffer_starts_;
  wire::SharedMemory memory_;
  std::vector<std::unique_ptr<SparseIndex>> indexes_;  ///< of the independent arrays
  std::shared_ptr<std::atomic<std::int64_t>> total_;
};

class SegmentStore;

/// One client's hold on a segment. Destroying it lets go; a segment that was being filled is then given to the next
/// client that waits for it, in fresh memory.
class SegmentClaim {
 public:
  enum class State { kWaiting, kFilling, kLoaded };
  ~SegmentClaim();

  State state() const { return state_; }
  /// Empty while waiting.
  const std::shared_ptr<SegmentBlock>& block() const { return block_; }
  const SegmentRequest& request() const { return request_; }

 private:
  friend class SegmentStore;
  SegmentClaim(SegmentStore& store, SegmentRequest request) : store_(store), request_(std::move(request)) {}

  SegmentStore& store_;
  SegmentRequest request_;
  State state_ = State::kWaiting;
  std::shared_ptr<SegmentBlock> block_;
  std::function<void(SegmentClaim&, const Error*)> on_change_;
};

class SegmentStore {
 public:
  explicit SegmentStore(std::int64_t limit_bytes);  ///< 0: no limit

  /// Throws kOutOfMemory over the limit. A claim that must wait is told by `on_change` when it is loaded or to be
  /// filled, or with the error that stands against it.
  std::shared_ptr<SegmentClaim> open(SegmentRequest request,
                                     std::function<void(SegmentClaim&, const Error*)> on_change);

  /// The claim's owner has written all rows. Throws kInternal where it was not asked to.
  void filled(SegmentClaim& claim);

  std::int64_t used_bytes() const { return total_->load(); }

 private:
  friend class SegmentClaim;
  struct Entry {
    std::weak_ptr<SegmentBlock> block;
    bool is_filled = false;
    std::vector<std::weak_ptr<SegmentClaim>> waiting;
  };
  void admit(const std::shared_ptr<SegmentClaim>& claim);
  static void notify(SegmentClaim& claim, const Error* error) noexcept;
  void abandon(const std::string& key);
  std::shared_ptr<SegmentBlock> make_block(const SegmentRequest& request);

  std::int64_t limit_;
  std::shared_ptr<std::atomic<std::int64_t>> total_;
  std::map<std::string, Entry> shared_;  ///< by share key and layout
};

}  // namespace modelhop::trainer
