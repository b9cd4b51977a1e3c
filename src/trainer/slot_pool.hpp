// SPDX-License-Identifier: Apache-2.0
// The slots: threads with an Executor each, that take jobs from the queue. Safe to call from any thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "trainer/unit_queue.hpp"

namespace modelhop::trainer {

class SlotPool {
 public:
  SlotPool(int slots, Device device);
  /// Waits for the jobs that are running: stop their runs first.
  ~SlotPool();
  SlotPool(const SlotPool&) = delete;
  SlotPool& operator=(const SlotPool&) = delete;

  int slots() const { return static_cast<int>(threads_.size()); }
  void add_run(RunId run, int limit);
  /// Drops the run's waiting jobs. Afterwards the executors free the plans that nobody may need again.
  void remove_run(RunId run);
  void push(RunId run, Job job);
  int running(RunId run) const;

 private:
  void serve(int slot, Device device);

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  UnitQueue queue_;
  bool is_stopping_ = false;
  std::uint64_t trims_asked_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace modelhop::trainer
