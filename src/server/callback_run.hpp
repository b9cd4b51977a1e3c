// SPDX-License-Identifier: Apache-2.0
// Carries out what the callbacks of a run's configurations decide (src/selection/callbacks.hpp).
#pragma once

#include "server/postgres.hpp"

#include <map>

#include "selection/callbacks.hpp"
#include "server/run_plan.hpp"
#include "server/run_record.hpp"
#include "server/trainer_client.hpp"

namespace modelhop::server {

class CallbackRun {
 public:
  CallbackRun(TrainerClient& trainer, const RunPlan& plan, RunRecord& record);

  /// Sets the rates of the first iteration.
  void begin();
  /// After the last unit of an iteration. Returns true where the configuration is to be retired.
  bool iteration_ended(ConfigurationKey key, std::int32_t iteration);
  /// Gives back the weights that the output shall hold.
  void end();

 private:
  MonitoredScores scores_of(ConfigurationKey key, std::int32_t iteration) const;
  const ConfigurationPlan& plan_of(ConfigurationKey key) const;
  void set_rate(ConfigurationKey key, std::int32_t iteration, const std::string& callback, double rate);

  TrainerClient& trainer_;
  const RunPlan& plan_;
  RunRecord& record_;
  std::map<ConfigurationKey, Callbacks> callbacks_;  ///< of configurations that have any
};

/// Throws Error where a callback could never do its work: it monitors validation and there is none. Called before
/// anything is written.
void check_callbacks(const TrainSpec& train, bool has_validation);

/// Throws Error where a schedule has no finite rate for the first iteration. Later on, such a rate makes a
/// configuration diverge.
void check_first_rates(const RunPlan& plan);

/// Whether callbacks look at losses or metrics.
bool has_monitors(const TrainSpec& train);

}  // namespace modelhop::server
