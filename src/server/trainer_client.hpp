// SPDX-License-Identifier: Apache-2.0
// The backend's end of the connection to the trainer: starts it on first need, waits on the latch, serves interrupts.
#pragma once

#include "server/postgres.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "wire/channel.hpp"

namespace modelhop::server {

struct TrainerInfo {
  int process_id = 0;
  int slots = 0;
  std::int64_t memory_limit = 0;
  std::string device;
  std::string engine;
  std::string build;
  std::vector<std::string> gpus;  ///< in words
};

/// Destroying it (also by an error or a cancel) closes the socket, and the trainer then stops the run's units between
/// two mini-batches and frees everything; nobody waits for that.
class TrainerClient {
 public:
  /// Connects, starting the trainer where none runs, and shakes hands. Throws SqlError(ERRCODE_UNDEFINED_FILE) without
  /// a trainer program, SqlError(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED) without a free worker slot,
  /// SqlError(ERRCODE_CANNOT_CONNECT_NOW) where the trainer does not start, Error on a build mismatch.
  static TrainerClient connect();
  /// Connects only where a trainer runs already.
  static std::optional<TrainerClient> connect_if_running();

  const TrainerInfo& info() const { return info_; }

  template <typename Table>
  void send(flatbuffers::FlatBufferBuilder& builder, flatbuffers::Offset<Table> body, wire::FileDescriptor file = {}) {
    last_request_ = wire::BodyTraits<Table>::enum_value;
    channel_.send(builder, body, std::move(file));
    transmit();
  }

  /// The next event that is not an answer: UnitFinished, UnitFailed, WindowFree. Waits on the latch, serves interrupts.
  /// A trainer that died is SqlError(ERRCODE_CONNECTION_FAILURE) "modelhop-trainer ended while ...". A Failure becomes
  /// modelhop::Error.
  wire::Frame wait_event();
  /// The next event of this kind; others are kept for the next wait.
  wire::Frame wait_event(wire::Body kind);
  /// The same without waiting.
  std::optional<wire::Frame> poll_event();

  /// Waits for the answer to the request sent last (events that arrive meanwhile are kept for wait_event). A Failure
  /// becomes modelhop::Error.
  wire::Frame wait_answer();

 private:
  using Clock = std::chrono::steady_clock;
  explicit TrainerClient(wire::FileDescriptor socket) : channel_(std::move(socket)) {}
  static std::optional<TrainerClient> try_connect(Clock::time_point deadline);
  bool shake_hands(Clock::time_point deadline);

  void transmit();
  /// Empty at the end of the stream.
  std::optional<wire::Frame> receive(Clock::time_point deadline);
  wire::Frame receive_event();
  std::optional<wire::Frame> take_kept_event();
  void accept_event(const wire::Frame& frame) const;
  void wait_for_socket(Clock::time_point deadline);
  [[noreturn]] void throw_ended(const std::string& activity) const;

  wire::Channel channel_;
  std::deque<wire::Frame> events_;
  wire::Body last_request_ = wire::Body_NONE;
  TrainerInfo info_;
};

}  // namespace modelhop::server
