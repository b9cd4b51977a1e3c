// SPDX-License-Identifier: Apache-2.0
#include "trainer/unit_queue.hpp"

#include <algorithm>
#include <utility>

#include "modelhop/error.hpp"

namespace modelhop::trainer {

void UnitQueue::add_run(RunId run, int limit) {
  runs_.try_emplace(run).first->second.limit = limit;
}

std::deque<Job> UnitQueue::remove_run(RunId run) {
  const auto found = runs_.find(run);
  if (found == runs_.end()) return {};
  std::deque<Job> dropped = std::move(found->second.jobs);
  runs_.erase(found);
  return dropped;
}

void UnitQueue::push(RunId run, Job job, std::int64_t now_us) {
  const auto found = runs_.find(run);
  check(found != runs_.end(), "a unit of a run that is not open");
  Share& share = found->second;
  if (!share.is_active()) {
    std::optional<std::int64_t> least;
    for (const auto& [id, other] : runs_) {
      if (!other.is_active()) continue;
      least = std::min(least.value_or(other.served(now_us)), other.served(now_us));
    }
    if (least) share.served_us = *least;
  }
  share.jobs.push_back(std::move(job));
}

std::optional<UnitQueue::Taken> UnitQueue::take(int slot, std::int64_t now_us) {
  const auto fits = [slot](const Job& job) { return job.slot == kAnySlot || job.slot == slot; };
  RunId chosen = 0;
  Share* best = nullptr;
  for (auto& [id, share] : runs_) {
    if (share.is_full() || std::none_of(share.jobs.begin(), share.jobs.end(), fits)) continue;
    if (best != nullptr &&
        std::pair(best->served(now_us), best->running) <= std::pair(share.served(now_us), share.running)) {
      continue;
    }
    chosen = id;
    best = &share;
  }
  if (best == nullptr) return std::nullopt;
  const auto job = std::find_if(best->jobs.begin(), best->jobs.end(), fits);
  Taken taken{chosen, std::move(*job)};
  best->jobs.erase(job);
  ++best->running;
  best->started_us_sum += now_us;
  return taken;
}

bool UnitQueue::finished(RunId run, std::int64_t started_us, std::int64_t now_us) {
  const auto found = runs_.find(run);
  if (found == runs_.end()) return false;
  Share& share = found->second;
  const bool was_full = share.is_full();
  --share.running;
  share.started_us_sum -= started_us;
  share.served_us += now_us - started_us;
  return was_full && !share.jobs.empty();
}

int UnitQueue::running(RunId run) const {
  const auto found = runs_.find(run);
  return found == runs_.end() ? 0 : found->second.running;
}

}  // namespace modelhop::trainer
