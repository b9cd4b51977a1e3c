// SPDX-License-Identifier: Apache-2.0
// Reading and writing frames, with nothing taken on trust from the peer.
#include "wire/channel.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "modelhop/error.hpp"

namespace modelhop::wire {
namespace {

constexpr std::size_t kReadBytes = std::size_t{64} << 10;
constexpr int kReadsPerFill = 16;
constexpr int kMaxDepth = 8;
constexpr int kMaxTables = 1 << 17;
/// Room for more than the one descriptor that is allowed, so that surplus ones arrive and are closed.
constexpr std::size_t kMaxReceivedFiles = 8;

[[noreturn]] void throw_broken(const std::string& what) {
  throw Error(ErrorCode::kInternal, "broken connection: " + what);
}

[[noreturn]] void throw_errno(const char* action) {
  throw_broken(std::string("could not ") + action + ": " + std::strerror(errno));
}

void add_descriptor_flags(int descriptor) {
  const int status = fcntl(descriptor, F_GETFL);
  const int flags = fcntl(descriptor, F_GETFD);
  if (status < 0 || flags < 0 || fcntl(descriptor, F_SETFL, status | O_NONBLOCK) < 0 ||
      fcntl(descriptor, F_SETFD, flags | FD_CLOEXEC) < 0) {
    throw_errno("prepare the socket");
  }
}

/// Owns every descriptor in the control data before anything else can throw.
std::vector<FileDescriptor> take_descriptors(msghdr& header) {
  std::vector<FileDescriptor> files;
  files.reserve(kMaxReceivedFiles);
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int descriptor = -1;
      std::memcpy(&descriptor, CMSG_DATA(part) + i * sizeof(int), sizeof descriptor);
      files.emplace_back(descriptor);
    }
  }
  return files;
}

/// The verifier does not look at where the elements of a vector lie.
template <typename Element>
bool is_aligned(const flatbuffers::Vector<Element>* vector) {
  return vector == nullptr || vector->size() == 0 ||
         reinterpret_cast<std::uintptr_t>(vector->Data()) % sizeof(Element) == 0;
}

bool are_vectors_aligned(const OpenRun& run) {
  if (!is_aligned(run.dependent_row_elements())) return false;
  if (run.independent_shapes() == nullptr) return true;
  return std::all_of(run.independent_shapes()->begin(), run.independent_shapes()->end(),
                     [](const Shape* shape) { return is_aligned(shape->extents()); });
}

bool are_wide_vectors_aligned(const Message& message) {
  if (const auto* run = message.body_as_OpenRun()) return are_vectors_aligned(*run);
  if (const auto* segment = message.body_as_OpenSegment()) return is_aligned(segment->buffer_rows());
  if (const auto* unit = message.body_as_UnitFinished()) {
    return is_aligned(unit->metrics()) && is_aligned(unit->output_losses());
  }
  return true;
}

}  // namespace

Frame::Frame(std::vector<std::uint8_t> bytes, FileDescriptor file) : bytes_(std::move(bytes)), file_(std::move(file)) {
  flatbuffers::Verifier verifier(bytes_.data(), bytes_.size(), kMaxDepth, kMaxTables);
  if (!VerifyMessageBuffer(verifier)) throw_broken("malformed frame of " + std::to_string(bytes_.size()) + " bytes");
  // The verifier lets unknown types of a union pass.
  const Body type = message().body_type();
  if (type <= Body_NONE || type > Body_MAX || message().body() == nullptr) throw_broken("frame of an unknown type");
  if (!are_wide_vectors_aligned(message())) throw_broken("frame with a misplaced vector");
}

Channel::Channel(FileDescriptor socket) : socket_(std::move(socket)) {
  add_descriptor_flags(socket_.get());
}

void Channel::enqueue(flatbuffers::FlatBufferBuilder& builder, FileDescriptor file) {
  const std::size_t size = builder.GetSize();
  if (size > kMaxFrameBytes) {
    throw Error(ErrorCode::kInvalidArgument, "a message of " + std::to_string(size) + " bytes is over the limit of " +
                                                 std::to_string(kMaxFrameBytes) + " bytes");
  }
  const std::uint32_t word = static_cast<std::uint32_t>(size) | (file ? kFrameHasFile : 0);
  Outgoing frame;
  frame.bytes.reserve(kFrameHeaderBytes + size);
  for (std::size_t i = 0; i < kFrameHeaderBytes; ++i) frame.bytes.push_back(static_cast<std::uint8_t>(word >> (8 * i)));
  frame.bytes.insert(frame.bytes.end(), builder.GetBufferPointer(), builder.GetBufferPointer() + size);
  frame.file = std::move(file);
  outgoing_.push_back(std::move(frame));
}

