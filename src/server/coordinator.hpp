// SPDX-License-Identifier: Apache-2.0
// Runs a checked plan on the trainer: makes the output tables, feeds the segments, schedules units, hears how they
// ended.
#pragma once

#include "server/postgres.hpp"

#include <functional>

#include "server/run_director.hpp"
#include "server/run_plan.hpp"
#include "server/run_record.hpp"
#include "server/trainer_client.hpp"
#include "server/trainer_requests.hpp"

namespace modelhop::server {

/// From the open connection to the last finished unit. The states stay in the trainer for write_output. Where the plan
/// has a search, its configurations join the plan.
RunRecord coordinate(TrainerClient& trainer, RunPlan& plan);

/// Estimated costs of a configuration's units, in floating-point operations.
Work estimated_work(const RunPlan& plan, const ConfigurationPlan& configuration);

/// A unit as the trainer is asked for it, under a number of the caller's.
UnitRequest unit_request(std::uint64_t number, const Unit& unit, const RunPlan& plan);

/// A finished unit as the record keeps it.
UnitRecord unit_record(const Unit& unit, const wire::UnitFinished& finished);

/// What goes on while segments are fed; either may be empty.
struct WhileFeeding {
  std::function<void()> between_buffers;
  std::function<void(SegmentPlace)> arrived;  ///< units on it may start
};

/// Feeds all segments of a cached run, one after another, those that train first.
void feed(TrainerClient& trainer, const RunPlan& plan, RunRecord& record, const WhileFeeding& meanwhile);

/// The event loop of a run whose segments stay in the trainer (cached_run.cpp). Feeds them.
void run_cached(TrainerClient& trainer, const RunPlan& plan, RunDirector& director, RunRecord& record);

/// The event loop of a run that reads its segments anew for each visit (streamed_run.cpp).
void run_streamed(TrainerClient& trainer, const RunPlan& plan, RunDirector& director);

/// How a configuration enters the run: as the trainer learns of it, as the record expects it, and the weights that are
/// to be its first ones, where initializers do not make them.
OpenConfiguration open_configuration(const ConfigurationPlan& configuration, std::int32_t key);
ConfigurationShape configuration_shape(const RunPlan& plan, const ConfigurationPlan& configuration);
void give_initial_state(TrainerClient& trainer, const RunPlan& plan, const ConfigurationPlan& configuration);

}  // namespace modelhop::server
