// SPDX-License-Identifier: Apache-2.0
// What the selection tables need of the rooms that read parameters and draw configurations.
#include "selection/configurations.hpp"

#include <string>
#include <vector>

#include "server/bridge.hpp"
#include "server/custom_functions.hpp"
#include "server/list_arguments.hpp"
#include "server/run_arguments.hpp"
#include "spec/search_space.hpp"
#include "spec/train_params.hpp"

MODELHOP_SERVER_HEADERS_BEGIN
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
MODELHOP_SERVER_HEADERS_END

namespace modelhop::server {
namespace {

std::string text_or_empty(FunctionCallInfo fcinfo, int i) {
  return text_argument(fcinfo, i).value_or("");
}

std::vector<std::int32_t> model_ids_argument(FunctionCallInfo fcinfo, int i) {
  const auto given = integers_argument(fcinfo, i);
  std::vector<std::int32_t> ids;
  for (const std::optional<std::int32_t>& id : given.value_or(std::vector<std::optional<std::int32_t>>(1))) {
    if (!id) throw SqlError(ERRCODE_NULL_VALUE_NOT_ALLOWED, "argument model_ids: NULL is not allowed in it");
    ids.push_back(*id);
  }
  return ids;
}

/// Three texts for each configuration: model id, compile parameters, fit parameters.
Datum texts_of(const std::vector<ConfigurationText>& configurations) {
  const int count = static_cast<int>(configurations.size()) * 3;
  auto* texts = static_cast<Datum*>(call_pg([count] { return palloc(sizeof(Datum) * count + 1); }));
  int next = 0;
  for (const ConfigurationText& configuration : configurations) {
    for (const std::string& part :
         {std::to_string(configuration.model_id), configuration.compile_params, configuration.fit_params}) {
      texts[next++] = call_pg([&part] { return CStringGetTextDatum(part.c_str()); });
    }
  }
  return call_pg([&] { return PointerGetDatum(construct_array(texts, count, TEXTOID, -1, false, TYPALIGN_INT)); });
}

}  // namespace
}  // namespace modelhop::server

using namespace modelhop;
using namespace modelhop::server;

MODELHOP_FUNCTION(check_train_params) {
  const std::vector<std::string> compile_params = texts_argument(fcinfo, 0);
  const std::vector<std::string> fit_params = texts_argument(fcinfo, 1);
  check(compile_params.size() == fit_params.size(), "lists of parameters are not parallel");
  std::optional<std::string> objects;
  if (has_argument(fcinfo, 2)) objects = table_name(PG_GETARG_OID(2)).quoted();
  const CustomFunctions functions = read_object_table(objects);
  for (std::size_t i = 0; i < compile_params.size(); ++i) {
    parse_train_params(compile_params[i], fit_params[i], SemanticsProfile::kTf2Legacy, functions);
  }
  PG_RETURN_VOID();
}

MODELHOP_FUNCTION(check_custom_function) {
  const Datum datum = PG_GETARG_DATUM(1);
  const auto* value = call_pg([datum] { return DatumGetByteaPP(datum); });
  const std::string_view object(VARDATA_ANY(value), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(value)));
  check_custom_function(text_argument(fcinfo, 0), object);
  PG_RETURN_VOID();
}

MODELHOP_FUNCTION(canonical_params) {
  const std::string canonical = canonical_params(text_or_empty(fcinfo, 0));
  return call_pg([&canonical] { return CStringGetTextDatum(canonical.c_str()); });
}

MODELHOP_FUNCTION(draw_configurations) {
  const std::vector<std::int32_t> model_ids = model_ids_argument(fcinfo, 0);
  const SearchSpace space = parse_search_space(text_or_empty(fcinfo, 1), text_or_empty(fcinfo, 2));
  if (PG_ARGISNULL(3)) return texts_of(grid_configurations(model_ids, space));
  return texts_of(
      random_configurations(model_ids, space, PG_GETARG_INT32(3), static_cast<std::uint64_t>(PG_GETARG_INT64(4))));
}
