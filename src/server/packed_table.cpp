// SPDX-License-Identifier: Apache-2.0
// Reading a packed table's summary and checking that the table is what the summary says.
#include "server/packed_table.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "server/bridge.hpp"
#include "server/value_text.hpp"

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
  explicit Summary(const PackedTable& table)
      : table_(table), name_(table.name.with_suffix(table.argument, "_summary")) {
    const auto relation = find_table(name_);
    if (!relation) {
      refuse(table, ERRCODE_UNDEFINED_TABLE,
             "is not a packed table: there is no table " + name_.quoted() + " beside it");
    }
    columns_ = table_columns(*relation);
    check_columns();
  }

  /// The names in independent_varname or dependent_varname.
  std::vector<std::string> variables(const std::string& list) const {
    std::vector<std::string> names;
    for (const Row& row : query_in_snapshot("SELECT u.v FROM " + name_.quoted() + " AS s, unnest(s." + list +
                                            ") WITH ORDINALITY AS u(v, o) ORDER BY u.o")) {
      if (!row[0]) refuse(table_, ERRCODE_NULL_VALUE_NOT_ALLOWED, "has a NULL in " + list + " of its summary");
      names.push_back(*row[0]);
    }
    if (names.empty()) refuse(table_, ERRCODE_INVALID_PARAMETER_VALUE, "has an empty " + list + " in its summary");
    return names;
  }

  std::optional<std::string> sample_weight() const {
    return query_in_snapshot("SELECT " + optional("sample_weight_varname", "sample_weight_varname") + " FROM " +
                             name_.quoted())[0][0];
  }

  void read_table(PackedTable* table) const {
    const auto row = query_in_snapshot("SELECT normalizing_const, " + optional("num_segments", "num_segments") +
                                       " FROM " + name_.quoted())
                         .at(0);
    if (row[0]) table->normalizing_const = std::strtod(row[0]->c_str(), nullptr);
    check_constant(table->normalizing_const);
    if (row[1]) table->num_segments = std::stoi(*row[1]);
    if (table->num_segments < 1) {
      refuse(*table, ERRCODE_INVALID_PARAMETER_VALUE, "has num_segments " + std::to_string(table->num_segments));
    }
  }

  /// `place` counts from 1. Without the columns that MADlib's tables lack, values are float32.
  void read_independent(PackedTable* table, std::size_t place) const {
    const std::string index = "[" + std::to_string(place) + "]";
    const auto row =
        query_in_snapshot("SELECT " + optional("independent_element_type", "independent_element_type" + index) + ", " +
                          optional("normalizing_consts", "normalizing_consts" + index) + " FROM " + name_.quoted())
            .at(0);
    PackedVariable& variable = table->independent[place - 1];
    if (row[0]) variable.type = element_type(*table, *row[0]);
    const double constant = row[1] ? std::strtod(row[1]->c_str(), nullptr) : table->normalizing_const;
    check_constant(constant);
    table->normalizing_consts.push_back(constant);
    if (variable.type != ElementType::kFloat32) variable.scale = static_cast<float>(1.0 / constant);
  }

  void read_dependent(PackedTable* table, std::size_t place) const {
    const std::string index = "[" + std::to_string(place) + "]";
    const auto row =
        query_in_snapshot("SELECT dependent_vartype" + index + ", " + optional("num_classes", "num_classes" + index) +
                          ", " + optional("dependent_element_type", "dependent_element_type" + index) + ", " +
                          optional("dependent_encoding", "dependent_encoding" + index) + " FROM " + name_.quoted())
            .at(0);
    PackedVariable& variable = table->dependent[place - 1];
    variable.sql_type = row[0].value_or("");
    if (row[1]) variable.class_count = std::stoll(*row[1]);
    variable.type = row[2] ? element_type(*table, *row[2]) : stored_type(variable);
    variable.encoding = row[3].value_or(variable.type == ElementType::kFloat32 ? "float" : "one_hot");
    read_class_values(&variable);
  }

 private:
  /// By the bytes of an element, for a summary that does not tell: MADlib writes 16-bit integers.
  ElementType stored_type(const PackedVariable& variable) const {
    const auto rows =
        query_in_snapshot("SELECT octet_length(" + quote_identifier(variable.column) + "), " +
                          quote_identifier(variable.shape_column()) + "[1] FROM " + table_.name.quoted() + " LIMIT 1");
    const bool is_float = !rows.empty() && rows[0][0] && rows[0][1] &&
                          std::stoll(*rows[0][0]) == 4 * std::stoll(*rows[0][1]) * variable.elements();
    return is_float ? ElementType::kFloat32 : ElementType::kInt16;
  }

  void check_columns() const {
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
    const auto count = query_in_snapshot("SELECT count(*) FROM " + name_.quoted())[0][0];
    if (count != "1") refuse(table_, ERRCODE_CARDINALITY_VIOLATION, "has a summary of " + *count + " rows");
  }

  void check_constant(double constant) const {
    if (std::isfinite(constant) && constant != 0.0) return;
    refuse(table_, ERRCODE_INVALID_PARAMETER_VALUE, "has normalizing_const " + number_text(constant));
  }

  std::string optional(const std::string& column, const std::string& expression) const {
    return find_column(columns_, column) != nullptr ? expression : "NULL";
  }

  void read_class_values(PackedVariable* variable) const {
    const Column* column = find_column(columns_, variable->column + "_class_values");
    if (column == nullptr) return;
    const Oid type = column->type;
    const std::string values = quote_identifier(column->name);
    for (const Row& row : query_in_snapshot("SELECT u.v::text FROM " + name_.quoted() + " AS s, unnest(s." + values +
                                            ") WITH ORDINALITY AS u(v, o) ORDER BY u.o")) {
      variable->class_values.push_back(row[0]);
    }
    if (!variable->class_values.empty()) {
      variable->class_values_type = call_pg([type] { return format_type_be_qualified(type); });
    }
  }

  const PackedTable& table_;
  TableName name_;
  std::vector<Column> columns_;
};

