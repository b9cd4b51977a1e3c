// SPDX-License-Identifier: Apache-2.0
// predict(): one entry for each type of pred_type.
#include <algorithm>
#include <cctype>

#include "server/prediction.hpp"
#include "server/run_arguments.hpp"
#include "server/value_text.hpp"

namespace modelhop::server {
namespace {

[[noreturn]] void refuse_kind(const std::string& value) {
  throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE,
                 "argument pred_type must be 'prob', 'response', an integer > 0 or a double precision in the range "
                 "[0.0, 1.0), got " +
                     value);
}

PredictionKind kind_of(const std::optional<std::string>& text) {
  if (!text || *text == "prob") return {};
  if (*text == "response") return {PredictionKind::Kind::kResponse};
  refuse_kind("'" + *text + "'");
}

PredictionRequest request_of(FunctionCallInfo fcinfo, const PredictionKind& kind) {
  PredictionRequest request;
  request.model_table = text_argument(fcinfo, 0);
  request.test_table = text_argument(fcinfo, 1);
  request.id_col = text_argument(fcinfo, 2);
  request.independent_varname = text_argument(fcinfo, 3);
  request.output_table = text_argument(fcinfo, 4);
  request.kind = kind;
  request.use_gpus = boolean_argument(fcinfo, 6).value_or(false);
  request.mst_key = integer_argument(fcinfo, 7);
  return request;
}

}  // namespace
}  // namespace modelhop::server

using modelhop::server::PredictionKind;

MODELHOP_FUNCTION(predict) {
  using namespace modelhop::server;
  predict(request_of(fcinfo, kind_of(text_argument(fcinfo, 5))));
  return 0;
}

MODELHOP_FUNCTION(predict_top_k) {
  using namespace modelhop::server;
  PredictionKind kind;
  if (const auto k = integer_argument(fcinfo, 5)) {
    if (*k < 1) refuse_kind(std::to_string(*k));
    kind = {PredictionKind::Kind::kTopK, *k};
  }
  predict(request_of(fcinfo, kind));
  return 0;
}

MODELHOP_FUNCTION(predict_threshold) {
  using namespace modelhop::server;
  PredictionKind kind;
  if (has_argument(fcinfo, 5)) {
    const double threshold = DatumGetFloat8(fcinfo->args[5].value);
    if (!(threshold >= 0.0 && threshold < 1.0)) refuse_kind(number_text(threshold));
    kind = {PredictionKind::Kind::kThreshold, 0, threshold};
  }
  predict(request_of(fcinfo, kind));
  return 0;
}
