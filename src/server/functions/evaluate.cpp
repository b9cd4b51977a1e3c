// SPDX-License-Identifier: Apache-2.0
// evaluate(): loss and metrics of a trained model on a packed table.
#include "server/evaluation.hpp"
#include "server/run_arguments.hpp"

MODELHOP_FUNCTION(evaluate) {
  using namespace modelhop::server;
  EvaluationRequest request;
  request.model_table = text_argument(fcinfo, 0);
  request.test_table = text_argument(fcinfo, 1);
  request.output_table = text_argument(fcinfo, 2);
  request.use_gpus = boolean_argument(fcinfo, 3).value_or(false);
  request.mst_key = integer_argument(fcinfo, 4);
  evaluate(request);
  return 0;
}
