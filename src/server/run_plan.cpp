// SPDX-License-Identifier: Apache-2.0
// What follows from a plan's values.
#include "server/run_plan.hpp"

#include <numeric>

namespace modelhop::server {

std::vector<std::int32_t> RunPlan::evaluated_iterations() const {
  std::vector<std::int32_t> list;
  for (std::int64_t i = frequency; i < iterations; i += frequency) list.push_back(static_cast<std::int32_t>(i));
  list.push_back(iterations);
  return list;
}

std::vector<std::int32_t> RunPlan::evaluated_iterations(const ConfigurationPlan& configuration) const {
  if (!configuration.is_monitored) return evaluated_iterations();
  std::vector<std::int32_t> list(static_cast<std::size_t>(iterations));
  std::iota(list.begin(), list.end(), 1);
  return list;
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

std::int64_t RunPlan::unit_count(const ConfigurationPlan& configuration) const {
  const auto segments = static_cast<std::int64_t>(training.segments.size());
  const auto of_validation = static_cast<std::int64_t>(validation ? validation->segments.size() : 0);
  const auto evaluated = static_cast<std::int64_t>(evaluated_iterations(configuration).size());
  return iterations * segments + evaluated * (segments + of_validation);
}

std::int64_t RunPlan::unit_count() const {
  std::int64_t count = 0;
  for (const ConfigurationPlan& configuration : configurations) count += unit_count(configuration);
  return count;
}

const char* shuffle_name(Shuffle shuffle) {
  return shuffle == Shuffle::kSegment ? "segment" : shuffle == Shuffle::kBuffer ? "buffer" : "none";
}

}  // namespace modelhop::server
