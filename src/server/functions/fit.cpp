// SPDX-License-Identifier: Apache-2.0
// fit(): trains one configuration.
#include "server/run_arguments.hpp"
#include "server/selection_arguments.hpp"

MODELHOP_FUNCTION(fit) {
  using namespace modelhop::server;
  RunRequest request;
  request.is_single = true;
  request.source_table = text_argument(fcinfo, 0);
  request.model_output_table = text_argument(fcinfo, 1);
  request.model_arch_table = text_argument(fcinfo, 2);
  request.model_id = integer_argument(fcinfo, 3);
  request.compile_params = text_argument(fcinfo, 4);
  request.fit_params = text_argument(fcinfo, 5);
  request.num_iterations = integer_argument(fcinfo, 6);
  request.use_gpus = boolean_argument(fcinfo, 7);
  request.validation_table = text_argument(fcinfo, 8);
  request.metrics_compute_frequency = integer_argument(fcinfo, 9);
  request.warm_start = boolean_argument(fcinfo, 10);
  request.name = text_argument(fcinfo, 11);
  request.description = text_argument(fcinfo, 12);
  request.object_table = text_argument(fcinfo, 13);
  request.use_caching = boolean_argument(fcinfo, 14);
  request.seed = bigint_argument(fcinfo, 15);
  request.shuffle = text_argument(fcinfo, 16);
  request.optimizer_state = text_argument(fcinfo, 17);
  request.parallel = text_argument(fcinfo, 18);
  run_fit(request);
  return 0;
}
