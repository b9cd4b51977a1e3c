// SPDX-License-Identifier: Apache-2.0
// The output tables of a run: MADlib's columns first, in its order and types, then ours.
#pragma once

#include "server/postgres.hpp"

#include <string>
#include <vector>

#include "server/run_plan.hpp"
#include "server/run_record.hpp"
#include "server/trainer_client.hpp"

namespace modelhop::server {

struct OutputColumn {
  std::string name;
  std::string type;  ///< as format_type() spells it
};

struct OutputTable {
  TableName name;
  std::vector<OutputColumn> columns;
  std::string constraint;  ///< appended to the columns in CREATE TABLE
};

/// The tables that this run writes: two for fit, three for fit_multiple_model, five for automl; the model
/// table is the first.
std::vector<OutputTable> output_tables(const RunPlan& plan);

/// Before the first unit, so that the names are taken: creates the tables. A warm start has them, locked.
void prepare_output(const RunPlan& plan);

/// After the last unit: fetches each state from the trainer, one at a time, and fills the tables.
void write_output(const RunPlan& plan, const RunRecord& record, TrainerClient& trainer);

}  // namespace modelhop::server
