// SPDX-License-Identifier: Apache-2.0
// keras_parameter_count(model_arch, keras_semantics): reads an architecture when it is stored, long before it is
// trained.
#include "modelhop/model_spec.hpp"
#include "server/run_arguments.hpp"
#include "server/semantics_name.hpp"
#include "spec/keras_json.hpp"

using namespace modelhop;
using namespace modelhop::server;

MODELHOP_FUNCTION(keras_parameter_count) {
  const auto json = text_argument(fcinfo, 0);
  const auto profile = semantics_named(text_argument(fcinfo, 1));
  if (!json) PG_RETURN_NULL();
  try {
    PG_RETURN_INT64(parameter_count(parse_keras_json(*json, {}, profile)));
  } catch (const Error& error) {
    // Such a model may be stored, as MADlib stores anything; a fit would refuse it.
    if (error.code() == ErrorCode::kInternal || error.code() == ErrorCode::kOutOfMemory) throw;
    report_warning(std::string("argument model_arch cannot be trained as it is: ") + error.what(), error.hint());
  }
  PG_RETURN_NULL();
}
