// SPDX-License-Identifier: Apache-2.0
// Runs a checked plan on the trainer: feeds the segments, schedules units, hears how they ended.
#pragma once

#include "server/postgres.hpp"

#include "server/callback_run.hpp"
#include "server/run_plan.hpp"
#include "server/run_record.hpp"
#include "server/trainer_client.hpp"
#include "server/trainer_requests.hpp"

namespace modelhop::server {

/// From the open connection to the last finished unit. The states stay in the trainer for write_output.
RunRecord coordinate(TrainerClient& trainer, const RunPlan& plan);

/// Estimated costs of a configuration's units, in floating-point operations.
Work estimated_work(const RunPlan& plan, const ConfigurationPlan& configuration);

/// A unit as the trainer is asked for it, under a number of the caller's.
UnitRequest unit_request(std::uint64_t number, const Unit& unit, const RunPlan& plan);

/// A finished unit as the record keeps it.
UnitRecord unit_record(const Unit& unit, const wire::UnitFinished& finished);

/// The event loop of a run that reads its segments anew for each visit (streamed_run.cpp).
void run_streamed(TrainerClient& trainer, const RunPlan& plan, RunRecord& record, CallbackRun& callbacks);

}  // namespace modelhop::server
