// SPDX-License-Identifier: Apache-2.0
// Frames over a Unix stream socket: four bytes of length (little-endian), then a verified FlatBuffers Message, with at most one
// file descriptor beside it. Never blocks and never waits: the caller polls the socket with its own means (a latch in
// the server, epoll in the trainer).
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "wire/file_descriptor.hpp"
#include "wire/message_generated.h"

namespace modelhop::wire {

inline constexpr std::uint32_t kProtocol = 1;
inline constexpr std::size_t kMaxFrameBytes = std::size_t{64} << 20;

/// A received frame: its bytes passed the FlatBuffers verifier.
class Frame {
 public:
  Frame(std::vector<std::uint8_t> bytes, FileDescriptor file);
  const Message& message() const { return *GetMessage(bytes_.data()); }
  FileDescriptor take_file() { return std::move(file_); }

 private:
  std::vector<std::uint8_t> bytes_;
  FileDescriptor file_;
};

/// One end of a connection. Owns the socket, which it makes non-blocking and close-on-exec.
class Channel {
 public:
  explicit Channel(FileDescriptor socket);

  int descriptor() const { return socket_.get(); }

  /// Queues a message; `body` is built by the caller's builder and finished here. The file is duplicated into the peer.
  template <typename Table>
  void send(flatbuffers::FlatBufferBuilder& builder, flatbuffers::Offset<Table> body, FileDescriptor file = {}) {
    builder.Finish(CreateMessage(builder, BodyTraits<Table>::enum_value, body.Union()));
    enqueue(builder, std::move(file));
  }

  /// Writes what the socket takes. Returns true when nothing is left. Throws Error(kInternal) where the peer is gone.
  bool flush();
  bool has_unsent() const { return !outgoing_.empty(); }

  /// Reads what is there. Returns false at end of stream. Throws Error(kInternal) on a malformed or oversized frame.
  bool fill();
  /// The next complete frame that fill() has read.
  std::optional<Frame> next();

 private:
  void enqueue(flatbuffers::FlatBufferBuilder& builder, FileDescriptor file);

  struct Outgoing {
    std::vector<std::uint8_t> bytes;
    std::size_t sent = 0;
    FileDescriptor file;
  };
  FileDescriptor socket_;
  std::deque<Outgoing> outgoing_;
  std::vector<std::uint8_t> incoming_;
  std::size_t consumed_ = 0;
  std::deque<FileDescriptor> files_;
};

}  // namespace modelhop::wire
