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
  const std::vector<std::string> names = parse_column_names(argument, required(text, argument));
  if (names.size() == 1) return names.front();
  throw SqlError(ERRCODE_INVALID_NAME,
                 std::string("argument ") + argument + ": \"" + *text + "\" is not the name of one column");
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
std::string example_expression(const ExampleColumn& source) {
  const std::string column = quote_identifier(source.name);
  if (is_scalar(source.type)) return "ARRAY[" + column + "::double precision]";
  return source.type == kNumericArray ? column + "::double precision[]" : column;
}

/// A scalar column is NULL where its only element is.
[[noreturn]] void refuse_row(const ExampleSource& source, const ExampleColumn& column, const std::string& id,
                             int sqlstate, const std::string& problem) {
  throw SqlError(sqlstate, "argument test_table: the row with " + source.id_column + " " + id + " has " + problem +
                               " in column \"" + column.name + "\"");
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

void refuse_packed(const ExampleSource& source, const std::string& text, const std::string& name) {
  const auto rows = query("SELECT count(*) FROM pg_attribute WHERE attrelid = $1::oid AND attname IN ($2, 'buffer_id')",
                          {std::to_string(source.relation), name + "_shape"});
  if (*rows.front()[0] != "2") return;
  throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE, "argument test_table: " + in_quotes(text) + " is a packed table",
                 "Give the table of single examples that it was packed from.");
}

ExampleColumn find_column(const ExampleSource& source, const std::string& text, const std::string& name,
                          const InputForm& input) {
  const auto rows = query(
      "SELECT format_type(atttypid, atttypmod), atttypid FROM pg_attribute WHERE attrelid = $1::oid AND attname = $2",
      {std::to_string(source.relation), name});
  ExampleColumn column;
  column.name = name;
  column.type = call_pg([type = static_cast<Oid>(std::stoul(*rows.front()[1]))] { return getBaseType(type); });
  if (column.type == BYTEAOID) refuse_packed(source, text, name);
  column.shape = input.shape;
  column.scale = static_cast<float>(1.0 / input.normalizing_const);
  if (is_known(column.type)) return column;
  throw SqlError(
      ERRCODE_DATATYPE_MISMATCH,
      "argument independent_varname: column \"" + name + "\" of \"" + text + "\" has type " + *rows.front()[0],
      "Examples are arrays of numbers, single numbers, or bytea with one byte an element.");
}

}  // namespace

ElementType ExampleColumn::element_type() const {
  if (type == BYTEAOID) return ElementType::kUint8;
  return type == INT2ARRAYOID ? ElementType::kInt16 : ElementType::kFloat32;
}

wire::SegmentLayout ExampleSource::layout(std::int64_t rows) const {
  wire::SegmentLayout layout;
  layout.rows = rows;
  for (const ExampleColumn& column : columns) {
    layout.independent.push_back({column.element_type(), element_count(column.shape), column.scale});
  }
  return layout;
}

ExampleSource find_examples(const std::optional<std::string>& test_table, const std::optional<std::string>& id_col,
                            const std::optional<std::string>& independent_varname,
                            const std::vector<InputForm>& inputs) {
  ExampleSource source;
  const std::string& text = given_name("test_table", test_table, TableRole::kInput);
  source.relation = existing_table("test_table", text);
  source.table = table_name(source.relation);
  source.id_column = column_of("id_col", id_col);
  const std::vector<std::string> names =
      parse_column_names("independent_varname", required(independent_varname, "independent_varname"));
  if (names.size() != inputs.size()) {
    throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE,
                   "argument independent_varname: \"" + *independent_varname + "\" names " +
                       std::to_string(names.size()) + " columns, but the model has " + std::to_string(inputs.size()) +
                       " inputs",
                   "Name one column for each input, in the model's order, with commas between.");
  }
  check_columns("id_col", text, source.relation, {source.id_column});
  check_columns("independent_varname", text, source.relation, names);
  for (std::size_t place = 0; place < names.size(); ++place) {
    source.columns.push_back(find_column(source, text, names[place], inputs[place]));
  }
  source.id_type =
      *query("SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = $1::oid AND attname = $2",
             {std::to_string(source.relation), source.id_column})[0][0];
  return source;
}

