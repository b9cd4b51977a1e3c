// SPDX-License-Identifier: Apache-2.0
// What the functions written in SQL need to know about the names that callers wrote. They are resolved with the
// caller's search path; from there on everything runs with a fixed one.
#include <vector>

#include "server/bridge.hpp"
#include "server/query.hpp"
#include "server/run_arguments.hpp"

MODELHOP_SERVER_HEADERS_BEGIN
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/varlena.h"
MODELHOP_SERVER_HEADERS_END

namespace modelhop::server {
namespace {

/// Our own SQL never leaves these out, but anybody may call the functions.
std::string given_text(FunctionCallInfo fcinfo, int i) {
  const std::optional<std::string> text = text_argument(fcinfo, i);
  if (!text) {
    throw SqlError(ERRCODE_NULL_VALUE_NOT_ALLOWED, "argument number " + std::to_string(i + 1) + " must not be NULL");
  }
  return *text;
}

/// Arguments (argument, name, suffix): a table that may stand beside another one, whose name ends with the suffix.
std::string existing_name(FunctionCallInfo fcinfo, const std::string& argument, TableRole role) {
  const std::string text = given_name(argument, text_argument(fcinfo, 1), role);
  const std::string suffix = given_text(fcinfo, 2);
  if (suffix.empty()) return text;
  TableName name = TableName::parse(argument, text);
  // It stands in the schema of the table that the name itself finds, not in one earlier on the search path.
  if (const std::optional<Oid> relation = find_table(name)) name = table_name(*relation);
  return name.with_suffix(argument, suffix).quoted();
}

}  // namespace
}  // namespace modelhop::server

using namespace modelhop::server;

MODELHOP_FUNCTION(existing_table) {
  const std::string argument = given_text(fcinfo, 0);
  return ObjectIdGetDatum(existing_table(argument, existing_name(fcinfo, argument, TableRole::kInput)));
}

MODELHOP_FUNCTION(free_output_table) {
  const std::string argument = given_text(fcinfo, 0);
  const TableName wanted =
      TableName::parse(argument, given_name(argument, text_argument(fcinfo, 1), TableRole::kOutput));
  const std::string name =
      free_output_table(argument, wanted.with_suffix(argument, given_text(fcinfo, 2)).quoted()).quoted();
  return call_pg([&name] { return CStringGetTextDatum(name.c_str()); });
}

MODELHOP_FUNCTION(find_table) {
  const std::string argument = given_text(fcinfo, 0);
  // Whoever asks makes the table where there is none.
  const std::string name = existing_name(fcinfo, argument, TableRole::kOutput);
  const std::optional<Oid> relation = find_table(TableName::parse(argument, name));
  if (!relation) PG_RETURN_NULL();
  return ObjectIdGetDatum(*relation);
}

MODELHOP_FUNCTION(column_names) {
  const std::string argument = given_text(fcinfo, 0);
  if (PG_ARGISNULL(1)) {
    throw SqlError(ERRCODE_NULL_VALUE_NOT_ALLOWED, "argument " + argument + " must not be NULL",
                   "Give the name of a column.");
  }
  const std::vector<std::string> names = parse_column_names(argument, given_text(fcinfo, 1));
  std::vector<Datum> columns;
  for (const std::string& name : names) {
    columns.push_back(call_pg([text = name.c_str()] { return CStringGetTextDatum(text); }));
  }
  return call_pg([&columns] {
    return PointerGetDatum(
        construct_array(columns.data(), static_cast<int>(columns.size()), TEXTOID, -1, false, TYPALIGN_INT));
  });
}