bool Channel::flush() {
  while (!outgoing_.empty()) {
    Outgoing& frame = outgoing_.front();
    iovec data{frame.bytes.data() + frame.sent, frame.bytes.size() - frame.sent};
    msghdr header{};
    header.msg_iov = &data;
    header.msg_iovlen = 1;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    if (frame.file) {
      header.msg_control = control.data();
      header.msg_controllen = control.size();
      cmsghdr* rights = CMSG_FIRSTHDR(&header);
      rights->cmsg_level = SOL_SOCKET;
      rights->cmsg_type = SCM_RIGHTS;
      rights->cmsg_len = CMSG_LEN(sizeof(int));
      const int descriptor = frame.file.get();
      std::memcpy(CMSG_DATA(rights), &descriptor, sizeof descriptor);
    }
    const ssize_t sent = sendmsg(socket_.get(), &header, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
      if (errno == EINTR) continue;
      // ETOOMANYREFS: the peer has not yet taken the files that were sent before.
      if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ETOOMANYREFS) return false;
      throw_errno("send to the peer");
    }
    if (sent > 0) frame.file.reset();
    frame.sent += static_cast<std::size_t>(sent);
    if (frame.sent == frame.bytes.size()) outgoing_.pop_front();
  }
  return true;
}

bool Channel::fill() {
  incoming_.erase(incoming_.begin(), incoming_.begin() + static_cast<std::ptrdiff_t>(consumed_));
  consumed_ = 0;
  for (int reads = 0; reads < kReadsPerFill; ++reads) {
    const std::size_t held = incoming_.size();
    incoming_.resize(held + kReadBytes);
    iovec data{incoming_.data() + held, kReadBytes};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * kMaxReceivedFiles)> control{};
    msghdr header{};
    header.msg_iov = &data;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    const ssize_t received = recvmsg(socket_.get(), &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    const int error = errno;
    incoming_.resize(held + static_cast<std::size_t>(std::max<ssize_t>(received, 0)));
    if (received < 0) {
      errno = error;
      if (error == EINTR) continue;
      if (error == EAGAIN || error == EWOULDBLOCK) return true;
      if (error == ECONNRESET) return false;
      throw_errno("read from the peer");
    }
    std::vector<FileDescriptor> files = take_descriptors(header);
    if (received == 0) return false;
    if (files.size() > 1 || (header.msg_flags & MSG_CTRUNC) != 0) throw_broken("more than one file beside a frame");
    if (!files.empty()) {
      const std::uint64_t begin = frame_begin_ + held;
      files_.push_back({std::move(files.front()), begin, begin + static_cast<std::uint64_t>(received)});
    }
    check_frame_size();
  }
  return true;
}

std::uint32_t Channel::frame_header() const {
  std::uint32_t word = 0;
  for (std::size_t i = 0; i < kFrameHeaderBytes; ++i) {
    word |= static_cast<std::uint32_t>(incoming_[consumed_ + i]) << (8 * i);
  }
  return word;
}

void Channel::check_frame_size() const {
  if (unread_bytes() < kFrameHeaderBytes) return;
  const std::size_t size = frame_header() & ~kFrameHasFile;
  if (size > kMaxFrameBytes) throw_broken("a frame of " + std::to_string(size) + " bytes");
}

std::optional<Frame> Channel::next() {
  if (unread_bytes() < kFrameHeaderBytes) return std::nullopt;
  check_frame_size();
  const std::uint32_t word = frame_header();
  const std::size_t size = word & ~kFrameHasFile;
  if (unread_bytes() < kFrameHeaderBytes + size) return std::nullopt;
  const std::uint64_t end = frame_begin_ + kFrameHeaderBytes + size;
  FileDescriptor file = claim_file((word & kFrameHasFile) != 0, end);
  const auto body = incoming_.begin() + static_cast<std::ptrdiff_t>(consumed_ + kFrameHeaderBytes);
  std::vector<std::uint8_t> bytes(body, body + static_cast<std::ptrdiff_t>(size));
  consumed_ += kFrameHeaderBytes + size;
  frame_begin_ = end;
  return Frame(std::move(bytes), std::move(file));
}

FileDescriptor Channel::claim_file(bool is_announced, std::uint64_t frame_end) {
  // The sender passes a file together with the first byte of its frame, and one read never takes two files.
  if (is_announced) {
    if (files_.empty() || files_.front().begin > frame_begin_ || files_.front().end <= frame_begin_) {
      throw_broken("a frame came without its file");
    }
    FileDescriptor file = std::move(files_.front().file);
    files_.pop_front();
    return file;
  }
  if (!files_.empty() && files_.front().end <= frame_end) throw_broken("a file came that no frame announced");
  return {};
}

}  // namespace modelhop::wire
