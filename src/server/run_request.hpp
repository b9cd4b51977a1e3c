// SPDX-License-Identifier: Apache-2.0
// Arguments and tables of a fit -> a checked RunPlan. Reads only; every refusal comes before anything is written.
#pragma once

#include "server/postgres.hpp"

#include <cstdint>
#include <optional>
#include <string>

#include "server/run_plan.hpp"

namespace modelhop::server {

/// What fit and fit_multiple_model were called with; empty is NULL.
struct RunRequest {
  std::optional<std::string> source_table;
  std::optional<std::string> model_output_table;
  std::optional<std::string> model_selection_table;  ///< fit_multiple_model
  std::optional<std::string> model_arch_table;       ///< fit, with the four that follow
  std::optional<std::int32_t> model_id;
  std::optional<std::string> compile_params;
  std::optional<std::string> fit_params;
  std::optional<std::string> object_table;
  std::optional<std::int32_t> num_iterations;
  std::optional<bool> use_gpus;
  std::optional<std::string> validation_table;
  std::optional<std::int32_t> metrics_compute_frequency;
  std::optional<bool> warm_start;
  std::optional<std::string> name;
  std::optional<std::string> description;
  std::optional<bool> use_caching;
  std::optional<std::int64_t> seed;
  std::optional<std::string> shuffle;
  std::optional<std::string> optimizer_state;
  std::optional<std::string> parallel;  ///< fit

  bool is_single = false;     ///< fit
  bool is_plan_only = false;  ///< nothing will be written: the output tables are not looked at
};

/// Throws SqlError and Error naming the argument, and the mst_key where a configuration is at fault.
RunPlan make_run_plan(const RunRequest& request);

/// Throws Error(kOutOfMemory) with the sizes where the run does not fit its memory limit with this many slots.
void check_memory(RunPlan& plan, int slots);

}  // namespace modelhop::server
