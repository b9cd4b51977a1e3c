// SPDX-License-Identifier: Apache-2.0
#include "server/callback_run.hpp"

#include <algorithm>
#include <cmath>

#include "modelhop/error.hpp"
#include "server/trainer_requests.hpp"
#include "spec/learning_rate.hpp"

namespace modelhop::server {
namespace {

void add_scores(const std::string& prefix, const Scoring& scoring, const Score& score, MonitoredScores& scores) {
  const std::vector<std::string> names = scoring.names();
  const std::vector<double> values = Scoring::values(score);
  for (std::size_t i = 0; i < names.size(); ++i) scores[prefix + names[i]] = values[i];
}

}  // namespace

CallbackRun::CallbackRun(TrainerClient& trainer, const RunPlan& plan, RunRecord& record)
    : trainer_(trainer), plan_(plan), record_(record) {
  for (const ConfigurationPlan& configuration : plan.configurations) {
    if (configuration.train.callbacks.empty()) continue;
    callbacks_.try_emplace(configuration.key, configuration.train.callbacks,
                           plan.architecture_of(configuration).model.profile, &scheduled_rate);
  }
}

void CallbackRun::begin() {
  for (const auto& [key, callbacks] : callbacks_) {
    const auto rate = callbacks.first_rate(plan_.first_iteration - 1);
    if (rate) set_rate(key, 0, "LearningRateScheduler", *rate);
  }
}

MonitoredScores CallbackRun::scores_of(ConfigurationKey key, std::int32_t iteration) const {
  MonitoredScores scores;
  const ScoredIteration* scored = record_.of(key).scored(iteration);
  if (scored == nullptr) return scores;
  add_scores("", record_.scoring_of(key), scored->training, scores);
  if (scored->validation) add_scores("val_", record_.scoring_of(key), *scored->validation, scores);
  return scores;
}

void CallbackRun::set_rate(ConfigurationKey key, std::int32_t iteration, const std::string& callback, double rate) {
  for (const std::int32_t state : plan_.state_keys(plan_of(key))) set_learning_rate(trainer_, state, rate);
  record_.happened(key, {iteration, callback, rate});
}

const ConfigurationPlan& CallbackRun::plan_of(ConfigurationKey key) const {
  return *std::find_if(plan_.configurations.begin(), plan_.configurations.end(),
                       [key](const ConfigurationPlan& configuration) { return configuration.key == key; });
}

bool CallbackRun::iteration_ended(ConfigurationKey key, std::int32_t iteration) {
  const auto found = callbacks_.find(key);
  if (found == callbacks_.end()) return false;
  const auto& units = record_.of(key).units;
  const auto trained = std::find_if(units.rbegin(), units.rend(),
                                    [](const UnitRecord& unit) { return unit.unit.kind == UnitKind::kTrain; });
  const CallbackDecision decision = found->second.end_iteration(iteration - 1, plan_.first_iteration + iteration - 2,
                                                                scores_of(key, iteration), trained->learning_rate);
  for (const int place : decision.keeps) keep_weights(trainer_, key, place);
  if (decision.stops) {
    record_.happened(key, {iteration, decision.reason, std::nullopt});
    // At the last iteration there was nothing left to stop.
    if (iteration < plan_.iterations) record_.stopped(key, iteration);
    return true;
  }
  if (!decision.learning_rate || iteration == plan_.iterations) return false;
  if (!std::isfinite(*decision.learning_rate)) {
    // A step of such a size leaves no weight that is a number.
    record_.diverged(key);
    return true;
  }
  set_rate(key, iteration, decision.rate_reason, *decision.learning_rate);
  return false;
}

void CallbackRun::end() {
  for (const auto& [key, callbacks] : callbacks_) {
    const auto place = callbacks.final_weights();
    if (!place) continue;
    restore_weights(trainer_, key, *place);
    record_.kept_weights(key, static_cast<std::int32_t>(callbacks.kept_epoch(*place)) + 1);
  }
}

void check_callbacks(const TrainSpec& train, bool has_validation) {
  for (const CallbackSpec& callback : train.callbacks) {
    if (is_monitor(callback) && callback.monitor.starts_with("val_") && !has_validation) {
      throw Error(ErrorCode::kInvalidArgument,
                  "callback " + callback.name + " monitors \"" + callback.monitor + "\", but validation_table is NULL",
                  "Give a validation_table, or monitor=\'" + callback.monitor.substr(4) + "\'.");
    }
  }
}

void check_first_rates(const RunPlan& plan) {
  for (const ConfigurationPlan& configuration : plan.configurations) {
    for (const CallbackSpec& callback : configuration.train.callbacks) {
      if (callback.kind != CallbackSpec::Kind::kLearningRateSchedule ||
          std::isfinite(scheduled_rate(callback.schedule, plan.first_iteration - 1))) {
        continue;
      }
      throw Error(ErrorCode::kInvalidArgument,
                  (plan.is_single ? std::string() : "mst_key " + std::to_string(configuration.key) + ": ") +
                      "callback " + callback.name + ": the learning rate of iteration " +
                      std::to_string(plan.first_iteration) + " is not a finite number",
                  "Give a schedule that stays within bounds.");
    }
  }
}

bool has_monitors(const TrainSpec& train) {
  return std::any_of(train.callbacks.begin(), train.callbacks.end(), is_monitor);
}

}  // namespace modelhop::server
