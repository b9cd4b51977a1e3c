// SPDX-License-Identifier: Apache-2.0
#include "trainer/segment_store.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "trainer/failure.hpp"
#include "trainer/segment_view.hpp"

namespace modelhop::trainer {
namespace {

/// The share key names rows and columns; the layout goes with it, so that a client that lays them out in another way
/// gets memory of its own.
std::string full_key(const SegmentRequest& request) {
  if (request.share_key.empty()) return {};
  std::string key = request.share_key;
  const auto append = [&key](auto value) {
    char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);
    key.append(bytes, sizeof value);
  };
  append(request.layout.independent.size());
  append(request.layout.dependent.size());
  append(request.layout.has_sample_weight);
  for (const wire::ArrayLayout& array : request.layout.arrays()) {
    append(array.type);
    append(array.row_elements);
    append(array.scale);
  }
  for (const std::int64_t rows : request.buffer_rows) append(rows);
  return key;
}

}  // namespace

SegmentBlock::SegmentBlock(const SegmentRequest& request, std::shared_ptr<std::atomic<std::int64_t>> total)
    : layout_(request.layout),
      buffer_starts_(std::max<std::size_t>(1, request.buffer_rows.size())),
      memory_(wire::SharedMemory::create(request.layout.total_bytes())),
      total_(std::move(total)) {
  std::exclusive_scan(request.buffer_rows.begin(), request.buffer_rows.end(), buffer_starts_.begin(), std::int64_t{0});
  const Examples examples = examples_at(memory_.bytes().data(), layout_);
  for (const ArrayView& array : examples.independent) indexes_.push_back(make_sparse_index(array, examples.rows));
  total_->fetch_add(memory_.size());
}

SegmentBlock::~SegmentBlock() {
  total_->fetch_sub(memory_.size());
}

Segment SegmentBlock::view() const {
  Examples examples = examples_at(memory_.bytes().data(), layout_);
  for (std::size_t place = 0; place < indexes_.size(); ++place) {
    examples.independent[place].index = indexes_[place].get();
  }
  return {std::move(examples), buffer_starts_};
}

SegmentClaim::~SegmentClaim() {
  const bool was_filling = state_ == State::kFilling;
  block_.reset();
  if (was_filling) store_.abandon(full_key(request_));
}

SegmentStore::SegmentStore(std::int64_t limit_bytes)
    : limit_(limit_bytes), total_(std::make_shared<std::atomic<std::int64_t>>(0)) {}

std::shared_ptr<SegmentClaim> SegmentStore::open(SegmentRequest request,
                                                 std::function<void(SegmentClaim&, const Error*)> on_change) {
  std::shared_ptr<SegmentClaim> claim(new SegmentClaim(*this, std::move(request)));
  admit(claim);
  claim->on_change_ = std::move(on_change);
  return claim;
}

void SegmentStore::admit(const std::shared_ptr<SegmentClaim>& claim) {
  const std::string key = full_key(claim->request_);
  std::erase_if(shared_, [](const auto& item) { return item.second.is_filled && item.second.block.expired(); });
  if (!key.empty()) {
    const auto found = shared_.find(key);
    if (found != shared_.end()) {
      if (!found->second.is_filled) {
        found->second.waiting.push_back(claim);
        return;
      }
      // A slot may have let go of the last hold just now.
      if (auto block = found->second.block.lock()) {
        claim->block_ = std::move(block);
        claim->state_ = SegmentClaim::State::kLoaded;
        return;
      }
    }
  }
  claim->block_ = make_block(claim->request_);
  claim->state_ = SegmentClaim::State::kFilling;
  if (!key.empty()) shared_[key] = {claim->block_, false, {}};
}

std::shared_ptr<SegmentBlock> SegmentStore::make_block(const SegmentRequest& request) {
  const std::int64_t bytes = request.layout.total_bytes();
  if (limit_ > 0 && bytes > limit_ - used_bytes()) {
    throw Error(ErrorCode::kOutOfMemory,
                "a segment of " + std::to_string(bytes) + " bytes does not fit into modelhop.cache_memory: " +
                    std::to_string(used_bytes()) + " of " + std::to_string(limit_) + " bytes are in use",
                "Raise modelhop.cache_memory, or call with use_caching => false.");
  }
  return std::make_shared<SegmentBlock>(request, total_);
}

void SegmentStore::notify(SegmentClaim& claim, const Error* error) noexcept {
  try {
    claim.on_change_(claim, error);
  } catch (...) {
    const Error failure = current_error();
    if (error == nullptr) return notify(claim, &failure);
    spdlog::error("a client that waits for a segment could not be answered: {}", failure.what());
  }
}

void SegmentStore::filled(SegmentClaim& claim) {
  check(claim.state_ == SegmentClaim::State::kFilling, "SegmentFilled for a segment that is not being filled");
  claim.state_ = SegmentClaim::State::kLoaded;
  const auto found = shared_.find(full_key(claim.request_));
  if (found == shared_.end()) return;
  found->second.is_filled = true;
  for (const auto& waiting : std::exchange(found->second.waiting, {})) {
    const auto other = waiting.lock();
    if (!other) continue;
    other->block_ = claim.block_;
    other->state_ = SegmentClaim::State::kLoaded;
    notify(*other, nullptr);
  }
}

void SegmentStore::abandon(const std::string& key) {
  const auto found = shared_.find(key);
  if (found == shared_.end()) return;
  const auto waiting = std::move(found->second.waiting);
  shared_.erase(found);
  for (const auto& waiter : waiting) {
    const auto claim = waiter.lock();
    if (!claim) continue;
    try {
      admit(claim);
      if (claim->state_ != SegmentClaim::State::kWaiting) notify(*claim, nullptr);
    } catch (...) {
      const Error error = current_error();
      notify(*claim, &error);
    }
  }
}

}  // namespace modelhop::trainer
