// SPDX-License-Identifier: Apache-2.0
// What follows from a plan's values.
#include "server/run_plan.hpp"

namespace modelhop::server {

std::vector<std::int32_t> RunPlan::evaluated_iterations() const {
  std::vector<std::int32_t> list;
  for (std::int64_t i = frequency; i < iterations; i += frequency) list.push_back(static_cast<std::int32_t>(i));
  list.push_back(iterations);
  return list;
}

std::int64_t RunPlan::unit_count() const {
  const auto segments = static_cast<std::int64_t>(training_rows.size());
  const auto evaluated = static_cast<std::int64_t>(evaluated_iterations().size());
  const std::int64_t evaluations = segments + static_cast<std::int64_t>(validation_rows.size());
  return static_cast<std::int64_t>(configurations.size()) * (iterations * segments + evaluated * evaluations);
}

const char* shuffle_name(Shuffle shuffle) {
  return shuffle == Shuffle::kSegment ? "segment" : shuffle == Shuffle::kBuffer ? "buffer" : "none";
}

}  // namespace modelhop::server
