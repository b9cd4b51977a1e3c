// SPDX-License-Identifier: Apache-2.0
// Carries out what a search asks (src/selection/search.hpp): configurations that join the run, and others that go on.
// Their states have stayed in the trainer, so going on costs nothing.
#pragma once

#include "server/postgres.hpp"

#include <optional>
#include <vector>

#include "server/callback_run.hpp"
#include "server/run_plan.hpp"
#include "server/run_record.hpp"
#include "server/trainer_client.hpp"

namespace modelhop::server {

/// What a finished unit changes for whoever gives out units.
struct Changes {
  bool retires = false;                    ///< its configuration gets no further ones
  std::vector<ConfigurationKey> added;     ///< new in the plan
  std::vector<ConfigurationKey> extended;  ///< owe more iterations than before
};

class SearchRun {
 public:
  SearchRun(TrainerClient& trainer, RunPlan& plan, RunRecord& record, CallbackRun& callbacks)
      : trainer_(trainer), plan_(plan), record_(record), callbacks_(callbacks) {}

  /// A configuration has had what was asked for, or was retired in this iteration: tells its loss and takes what is
  /// asked next.
  void ended(ConfigurationKey key, std::int32_t iteration, Changes& changes);

 private:
  void tell(ConfigurationKey key);
  void extend(const Trial& trial, Changes& changes);
  void add(const std::vector<Trial>& trials, Changes& changes);

  TrainerClient& trainer_;
  RunPlan& plan_;
  RunRecord& record_;
  CallbackRun& callbacks_;
};

/// The loss by which a search judges: of the weights that the output holds, on the validation table where there is one.
/// Not a number where the configuration has diverged.
double search_loss(const RunRecord& record, ConfigurationKey key);

/// The configuration of the lowest loss, of several the lowest key; empty where all have diverged.
std::optional<ConfigurationKey> winner(const RunRecord& record);

}  // namespace modelhop::server
