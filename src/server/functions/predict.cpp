// SPDX-License-Identifier: Apache-2.0
// predict() and predict_byom(): one entry for each type of pred_type.
#include "server/list_arguments.hpp"
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

/// pred_type is argument number i; NULL is 'prob'.
PredictionKind kind_by_name(FunctionCallInfo fcinfo, int i) {
  const auto text = text_argument(fcinfo, i);
  if (!text || *text == "prob") return {};
  if (*text == "response") return {PredictionKind::Kind::kResponse};
  refuse_kind("'" + *text + "'");
}

PredictionKind kind_by_count(FunctionCallInfo fcinfo, int i) {
  const auto k = integer_argument(fcinfo, i);
  if (!k) return {};
  if (*k < 1) refuse_kind(std::to_string(*k));
  return {PredictionKind::Kind::kTopK, *k};
}

PredictionKind kind_by_threshold(FunctionCallInfo fcinfo, int i) {
  const auto threshold = double_argument(fcinfo, i);
  if (!threshold) return {};
  if (!(*threshold >= 0.0 && *threshold < 1.0)) refuse_kind(number_text(*threshold));
  return {PredictionKind::Kind::kThreshold, 0, *threshold};
}

using KindReader = PredictionKind (*)(FunctionCallInfo, int);

/// test_table, id_col, independent_varname, output_table, pred_type and use_gpus, from argument number `first` on.
PredictionRequest request_of(FunctionCallInfo fcinfo, int first, KindReader read_kind) {
  PredictionRequest request;
  request.test_table = text_argument(fcinfo, first);
  request.id_col = text_argument(fcinfo, first + 1);
  request.independent_varname = text_argument(fcinfo, first + 2);
  request.output_table = text_argument(fcinfo, first + 3);
  request.kind = read_kind(fcinfo, first + 4);
  request.use_gpus = boolean_argument(fcinfo, first + 5).value_or(false);
  return request;
}

Datum predict_stored(FunctionCallInfo fcinfo, KindReader read_kind) {
  const PredictionRequest request = request_of(fcinfo, 1, read_kind);
  predict(read_stored_model(text_argument(fcinfo, 0), integer_argument(fcinfo, 7)), request, "predict");
  return 0;
}

/// A list for each output: the array's rows, or the array itself where it has one dimension.
std::vector<std::vector<std::optional<std::string>>> class_lists(Datum value) {
  ArrayType* array = call_pg([value] { return DatumGetArrayTypeP(value); });
  if (ARR_NDIM(array) < 1 || ARR_NDIM(array) > 2) {
    throw SqlError(
        ERRCODE_ARRAY_SUBSCRIPT_ERROR, "argument class_values has " + std::to_string(ARR_NDIM(array)) + " dimensions",
        "Give ARRAY['a', 'b'] for one output, ARRAY[ARRAY['a', 'b'], ARRAY['c', 'd']] for several, or NULL.");
  }
  const int lists = ARR_NDIM(array) == 2 ? ARR_DIMS(array)[0] : 1;
  std::vector<std::optional<std::string>> elements = text_elements(array);
  std::vector<std::vector<std::optional<std::string>>> classes(lists);
  const std::size_t length = elements.size() / classes.size();
  for (std::size_t i = 0; i < elements.size(); ++i) classes[i / length].push_back(std::move(elements[i]));
  return classes;
}

Datum predict_loaded(FunctionCallInfo fcinfo, KindReader read_kind) {
  const PredictionRequest request = request_of(fcinfo, 2, read_kind);
  LoadedModelRequest model;
  model.model_arch_table = text_argument(fcinfo, 0);
  model.model_id = integer_argument(fcinfo, 1);
  if (has_argument(fcinfo, 8)) model.class_values = class_lists(fcinfo->args[8].value);
  model.normalizing_const = double_argument(fcinfo, 9);
  model.dependent_count = integer_argument(fcinfo, 10);
  predict(read_loaded_model(model), request, "predict_byom");
  return 0;
}

}  // namespace
}  // namespace modelhop::server

using namespace modelhop::server;

MODELHOP_FUNCTION(predict) {
  return predict_stored(fcinfo, kind_by_name);
}

MODELHOP_FUNCTION(predict_top_k) {
  return predict_stored(fcinfo, kind_by_count);
}

MODELHOP_FUNCTION(predict_threshold) {
  return predict_stored(fcinfo, kind_by_threshold);
}

MODELHOP_FUNCTION(predict_byom) {
  return predict_loaded(fcinfo, kind_by_name);
}

MODELHOP_FUNCTION(predict_byom_top_k) {
  return predict_loaded(fcinfo, kind_by_count);
}

MODELHOP_FUNCTION(predict_byom_threshold) {
  return predict_loaded(fcinfo, kind_by_threshold);
}
