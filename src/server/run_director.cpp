// SPDX-License-Identifier: Apache-2.0
#include "server/run_director.hpp"

#include "modelhop/error.hpp"

namespace modelhop::server {

RunDirector::RunDirector(TrainerClient& trainer, RunPlan& plan, RunRecord& record)
    : plan_(plan), record_(record), callbacks_(trainer, plan, record), notice_(plan) {
  for (const ConfigurationPlan& configuration : plan.configurations) callbacks_.begin(configuration);
  if (plan.search) search_.emplace(trainer, plan, record, callbacks_);
}

Changes RunDirector::finished(const UnitRecord& unit) {
  const ConfigurationKey key = unit.unit.configuration;
  const std::int32_t iteration = unit.unit.iteration;
  Changes changes;
  const UnitOutcome outcome = record_.add(unit);
  if (outcome == UnitOutcome::kIterationEnded) changes.retires = callbacks_.iteration_ended(key, iteration);
  if (outcome == UnitOutcome::kDiverged) changes.retires = true;
  if (changes.retires) notice_.retired(record_, key);
  const bool has_ended = outcome == UnitOutcome::kIterationEnded && iteration == plan_.configuration(key).iterations();
  if (search_ && (changes.retires || has_ended)) search_->ended(key, iteration, changes);
  notice_.progressed(record_);
  return changes;
}

void RunDirector::end() {
  callbacks_.end();
  if (!search_) return;
  check(plan_.search->search->is_done(), "the search waits for losses, and no unit is left");
  notice_.searched(record_);
}

}  // namespace modelhop::server
