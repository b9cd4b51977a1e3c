// SPDX-License-Identifier: Apache-2.0
#include "server/list_arguments.hpp"

#include "server/run_arguments.hpp"

MODELHOP_SERVER_HEADERS_BEGIN
#include "catalog/pg_type.h"
MODELHOP_SERVER_HEADERS_END

namespace modelhop::server {
namespace {

struct Elements {
  Datum* values;
  bool* nulls;
  int count;
};

Elements elements_of(ArrayType* array, Oid type, int length, bool by_value) {
  return call_pg([=] {
    Elements found;
    deconstruct_array(array, type, length, by_value, TYPALIGN_INT, &found.values, &found.nulls, &found.count);
    return found;
  });
}

ArrayType* array_argument(FunctionCallInfo fcinfo, int index) {
  const Datum value = fcinfo->args[index].value;
  return call_pg([value] { return DatumGetArrayTypeP(value); });
}

}  // namespace

std::optional<std::vector<std::optional<std::int32_t>>> integers_argument(FunctionCallInfo fcinfo, int index) {
  if (!has_argument(fcinfo, index)) return std::nullopt;
  const Elements elements = elements_of(array_argument(fcinfo, index), INT4OID, sizeof(std::int32_t), true);
  std::vector<std::optional<std::int32_t>> list(elements.count);
  for (int i = 0; i < elements.count; ++i) {
    if (!elements.nulls[i]) list[i] = DatumGetInt32(elements.values[i]);
  }
  return list;
}

std::vector<std::string> texts_argument(FunctionCallInfo fcinfo, int index) {
  std::vector<std::string> texts;
  if (!has_argument(fcinfo, index)) return texts;
  for (std::optional<std::string>& text : text_elements(array_argument(fcinfo, index))) {
    texts.push_back(std::move(text).value_or(""));
  }
  return texts;
}

std::vector<std::optional<std::string>> text_elements(ArrayType* array) {
  const Elements elements = elements_of(array, TEXTOID, -1, false);
  std::vector<std::optional<std::string>> texts(elements.count);
  for (int i = 0; i < elements.count; ++i) {
    if (elements.nulls[i]) continue;
    texts[i] = call_pg([element = elements.values[i]] { return TextDatumGetCString(element); });
  }
  return texts;
}

}  // namespace modelhop::server
