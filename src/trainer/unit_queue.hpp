// SPDX-License-Identifier: Apache-2.0
// Which job a free slot takes: the runs share the slots by time. Pure decisions; SlotPool locks and waits.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>

#include "modelhop/engine.hpp"

namespace modelhop::trainer {

using RunId = std::uint64_t;
inline constexpr int kAnySlot = -1;

/// Something for a slot to do. `work` does not throw.
struct Job {
  std::function<void(Executor& executor, int slot)> work;
  int slot = kAnySlot;  ///< where it must run
};

/// Times are microseconds of any steady clock.
class UnitQueue {
 public:
  /// At most `limit` of its jobs run at one time; 0: as many as there are slots.
  void add_run(RunId run, int limit = 0);
  /// Gives back the jobs that will never run. Those that are running end as they may.
  std::deque<Job> remove_run(RunId run);

  /// The run must be there. A run that comes back from idleness starts level with the least served of the others: it
  /// neither makes up for lost time nor pays for the past.
  void push(RunId run, Job job, std::int64_t now_us);

  struct Taken {
    RunId run = 0;
    Job job;
  };
  /// The oldest job that may run in this slot, of the run that had the least slot time so far, counting what its
  /// running jobs have had already.
  std::optional<Taken> take(int slot, std::int64_t now_us);
  /// Returns whether jobs of the run waited for that because of its limit.
  bool finished(RunId run, std::int64_t started_us, std::int64_t now_us);

  int running(RunId run) const;

 private:
  struct Share {
    std::deque<Job> jobs;
    std::int64_t served_us = 0;  ///< by finished jobs
    int running = 0;
    int limit = 0;
    std::int64_t started_us_sum = 0;  ///< over running jobs
    bool is_full() const { return limit > 0 && running >= limit; }
    bool is_active() const { return !jobs.empty() || running > 0; }
    std::int64_t served(std::int64_t now_us) const { return served_us + running * now_us - started_us_sum; }
  };
  std::map<RunId, Share> runs_;
};

}  // namespace modelhop::trainer
