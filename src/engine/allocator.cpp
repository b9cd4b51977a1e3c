// SPDX-License-Identifier: Apache-2.0
// Size classes with free lists in a few locked shards. A block returns to the shard that made it, so a block that one
// thread makes and another frees is found again.
#include "engine/allocator.hpp"

#include <c10/core/CPUAllocator.h>
#include <c10/util/Exception.h>
#include <malloc.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <string>

namespace modelhop::engine {
namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kStepsPerDoubling = 8;  ///< at most an eighth of a block is rounding
constexpr std::size_t kSizeClasses = 64 * kStepsPerDoubling;
constexpr std::size_t kShards = 16;
constexpr std::size_t kMapFrom = std::size_t{1} << 20;  ///< larger blocks are mapped: trimming gives them back at once
constexpr int kArenaEnd = 512 << 20;  ///< free bytes that malloc may keep at the end of an arena, until it is trimmed

/// Lies in the 64 bytes before the data.
struct BlockHeader {
  std::size_t data_bytes;  ///< rounded
  std::uint32_t size_class;
  std::uint32_t shard;
  BlockHeader* next_free;
};
static_assert(sizeof(BlockHeader) <= kAlignment);

struct SizeClass {
  std::size_t bytes;
  std::uint32_t index;
};

SizeClass size_class_of(std::size_t bytes) {
  bytes = std::max(bytes, kAlignment);
  const std::size_t doubling = static_cast<std::size_t>(std::bit_width(bytes - 1));  // bytes <= 2^doubling
  const std::size_t step = std::max((std::size_t{1} << doubling) / (2 * kStepsPerDoubling), kAlignment);
  const std::size_t rounded = (bytes + step - 1) / step * step;
  const std::size_t half = (std::size_t{1} << doubling) / 2;
  return {rounded, static_cast<std::uint32_t>(doubling * kStepsPerDoubling + (rounded - half - 1) / step)};
}

std::string in_megabytes(std::size_t bytes) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f MB", static_cast<double>(bytes) / 1e6);
  return text;
}

std::size_t block_bytes(std::size_t data_bytes) {
  return kAlignment + data_bytes;
}

void* system_allocate(std::size_t bytes) {
  if (bytes < kMapFrom) return std::aligned_alloc(kAlignment, bytes);
  void* block = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return block == MAP_FAILED ? nullptr : block;
}

void system_free(void* block, std::size_t bytes) {
  if (bytes < kMapFrom) {
    std::free(block);
  } else {
    munmap(block, bytes);
  }
}

struct alignas(kAlignment) Shard {
  std::mutex mutex;
  std::array<BlockHeader*, kSizeClasses> free{};
};

std::uint32_t shard_of_this_thread() {
  static std::atomic<std::uint32_t> next{0};
  thread_local const std::uint32_t shard = next.fetch_add(1, std::memory_order_relaxed) % kShards;
  return shard;
}

class CachingAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(std::size_t bytes) override;
  c10::DeleterFnPtr raw_deleter() const override { return &CachingAllocator::release; }
  void copy_data(void* to, const void* from, std::size_t bytes) const override { std::memcpy(to, from, bytes); }

  void set_limit(std::int64_t limit) { limit_ = limit > 0 ? static_cast<std::size_t>(limit) : SIZE_MAX; }
  void trim();
  EngineMemory memory() const;

 private:
  static void release(void* data);
  BlockHeader* take_free(std::uint32_t shard, std::uint32_t size_class);
  BlockHeader* make_block(std::size_t data_bytes);
  BlockHeader* try_make_block(std::size_t data_bytes);

  std::array<Shard, kShards> shards_;
  std::atomic<std::size_t> limit_{SIZE_MAX};
  std::atomic<std::size_t> used_{0};
  std::atomic<std::size_t> held_{0};
  std::atomic<std::size_t> peak_{0};
};

/// Never destroyed: tensors in static storage may outlive everything else.
CachingAllocator& the_allocator() {
  static CachingAllocator* const allocator = new CachingAllocator;
  return *allocator;
}

c10::DataPtr CachingAllocator::allocate(std::size_t bytes) {
  const c10::Device device(c10::DeviceType::CPU);
  if (bytes == 0) return {nullptr, nullptr, &CachingAllocator::release, device};
  TORCH_CHECK_WITH(OutOfMemoryError, bytes < (std::size_t{1} << 62),
                   "out of tensor memory: more asked than there can be");
  const SizeClass size = size_class_of(bytes);
  const std::uint32_t shard = shard_of_this_thread();
  BlockHeader* block = take_free(shard, size.index);
  if (block == nullptr) {
    block = make_block(size.bytes);
    *block = {size.bytes, size.index, shard, nullptr};
  }
  used_.fetch_add(block->data_bytes, std::memory_order_relaxed);
  void* data = reinterpret_cast<std::byte*>(block) + kAlignment;
  return {data, data, &CachingAllocator::release, device};
}

