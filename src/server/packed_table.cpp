// SPDX-License-Identifier: Apache-2.0
// Reading a packed table's summary and checking that the table is what the summary says.
#include "server/packed_table.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "server/bridge.hpp"

MODELHOP_SERVER_HEADERS_BEGIN
#include "catalog/pg_type.h"
#include "parser/scansup.h"
#include "utils/builtins.h"
MODELHOP_SERVER_HEADERS_END

namespace modelhop::server {
namespace {

constexpr const char* kPreprocessorHint =
    "Give the output table of modelhop.training_preprocessor_dl or modelhop.validation_preprocessor_dl.";

[[noreturn]] void refuse(const PackedTable& table, int sqlstate, const std::string& problem,
                         const std::string& hint = kPreprocessorHint) {
  throw SqlError(sqlstate, "argument " + table.argument + ": table " + in_quotes(table.text) + " " + problem, hint);
}

/// As the server would have cut it when it made the column.
std::string column_name(const std::string& name) {
  std::string cut = name;
  char* text = cut.data();
  const int length = static_cast<int>(cut.size());
  call_pg([=] { truncate_identifier(text, length, false); });
  return cut.c_str();
}

const Column* find_column(const std::vector<Column>& columns, const std::string& name) {
  const std::string stored = column_name(name);
  const auto found = std::find_if(columns.begin(), columns.end(), [&](const Column& c) { return c.name == stored; });
  return found == columns.end() ? nullptr : &*found;
}

void require_column(const PackedTable& table, const std::vector<Column>& columns, const std::string& name, Oid type) {
  const Column* column = find_column(columns, name);
  if (column == nullptr) {
    if (find_column(columns, "independent_var") != nullptr) {
      refuse(table, ERRCODE_UNDEFINED_COLUMN, "was made by an older version of the preprocessor",
             "Run the preprocessor again.");
    }
    refuse(table, ERRCODE_UNDEFINED_COLUMN, "has no column \"" + name + "\"");
  }
  if (column->type != type) {
    const char* wanted = call_pg([type] { return format_type_be(type); });
    const char* actual = call_pg([column] { return format_type_be(column->type); });
    refuse(table, ERRCODE_DATATYPE_MISMATCH, "has column \"" + name + "\" of type " + actual + " instead of " + wanted);
  }
}

/// A variable's name as the summary has it: a column's name, or the way to write it in SQL.
std::string resolve_variable(const PackedTable& table, const std::vector<Column>& columns, const std::string& name) {
  if (find_column(columns, name) != nullptr) return column_name(name);
  const TableName parsed = TableName::parse(table.argument, name);
  if (!parsed.schema.empty() || find_column(columns, parsed.table) == nullptr) {
    refuse(table, ERRCODE_UNDEFINED_COLUMN, "has no column \"" + name + "\", which its summary names");
  }
  return parsed.table;
}

ElementType element_type(const PackedTable& table, const std::string& text) {
  if (text == "uint8") return ElementType::kUint8;
  if (text == "int16") return ElementType::kInt16;
  if (text == "float32") return ElementType::kFloat32;
  refuse(table, ERRCODE_INVALID_PARAMETER_VALUE, "has elements of unknown type \"" + text + "\"");
}

/// '{32,32,3}' -> 32, 32, 3.
Shape parse_shape(const PackedTable& table, const std::string& text) {
  Shape shape;
  if (text.size() < 2 || text.front() != '{') refuse(table, ERRCODE_INVALID_PARAMETER_VALUE, "has shape " + text);
  for (const char* at = text.c_str() + 1; *at != '}';) {
    char* end = nullptr;
    const long long extent = std::strtoll(at, &end, 10);
    if (end == at || extent < 1) refuse(table, ERRCODE_INVALID_PARAMETER_VALUE, "has shape " + text);
    shape.push_back(extent);
    at = *end == ',' ? end + 1 : end;
  }
  return shape;
}

class Summary {
 public:
  explicit Summary(const PackedTable& table) : table_(table), name_(table.name.with_suffix("_summary")) {
    const auto relation = find_table(name_);
    if (!relation) {
      refuse(table, ERRCODE_UNDEFINED_TABLE,
             "is not a packed table: there is no table " + name_.quoted() + " beside it");
    }
    columns_ = table_columns(*relation);
  }