ExampleCursor::ExampleCursor(const ExampleSource& source) : source_(source) {
  PinnedSettings settings;
  std::string sql = "SELECT " + quote_identifier(source.id_column) + "::text";
  for (const ExampleColumn& column : source.columns) sql += ", " + example_expression(column);
  sql += " FROM " + source.table.quoted();
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
  const std::vector<std::int64_t> offsets = source_.layout(rows_).offsets();
  for (std::int64_t row = 0; row < rows_; ++row) {
    char* id = call_pg([=] { return SPI_getvalue(table->vals[row], table->tupdesc, 1); });
    if (id != nullptr) {
      ids[row] = id;
      pfree(id);
    }
    for (std::size_t place = 0; place < source_.columns.size(); ++place) {
      const std::int64_t row_bytes = source_.columns[place].row_bytes();
      decode_value(row, place, target.subspan(offsets[place] + row * row_bytes, row_bytes), ids[row].value_or("NULL"));
    }
  }
  call_pg([table] { SPI_freetuptable(table); });
  return ids;
}

void ExampleCursor::decode_value(std::int64_t row, std::size_t place, std::span<std::byte> target,
                                 const std::string& id) {
  struct Value {
    varlena* plain;
    bool is_copy;
  };
  auto* table = static_cast<SPITupleTable*>(table_);
  const ExampleColumn& column = source_.columns[place];
  const bool is_bytes = column.type == BYTEAOID;
  const int number = static_cast<int>(place) + 2;  // behind the id
  const Value value = call_pg([=] {
    bool is_null = false;
    const Datum datum = SPI_getbinval(table->vals[row], table->tupdesc, number, &is_null);
    if (is_null) return Value{nullptr, false};
    // Arrays are read through their header, so they must not be packed.
    varlena* plain = is_bytes ? PG_DETOAST_DATUM_PACKED(datum) : PG_DETOAST_DATUM(datum);
    return Value{plain, plain != static_cast<void*>(DatumGetPointer(datum))};
  });
  if (value.plain == nullptr) refuse_row(source_, column, id, ERRCODE_NULL_VALUE_NOT_ALLOWED, "NULL");
  const std::int64_t count = element_count(column.shape);
  if (is_bytes) {
    if (static_cast<std::int64_t>(VARSIZE_ANY_EXHDR(value.plain)) != count) {
      refuse_row(source_, column, id, ERRCODE_INVALID_PARAMETER_VALUE,
                 std::to_string(VARSIZE_ANY_EXHDR(value.plain)) + " bytes instead of " + std::to_string(count));
    }
    std::memcpy(target.data(), VARDATA_ANY(value.plain), target.size());
  } else {
    const auto* array = reinterpret_cast<const ArrayType*>(value.plain);
    if (ARR_HASNULL(array) && array_contains_nulls(const_cast<ArrayType*>(array))) {
      refuse_row(source_, column, id, ERRCODE_NULL_VALUE_NOT_ALLOWED, "a NULL element");
    }
    if (!has_shape(array, column.shape)) {
      refuse_row(source_, column, id, ERRCODE_INVALID_PARAMETER_VALUE,
                 "an array of another shape than the model's input " + array_text(column.shape));
    }
    if (!copy_elements(array, count, target)) {
      refuse_row(source_, column, id, ERRCODE_INVALID_PARAMETER_VALUE, "a value that is not a finite number");
    }
  }
  if (value.is_copy) pfree(value.plain);
}

void ExampleCursor::close() {
  call_pg([this] { SPI_cursor_close(static_cast<Portal>(portal_)); });
}

}  // namespace modelhop::server
