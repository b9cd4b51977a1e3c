// SPDX-License-Identifier: Apache-2.0
// The tensor allocator: alignment, reuse, its cap, and blocks that wander between threads; the engine's edge for
// errors.
#include "engine/allocator.hpp"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <c10/core/CPUAllocator.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <bit>
#include <cstring>
#include <fstream>
#include <functional>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "engine/device.hpp"
#include "engine/guard.hpp"

namespace modelhop::engine {
namespace {

at::Tensor bytes_tensor(std::int64_t bytes) {
  return at::empty({bytes}, at::TensorOptions().dtype(at::kByte));
}

class Allocator : public testing::Test {
 protected:
  void SetUp() override {
    initialize_engine({});
    trim_allocator();
  }
  void TearDown() override { install_allocator(0); }
};

TEST_F(Allocator, AlignsAndAccounts) {
  const EngineMemory before = engine_memory();
  std::vector<at::Tensor> tensors;
  std::int64_t asked = 0;
  for (const std::int64_t bytes : {1, 63, 64, 65, 1000, 4097, 1 << 20, (1 << 20) + 1, 5000000}) {
    tensors.push_back(bytes_tensor(bytes));
    asked += bytes;
    EXPECT_EQ(std::bit_cast<std::uintptr_t>(tensors.back().data_ptr()) % 64, 0U) << bytes;
    tensors.back().fill_(7);
  }
  const std::int64_t used = engine_memory().used - before.used;
  EXPECT_GE(used, asked);
  EXPECT_LE(used, asked + asked / 8 + 64 * 9);
  tensors.clear();
  EXPECT_EQ(engine_memory().used, before.used);
  EXPECT_GE(engine_memory().held, used);
  trim_allocator();
  EXPECT_EQ(engine_memory().held, before.held);
  EXPECT_GE(engine_memory().peak, used);
}

TEST_F(Allocator, KeepsSizeClassesApart) {
  // Every size gets a block of its own size again, however sizes are mixed.
  for (std::int64_t bytes = 1; bytes < 3000; bytes += 7) {
    const at::Tensor first = bytes_tensor(bytes);
    const at::Tensor second = bytes_tensor(bytes + 1);
    first.fill_(1);
    second.fill_(2);
    ASSERT_EQ(first[bytes - 1].item<int>(), 1);
    ASSERT_EQ(second[0].item<int>(), 2);
  }
}

TEST_F(Allocator, ReusesWhatWasFreedOfTheSameSize) {
  const void* data = bytes_tensor(100000).data_ptr();
  const std::int64_t held = engine_memory().held;
  EXPECT_EQ(bytes_tensor(99990).data_ptr(), data);
  EXPECT_EQ(engine_memory().held, held);
}

TEST_F(Allocator, StopsAtItsLimitWithSizesInTheMessage) {
  install_allocator(engine_memory().held + 20000000);
  const at::Tensor kept = bytes_tensor(10000000);
  try {
    guarded([] { bytes_tensor(15000000); });
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kOutOfMemory);
    const std::string message = error.what();
    EXPECT_NE(message.find(" MB asked, "), std::string::npos) << message;
    EXPECT_NE(message.find(" MB in use, limit "), std::string::npos) << message;
    EXPECT_EQ(message.find("allocator.cpp"), std::string::npos) << message;
  }
  EXPECT_NO_THROW(bytes_tensor(5000000));
}

TEST_F(Allocator, TrimsItsFreeListsBeforeItFails) {
  install_allocator(engine_memory().held + 20000000);
  bytes_tensor(15000000);
  EXPECT_NO_THROW(bytes_tensor(12000000));
}

std::int64_t resident_bytes() {
  std::int64_t pages = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

TEST_F(Allocator, GivesAThreadsFreeBlocksBackToTheSystem) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "malloc is the sanitizer's, which keeps what was freed";
#endif
  std::thread([] {
    // Nothing small may come to lie between the blocks and the end of the thread's arena: no tensors, and what a look
    // at the size needs is there before.
    resident_bytes();
    std::vector<c10::DataPtr> blocks(40);
    for (auto& block : blocks) {
      block = c10::GetCPUAllocator()->allocate(500000);
      std::memset(block.mutable_get(), 1, 500000);
    }
    blocks.clear();
    const std::int64_t before = resident_bytes();
    trim_allocator();
    EXPECT_LT(resident_bytes(), before - 18000000);
  }).join();
}

TEST_F(Allocator, RefusesSizesBeyondTheMachine) {
  for (const std::int64_t bytes : {std::int64_t{1} << 50, std::numeric_limits<std::int64_t>::max() / 2}) {
    try {
      guarded([&] { bytes_tensor(bytes); });
      FAIL() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kOutOfMemory) << error.what();
    }
  }
}

