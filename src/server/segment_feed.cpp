// SPDX-License-Identifier: Apache-2.0
// The two sinks of train_segment: the file of a cached segment, the windows of a streamed one.
#include "server/segment_feed.hpp"

#include <algorithm>
#include <cstring>
#include <exception>
#include <map>

#include "server/bridge.hpp"
#include "server/buffer_sink.hpp"
#include "wire/segment_layout.hpp"

namespace modelhop::server {
namespace {

constexpr int kWindows = 4;

std::map<std::int32_t, BufferSink*>& open_sinks() {
  static std::map<std::int32_t, BufferSink*> sinks;
  return sinks;
}

[[noreturn]] void throw_mismatch(const Buffer& buffer) {
  throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE,
                 "train_segment was given buffer_id " + std::to_string(buffer.id) + " with other sizes than listed");
}

/// Calls write(offset, bytes) for each array of a buffer whose rows begin at row `first` of a segment or a window.
template <typename Write>
void place_buffer(const Buffer& buffer, const wire::SegmentLayout& layout, std::int64_t first, Write write) {
  const std::vector<std::int64_t> offsets = layout.offsets();
  const std::vector<wire::ArrayLayout> arrays = layout.arrays();
  for (std::size_t place = 0; place < arrays.size(); ++place) {
    write(offsets[place] + first * arrays[place].row_bytes(), buffer.arrays[place]);
  }
}

void check_sizes(const Buffer& buffer, const wire::SegmentLayout& layout, std::int64_t rows) {
  const std::vector<wire::ArrayLayout> arrays = layout.arrays();
  if (buffer.rows != rows || buffer.arrays.size() != arrays.size()) throw_mismatch(buffer);
  for (std::size_t place = 0; place < arrays.size(); ++place) {
    if (static_cast<std::int64_t>(buffer.arrays[place].size()) != rows * arrays[place].row_bytes()) {
      throw_mismatch(buffer);
    }
  }
}

/// Fills the file of a cached segment; rows come in any order.
class FileSink : public BufferSink {
 public:
  FileSink(TrainerClient& trainer, const SegmentShare& share, const SegmentList& list,
           const wire::SegmentLayout& layout, const wire::FileDescriptor& file, const std::function<void()>& between)
      : trainer_(trainer),
        share_(share),
        list_(list),
        layout_(layout),
        file_(file),
        between_(between),
        is_filled_(list.buffer_ids.size()) {
    std::int64_t start = 0;
    for (const std::int64_t rows : list.buffer_rows) {
      starts_.push_back(start);
      start += rows;
    }
  }

  void take(const Buffer& buffer) override {
    const std::size_t at = list_.position(buffer.id);
    check_sizes(buffer, layout_, list_.buffer_rows[at]);
    place_buffer(buffer, layout_, starts_[at],
                 [this](std::int64_t offset, auto bytes) { wire::write_shared(file_, offset, bytes); });
    is_filled_[at] = true;
    pause();
  }

  /// What `between` threw. The server has made it an error of the statement that reads rows, which it is not about.
  std::exception_ptr interruption() const { return interruption_; }

  void finish() override {
    const auto missing = std::find(is_filled_.begin(), is_filled_.end(), false);
    if (missing != is_filled_.end()) {
      throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE,
                     "train_segment was not given buffer_id " +
                         std::to_string(list_.buffer_ids[static_cast<std::size_t>(missing - is_filled_.begin())]));
    }
    flatbuffers::FlatBufferBuilder builder;
    trainer_.send(builder, wire::CreateSegmentFilled(builder, share_.kind, share_.segment));
    trainer_.wait_answer();
  }

 private:
  void pause() {
    if (!between_) return;
    try {
      between_();
    } catch (...) {
      interruption_ = std::current_exception();
      throw;
    }
  }

  TrainerClient& trainer_;
  const SegmentShare& share_;
  const SegmentList& list_;
  const wire::SegmentLayout& layout_;
  const wire::FileDescriptor& file_;
  const std::function<void()>& between_;
  std::exception_ptr interruption_;
  std::vector<std::int64_t> starts_;
  std::vector<bool> is_filled_;
};

/// Fills windows as the trainer frees them; rows come in the order of buffer_id.
class WindowSink : public BufferSink {
 public:
  WindowSink(TrainerClient& trainer, const PackedTable& table, const SegmentList& list, wire::SharedMemory& windows,
             std::int64_t window_bytes)
      : trainer_(trainer), table_(table), list_(list), windows_(windows.bytes()), window_bytes_(window_bytes) {
    for (int window = 0; window < kWindows; ++window) free_.push_back(window);
  }

  void take(const Buffer& buffer) override {
    if (next_ == list_.buffer_ids.size() || list_.buffer_ids[next_] != buffer.id) throw_mismatch(buffer);
    const wire::SegmentLayout layout = table_.layout(list_.buffer_rows[next_]);
    check_sizes(buffer, layout, layout.rows);
    ++next_;
    if (free_.empty()) wait_for_window();
    const int window = free_.back();
    free_.pop_back();
    std::byte* target = windows_.data() + window * window_bytes_;
    place_buffer(buffer, layout, 0, [target](std::int64_t offset, auto bytes) {
      std::memcpy(target + offset, bytes.data(), bytes.size());
    });
    flatbuffers::FlatBufferBuilder builder;
    trainer_.send(builder, wire::CreateWindowFilled(builder, window, layout.rows));
  }

