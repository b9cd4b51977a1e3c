// SPDX-License-Identifier: Apache-2.0
// model_weights() and model_safetensors(): trained weights for Keras, without and with names and shapes.
#include <cstring>

#include "server/bytea_rows.hpp"
#include "server/run_arguments.hpp"
#include "server/safetensors.hpp"
#include "server/stored_model.hpp"

MODELHOP_SERVER_HEADERS_BEGIN
#include "executor/spi.h"
MODELHOP_SERVER_HEADERS_END

namespace modelhop::server {
namespace {

/// In the memory of the caller of the SPI scope that is open.
Datum to_datum(Bytes bytes) {
  if (static_cast<std::int64_t>(bytes.size()) > kMaxValueBytes) {
    throw Error(ErrorCode::kNotSupported,
                std::to_string(bytes.size()) + " bytes of weights are more than a value holds");
  }
  return call_pg([bytes] {
    auto* result = static_cast<bytea*>(SPI_palloc(bytes.size() + VARHDRSZ));
    SET_VARSIZE(result, bytes.size() + VARHDRSZ);
    std::memcpy(VARDATA(result), bytes.data(), bytes.size());
    return PointerGetDatum(result);
  });
}

template <typename Convert>
Datum stored_weights(FunctionCallInfo fcinfo, Convert&& convert) {
  const StoredModel model = read_stored_model(text_argument(fcinfo, 0), integer_argument(fcinfo, 1));
  Datum result = 0;
  read_weights(model, [&](Bytes weights) { result = convert(model, weights); });
  return result;
}

}  // namespace
}  // namespace modelhop::server

MODELHOP_FUNCTION(model_weights) {
  using namespace modelhop::server;
  return stored_weights(fcinfo, [](const StoredModel&, Bytes weights) { return to_datum(weights); });
}

MODELHOP_FUNCTION(model_safetensors) {
  using namespace modelhop::server;
  return stored_weights(fcinfo, [](const StoredModel& model, Bytes weights) {
    return to_datum(write_safetensors(weight_arrays(model.model), weights));
  });
}
