// SPDX-License-Identifier: Apache-2.0
// The rows of the output tables, column by column.
#pragma once

#include "server/postgres.hpp"

#include <optional>
#include <string>
#include <vector>

#include "server/run_plan.hpp"
#include "server/run_record.hpp"

namespace modelhop::server {

struct OutputValue {
  std::string name;
  std::string type;  ///< as format_type() spells it
  std::optional<std::string> text;
};
using OutputRow = std::vector<OutputValue>;

/// Each takes null for `record` where only names and types are wanted, before the run.
OutputRow info_row(const RunPlan& plan, const ConfigurationPlan& configuration, const RunRecord* record);
OutputRow summary_row(const RunPlan& plan, const RunRecord* record);
/// The row of a selection table, as automl writes it for the winner, and of its summary.
OutputRow selection_row(const RunPlan& plan, const ConfigurationPlan& configuration);
OutputRow selection_summary_row(const RunPlan& plan);
OutputRow single_summary_row(const RunPlan& plan, const RunRecord* record);

}  // namespace modelhop::server
