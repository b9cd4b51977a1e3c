// SPDX-License-Identifier: Apache-2.0
// A small client of the trainer: one call per request, and a network on flower-like data made by a formula.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "modelhop/error.hpp"
#include "trainer_process.hpp"
#include "wire/channel.hpp"
#include "wire/shared_memory.hpp"

namespace modelhop::trainer {

/// Rows of four features and three one-hot classes.
struct Flowers {
  std::vector<float> features;
  std::vector<std::int16_t> classes;
  std::int64_t rows() const { return static_cast<std::int64_t>(classes.size() / 3); }
};
Flowers make_flowers(std::int64_t rows, int variant = 0);

struct ConfigurationText {
  int key = 1;
  std::string compile = "optimizer='adam(lr=0.01)', loss='categorical_crossentropy', metrics=['accuracy']";
  std::string fit = "batch_size=8, epochs=1";
  std::uint64_t seed = 1;
};

struct RunText {
  std::string architecture;  ///< empty: a small MLP on flowers
  std::vector<ConfigurationText> configurations = {{}};
  std::vector<std::vector<std::int64_t>> shapes = {{4}};
  std::vector<std::int64_t> dependent_row_elements = {3};
  wire::Shuffle shuffle = wire::Shuffle_Segment;
  std::string name = "run";
  int profile = -1;
  std::int64_t memory_limit = 0;
};

/// Dense layers of `units`, then a softmax of three.
std::string mlp_architecture(const std::vector<int>& units);

struct StateBytes {
  std::vector<float> weights;
  std::vector<std::byte> rest;
  bool operator==(const StateBytes&) const = default;
};

struct ScannedUnit {
  std::uint64_t unit = 0;
  int configuration = 1;
  int iteration = 1;
};

struct SegmentReply {
  bool loaded = false;
  wire::FileDescriptor file;
  std::int64_t bytes = 0;
};

class TestClient {
 public:
  /// Connects and, where asked, shakes hands.
  explicit TestClient(const TrainerProcess& trainer, bool greets = true);

  template <typename Table>
  void send(flatbuffers::FlatBufferBuilder& builder, flatbuffers::Offset<Table> body, wire::FileDescriptor file = {}) {
    channel_.send(builder, body, std::move(file));
    flush();
  }
  void flush();
  /// The next frame of any kind; throws std::runtime_error at the end of the stream or past the hang limit.
  wire::Frame receive();
  /// The next answer; events are kept. A Failure becomes its Error.
  wire::Frame answer();
  wire::Frame event();
  /// True where the trainer closed the connection.
  bool is_closed();
  void close() { channel_.shut(); }
  int descriptor() const { return channel_.descriptor(); }

  void hello(const std::string& build);
  void open_run(const RunText& run);
  void add_configurations(const std::vector<ConfigurationText>& configurations, std::uint32_t architecture = 0);
  void close_run();
  void request_segment(std::int32_t segment, const std::vector<std::int64_t>& buffers,
                       const std::string& share_key = {}, std::int64_t dependent = 3);
  SegmentReply segment_reply();
  void fill_segment(std::int32_t segment, SegmentReply& reply, const Flowers& flowers);
  /// Opens and fills where that is asked.
  void load_segment(std::int32_t segment, const Flowers& flowers, const std::vector<std::int64_t>& buffers,
                    const std::string& share_key = {});
  void queue_unit(std::uint64_t unit, wire::UnitKind kind, int configuration, std::int32_t segment, int iteration = 1);
  /// The event must be this unit's UnitFinished; a UnitFailed becomes its Error.
  wire::Frame finished(std::uint64_t unit);
  StateBytes get_state(int configuration);
  void set_state(int configuration, const StateBytes& state);
  wire::Frame progress();
  /// Of the only run. Waits while the trainer still frees those of clients that have gone.
  std::int64_t memory_used();
  void set_learning_rate(int configuration, double rate);
  void keep_weights(int configuration, int place);
  void restore_weights(int configuration, int place);
  /// A segment with an array of sample weights.
  SegmentReply request_weighted_segment(std::int32_t segment, const std::vector<std::int64_t>& buffers);

  void open_stream(std::int32_t segment, int windows, std::int64_t window_bytes);
  void begin_scan(std::int32_t segment, int pass, const std::vector<ScannedUnit>& units, bool evaluate = false);
  /// Sends one buffer through the next free window.
  void fill_window(const Flowers& flowers, std::int64_t first, std::int64_t rows);
  void end_stream();
  /// Sends the flowers buffer by buffer through the windows.
  void stream(const Flowers& flowers, const std::vector<std::int64_t>& buffers);
  /// Takes note of a WindowFree.
  void window_free(const wire::Frame& frame);

 private:
  /// A channel that can be closed early, as a client that vanishes does.
  struct Closable : wire::Channel {
    using wire::Channel::Channel;
    void shut();
  };
  Closable channel_;
  std::deque<wire::Frame> events_;
  wire::SharedMemory windows_;
  std::int64_t window_bytes_ = 0;
  std::deque<int> free_windows_;
};

}  // namespace modelhop::trainer