std::vector<PackedVariable> resolve_variables(const PackedTable& table, const std::vector<Column>& columns,
                                              const std::vector<std::string>& names) {
  std::vector<PackedVariable> variables;
  for (const std::string& name : names) {
    PackedVariable variable;
    variable.column = resolve_variable(table, columns, name);
    require_column(table, columns, variable.column, BYTEAOID);
    require_column(table, columns, variable.shape_column(), INT4ARRAYOID);
    variables.push_back(std::move(variable));
  }
  return variables;
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

void read_counts(PackedTable* table) {
  const std::string rows = quote_identifier(table->independent.front().shape_column()) + "[1]";
  std::string is_null = "buffer_id IS NULL OR buffer_id < 0";
  for (const std::string& column : table->columns()) is_null += " OR " + quote_identifier(column) + " IS NULL";
  std::string is_right = rows + " > 0";
  const auto compare = [&](const PackedVariable& variable) {
    is_right += " AND " + rows + " = " + quote_identifier(variable.shape_column()) + "[1]";
  };
  std::for_each(table->independent.begin(), table->independent.end(), compare);
  std::for_each(table->dependent.begin(), table->dependent.end(), compare);
  const auto row =
      query_in_snapshot("SELECT count(*), sum(" + rows + "::bigint), count(*) FILTER (WHERE " + is_null +
                        "), min(buffer_id) FILTER (WHERE (" + is_right + ") IS NOT TRUE) FROM " + table->name.quoted())
          .at(0);
  table->buffers = std::stoll(*row[0]);
  if (table->buffers == 0) refuse(*table, ERRCODE_INVALID_PARAMETER_VALUE, "is empty");
  if (row[2] != "0") {
    refuse(*table, ERRCODE_NULL_VALUE_NOT_ALLOWED, "holds " + *row[2] + " rows with NULL or a negative buffer_id",
           "Run the preprocessor again.");
  }
  if (row[3] || !row[1]) {
    refuse(*table, ERRCODE_INVALID_PARAMETER_VALUE,
           "has wrong numbers of rows in the shapes of buffer_id " + row[3].value_or("NULL"),
           "Run the preprocessor again.");
  }
  table->rows = std::stoll(*row[1]);
}

void read_segments(PackedTable* table) {
  for (const Row& row : query_in_snapshot("SELECT buffer_id % $1::integer, sum(" +
                                              quote_identifier(table->independent.front().shape_column()) +
                                              "[1]::bigint) FROM " + table->name.quoted() + " GROUP BY 1 ORDER BY 1",
                                          {std::to_string(table->num_segments)})) {
    table->segments.push_back({std::stoi(*row[0]), std::stoll(*row[1])});
  }
}

void read_shape(const PackedTable& table, PackedVariable* variable) {
  const std::string shape = quote_identifier(variable->shape_column()) + "[2:]";
  const auto row = query_in_snapshot("SELECT min(" + shape + "), max(" + shape + ") FROM " + table.name.quoted()).at(0);
  if (!row[0]) refuse(table, ERRCODE_INVALID_PARAMETER_VALUE, "has no shapes in \"" + variable->shape_column() + "\"");
  if (row[0] != row[1]) refuse_ragged(table, variable->shape_column(), *row[0]);
  variable->shape = parse_shape(table, *row[0]);
}

}  // namespace

