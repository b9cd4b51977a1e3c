// SPDX-License-Identifier: Apache-2.0
// fit_multiple_model(): trains the configurations of a selection table by model hopping.
#include <algorithm>

#include "server/coordinator.hpp"
#include "server/run_arguments.hpp"
#include "server/run_output.hpp"
#include "server/run_request.hpp"
#include "server/selection_arguments.hpp"
#include "server/trainer_requests.hpp"

namespace modelhop::server {

RunRequest selection_request(FunctionCallInfo fcinfo) {
  RunRequest request;
  request.source_table = text_argument(fcinfo, 0);
  request.model_output_table = text_argument(fcinfo, 1);
  request.model_selection_table = text_argument(fcinfo, 2);
  request.num_iterations = integer_argument(fcinfo, 3);
  request.use_gpus = boolean_argument(fcinfo, 4);
  request.validation_table = text_argument(fcinfo, 5);
  request.metrics_compute_frequency = integer_argument(fcinfo, 6);
  request.warm_start = boolean_argument(fcinfo, 7);
  request.name = text_argument(fcinfo, 8);
  request.description = text_argument(fcinfo, 9);
  request.use_caching = boolean_argument(fcinfo, 10);
  request.seed = bigint_argument(fcinfo, 11);
  request.shuffle = text_argument(fcinfo, 12);
  request.optimizer_state = text_argument(fcinfo, 13);
  return request;
}

void run_fit(const RunRequest& request) {
  RunPlan plan = make_run_plan(request);
  TrainerClient trainer = TrainerClient::connect();
  check_device(trainer, plan.use_gpus);
  if (trainer.info().memory_limit > 0) plan.memory_limit = std::min(plan.memory_limit, trainer.info().memory_limit);
  check_memory(plan, trainer.info().slots);
  const RunRecord record = coordinate(trainer, plan);
  write_output(plan, record, trainer);
  close_run(trainer);
}

}  // namespace modelhop::server

MODELHOP_FUNCTION(fit_multiple_model) {
  modelhop::server::run_fit(modelhop::server::selection_request(fcinfo));
  return 0;
}
