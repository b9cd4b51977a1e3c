// SPDX-License-Identifier: Apache-2.0
// automl() and the schedule that its hyperband follows.
#include "selection/hyperband.hpp"
#include "server/list_arguments.hpp"
#include "server/row_writer.hpp"
#include "server/run_arguments.hpp"
#include "server/selection_arguments.hpp"

namespace modelhop::server {
namespace {

RunRequest automl_request(FunctionCallInfo fcinfo) {
  RunRequest request;
  SearchRequest& search = request.search.emplace();
  request.source_table = text_argument(fcinfo, 0);
  request.model_output_table = text_argument(fcinfo, 1);
  request.model_arch_table = text_argument(fcinfo, 2);
  request.model_selection_table = text_argument(fcinfo, 3);
  search.model_id_list = integers_argument(fcinfo, 4);
  search.compile_params_grid = text_argument(fcinfo, 5);
  search.fit_params_grid = text_argument(fcinfo, 6);
  search.method = text_argument(fcinfo, 7);
  search.params = text_argument(fcinfo, 8);
  search.random_state = integer_argument(fcinfo, 9);
  request.object_table = text_argument(fcinfo, 10);
  request.use_gpus = boolean_argument(fcinfo, 11);
  request.validation_table = text_argument(fcinfo, 12);
  request.metrics_compute_frequency = integer_argument(fcinfo, 13);
  request.name = text_argument(fcinfo, 14);
  request.description = text_argument(fcinfo, 15);
  request.use_caching = boolean_argument(fcinfo, 16);
  request.seed = bigint_argument(fcinfo, 17);
  request.shuffle = text_argument(fcinfo, 18);
  return request;
}

}  // namespace
}  // namespace modelhop::server

using namespace modelhop::server;

MODELHOP_FUNCTION(automl) {
  run_fit(automl_request(fcinfo));
  return 0;
}

MODELHOP_FUNCTION(hyperband_rows) {
  RowWriter rows(fcinfo);
  for (const modelhop::HyperbandRow& row :
       modelhop::hyperband_schedule(PG_GETARG_INT32(0), PG_GETARG_INT32(1), PG_GETARG_INT32(2))) {
    rows.add({std::to_string(row.s), std::to_string(row.i), std::to_string(row.n_i), std::to_string(row.r_i)});
  }
  return 0;
}