  void read_variables(std::string* independent, std::string* dependent) const {
    for (const char* name : {"independent_varname", "dependent_varname", "dependent_vartype", "normalizing_const"}) {
      if (find_column(columns_, name) == nullptr) {
        refuse(table_, ERRCODE_UNDEFINED_COLUMN,
               "is not a packed table: its summary has no column \"" + std::string(name) + "\"");
      }
    }
    if (find_column(columns_, "independent_varname")->type != TEXTARRAYOID ||
        find_column(columns_, "dependent_varname")->type != TEXTARRAYOID) {
      refuse(table_, ERRCODE_DATATYPE_MISMATCH, "was made by an older version of the preprocessor",
             "Run the preprocessor again.");
    }
    const auto rows = query_in_snapshot(
        "SELECT cardinality(independent_varname), cardinality(dependent_varname), independent_varname[1], "
        "dependent_varname[1] FROM " +
        name_.quoted());
    if (rows.size() != 1) {
      refuse(table_, ERRCODE_CARDINALITY_VIOLATION, "has a summary of " + std::to_string(rows.size()) + " rows");
    }
    if (rows[0][0] != "1" || rows[0][1] != "1" || !rows[0][2] || !rows[0][3]) {
      refuse(table_, ERRCODE_FEATURE_NOT_SUPPORTED, "has more than one independent or dependent variable",
             "Run the preprocessor with one of each.");
    }
    *independent = *rows[0][2];
    *dependent = *rows[0][3];
  }

  void read_details(PackedTable* table) const {
    const auto row = query_in_snapshot("SELECT dependent_vartype[1], normalizing_const, " +
                                       optional("num_classes", "num_classes[1]") + ", " +
                                       optional("independent_element_type", "independent_element_type[1]") + ", " +
                                       optional("dependent_element_type", "dependent_element_type[1]") + ", " +
                                       optional("num_segments", "num_segments") + " FROM " + name_.quoted())
                         .at(0);
    table->dependent_type = row[0].value_or("");
    if (row[1]) table->normalizing_const = std::strtod(row[1]->c_str(), nullptr);
    if (row[2]) table->class_count = std::stoll(*row[2]);
    // Without these columns it is MADlib's.
    if (row[3]) table->independent_type = element_type(*table, *row[3]);
    if (row[4]) table->dependent_type_of_elements = element_type(*table, *row[4]);
    if (row[5]) table->num_segments = std::stoi(*row[5]);
    if (!std::isfinite(table->normalizing_const) || table->normalizing_const == 0.0) {
      refuse(*table, ERRCODE_INVALID_PARAMETER_VALUE, "has normalizing_const " + *row[1]);
    }
    if (table->num_segments < 1) {
      refuse(*table, ERRCODE_INVALID_PARAMETER_VALUE, "has num_segments " + std::to_string(table->num_segments));
    }
    read_class_values(table);
  }

 private:
  std::string optional(const std::string& column, const std::string& expression) const {
    return find_column(columns_, column) != nullptr ? expression : "NULL";
  }

  void read_class_values(PackedTable* table) const {
    const Column* column = find_column(columns_, table->dependent_column + "_class_values");
    if (column == nullptr) return;
    const Oid type = column->type;
    const std::string values = quote_identifier(column->name);
    for (const Row& row : query_in_snapshot("SELECT u.v::text FROM " + name_.quoted() + " AS s, unnest(s." + values +
                                            ") WITH ORDINALITY AS u(v, o) ORDER BY u.o")) {
      table->class_values.push_back(row[0]);
    }
    if (!table->class_values.empty()) {
      table->class_values_type = call_pg([type] { return format_type_be_qualified(type); });
    }
  }

