// SPDX-License-Identifier: Apache-2.0
// fit(parallel => 'average'): data parallelism as MADlib's fit has it. Each segment trains a copy of the model from the
// same weights; after each iteration the copies' weights are averaged, weighted by the rows of their segments.
#pragma once

#include "server/postgres.hpp"

#include "server/callback_run.hpp"
#include "server/run_plan.hpp"
#include "server/run_record.hpp"
#include "server/trainer_client.hpp"

namespace modelhop::server {

/// Gives all copies the weights that the first one begins with. After a warm start they also share its optimizer.
void begin_copies(TrainerClient& trainer, const RunPlan& plan);

/// Replaces the weights of all copies by their mean, batch-norm statistics included. Each keeps its optimizer. Sums run
/// in double precision in the order of the segments, so that the mean does not depend on which copy was ready first;
/// copies that are equal stay as they are, bit for bit.
void average_copies(TrainerClient& trainer, const RunPlan& plan);

/// The iterations of a cached run. Its barrier is part of the method: nobody can average what is still training.
void run_averaged(TrainerClient& trainer, const RunPlan& plan, RunRecord& record, CallbackRun& callbacks);

}  // namespace modelhop::server
