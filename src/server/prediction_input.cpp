// SPDX-License-Identifier: Apache-2.0
#include "server/prediction_input.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "server/bridge.hpp"
#include "server/run_input.hpp"
#include "server/value_text.hpp"

MODELHOP_SERVER_HEADERS_BEGIN
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
MODELHOP_SERVER_HEADERS_END

namespace modelhop::server {
namespace {

constexpr Oid kNumericArray = 1231;

std::string column_of(const char* argument, const std::optional<std::string>& text) {
  const TableName name = TableName::parse(argument, required(text, argument));
  if (!name.schema.empty()) {
    throw SqlError(ERRCODE_INVALID_NAME,
                   std::string("argument ") + argument + ": \"" + *text + "\" is not the name of one column");
  }
  return name.table;
}

bool is_scalar(Oid type) {
  return type == INT2OID || type == INT4OID || type == INT8OID || type == FLOAT4OID || type == FLOAT8OID ||
         type == NUMERICOID;
}

bool is_known(Oid type) {
  return type == BYTEAOID || type == INT2ARRAYOID || type == INT4ARRAYOID || type == INT8ARRAYOID ||
         type == FLOAT4ARRAYOID || type == FLOAT8ARRAYOID || type == kNumericArray || is_scalar(type);
}

/// How the cursor selects the examples: numbers without a fixed size and scalars become arrays of double precision.
std::string example_expression(const ExampleSource& source) {
  const std::string column = quote_identifier(source.example_column);
  if (is_scalar(source.example_type)) return "ARRAY[" + column + "::double precision]";
  return source.example_type == kNumericArray ? column + "::double precision[]" : column;
}

/// A scalar column is NULL where its only element is.
[[noreturn]] void refuse_row(const ExampleSource& source, const std::string& id, int sqlstate,
                             const std::string& problem) {
  throw SqlError(sqlstate, "argument test_table: the row with " + source.id_column + " " + id + " has " + problem +
                               " in column \"" + source.example_column + "\"");
}

/// The model's shape but for axes of one element, or the same number of elements in one row.
bool has_shape(const ArrayType* array, const Shape& shape) {
  Shape extents(ARR_DIMS(array), ARR_DIMS(array) + ARR_NDIM(array));
  if (extents.size() == 1 && extents[0] == element_count(shape)) return true;
  Shape wanted = shape;
  std::erase(extents, 1);
  std::erase(wanted, 1);
  return ARR_NDIM(array) > 0 && extents == wanted;
}

template <typename Element>
bool to_float(const ArrayType* array, std::int64_t count, std::span<std::byte> target) {
  const auto* values = reinterpret_cast<const Element*>(ARR_DATA_PTR(array));
  auto* floats = reinterpret_cast<float*>(target.data());
  bool is_finite = true;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto value = static_cast<float>(values[i]);
    floats[i] = value;
    is_finite = is_finite && std::isfinite(value);
  }
  return is_finite;
}

bool copy_elements(const ArrayType* array, std::int64_t count, std::span<std::byte> target) {
  switch (ARR_ELEMTYPE(array)) {
    case INT2OID:
      std::memcpy(target.data(), ARR_DATA_PTR(array), target.size());
      return true;
    case INT4OID:
      return to_float<std::int32_t>(array, count, target);
    case INT8OID:
      return to_float<std::int64_t>(array, count, target);
    case FLOAT4OID:
      return to_float<float>(array, count, target);
    default:
      return to_float<double>(array, count, target);
  }
}

}  // namespace

ElementType ExampleSource::element_type() const {
  if (example_type == BYTEAOID) return ElementType::kUint8;
  return example_type == INT2ARRAYOID ? ElementType::kInt16 : ElementType::kFloat32;
}

ExampleSource find_examples(const std::optional<std::string>& test_table, const std::optional<std::string>& id_col,
                            const std::optional<std::string>& independent_varname, const Shape& shape) {
  ExampleSource source;
  const std::string& text = required(test_table, "test_table");
  source.relation = existing_table("test_table", text);
  source.table = table_name(source.relation);
  source.shape = shape;
  source.id_column = column_of("id_col", id_col);
  source.example_column = column_of("independent_varname", independent_varname);
  check_columns("id_col", text, source.relation, {source.id_column});
  check_columns("independent_varname", text, source.relation, {source.example_column});
  const auto types = query(
      "SELECT format_type(atttypid, atttypmod), atttypid FROM pg_attribute "
      "WHERE attrelid = $1::oid AND attname = ANY (ARRAY[$2, $3]) ORDER BY attname = $3",
      {std::to_string(source.relation), source.id_column, source.example_column});
  source.id_type = *types.front()[0];
  source.example_type = call_pg([type = static_cast<Oid>(std::stoul(*types.back()[1]))] { return getBaseType(type); });
  if (!is_known(source.example_type)) {
    throw SqlError(ERRCODE_DATATYPE_MISMATCH,
                   "argument independent_varname: column \"" + source.example_column + "\" of \"" + text +
                       "\" has type " + *types.back()[0],
                   "Examples are arrays of numbers, single numbers, or bytea with one byte an element.");
  }
  return source;
}

