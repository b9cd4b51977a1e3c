// SPDX-License-Identifier: Apache-2.0
// Arguments of SQL functions as optional C++ values.
#pragma once

#include "server/postgres.hpp"

#include <cstdint>
#include <optional>
#include <string>

#include "server/bridge.hpp"

MODELHOP_SERVER_HEADERS_BEGIN
#include "utils/builtins.h"
MODELHOP_SERVER_HEADERS_END

namespace modelhop::server {

/// Arguments past the end of the call count as NULL, so that one body serves several overloads.
inline bool has_argument(FunctionCallInfo fcinfo, int index) {
  return index < fcinfo->nargs && !fcinfo->args[index].isnull;
}

inline std::optional<std::string> text_argument(FunctionCallInfo fcinfo, int index) {
  if (!has_argument(fcinfo, index)) return std::nullopt;
  const Datum value = fcinfo->args[index].value;
  return std::string(call_pg([value] { return text_to_cstring(DatumGetTextPP(value)); }));
}

inline std::optional<std::int32_t> integer_argument(FunctionCallInfo fcinfo, int index) {
  if (!has_argument(fcinfo, index)) return std::nullopt;
  return DatumGetInt32(fcinfo->args[index].value);
}

inline std::optional<std::int64_t> bigint_argument(FunctionCallInfo fcinfo, int index) {
  if (!has_argument(fcinfo, index)) return std::nullopt;
  return DatumGetInt64(fcinfo->args[index].value);
}

inline std::optional<double> double_argument(FunctionCallInfo fcinfo, int index) {
  if (!has_argument(fcinfo, index)) return std::nullopt;
  return DatumGetFloat8(fcinfo->args[index].value);
}

inline std::optional<bool> boolean_argument(FunctionCallInfo fcinfo, int index) {
  if (!has_argument(fcinfo, index)) return std::nullopt;
  return DatumGetBool(fcinfo->args[index].value);
}

}  // namespace modelhop::server
