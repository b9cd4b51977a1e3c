// SPDX-License-Identifier: Apache-2.0
// A configuration's losses and metrics as the output tables tell them.
#pragma once

#include "server/postgres.hpp"

#include <optional>
#include <string>

#include "server/run_plan.hpp"
#include "server/run_record.hpp"

namespace modelhop::server {

/// Losses and first metrics on one table, then all of them by name; empty where the table or the metric does not exist.
struct Curve {
  std::optional<std::string> metrics_final, loss_final, metrics, loss;
  std::optional<std::string> all_final;  ///< all metrics
  std::optional<std::string> scores;     ///< JSON, an object for each iteration that was evaluated
};

struct Curves {
  Curve training;
  Curve validation;
  std::optional<std::string> elapsed;
};

/// The arrays have an element for each of plan.reported_iterations(configuration): not a number from where a
/// configuration has diverged; they end where a callback stopped it. The final values are those of the weights that are
/// stored.
Curves curves_of(const RunPlan& plan, const ConfigurationPlan& configuration, const RunRecord& record);

}  // namespace modelhop::server
