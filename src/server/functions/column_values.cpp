// SPDX-License-Identifier: Apache-2.0
// SQL values to runs of numbers in memory, without a copy where the server's form allows.
#include "server/functions/column_values.hpp"

#include <cstring>

#include "server/bridge.hpp"

MODELHOP_SERVER_HEADERS_BEGIN
#include "access/detoast.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
MODELHOP_SERVER_HEADERS_END

namespace modelhop::server {
namespace {

std::optional<NumberKind> number_kind(Oid type) {
  switch (type) {
    case BYTEAOID:
      return NumberKind::kUint8;
    case INT2OID:
      return NumberKind::kInt16;
    case INT4OID:
      return NumberKind::kInt32;
    case INT8OID:
      return NumberKind::kInt64;
    case FLOAT4OID:
      return NumberKind::kFloat32;
    case FLOAT8OID:
    case NUMERICOID:
      return NumberKind::kFloat64;
    default:
      return std::nullopt;
  }
}

/// Runs inside call_pg.
double float_of_numeric(Datum number) {
  return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, number));
}

void read_array(const ColumnType& type, Datum datum, ColumnValue& value) {
  call_pg([&] {
    ArrayType* array = DatumGetArrayTypeP(datum);
    value.dimensions = ARR_NDIM(array);
    value.extents = ARR_DIMS(array);
    value.count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
    value.has_null = array_contains_nulls(array);
    value.numbers = ARR_DATA_PTR(array);
    if (!type.is_numeric() || value.has_null) return;
    Datum* elements;
    int count;
    deconstruct_array(array, NUMERICOID, -1, false, TYPALIGN_INT, &elements, nullptr, &count);
    auto* numbers = static_cast<double*>(palloc(sizeof(double) * count + 1));
    for (int i = 0; i < count; ++i) numbers[i] = float_of_numeric(elements[i]);
    value.numbers = numbers;
  });
}

void read_scalar(const ColumnType& type, Datum datum, ColumnValue& value) {
  value.count = 1;
  value.numbers = &value.scalar;
  const auto keep = [&value](auto number) { std::memcpy(&value.scalar, &number, sizeof number); };
  switch (type.kind) {
    case NumberKind::kInt16:
      return keep(DatumGetInt16(datum));
    case NumberKind::kInt32:
      return keep(DatumGetInt32(datum));
    case NumberKind::kInt64:
      return keep(DatumGetInt64(datum));
    case NumberKind::kFloat32:
      return keep(DatumGetFloat4(datum));
    default:
      return keep(type.is_numeric() ? call_pg([datum] { return float_of_numeric(datum); }) : DatumGetFloat8(datum));
  }
}

}  // namespace

bool ColumnType::is_bytes() const {
  return kind == NumberKind::kUint8;
}

bool ColumnType::is_numeric() const {
  return element == NUMERICOID;
}

std::optional<ColumnType> column_type(Oid type) {
  const Oid base = call_pg([type] { return getBaseType(type); });
  const Oid element = call_pg([base] { return get_element_type(base); });
  const std::optional<NumberKind> kind = number_kind(OidIsValid(element) ? element : base);
  if (!kind || element == BYTEAOID) return std::nullopt;
  return ColumnType{*kind, OidIsValid(element) ? element : base, OidIsValid(element)};
}

void read_value(const ColumnType& type, Datum datum, ColumnValue& value) {
  if (type.is_array) return read_array(type, datum, value);
  if (!type.is_bytes()) return read_scalar(type, datum, value);
  call_pg([&] {
    bytea* bytes = DatumGetByteaPP(datum);
    value.numbers = VARDATA_ANY(bytes);
    value.count = VARSIZE_ANY_EXHDR(bytes);
  });
  value.dimensions = 1;
}

std::int64_t bytes_length(Datum datum) {
  return static_cast<std::int64_t>(call_pg([datum] { return toast_raw_datum_size(datum); })) - VARHDRSZ;
}

}  // namespace modelhop::server
