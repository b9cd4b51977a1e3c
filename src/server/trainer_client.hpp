// SPDX-License-Identifier: Apache-2.0
// The backend's end of the connection to the trainer: starts it on first need, waits on the latch, serves interrupts.
#pragma once

#include "server/postgres.hpp"

#include <deque>
#include <optional>
#include <string>

#include "wire/channel.hpp"

namespace modelhop::server {

struct TrainerInfo {
  int process_id = 0;
  int slots = 0;
  std::int64_t memory_limit = 0;
  std::string device;
  std::string engine;
  std::string build;
};

/// Destroying it (also by an error or a cancel) closes the socket, and the trainer then stops the run's units between
/// two mini-batches and frees everything; nobody waits for that.
class TrainerClient {
 public:
  /// Connects, starting the trainer where none runs, and shakes hands. Throws Error(kNotSupported) without a trainer
  /// program, SqlError(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED) without a free worker slot, Error on a build mismatch.
  static TrainerClient connect();
  /// Connects only where a trainer runs already.
  static std::optional<TrainerClient> connect_if_running();

  const TrainerInfo& info() const { return info_; }

  template <typename Table>
  void send(flatbuffers::FlatBufferBuilder& builder, flatbuffers::Offset<Table> body, wire::FileDescriptor file = {}) {
    channel_.send(builder, body, std::move(file));
    channel_.flush();
  }

  /// The next event that is not an answer: UnitFinished, UnitFailed, WindowFree. Waits on the latch, serves interrupts.
  /// A trainer that died is SqlError(ERRCODE_CONNECTION_FAILURE) "modelhop-trainer ended while ...".
  wire::Frame wait_event();
  /// The same without waiting.
  std::optional<wire::Frame> poll_event();

  /// Waits for the answer to the request sent last (events that arrive meanwhile are kept for wait_event). A Failure
  /// becomes modelhop::Error.
  wire::Frame wait_answer();

 private:
  explicit TrainerClient(wire::FileDescriptor socket);
  wire::Channel channel_;
  std::deque<wire::Frame> events_;
  TrainerInfo info_;
};

}  // namespace modelhop::server