ExampleCursor::ExampleCursor(const ExampleSource& source) : source_(source) {
  PinnedSettings settings;
  const std::string sql = "SELECT " + quote_identifier(source.id_column) + "::text, " + example_expression(source) +
                          " FROM " + source.table.quoted();
  const char* text = sql.c_str();
  portal_ = call_pg(
      [text]() -> void* { return SPI_cursor_open_with_args(nullptr, text, 0, nullptr, nullptr, nullptr, true, 0); });
}

std::int64_t ExampleCursor::fetch(std::int64_t limit) {
  // The ids become text here, row by row.
  PinnedSettings settings;
  call_pg([this, limit] { SPI_cursor_fetch(static_cast<Portal>(portal_), true, limit); });
  table_ = SPI_tuptable;
  rows_ = static_cast<std::int64_t>(SPI_processed);
  return rows_;
}

std::vector<std::optional<std::string>> ExampleCursor::decode(std::span<std::byte> target) {
  auto* table = static_cast<SPITupleTable*>(table_);
  std::vector<std::optional<std::string>> ids(rows_);
  const std::int64_t row_bytes = source_.row_bytes();
  for (std::int64_t row = 0; row < rows_; ++row) {
    char* id = call_pg([=] { return SPI_getvalue(table->vals[row], table->tupdesc, 1); });
    if (id != nullptr) {
      ids[row] = id;
      pfree(id);
    }
    decode_row(row, target.subspan(row * row_bytes, row_bytes), ids[row].value_or("NULL"));
  }
  call_pg([table] { SPI_freetuptable(table); });
  return ids;
}

void ExampleCursor::decode_row(std::int64_t row, std::span<std::byte> target, const std::string& id) {
  struct Value {
    varlena* plain;
    bool is_copy;
  };
  auto* table = static_cast<SPITupleTable*>(table_);
  const bool is_bytes = source_.example_type == BYTEAOID;
  const Value value = call_pg([=] {
    bool is_null = false;
    const Datum datum = SPI_getbinval(table->vals[row], table->tupdesc, 2, &is_null);
    if (is_null) return Value{nullptr, false};
    // Arrays are read through their header, so they must not be packed.
    varlena* plain = is_bytes ? PG_DETOAST_DATUM_PACKED(datum) : PG_DETOAST_DATUM(datum);
    return Value{plain, plain != static_cast<void*>(DatumGetPointer(datum))};
  });
  if (value.plain == nullptr) refuse_row(source_, id, ERRCODE_NULL_VALUE_NOT_ALLOWED, "NULL");
  const std::int64_t count = element_count(source_.shape);
  if (is_bytes) {
    if (static_cast<std::int64_t>(VARSIZE_ANY_EXHDR(value.plain)) != count) {
      refuse_row(source_, id, ERRCODE_INVALID_PARAMETER_VALUE,
                 std::to_string(VARSIZE_ANY_EXHDR(value.plain)) + " bytes instead of " + std::to_string(count));
    }
    std::memcpy(target.data(), VARDATA_ANY(value.plain), target.size());
  } else {
    const auto* array = reinterpret_cast<const ArrayType*>(value.plain);
    if (ARR_HASNULL(array) && array_contains_nulls(const_cast<ArrayType*>(array))) {
      refuse_row(source_, id, ERRCODE_NULL_VALUE_NOT_ALLOWED, "a NULL element");
    }
    if (!has_shape(array, source_.shape)) {
      refuse_row(source_, id, ERRCODE_INVALID_PARAMETER_VALUE,
                 "an array of another shape than the model's input " + array_text(source_.shape));
    }
    if (!copy_elements(array, count, target)) {
      refuse_row(source_, id, ERRCODE_INVALID_PARAMETER_VALUE, "a value that is not a finite number");
    }
  }
  if (value.is_copy) pfree(value.plain);
}

void ExampleCursor::close() {
  call_pg([this] { SPI_cursor_close(static_cast<Portal>(portal_)); });
}

}  // namespace modelhop::server
