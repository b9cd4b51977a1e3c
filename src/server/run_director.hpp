// SPDX-License-Identifier: Apache-2.0
// What follows from the units of a run: its record, what callbacks and a search decide at the end of iterations, and
// the lines that the caller reads. Shared by those who give out units: cached and streamed runs.
#pragma once

#include "server/postgres.hpp"

#include <optional>
#include <vector>

#include "server/callback_run.hpp"
#include "server/run_notice.hpp"
#include "server/run_plan.hpp"
#include "server/run_record.hpp"
#include "server/search_run.hpp"
#include "server/trainer_client.hpp"

namespace modelhop::server {

class RunDirector {
 public:
  /// The run is open, and its configurations have their first states.
  RunDirector(TrainerClient& trainer, RunPlan& plan, RunRecord& record);

  /// A finished unit, and what it changes for whoever gives out units.
  Changes finished(const UnitRecord& unit);
  /// After the last unit.
  void end();

  bool is_retired(ConfigurationKey key) const { return record_.of(key).is_retired(); }

 private:
  RunPlan& plan_;
  RunRecord& record_;
  CallbackRun callbacks_;
  RunNotice notice_;
  std::optional<SearchRun> search_;
};

}  // namespace modelhop::server
