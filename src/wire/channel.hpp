// SPDX-License-Identifier: Apache-2.0
// Frames over a Unix stream socket: four bytes of header (little-endian), then a verified FlatBuffers Message, with at
// most one file descriptor beside it. Never blocks and never waits: the caller polls the socket with its own means (a
// latch in the server, epoll in the trainer).
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "wire/file_descriptor.hpp"
#include "wire/message_generated.h"

namespace modelhop::wire {

inline constexpr std::uint32_t kProtocol = 3;
inline constexpr std::size_t kMaxFrameBytes = std::size_t{64} << 20;

/// The header is the number of bytes that follow it; its highest bit says that a file came with the header.
inline constexpr std::size_t kFrameHeaderBytes = 4;
inline constexpr std::uint32_t kFrameHasFile = 0x8000'0000;

/// A received frame: its bytes passed the FlatBuffers verifier and hold a body of a known type. Strings and vectors
/// that the sender left out are null all the same.
class Frame {
 public:
  /// Throws Error(kInternal) where the bytes are not a Message.
  Frame(std::vector<std::uint8_t> bytes, FileDescriptor file);
  const Message& message() const { return *GetMessage(bytes_.data()); }
  bool has_file() const { return static_cast<bool>(file_); }
  FileDescriptor take_file() { return std::move(file_); }

 private:
  std::vector<std::uint8_t> bytes_;
  FileDescriptor file_;
};

/// One end of a connection. Owns the socket, which it makes non-blocking and close-on-exec. After an Error the
/// connection is of no more use.
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

  /// Reads what is there, about a megabyte at most: call it again while the socket is readable. Returns false at end of
  /// stream, also where it ends inside a frame. Throws Error(kInternal) on an oversized frame or a misplaced file.
  bool fill();
  /// The next complete frame that fill() has read. Throws Error(kInternal) on a malformed one, and where the header's
  /// word about a file and the files that came do not agree.
  std::optional<Frame> next();

 private:
  struct Outgoing {
    std::vector<std::uint8_t> bytes;  ///< with the header
    std::size_t sent = 0;
    FileDescriptor file;
  };
  /// A file and the stretch of the stream (offsets since its beginning) that was read together with it.
  struct Incoming {
    FileDescriptor file;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
  };

  void enqueue(flatbuffers::FlatBufferBuilder& builder, FileDescriptor file);
  std::size_t unread_bytes() const { return incoming_.size() - consumed_; }
  std::uint32_t frame_header() const;
  void check_frame_size() const;
  FileDescriptor claim_file(bool is_announced, std::uint64_t frame_end);

  FileDescriptor socket_;
  std::deque<Outgoing> outgoing_;
  std::vector<std::uint8_t> incoming_;
  std::size_t consumed_ = 0;       ///< bytes of incoming_ that next() has given out
  std::uint64_t frame_begin_ = 0;  ///< offset in the stream of incoming_[consumed_]
  std::deque<Incoming> files_;
};

}  // namespace modelhop::wire
