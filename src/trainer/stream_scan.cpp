// SPDX-License-Identifier: Apache-2.0
#include "trainer/stream_scan.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "modelhop/error.hpp"
#include "trainer/segment_view.hpp"

namespace modelhop::trainer {
namespace {

constexpr int kMaxWindows = 1024;
constexpr std::int64_t kMaxWindowBytes = std::int64_t{1} << 40;
constexpr std::int64_t kWindowAlignment = 64;

}  // namespace

Stream::Stream(const wire::OpenStream& message, std::shared_ptr<Run> run)
    : run_(std::move(run)),
      windows_(message.windows()),
      window_bytes_(message.window_bytes()),
      segment_(message.segment()),
      layout_(checked_layout(0, message.independent(), message.dependent(), message.has_sample_weight())) {
  if (windows_ < 1 || windows_ > kMaxWindows) {
    throw Error(ErrorCode::kInvalidArgument, "number of windows " + std::to_string(windows_) + " is out of range");
  }
  if (window_bytes_ < kWindowAlignment || window_bytes_ > kMaxWindowBytes || window_bytes_ % kWindowAlignment != 0) {
    throw Error(ErrorCode::kInvalidArgument,
                "window_bytes " + std::to_string(window_bytes_) + " is out of range or not a multiple of 64");
  }
  const std::int64_t bytes = windows_ * window_bytes_;
  wire::SharedMemory memory = wire::SharedMemory::create(bytes);
  run_->memory().claim(bytes, "a stream");
  memory_ = std::move(memory);
}

Examples Stream::examples(int window, std::int64_t rows) const {
  wire::SegmentLayout layout = layout_;
  const std::int64_t most = window_bytes_ / layout.row_bytes();
  layout.rows = std::clamp<std::int64_t>(rows, 0, most);
  if (rows < 1 || rows > most || layout.total_bytes() > window_bytes_) {
    throw Error(ErrorCode::kInvalidArgument,
                std::to_string(rows) + " rows do not fit into a window of " + std::to_string(window_bytes_) + " bytes");
  }
  return examples_at(memory_.bytes().data() + window * window_bytes_, layout);
}

StreamScan::StreamScan(std::shared_ptr<Stream> stream, std::vector<Item> items, Dispatch dispatch,
                       FreeWindow free_window)
    : stream_(std::move(stream)),
      dispatch_(std::move(dispatch)),
      free_window_(std::move(free_window)),
      live_(static_cast<int>(items.size())) {
  for (Item& item : items) {
    const std::uint64_t unit = item.work->unit;
    check(members_.try_emplace(unit, Member{std::move(item)}).second, "ScanStream names a unit twice");
  }
}

void StreamScan::window_filled(int window, std::int64_t rows) {
  check(!has_ended_, "WindowFilled after StreamEnd");
  if (window < 0 || window >= stream_->windows()) {
    throw Error(ErrorCode::kInvalidArgument, "window " + std::to_string(window) + " does not exist");
  }
  const bool is_taken =
      std::any_of(filled_.begin(), filled_.end(), [window](const Window& filled) { return filled.index == window; });
  check(!is_taken, "WindowFilled for a window that is not free");
  stream_->examples(window, rows);
  filled_.push_back({window, rows, live_});
  for (auto& [unit, member] : members_) advance(member);
  release_windows();
}

void StreamScan::end() {
  check(!has_ended_, "StreamEnd comes twice");
  has_ended_ = true;
  for (auto& [unit, member] : members_) advance(member);
}

void StreamScan::advance(Member& member) {
  if (!member.is_live || member.is_running) return;
  std::vector<Examples> blocks;
  for (std::uint64_t number = member.next; number < first_ + filled_.size(); ++number) {
    const Window& window = filled_[number - first_];
    blocks.push_back(stream_->examples(window.index, window.rows));
  }
  if (blocks.empty() && !has_ended_) return;
  member.is_running = true;
  dispatch_(member.item, std::move(blocks), has_ended_);
}

void StreamScan::consumed(std::uint64_t unit) {
  Member& member = members_.at(unit);
  --filled_[member.next++ - first_].readers_left;
  release_windows();
}

void StreamScan::idle(std::uint64_t unit) {
  Member& member = members_.at(unit);
  member.is_running = false;
  advance(member);
}

void StreamScan::retire(std::uint64_t unit) {
  Member& member = members_.at(unit);
  if (!member.is_live) return;
  member.is_live = false;
  --live_;
  for (std::uint64_t number = member.next; number < first_ + filled_.size(); ++number) {
    --filled_[number - first_].readers_left;
  }
  release_windows();
}

void StreamScan::release_windows() {
  while (!filled_.empty() && filled_.front().readers_left == 0) {
    free_window_(filled_.front().index);
    filled_.pop_front();
    ++first_;
  }
}

}  // namespace modelhop::trainer
