// SPDX-License-Identifier: Apache-2.0
// What follows from a plan's values.
#include "server/run_plan.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "modelhop/error.hpp"

namespace modelhop::server {

std::int64_t ConfigurationPlan::lasting_bytes() const {
  return saturated_sum(memory.state, kept_bytes);
}

std::int64_t saturated_sum(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? std::numeric_limits<std::int64_t>::max() : sum;
}

std::vector<std::int32_t> RunPlan::reported_iterations() const {
  std::vector<std::int32_t> list;
  for (std::int64_t i = frequency; i < iterations; i += frequency) list.push_back(static_cast<std::int32_t>(i));
  list.push_back(iterations);
  return list;
}

std::vector<std::int32_t> RunPlan::reported_iterations(const ConfigurationPlan& configuration) const {
  std::vector<std::int32_t> list = configuration.ends;
  for (std::int64_t i = frequency; i < configuration.iterations(); i += frequency) {
    list.push_back(static_cast<std::int32_t>(i));
  }
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
  return list;
}

std::vector<std::int32_t> RunPlan::evaluated_iterations(const ConfigurationPlan& configuration) const {
  if (!configuration.is_monitored) return reported_iterations(configuration);
  std::vector<std::int32_t> list(static_cast<std::size_t>(configuration.iterations()));
  std::iota(list.begin(), list.end(), 1);
  return list;
}

bool RunPlan::is_evaluated(const ConfigurationPlan& configuration, std::int32_t iteration) const {
  return configuration.is_monitored || iteration % frequency == 0 ||
         std::binary_search(configuration.ends.begin(), configuration.ends.end(), iteration);
}

std::int32_t RunPlan::state_key(const ConfigurationPlan& configuration, std::size_t place) const {
  return configuration.key + (is_averaged ? static_cast<std::int32_t>(place) : 0);
}

std::vector<std::int32_t> RunPlan::state_keys(const ConfigurationPlan& configuration) const {
  std::vector<std::int32_t> keys(is_averaged ? training.segments.size() : 1);
  std::iota(keys.begin(), keys.end(), configuration.key);
  return keys;
}

int RunPlan::segment_number(const Unit& unit) const {
  const PackedTable& table = unit.kind == UnitKind::kEvaluateValidation ? *validation : training;
  return table.segments[static_cast<std::size_t>(unit.segment)].number;
}

const ConfigurationPlan& RunPlan::configuration(std::int32_t key) const {
  const auto found =
      std::lower_bound(configurations.begin(), configurations.end(), key,
                       [](const ConfigurationPlan& configuration, std::int32_t k) { return configuration.key < k; });
  check(found != configurations.end() && found->key == key, "a configuration that the plan does not have");
  return *found;
}

ConfigurationPlan& RunPlan::configuration(std::int32_t key) {
  return configurations[static_cast<std::size_t>(&std::as_const(*this).configuration(key) - configurations.data())];
}

std::size_t RunPlan::configuration_count() const {
  if (!search) return configurations.size();
  return std::max(configurations.size(), static_cast<std::size_t>(search->search->planned_configurations()));
}

std::int64_t RunPlan::unit_count(const ConfigurationPlan& configuration) const {
  const auto segments = static_cast<std::int64_t>(training.segments.size());
  const auto of_validation = static_cast<std::int64_t>(validation ? validation->segments.size() : 0);
  const auto evaluated = static_cast<std::int64_t>(evaluated_iterations(configuration).size());
  return configuration.iterations() * segments + evaluated * (segments + of_validation);
}

std::int64_t RunPlan::unit_count() const {
  std::int64_t count = 0;
  if (search) {
    // How often rungs end is the search's affair: about as often as there are configurations.
    const std::int64_t trained = search->search->planned_iterations();
    const std::int64_t evaluated =
        frequency == 1 ? trained : trained / frequency + search->search->planned_configurations();
    const auto segments = static_cast<std::int64_t>(training.segments.size());
    const auto of_validation = static_cast<std::int64_t>(validation ? validation->segments.size() : 0);
    return trained * segments + evaluated * (segments + of_validation);
  }
  for (const ConfigurationPlan& configuration : configurations) count += unit_count(configuration);
  return count;
}

const char* shuffle_name(Shuffle shuffle) {
  return shuffle == Shuffle::kSegment ? "segment" : shuffle == Shuffle::kBuffer ? "buffer" : "none";
}

}  // namespace modelhop::server
