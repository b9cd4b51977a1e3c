// SPDX-License-Identifier: Apache-2.0
// inspect_examples(value, place, column_name): one scan that refuses what cannot be packed and finds the narrowest type
// that can. Nothing has been written when it refuses.
#include <algorithm>
#include <cmath>
#include <limits>

#include "server/bridge.hpp"
#include "server/functions/column_values.hpp"
#include "server/run_arguments.hpp"

MODELHOP_SERVER_HEADERS_BEGIN
#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "storage/itemptr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"
MODELHOP_SERVER_HEADERS_END

namespace modelhop::server {
namespace {

/// What has been seen so far. Plain memory of the aggregate's context.
struct Facts {
  ColumnType type;
  std::int64_t rows;
  std::int64_t count;
  int dimensions;
  int extents[MAXDIM];
  double lowest;
  double highest;
  bool is_binary;
};

enum Argument { kState, kValue, kPlace, kColumn };

std::string column_name(FunctionCallInfo fcinfo) {
  return text_argument(fcinfo, kColumn).value_or("?");
}

/// "column "x", row (0,5)"
std::string place_of(FunctionCallInfo fcinfo, const Facts& facts) {
  std::string row = std::to_string(facts.rows + 1);
  if (!PG_ARGISNULL(kPlace)) {
    const auto* tid = reinterpret_cast<ItemPointer>(PG_GETARG_POINTER(kPlace));
    row = "(" + std::to_string(ItemPointerGetBlockNumberNoCheck(tid)) + "," +
          std::to_string(ItemPointerGetOffsetNumberNoCheck(tid)) + ")";
  }
  return "column \"" + column_name(fcinfo) + "\", row " + row;
}

Facts* new_facts(FunctionCallInfo fcinfo, MemoryContext context) {
  const Oid type = call_pg([fcinfo] { return get_fn_expr_argtype(fcinfo->flinfo, kValue); });
  const std::optional<ColumnType> numbers = column_type(type);
  if (!numbers) {
    const char* name = call_pg([type] { return format_type_be(type); });
    throw SqlError(ERRCODE_DATATYPE_MISMATCH,
                   "column \"" + column_name(fcinfo) + "\" is of type " + name + ", which holds no numbers",
                   "Use an array of a numeric type, bytea or a numeric scalar.");
  }
  auto* facts = static_cast<Facts*>(call_pg([context] { return MemoryContextAllocZero(context, sizeof(Facts)); }));
  facts->type = *numbers;
  facts->lowest = std::numeric_limits<double>::infinity();
  facts->highest = -facts->lowest;
  facts->is_binary = true;
  return facts;
}

template <typename Number>
void see_numbers(FunctionCallInfo fcinfo, Facts& facts, const Number* numbers, std::int64_t count) {
  double lowest = facts.lowest;
  double highest = facts.highest;
  bool is_binary = facts.is_binary;
  bool is_bad = false;
  for (std::int64_t i = 0; i < count; ++i) {
    const double number = static_cast<double>(numbers[i]);
    lowest = std::min(lowest, number);
    highest = std::max(highest, number);
    is_binary &= number == 0.0 || number == 1.0;
    if constexpr (std::is_floating_point_v<Number>) is_bad |= !std::isfinite(static_cast<float>(number));
  }
  if (is_bad) {
    const Number* bad = std::find_if(numbers, numbers + count,
                                     [](Number number) { return !std::isfinite(static_cast<float>(number)); });
    throw SqlError(std::isfinite(*bad) ? ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE : ERRCODE_INVALID_PARAMETER_VALUE,
                   place_of(fcinfo, facts) + ": value " + std::to_string(*bad) + " at position " +
                       std::to_string(bad - numbers + 1) + " cannot be trained on",
                   "Remove or replace the rows with NaN, infinity or values beyond a float's range.");
  }
  facts.lowest = lowest;
  facts.highest = highest;
  facts.is_binary = is_binary;
}

std::string shape_text(const int* extents, int dimensions) {
  std::string text = "{";
  for (int i = 0; i < dimensions; ++i) text += (i ? "," : "") + std::to_string(extents[i]);
  return text + "}";
}

void check_shape(FunctionCallInfo fcinfo, Facts& facts, const int* extents, int dimensions, std::int64_t count) {
  if (count == 0) {
    throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE, place_of(fcinfo, facts) + ": the value is empty",
                   "Every row needs at least one number.");
  }
  if (facts.rows == 0) {
    facts.count = count;
    facts.dimensions = dimensions;
    std::copy_n(extents, dimensions, facts.extents);
    return;
  }
  if (facts.dimensions != dimensions || !std::equal(extents, extents + dimensions, facts.extents)) {
    throw SqlError(ERRCODE_ARRAY_SUBSCRIPT_ERROR,
                   place_of(fcinfo, facts) + ": shape " + shape_text(extents, dimensions) + " differs from shape " +
                       shape_text(facts.extents, facts.dimensions) + " of the rows before",
                   "All rows of a column must have the same shape.");
  }
}

void see_value(FunctionCallInfo fcinfo, Facts& facts) {
  if (PG_ARGISNULL(kValue)) {
    throw SqlError(ERRCODE_NULL_VALUE_NOT_ALLOWED, place_of(fcinfo, facts) + ": the value is NULL",
                   "Remove the row or give it a value.");
  }
  const Datum datum = PG_GETARG_DATUM(kValue);
  if (facts.type.is_bytes()) {
    const int length = static_cast<int>(bytes_length(datum));
    check_shape(fcinfo, facts, &length, 1, length);
    return;
  }
  ColumnValue value;
  read_value(facts.type, datum, value);
  if (value.has_null) {
    throw SqlError(ERRCODE_NULL_VALUE_NOT_ALLOWED, place_of(fcinfo, facts) + ": the array holds a NULL",
                   "Remove the row or give every element a value.");
  }
  const int one = 1;
  const bool is_scalar = !facts.type.is_array;
  check_shape(fcinfo, facts, is_scalar ? &one : value.extents, is_scalar ? 1 : value.dimensions, value.count);
  visit_numbers(facts.type, value,
                [&](const auto* numbers, std::int64_t count) { see_numbers(fcinfo, facts, numbers, count); });
}

const char* narrowest_type(const Facts& facts) {
  if (facts.type.is_bytes()) return "uint8";
  if (facts.type.kind == NumberKind::kFloat32 || facts.type.kind == NumberKind::kFloat64) return "float32";
  if (facts.lowest >= 0 && facts.highest <= 255) return "uint8";
  if (facts.lowest >= INT16_MIN && facts.highest <= INT16_MAX) return "int16";
  return "float32";
}

Datum facts_row(FunctionCallInfo fcinfo, const Facts& facts) {
  const char* type_name = narrowest_type(facts);
  return call_pg([&] {
    TupleDesc row = lookup_rowtype_tupdesc(get_func_rettype(fcinfo->flinfo->fn_oid), -1);
    Datum extents[MAXDIM];
    for (int i = 0; i < facts.dimensions; ++i) extents[i] = Int32GetDatum(facts.extents[i]);
    Datum values[4] = {
        Int64GetDatum(facts.rows),
        PointerGetDatum(construct_array(extents, facts.dimensions, INT4OID, sizeof(int32), true, TYPALIGN_INT)),
        CStringGetTextDatum(type_name), BoolGetDatum(facts.is_binary && !facts.type.is_bytes())};
    bool nulls[4] = {false, false, false, false};
    HeapTuple tuple = heap_form_tuple(row, values, nulls);
    ReleaseTupleDesc(row);
    return HeapTupleGetDatum(tuple);
  });
}

}  // namespace
}  // namespace modelhop::server

using namespace modelhop::server;

MODELHOP_FUNCTION(inspect_step) {
  MemoryContext context = nullptr;
  modelhop::check(AggCheckCallContext(fcinfo, &context) != 0, "inspect_step was called outside its aggregate");
  auto* facts = PG_ARGISNULL(kState) ? new_facts(fcinfo, context) : reinterpret_cast<Facts*>(PG_GETARG_POINTER(kState));
  see_value(fcinfo, *facts);
  ++facts->rows;
  PG_RETURN_POINTER(facts);
}

MODELHOP_FUNCTION(inspect_result) {
  if (PG_ARGISNULL(0)) PG_RETURN_NULL();
  return facts_row(fcinfo, *reinterpret_cast<Facts*>(PG_GETARG_POINTER(0)));
}
