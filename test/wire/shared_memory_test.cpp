// SPDX-License-Identifier: Apache-2.0
// Sealed shared memory: what one side writes the other reads, and what is not sealed is refused.
#include "wire/shared_memory.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "modelhop/error.hpp"
#include "wire/segment_layout.hpp"

namespace modelhop::wire {
namespace {

TEST(SharedMemory, IsOneBlockForBothSides) {
  SharedMemory block = SharedMemory::create(10'000);
  EXPECT_EQ(block.size(), 10'000);
  EXPECT_EQ(block.bytes()[9'999], std::byte{0});
  SharedMemory peer = SharedMemory::map(block.duplicate(), 10'000, SharedMemory::Access::kReadWrite);
  peer.bytes()[9'999] = std::byte{7};
  EXPECT_EQ(block.bytes()[9'999], std::byte{7});
  const SharedMemory reader = SharedMemory::map(block.duplicate(), 5'000, SharedMemory::Access::kReadOnly);
  EXPECT_EQ(reader.size(), 5'000);
}

TEST(SharedMemory, CannotBeResized) {
  const SharedMemory block = SharedMemory::create(4096);
  const FileDescriptor file = block.duplicate();
  EXPECT_NE(ftruncate(file.get(), 0), 0);
  EXPECT_NE(ftruncate(file.get(), 8192), 0);
}

TEST(SharedMemory, MayBeEmpty) {
  const SharedMemory block = SharedMemory::create(0);
  EXPECT_EQ(SharedMemory::map(block.duplicate(), 0, SharedMemory::Access::kReadOnly).size(), 0);
}

TEST(SharedMemory, MovesWithItsMapping) {
  SharedMemory first = SharedMemory::create(4096);
  first.bytes()[0] = std::byte{1};
  SharedMemory second = std::move(first);
  EXPECT_EQ(second.bytes()[0], std::byte{1});
  SharedMemory third = SharedMemory::create(8);
  third = std::move(second);
  EXPECT_EQ(third.bytes()[0], std::byte{1});
  EXPECT_EQ(third.size(), 4096);
}

TEST(SharedMemory, RefusesWhatCouldShrinkOrIsTooShort) {
  const auto map = [](FileDescriptor file, std::int64_t bytes) {
    return SharedMemory::map(std::move(file), bytes, SharedMemory::Access::kReadOnly);
  };
  FileDescriptor unsealed(memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(ftruncate(unsealed.get(), 4096), 0);
  EXPECT_THROW(map(std::move(unsealed), 4096), Error);
  EXPECT_THROW(map(FileDescriptor(open("/dev/zero", O_RDONLY | O_CLOEXEC)), 4096), Error);
  EXPECT_THROW(map(FileDescriptor(), 0), Error);
  const SharedMemory block = SharedMemory::create(4096);
  EXPECT_THROW(map(block.duplicate(), 4097), Error);
  EXPECT_THROW(map(block.duplicate(), -1), Error);
}

TEST(SharedMemory, IsFilledWithoutAMapping) {
  const SharedMemory block = SharedMemory::create(10'000);
  const FileDescriptor file = block.duplicate();
  const std::vector<std::byte> part(5'000, std::byte{7});
  write_shared(file, 4'900, part);
  write_shared(file, 10'000, {});
  EXPECT_EQ(block.bytes()[4'899], std::byte{0});
  EXPECT_EQ(block.bytes()[4'900], std::byte{7});
  EXPECT_EQ(block.bytes()[9'899], std::byte{7});
  EXPECT_EQ(block.bytes()[9'900], std::byte{0});
  EXPECT_THROW(write_shared(file, 10'000, part), Error);
  try {
    write_shared(FileDescriptor(), 0, part);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInternal);
  }
}

TEST(SharedMemory, SaysWhatItCouldNotHave) {
  try {
    SharedMemory::create(std::int64_t{1} << 62);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kOutOfMemory);
  }
}

TEST(SegmentLayout, PutsArrayAfterArrayEachPadded) {
  using modelhop::ElementType;
  const SegmentLayout layout{
      3, {{ElementType::kUint8, 7}, {ElementType::kFloat32, 6}}, {{ElementType::kInt16, 2}}, true};
  EXPECT_EQ(layout.offsets(), (std::vector<std::int64_t>{0, 64, 192, 256, 320}));
  EXPECT_EQ(layout.total_bytes(), 320);
  EXPECT_EQ(layout.row_bytes(), 7 + 24 + 4 + 4);
  EXPECT_EQ((SegmentLayout{64, {{ElementType::kUint8, 1}}, {}}).total_bytes(), 64);
}

}  // namespace
}  // namespace modelhop::wire
