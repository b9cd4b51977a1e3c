// SPDX-License-Identifier: Apache-2.0
#include "trainer/slot_pool.hpp"

#include <pthread.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "trainer/failure.hpp"

namespace modelhop::trainer {
namespace {

std::int64_t steady_us() {
  using namespace std::chrono;
  return duration_cast<microseconds>(steady_clock::now().time_since_epoch()).count();
}

}  // namespace

SlotPool::SlotPool(int slots, Device device) {
  threads_.reserve(static_cast<std::size_t>(slots));
  for (int slot = 0; slot < slots; ++slot) {
    threads_.emplace_back([this, slot, device] { serve(slot, device); });
    pthread_setname_np(threads_.back().native_handle(), ("slot " + std::to_string(slot)).c_str());
  }
}

SlotPool::~SlotPool() {
  {
    const std::scoped_lock lock(mutex_);
    is_stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void SlotPool::add_run(RunId run, int limit) {
  const std::scoped_lock lock(mutex_);
  queue_.add_run(run, limit);
}

void SlotPool::remove_run(RunId run) {
  std::deque<Job> dropped;  // destroyed after the lock: a job may hold the last reference to much memory
  {
    const std::scoped_lock lock(mutex_);
    dropped = queue_.remove_run(run);
    ++trims_asked_;
  }
  wake_.notify_all();
}

void SlotPool::push(RunId run, Job job) {
  {
    const std::scoped_lock lock(mutex_);
    queue_.push(run, std::move(job), steady_us());
  }
  wake_.notify_all();
}

int SlotPool::running(RunId run) const {
  const std::scoped_lock lock(mutex_);
  return queue_.running(run);
}

void SlotPool::serve(int slot, Device device) {
  std::unique_ptr<Executor> executor;
  try {
    executor = make_executor(device);
  } catch (...) {
    spdlog::critical("slot {} could not start: {}", slot, current_error().what());
    std::_Exit(EXIT_FAILURE);
  }
  std::uint64_t trims_done = 0;
  std::unique_lock lock(mutex_);
  while (!is_stopping_) {
    if (trims_done != trims_asked_) {
      trims_done = trims_asked_;
      lock.unlock();
      executor->trim();
      lock.lock();
      continue;
    }
    const std::int64_t started = steady_us();
    std::optional<UnitQueue::Taken> taken = queue_.take(slot, started);
    if (!taken) {
      wake_.wait(lock);
      continue;
    }
    lock.unlock();
    const RunId run = taken->run;
    taken->job.work(*executor, slot);
    taken.reset();
    lock.lock();
    // What waited for it may have to run in another slot.
    if (queue_.finished(run, started, steady_us())) wake_.notify_all();
  }
}

}  // namespace modelhop::trainer