void CachingAllocator::release(void* data) {
  if (data == nullptr) return;
  CachingAllocator& self = the_allocator();
  auto* block = reinterpret_cast<BlockHeader*>(static_cast<std::byte*>(data) - kAlignment);
  self.used_.fetch_sub(block->data_bytes, std::memory_order_relaxed);
  Shard& shard = self.shards_[block->shard];
  const std::scoped_lock lock(shard.mutex);
  block->next_free = shard.free[block->size_class];
  shard.free[block->size_class] = block;
}

/// A block of the class, or else a larger one up to twice its size: batches of several sizes then share their pages.
BlockHeader* CachingAllocator::take_free(std::uint32_t shard, std::uint32_t size_class) {
  const std::scoped_lock lock(shards_[shard].mutex);
  auto& free = shards_[shard].free;
  const std::uint32_t end = std::min<std::uint32_t>(size_class + kStepsPerDoubling + 1, kSizeClasses);
  for (std::uint32_t candidate = size_class; candidate < end; ++candidate) {
    if (BlockHeader* block = free[candidate]) {
      free[candidate] = block->next_free;
      return block;
    }
  }
  return nullptr;
}

BlockHeader* CachingAllocator::make_block(std::size_t data_bytes) {
  BlockHeader* block = try_make_block(data_bytes);
  if (block == nullptr) {
    trim();
    block = try_make_block(data_bytes);
  }
  if (block != nullptr) return block;
  const std::size_t limit = limit_.load();
  const std::string limit_text = limit == SIZE_MAX ? "the system gave none" : "limit " + in_megabytes(limit);
  TORCH_CHECK_WITH(OutOfMemoryError, false, "out of tensor memory: ", in_megabytes(data_bytes), " asked, ",
                   in_megabytes(used_.load()), " in use, ", limit_text);
}

BlockHeader* CachingAllocator::try_make_block(std::size_t data_bytes) {
  const std::size_t held = held_.fetch_add(data_bytes) + data_bytes;
  void* block = held <= limit_.load() ? system_allocate(block_bytes(data_bytes)) : nullptr;
  if (block == nullptr) {
    held_.fetch_sub(data_bytes);
    return nullptr;
  }
  std::size_t peak = peak_.load();
  while (peak < held && !peak_.compare_exchange_weak(peak, held)) {
  }
  return static_cast<BlockHeader*>(block);
}

void CachingAllocator::trim() {
  for (Shard& shard : shards_) {
    const std::scoped_lock lock(shard.mutex);
    for (BlockHeader*& first : shard.free) {
      while (first != nullptr) {
        BlockHeader* block = first;
        first = block->next_free;
        held_.fetch_sub(block->data_bytes);
        system_free(block, block_bytes(block->data_bytes));
      }
    }
  }
}

EngineMemory CachingAllocator::memory() const {
  return {static_cast<std::int64_t>(used_.load()), static_cast<std::int64_t>(held_.load()),
          static_cast<std::int64_t>(peak_.load())};
}

/// malloc_trim() leaves the free end of every arena but the main one as it is. Such an end is given back when a larger
/// block of the arena is freed and the end is above the threshold.
void trim_arena_of_this_thread() {
  static std::mutex mutex;
  const std::scoped_lock lock(mutex);
  mallopt(M_TRIM_THRESHOLD, 0);
  void* volatile block = std::malloc(128 << 10);  // volatile: the pair is left out otherwise
  std::free(block);
  mallopt(M_TRIM_THRESHOLD, kArenaEnd);
}

}  // namespace

void install_allocator(std::int64_t limit) {
  the_allocator().set_limit(limit);
  static const bool is_installed = [] {
    // oneDNN's scratch does not come through here; malloc must not give its pages back after every operation.
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, kArenaEnd);
    constexpr std::uint8_t kPriority = 100;
    c10::SetCPUAllocator(&the_allocator(), kPriority);
    return true;
  }();
  static_cast<void>(is_installed);
}

EngineMemory allocator_memory() {
  return the_allocator().memory();
}

void trim_allocator() {
  the_allocator().trim();
  malloc_trim(0);  // small blocks, and what libraries freed
  trim_arena_of_this_thread();
}

}  // namespace modelhop::engine
