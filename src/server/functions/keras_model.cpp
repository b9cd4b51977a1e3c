// SPDX-License-Identifier: Apache-2.0
// flat_weights(model_arch, model_weights, keras_semantics): reads an architecture and its weights when they are stored,
// long before they are trained.
#include <cstring>

#include "modelhop/model_spec.hpp"
#include "server/keras_semantics.hpp"
#include "server/run_arguments.hpp"
#include "server/safetensors.hpp"
#include "spec/keras_json.hpp"

using namespace modelhop;
using namespace modelhop::server;

namespace {

std::optional<ModelSpec> read_architecture(const std::string& json, std::optional<SemanticsProfile> profile) {
  try {
    return parse_keras_json(json, {}, profile);
  } catch (const Error& error) {
    // Such a model may be stored, as MADlib stores anything; a fit would refuse it.
    if (error.code() == ErrorCode::kInternal || error.code() == ErrorCode::kOutOfMemory) throw;
    report_warning(std::string("argument model_arch cannot be trained as it is: ") + error.what(), error.hint());
    return std::nullopt;
  }
}

std::span<const std::byte> flat_weights(const ModelSpec& model, std::span<const std::byte> bytes) {
  const std::int64_t parameters = parameter_count(model);
  if (static_cast<std::int64_t>(bytes.size()) == parameters * 4) return bytes;
  if (!looks_like_safetensors(bytes)) {
    throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE,
                   "argument model_weights: " + std::to_string(bytes.size()) + " bytes, but the architecture has " +
                       std::to_string(parameters) + " weights of 4 bytes each",
                   "Give the arrays of get_weights() as float32 in C order, one behind the other, or a safetensors "
                   "file of them.");
  }
  try {
    return weights_of(model, bytes);
  } catch (const Error& error) {
    throw Error(error.code(), std::string("argument model_weights: ") + error.what(), error.hint());
  }
}

}  // namespace

MODELHOP_FUNCTION(flat_weights) {
  const auto profile = keras_semantics(text_argument(fcinfo, 2));
  const std::optional<ModelSpec> model = read_architecture(text_argument(fcinfo, 0).value_or(""), profile);
  if (!has_argument(fcinfo, 1)) PG_RETURN_NULL();
  const Datum datum = PG_GETARG_DATUM(1);
  if (!model) return datum;
  const auto* value = call_pg([datum] { return DatumGetByteaPP(datum); });
  const std::span bytes(reinterpret_cast<const std::byte*>(VARDATA_ANY(value)),
                        static_cast<std::size_t>(VARSIZE_ANY_EXHDR(value)));
  const std::span<const std::byte> weights = flat_weights(*model, bytes);
  return call_pg([weights] {
    auto* result = static_cast<bytea*>(palloc(weights.size() + VARHDRSZ));
    SET_VARSIZE(result, weights.size() + VARHDRSZ);
    std::memcpy(VARDATA(result), weights.data(), weights.size());
    return PointerGetDatum(result);
  });
}