  void finish() override {
    if (next_ != list_.buffer_ids.size()) {
      throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE,
                     "train_segment was not given buffer_id " + std::to_string(list_.buffer_ids[next_]));
    }
    flatbuffers::FlatBufferBuilder builder;
    trainer_.send(builder, wire::CreateStreamEnd(builder));
    while (free_.size() < kWindows) wait_for_window();
  }

 private:
  void wait_for_window() {
    const wire::Frame frame = trainer_.wait_event(wire::Body_WindowFree);
    const int window = frame.message().body_as_WindowFree()->window();
    check(window >= 0 && window < kWindows && std::find(free_.begin(), free_.end(), window) == free_.end(),
          "the trainer freed a window that was not filled");
    free_.push_back(window);
  }

  TrainerClient& trainer_;
  const PackedTable& table_;
  const SegmentList& list_;
  std::span<std::byte> windows_;
  std::int64_t window_bytes_;
  std::vector<int> free_;
  std::size_t next_ = 0;
};

/// Runs the aggregate over the segment's rows, in the snapshot that the list was read in.
void read_rows(const PackedTable& table, const SegmentShare& share, const BufferSink& sink, bool in_order) {
  std::string columns = quote_identifier(table.independent.front().shape_column()) + "[1]";
  for (const std::string& column : table.columns()) columns += ", " + quote_identifier(column);
  query_in_snapshot("SELECT modelhop.train_segment($1::integer, buffer_id, " + columns +
                        (in_order ? " ORDER BY buffer_id" : "") + ") FROM " + table.name.quoted() +
                        " WHERE buffer_id % $2::integer = $3::integer",
                    {std::to_string(sink.number()), std::to_string(share.segments), std::to_string(share.segment)});
}

}  // namespace

Layouts make_layouts(flatbuffers::FlatBufferBuilder& builder, const std::vector<wire::ArrayLayout>& arrays) {
  std::vector<flatbuffers::Offset<wire::Layout>> list;
  for (const wire::ArrayLayout& array : arrays) {
    list.push_back(
        wire::CreateLayout(builder, static_cast<wire::ElementType>(array.type), array.row_elements, array.scale));
  }
  return builder.CreateVector(list);
}

BufferSink::BufferSink() {
  static std::int32_t last = 0;
  number_ = last = last % INT32_MAX + 1;
  open_sinks()[number_] = this;
}

BufferSink::~BufferSink() {
  open_sinks().erase(number_);
}

BufferSink* BufferSink::find(std::int32_t number) {
  const auto found = open_sinks().find(number);
  return found == open_sinks().end() ? nullptr : found->second;
}

SegmentFacts feed_segment(TrainerClient& trainer, const PackedTable& table, const SegmentShare& share,
                          const std::function<void()>& between) {
  const SegmentList list = list_segment(table, share.segment, share.segments);
  const wire::SegmentLayout layout = table.layout(list.rows);
  flatbuffers::FlatBufferBuilder builder;
  const auto key = builder.CreateVector(list.share_key);
  const auto buffers = builder.CreateVector(list.buffer_rows);
  const auto independent = make_layouts(builder, layout.independent);
  const auto dependent = make_layouts(builder, layout.dependent);
  trainer.send(builder, wire::CreateOpenSegment(builder, share.kind, share.segment, key, buffers, independent,
                                                dependent, layout.has_sample_weight));
  wire::Frame answer = trainer.wait_answer();
  const auto* ready = answer.message().body_as_SegmentReady();
  check(ready != nullptr, "the trainer did not answer OpenSegment");
  const SegmentFacts facts{list.rows, layout.total_bytes(), ready->loaded()};
  if (facts.was_shared) return facts;
  const wire::FileDescriptor file = answer.take_file();
  FileSink sink(trainer, share, list, layout, file, between);
  try {
    read_rows(table, share, sink, false);
  } catch (...) {
    if (sink.interruption()) std::rethrow_exception(sink.interruption());
    throw;
  }
  return facts;
}

SegmentStream::SegmentStream(TrainerClient& trainer, const PackedTable& table, const SegmentShare& share)
    : trainer_(trainer), table_(table), share_(share), list_(list_segment(table, share.segment, share.segments)) {
  const std::int64_t most_rows = *std::max_element(list_.buffer_rows.begin(), list_.buffer_rows.end());
  const wire::SegmentLayout layout = table.layout(most_rows);
  window_bytes_ = layout.total_bytes();
  flatbuffers::FlatBufferBuilder builder;
  const auto independent = make_layouts(builder, layout.independent);
  const auto dependent = make_layouts(builder, layout.dependent);
  trainer.send(builder, wire::CreateOpenStream(builder, share.kind, share.segment, kWindows, window_bytes_, independent,
                                               dependent, layout.has_sample_weight));
  wire::Frame answer = trainer.wait_answer();
  check(answer.message().body_as_SegmentReady() != nullptr, "the trainer did not answer OpenStream");
  windows_ =
      wire::SharedMemory::map(answer.take_file(), kWindows * window_bytes_, wire::SharedMemory::Access::kReadWrite);
}

void SegmentStream::scan(std::int32_t pass, const std::vector<Item>& units) {
  flatbuffers::FlatBufferBuilder builder;
  std::vector<flatbuffers::Offset<wire::StreamedUnit>> items;
  for (const Item& item : units) {
    items.push_back(wire::CreateStreamedUnit(builder, item.unit, item.configuration, item.evaluate, item.iteration));
  }
  const auto vector = builder.CreateVector(items);
  trainer_.send(builder, wire::CreateScanStream(builder, share_.kind, share_.segment, pass, vector));
  WindowSink sink(trainer_, table_, list_, windows_, window_bytes_);
  read_rows(table_, share_, sink, true);
}

}  // namespace modelhop::server
