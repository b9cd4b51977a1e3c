// SPDX-License-Identifier: Apache-2.0
// What fit_multiple_model, fit, automl and plan share of their SQL side.
#pragma once

#include "server/postgres.hpp"

#include "server/run_request.hpp"

namespace modelhop::server {

/// The arguments of fit_multiple_model, which are those of plan.
RunRequest selection_request(FunctionCallInfo fcinfo);

/// Plans, runs and writes.
void run_fit(const RunRequest& request);

}  // namespace modelhop::server
