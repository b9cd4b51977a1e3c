// SPDX-License-Identifier: Apache-2.0
// Bulk data: anonymous shared memory (memfd), sealed against shrinking and growing, passed over the socket and mapped
// by both sides.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "wire/file_descriptor.hpp"

namespace modelhop::wire {

class SharedMemory {
 public:
  enum class Access { kReadOnly, kReadWrite };

  SharedMemory() = default;
  SharedMemory(SharedMemory&& other) noexcept;
  SharedMemory& operator=(SharedMemory&& other) noexcept;
  ~SharedMemory();

  /// A new zeroed block, mapped for writing. Throws kOutOfMemory.
  static SharedMemory create(std::int64_t bytes);

  /// Maps a received file. Throws kInternal unless it is a memfd sealed against shrinking of at least `bytes` bytes:
  /// the peer could otherwise truncate it under our reads.
  static SharedMemory map(FileDescriptor file, std::int64_t bytes, Access access);

  std::span<std::byte> bytes() { return {data_, static_cast<std::size_t>(size_)}; }
  std::span<const std::byte> bytes() const { return {data_, static_cast<std::size_t>(size_)}; }
  std::int64_t size() const { return size_; }

  /// Another descriptor of the same block, to be sent.
  FileDescriptor duplicate() const;

 private:
  std::byte* data_ = nullptr;
  std::int64_t size_ = 0;
  FileDescriptor file_;
};

/// Fills a part of a received block without a mapping: fresh pages need neither a fault nor zeros first, and want of
/// memory is an error, not a signal. Throws kOutOfMemory, and kInternal where the file cannot be written.
void write_shared(const FileDescriptor& file, std::int64_t offset, std::span<const std::byte> bytes);

}  // namespace modelhop::wire
