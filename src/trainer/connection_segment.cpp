// SPDX-License-Identifier: Apache-2.0
// Requests about segments: declared, filled, shared and let go.
#include <string>
#include <utility>

#include "trainer/connection.hpp"
#include "trainer/segment_view.hpp"

namespace modelhop::trainer {
namespace {

constexpr std::size_t kShareKeyBytes = 32;

std::string name_of(std::pair<int, std::int32_t> segment) {
  return std::string(wire::EnumNameTableKind(static_cast<wire::TableKind>(segment.first))) + " segment " +
         std::to_string(segment.second);
}

SegmentRequest checked_request(const wire::OpenSegment& message) {
  SegmentRequest request;
  if (const auto* key = message.share_key(); key != nullptr && key->size() > 0) {
    if (key->size() != kShareKeyBytes) {
      throw Error(ErrorCode::kInvalidArgument, "share_key has " + std::to_string(key->size()) + " bytes, not 32");
    }
    request.share_key.assign(reinterpret_cast<const char*>(key->data()), key->size());
  }
  std::int64_t rows = 0;
  if (message.buffer_rows() != nullptr) {
    for (const std::int64_t buffer : *message.buffer_rows()) {
      if (buffer < 1 || __builtin_add_overflow(rows, buffer, &rows)) {
        throw Error(ErrorCode::kInvalidArgument, "buffer_rows " + std::to_string(buffer) + " is out of range");
      }
      request.buffer_rows.push_back(buffer);
    }
  }
  request.layout = checked_layout(rows, message.independent(), message.dependent(), message.has_sample_weight());
  return request;
}

}  // namespace

void Connection::open_segment(const wire::OpenSegment& message) {
  Run& run = open_run();
  const SegmentId id(message.kind(), message.segment());
  check(segments_.count(id) == 0 && streams_.count(id) == 0, "OpenSegment for a segment that is open");
  SegmentRequest request = checked_request(message);
  run.check_columns(request.layout, name_of(id));
  const std::int64_t bytes = request.layout.total_bytes();
  run.memory().claim(bytes, name_of(id));
  try {
    auto claim = services_.segments.open(std::move(request),
                                         [this, id](SegmentClaim&, const Error* error) { segment_changed(id, error); });
    segments_[id] = claim;
    if (claim->state() != SegmentClaim::State::kWaiting) announce_segment(id, *claim);
  } catch (...) {
    segments_.erase(id);
    run.memory().release(bytes);
    throw;
  }
}

void Connection::segment_changed(SegmentId id, const Error* error) {
  if (segments_.count(id) == 0) return;
  if (error == nullptr) {
    announce_segment(id, *segments_.at(id));
  } else {
    close_segment_quietly(id);
    fail(*error);
  }
}

void Connection::announce_segment(SegmentId id, const SegmentClaim& claim) {
  const bool is_loaded = claim.state() == SegmentClaim::State::kLoaded;
  flatbuffers::FlatBufferBuilder builder;
  channel_.send(builder,
                wire::CreateSegmentReady(builder, static_cast<wire::TableKind>(id.first), id.second, is_loaded,
                                         claim.block()->size()),
                is_loaded ? wire::FileDescriptor() : claim.block()->file());
}

void Connection::fill_segment(const wire::SegmentFilled& message) {
  const auto found = segments_.find({message.kind(), message.segment()});
  check(found != segments_.end(), "SegmentFilled for a segment that is not open");
  services_.segments.filled(*found->second);
  send_done();
}

void Connection::close_segment(SegmentId id) {
  check(segments_.count(id) + streams_.count(id) > 0, "CloseSegment for a segment that is not open");
  check(scanned_ == nullptr || streams_.count(id) == 0 || streams_.at(id) != scanned_, "CloseSegment during its scan");
  close_segment_quietly(id);
  send_done();
}

void Connection::close_segment_quietly(SegmentId id) {
  const auto found = segments_.find(id);
  if (found != segments_.end()) {
    run_->memory().release(found->second->request().layout.total_bytes());
    // A claim may call others back when it goes: not from inside the map.
    const auto claim = std::move(found->second);
    segments_.erase(found);
  }
  streams_.erase(id);
}

}  // namespace modelhop::trainer
