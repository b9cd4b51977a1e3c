// SPDX-License-Identifier: Apache-2.0
// A small cache: what is not in use is dropped, oldest first.
#include "engine/plan_store.hpp"

#include <c10/util/Exception.h>

#include <algorithm>

namespace modelhop::engine {
namespace {
constexpr std::size_t kMaximumPlans = 16;
}

std::shared_ptr<Plan> PlanStore::find(const Network& network, Purpose purpose, std::int64_t rows) {
  const Key key(network.plan_key(), purpose, rows);
  auto found = plans_.find(key);
  if (found == plans_.end()) {
    if (plans_.size() >= kMaximumPlans) drop_oldest();
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

void PlanStore::drop_oldest() {
  auto oldest = plans_.end();
  for (auto item = plans_.begin(); item != plans_.end(); ++item) {
    if (item->second.plan.use_count() > 1) continue;
    if (oldest == plans_.end() || item->second.last_use < oldest->second.last_use) oldest = item;
  }
  if (oldest != plans_.end()) plans_.erase(oldest);
}

}  // namespace modelhop::engine
