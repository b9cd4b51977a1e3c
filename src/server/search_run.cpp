// SPDX-License-Identifier: Apache-2.0
#include "server/search_run.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "modelhop/error.hpp"
#include "server/coordinator.hpp"
#include "server/run_input.hpp"

namespace modelhop::server {

double search_loss(const RunRecord& record, ConfigurationKey key) {
  const ConfigurationRecord& own = record.of(key);
  const ScoredIteration* scored = own.has_diverged ? nullptr : own.final_scores();
  if (scored == nullptr) return std::numeric_limits<double>::quiet_NaN();
  return scored->validation ? scored->validation->loss : scored->training.loss;
}

std::optional<ConfigurationKey> winner(const RunRecord& record) {
  std::optional<ConfigurationKey> best;
  double least = 0.0;
  for (const auto& [key, configuration] : record.configurations()) {
    const double loss = search_loss(record, key);
    if (!std::isfinite(loss) || (best && loss >= least)) continue;
    best = key;
    least = loss;
  }
  return best;
}

void SearchRun::tell(ConfigurationKey key) {
  record_.kept_weights(key, callbacks_.weights_iteration(key));
  plan_.search->search->tell(key, search_loss(record_, key));
}

void SearchRun::ended(ConfigurationKey key, std::int32_t iteration, Changes& changes) {
  if (changes.retires) {
    std::vector<std::int32_t>& ends = plan_.configuration(key).ends;
    while (!ends.empty() && ends.back() >= iteration) ends.pop_back();
    ends.push_back(iteration);
  }
  tell(key);
  Search& search = *plan_.search->search;
  // What is told while answers are carried out may bring new ones.
  for (auto trials = search.ask(); !trials.empty(); trials = search.ask()) {
    std::vector<Trial> fresh;
    for (Trial& trial : trials) {
      if (trial.configuration) {
        fresh.push_back(std::move(trial));
      } else {
        extend(trial, changes);
      }
    }
    if (!fresh.empty()) add(fresh, changes);
  }
}

void SearchRun::extend(const Trial& trial, Changes& changes) {
  ConfigurationPlan& configuration = plan_.configuration(trial.key);
  configuration.rung = trial.rung;
  // One that a callback has stopped stands by the loss that it ended with.
  if (record_.of(trial.key).is_retired()) return tell(trial.key);
  check(trial.iterations > configuration.iterations(), "a search asks for iterations that a configuration has had");
  configuration.ends.push_back(trial.iterations);
  record_.expect(trial.key, configuration_shape(plan_, configuration));
  changes.extended.push_back(trial.key);
}

void SearchRun::add(const std::vector<Trial>& trials, Changes& changes) {
  std::vector<OpenConfiguration> opened;
  for (const Trial& trial : trials) {
    plan_.configurations.push_back(trial_configuration(trial, plan_));
    opened.push_back(open_configuration(plan_.configurations.back(), trial.key));
  }
  add_configurations(trainer_, plan_.seed, opened);
  for (const Trial& trial : trials) {
    const ConfigurationPlan& configuration = plan_.configuration(trial.key);
    give_initial_state(trainer_, plan_, configuration);
    record_.expect(trial.key, configuration_shape(plan_, configuration));
    callbacks_.begin(configuration);
    changes.added.push_back(trial.key);
  }
}

}  // namespace modelhop::server