  const PackedTable& table_;
  TableName name_;
  std::vector<Column> columns_;
};

void require_columns(const PackedTable& table, const std::vector<Column>& columns) {
  require_column(table, columns, "buffer_id", INT4OID);
  require_column(table, columns, table.independent_column, BYTEAOID);
  require_column(table, columns, table.independent_shape_column(), INT4ARRAYOID);
  require_column(table, columns, table.dependent_column, BYTEAOID);
  require_column(table, columns, table.dependent_shape_column(), INT4ARRAYOID);
}

/// The buffer whose example shape differs from that of the first one.
[[noreturn]] void refuse_ragged(const PackedTable& table, const std::string& shape_column, const std::string& shape) {
  const auto rows = query_in_snapshot("SELECT buffer_id, s FROM (SELECT buffer_id, " + quote_identifier(shape_column) +
                                          "[2:] AS s FROM " + table.name.quoted() +
                                          ") AS t WHERE s IS DISTINCT FROM $1::integer[] ORDER BY buffer_id LIMIT 1",
                                      {shape});
  const std::string which = rows.empty() ? ""
                                         : ": buffer_id " + rows[0][0].value_or("NULL") + " holds " +
                                               rows[0][1].value_or("NULL") + ", others " + shape;
  refuse(table, ERRCODE_INVALID_PARAMETER_VALUE,
         "holds examples of different shapes in column \"" + shape_column + "\"" + which,
         "Run the preprocessor again.");
}

void read_shapes(PackedTable* table) {
  const std::string independent = quote_identifier(table->independent_column);
  const std::string dependent = quote_identifier(table->dependent_column);
  const std::string independent_shape = quote_identifier(table->independent_shape_column());
  const std::string dependent_shape = quote_identifier(table->dependent_shape_column());
  const auto row =
      query_in_snapshot("SELECT count(*), sum(" + independent_shape + "[1]::bigint), min(" + independent_shape +
                        "[2:]), max(" + independent_shape + "[2:]), min(" + dependent_shape + "[2:]), max(" +
                        dependent_shape + "[2:]), count(*) FILTER (WHERE buffer_id IS NULL OR buffer_id < 0 OR " +
                        independent + " IS NULL OR " + dependent + " IS NULL), min(buffer_id) FILTER (WHERE (" +
                        independent_shape + "[1] = " + dependent_shape + "[1] AND " + independent_shape +
                        "[1] > 0) IS NOT TRUE) FROM " + table->name.quoted())
          .at(0);
  table->buffers = std::stoll(*row[0]);
  if (table->buffers == 0) refuse(*table, ERRCODE_INVALID_PARAMETER_VALUE, "holds no rows");
  if (row[6] != "0") {
    refuse(*table, ERRCODE_NULL_VALUE_NOT_ALLOWED, "holds " + *row[6] + " rows with NULL or a negative buffer_id",
           "Run the preprocessor again.");
  }
  if (row[7] || !row[1] || !row[2] || !row[4]) {
    refuse(*table, ERRCODE_INVALID_PARAMETER_VALUE,
           "has wrong numbers of rows in the shapes of buffer_id " + row[7].value_or("NULL"),
           "Run the preprocessor again.");
  }
  if (row[2] != row[3]) refuse_ragged(*table, table->independent_shape_column(), *row[2]);
  if (row[4] != row[5]) refuse_ragged(*table, table->dependent_shape_column(), *row[4]);
  table->rows = std::stoll(*row[1]);
  table->independent_shape = parse_shape(*table, *row[2]);
  table->dependent_shape = parse_shape(*table, *row[4]);
}

std::int64_t product(const Shape& shape) {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) {
    check(!__builtin_mul_overflow(count, extent, &count), "an example has too many elements");
  }
  return count;
}

}  // namespace

std::int64_t PackedTable::independent_elements() const {
  return product(independent_shape);
}
std::int64_t PackedTable::dependent_elements() const {
  return product(dependent_shape);
}
std::int64_t PackedTable::decoded_bytes() const {
  return rows * (independent_elements() * element_size(independent_type) +
                 dependent_elements() * element_size(dependent_type_of_elements));
}

PackedTable read_packed_table(const std::string& argument, const std::string& text) {
  PackedTable table;
  table.argument = argument;
  table.text = text;
  table.relation = existing_table(argument, text);
  table.name = table_name(table.relation);
  const Summary summary(table);
  const std::vector<Column> columns = table_columns(table.relation);
  std::string independent, dependent;
  summary.read_variables(&independent, &dependent);
  table.independent_column = resolve_variable(table, columns, independent);
  table.dependent_column = resolve_variable(table, columns, dependent);
  require_columns(table, columns);
  summary.read_details(&table);
  read_shapes(&table);
  if (table.class_count == 0) table.class_count = table.dependent_elements();
  if (table.independent_type != ElementType::kFloat32) {
    table.independent_scale = static_cast<float>(1.0 / table.normalizing_const);
  }
  return table;
}

}  // namespace modelhop::server