TEST_F(Allocator, FindsBlocksAgainThatAnotherThreadFreed) {
  const EngineMemory before = engine_memory();
  std::thread([&] {
    std::int64_t held_after_first = 0;
    for (int round = 0; round < 50; ++round) {
      std::vector<at::Tensor> made(20);
      for (auto& tensor : made) tensor = bytes_tensor(10000);
      std::thread([moved = std::move(made)]() mutable { moved.clear(); }).join();
      if (round == 0) held_after_first = engine_memory().held;
    }
    EXPECT_EQ(engine_memory().held, held_after_first);
  }).join();
  EXPECT_EQ(engine_memory().used, before.used);
}

TEST_F(Allocator, ServesManyThreadsAtOnce) {
  const EngineMemory before = engine_memory();
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([thread] {
      std::vector<at::Tensor> live;
      for (int round = 0; round < 3000; ++round) {
        at::Tensor tensor = bytes_tensor(1 + (round * 7919 + thread * 104729) % 50000);
        tensor.fill_(thread);
        live.push_back(std::move(tensor));
        if (live.size() > 40) live.erase(live.begin(), live.begin() + 20);
      }
      for (const at::Tensor& tensor : live) EXPECT_EQ(tensor[0].item<int>(), thread);
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(engine_memory().used, before.used);
}

ErrorCode code_of(const std::function<void()>& action) {
  try {
    guarded(action);
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "no error";
  return ErrorCode::kInternal;
}

TEST(Guard, TranslatesEveryKindOfError) {
  EXPECT_EQ(code_of([] { throw std::bad_alloc(); }), ErrorCode::kOutOfMemory);
  EXPECT_EQ(code_of([] { throw std::runtime_error("broken"); }), ErrorCode::kInternal);
  EXPECT_EQ(code_of([] { throw 3; }), ErrorCode::kInternal);
  EXPECT_EQ(code_of([] { throw Error(ErrorCode::kCancelled, "stopped"); }), ErrorCode::kCancelled);
  EXPECT_EQ(code_of([] { at::ones({2, 3}).view({7}); }), ErrorCode::kInternal);
}

TEST(Guard, LeavesOutTheBacktrace) {
  try {
    guarded([] { at::ones({2, 3}).view({7}); });
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()).find("Exception raised from"), std::string::npos) << error.what();
  }
}

TEST(EngineDevice, IsKnownByItsNames) {
  EXPECT_EQ(parse_device("cpu"), Device{});
  EXPECT_EQ(to_string(parse_device("cpu")), "cpu");
  EXPECT_EQ(to_string(Device{Device::Kind::kCuda, 1}), "cuda:1");
  EXPECT_EQ(torch_device({Device::Kind::kCuda, 1}).str(), "cuda:1");
  EXPECT_EQ(code_of([] { parse_device("cuda:99"); }), ErrorCode::kNotSupported);
  for (const char* text : {"", "gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:1x"}) {
    EXPECT_EQ(code_of([&] { parse_device(text); }), ErrorCode::kInvalidArgument) << text;
  }
}

TEST(EngineDevice, EachComputeThreadRunsAlone) {
  initialize_engine({});
  std::thread([] {
    prepare_compute_thread();
    EXPECT_EQ(at::get_num_threads(), 1);
    volatile float tiny = 1e-38F;
    EXPECT_EQ(tiny * 0.1F, 0.0F);
  }).join();
  EXPECT_EQ(engine_version().rfind("libtorch ", 0), 0U);
}

}  // namespace
}  // namespace modelhop::engine
