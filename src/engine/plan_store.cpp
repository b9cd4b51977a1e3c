// SPDX-License-Identifier: Apache-2.0
// A small cache: what is not in use is dropped, oldest first.
#include "engine/plan_store.hpp"

#include <c10/util/Exception.h>

#include <algorithm>

namespace modelhop::engine {
namespace {
constexpr std::size_t kMaximumPlans = 16;
// Plans of small networks are kept, where compiling shows in the time of a unit; those of large ones make room for each
// other, where the memory shows and the allocator hands the same pages to the next plan.
constexpr std::int64_t kMaximumRetainedBytes = std::int64_t{64} << 20;
}  // namespace

std::shared_ptr<Plan> PlanStore::find(const Network& network, Purpose purpose, std::int64_t rows) {
  const Key key(network.plan_key(), purpose, rows);
  auto found = plans_.find(key);
  if (found == plans_.end()) {
    make_room();
    std::shared_ptr<Plan> plan;
    try {
      plan = std::make_shared<Plan>(network, purpose, rows);
    } catch (const c10::OutOfMemoryError&) {
      trim();
      plan = std::make_shared<Plan>(network, purpose, rows);
    }
    found = plans_.emplace(key, Entry{std::move(plan)}).first;
  }
  found->second.last_use = ++uses_;
  return found->second.plan;
}

void PlanStore::trim() {
  std::erase_if(plans_, [](const auto& item) { return item.second.plan.use_count() == 1; });
}

void PlanStore::make_room() {
  const auto is_crowded = [this] {
    std::int64_t bytes = 0;
    for (const auto& [key, entry] : plans_) bytes += entry.plan->retained_bytes();
    return plans_.size() >= kMaximumPlans || bytes > kMaximumRetainedBytes;
  };
  while (is_crowded() && drop_oldest()) {
  }
}

bool PlanStore::drop_oldest() {
  auto oldest = plans_.end();
  for (auto item = plans_.begin(); item != plans_.end(); ++item) {
    if (item->second.plan.use_count() > 1) continue;
    if (oldest == plans_.end() || item->second.last_use < oldest->second.last_use) oldest = item;
  }
  if (oldest == plans_.end()) return false;
  plans_.erase(oldest);
  return true;
}

}  // namespace modelhop::engine