std::int64_t PackedVariable::elements() const {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) {
    check(!__builtin_mul_overflow(count, extent, &count), "an example has too many elements");
  }
  return count;
}

std::vector<std::optional<std::string>> names_of(const std::vector<PackedVariable>& variables) {
  std::vector<std::optional<std::string>> names;
  for (const PackedVariable& variable : variables) names.push_back(variable.column);
  return names;
}

std::vector<std::int64_t> PackedTable::segment_rows() const {
  std::vector<std::int64_t> list;
  for (const PackedSegment& segment : segments) list.push_back(segment.rows);
  return list;
}

std::vector<Shape> PackedTable::independent_shapes() const {
  std::vector<Shape> shapes;
  for (const PackedVariable& variable : independent) shapes.push_back(variable.shape);
  return shapes;
}

std::vector<std::int64_t> PackedTable::dependent_row_elements() const {
  std::vector<std::int64_t> elements;
  for (const PackedVariable& variable : dependent) elements.push_back(variable.elements());
  return elements;
}

std::vector<DependentVariable> PackedTable::dependent_variables() const {
  std::vector<DependentVariable> variables;
  for (const PackedVariable& variable : dependent) variables.push_back({variable.shape, variable.class_count});
  return variables;
}

std::vector<std::string> PackedTable::columns() const {
  std::vector<std::string> names;
  for (const PackedVariable& variable : independent) names.push_back(variable.column);
  for (const PackedVariable& variable : dependent) names.push_back(variable.column);
  if (sample_weight) names.push_back(*sample_weight);
  return names;
}

wire::SegmentLayout PackedTable::layout(std::int64_t row_count) const {
  wire::SegmentLayout layout;
  layout.rows = row_count;
  for (const PackedVariable& variable : independent) {
    layout.independent.push_back({variable.type, variable.elements(), variable.scale});
  }
  for (const PackedVariable& variable : dependent) layout.dependent.push_back({variable.type, variable.elements()});
  layout.has_sample_weight = sample_weight.has_value();
  return layout;
}

std::int64_t PackedTable::decoded_bytes() const {
  return rows * layout(0).row_bytes();
}

PackedTable read_packed_table(const std::string& argument, const std::string& text) {
  PackedTable table;
  table.argument = argument;
  table.text = text;
  table.relation = existing_table(argument, text);
  table.name = table_name(table.relation);
  const Summary summary(table);
  const std::vector<Column> columns = table_columns(table.relation);
  require_column(table, columns, "buffer_id", INT4OID);
  table.independent = resolve_variables(table, columns, summary.variables("independent_varname"));
  table.dependent = resolve_variables(table, columns, summary.variables("dependent_varname"));
  table.sample_weight = summary.sample_weight();
  if (table.sample_weight) require_column(table, columns, *table.sample_weight, BYTEAOID);
  summary.read_table(&table);
  read_counts(&table);
  read_segments(&table);
  for (std::size_t place = 1; place <= table.independent.size(); ++place) {
    summary.read_independent(&table, place);
    read_shape(table, &table.independent[place - 1]);
  }
  for (std::size_t place = 1; place <= table.dependent.size(); ++place) {
    PackedVariable& variable = table.dependent[place - 1];
    read_shape(table, &variable);
    summary.read_dependent(&table, place);
    if (variable.class_count == 0) variable.class_count = variable.elements();
  }
  return table;
}

}  // namespace modelhop::server
