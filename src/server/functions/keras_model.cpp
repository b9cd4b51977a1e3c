// SPDX-License-Identifier: Apache-2.0
// keras_parameter_count(model_arch): reads an architecture when it is stored, long before it is trained.
#include "modelhop/model_spec.hpp"
#include "server/bridge.hpp"
#include "spec/keras_json.hpp"

MODELHOP_SERVER_HEADERS_BEGIN
#include "utils/builtins.h"
MODELHOP_SERVER_HEADERS_END

using namespace modelhop;
using namespace modelhop::server;

MODELHOP_FUNCTION(keras_parameter_count) {
  const Datum datum = PG_GETARG_DATUM(0);
  const char* json = call_pg([datum] { return TextDatumGetCString(datum); });
  try {
    PG_RETURN_INT64(parameter_count(parse_keras_json(json)));
  } catch (const Error& error) {
    // Such a model may be stored, as MADlib stores anything; a fit would refuse it.
    if (error.code() == ErrorCode::kInternal || error.code() == ErrorCode::kOutOfMemory) throw;
    report_warning(std::string("argument model_arch cannot be trained as it is: ") + error.what(), error.hint());
  }
  PG_RETURN_NULL();
}
