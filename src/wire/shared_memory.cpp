// SPDX-License-Identifier: Apache-2.0
// memfd_create, seals and mappings.
#include "wire/shared_memory.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "modelhop/error.hpp"

namespace modelhop::wire {
namespace {

std::byte* map_bytes(int descriptor, std::int64_t bytes, SharedMemory::Access access) {
  if (bytes == 0) return nullptr;
  const int protection = access == SharedMemory::Access::kReadOnly ? PROT_READ : PROT_READ | PROT_WRITE;
  void* data = mmap(nullptr, static_cast<std::size_t>(bytes), protection, MAP_SHARED, descriptor, 0);
  if (data == MAP_FAILED) {
    throw Error(ErrorCode::kOutOfMemory,
                "could not map " + std::to_string(bytes) + " bytes of shared memory: " + std::strerror(errno));
  }
  return static_cast<std::byte*>(data);
}

}  // namespace

SharedMemory::SharedMemory(SharedMemory&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)), file_(std::move(other.file_)) {}

SharedMemory& SharedMemory::operator=(SharedMemory&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(file_, other.file_);
  return *this;
}

SharedMemory::~SharedMemory() {
  if (data_ != nullptr) munmap(data_, static_cast<std::size_t>(size_));
}

SharedMemory SharedMemory::create(std::int64_t bytes) {
  check(bytes >= 0, "negative size of shared memory");
  SharedMemory block;
  block.file_.reset(memfd_create("modelhop", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!block.file_ || ftruncate(block.file_.get(), bytes) != 0 ||
      fcntl(block.file_.get(), F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) {
    throw Error(ErrorCode::kOutOfMemory,
                "could not make " + std::to_string(bytes) + " bytes of shared memory: " + std::strerror(errno));
  }
  block.data_ = map_bytes(block.file_.get(), bytes, Access::kReadWrite);
  block.size_ = bytes;
  return block;
}

SharedMemory SharedMemory::map(FileDescriptor file, std::int64_t bytes, Access access) {
  check(bytes >= 0, "negative size of shared memory");
  if (!file) throw Error(ErrorCode::kInternal, "a message came without its file");
  const int seals = fcntl(file.get(), F_GET_SEALS);
  struct stat status {};
  if (seals < 0 || (seals & F_SEAL_SHRINK) == 0 || fstat(file.get(), &status) != 0) {
    throw Error(ErrorCode::kInternal, "a file came that is not sealed shared memory");
  }
  if (status.st_size < bytes) {
    throw Error(ErrorCode::kInternal, "shared memory of " + std::to_string(status.st_size) + " bytes came where " +
                                          std::to_string(bytes) + " were announced");
  }
  SharedMemory block;
  block.data_ = map_bytes(file.get(), bytes, access);
  block.size_ = bytes;
  block.file_ = std::move(file);
  return block;
}

FileDescriptor SharedMemory::duplicate() const {
  FileDescriptor copy(fcntl(file_.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy) throw Error(ErrorCode::kInternal, std::string("could not duplicate a file: ") + std::strerror(errno));
  return copy;
}

void write_shared(const FileDescriptor& file, std::int64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = pwrite(file.get(), bytes.data(), bytes.size(), offset);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      const bool is_full = errno == ENOMEM || errno == ENOSPC;
      throw Error(
          is_full ? ErrorCode::kOutOfMemory : ErrorCode::kInternal,
          "could not write " + std::to_string(bytes.size()) + " bytes of shared memory: " + std::strerror(errno));
    }
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += written;
  }
}

}  // namespace modelhop::wire
