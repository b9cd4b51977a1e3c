// SPDX-License-Identifier: Apache-2.0
// SQL from C++: qualified and quoted text, parameters, rows as plain values. Everything runs as the caller.
//
// Search path. The SQL functions carry no SET clause, so C++ sees the caller's search_path and resolves the names the
// caller wrote with it (existing_table, free_output_table), before any statement. query() and execute() then run each
// statement under "pg_catalog, pg_temp": operators and functions mean the server's own, and a user's object must be
// written with its schema, which these resolvers fill in.
#pragma once

#include "server/postgres.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace modelhop::server {

/// "Schema"."table" -> parts, by the server's own identifier rules.
struct TableName {
  std::string schema;  ///< empty: by search_path
  std::string table;

  /// Throws SqlError(ERRCODE_INVALID_NAME) naming the argument.
  static TableName parse(const std::string& argument_name, const std::string& text);
  std::string quoted() const;
  /// schema."x" + _summary -> schema."x_summary". Throws SqlError(ERRCODE_NAME_TOO_LONG) naming the argument that gave
  /// the name where the server would cut it.
  TableName with_suffix(const std::string& argument, std::string_view suffix) const;
};

/// With quotes only where the server needs them.
std::string quote_identifier(std::string_view name);
std::string quote_literal(std::string_view text);

/// A name or value for a message: in double quotes, unless it has its own.
std::string in_quotes(const std::string& text);

/// The names in a list such as x, "Two Words". Throws SqlError(ERRCODE_INVALID_NAME) naming the argument.
std::vector<std::string> parse_column_names(const std::string& argument_name, const std::string& text);

/// SPI for the time of a C++ scope. Nesting is fine. Destroying it on an error path leaves clean-up to the server.
class Spi {
 public:
  Spi();
  ~Spi();
  Spi(const Spi&) = delete;
  Spi& operator=(const Spi&) = delete;

 private:
  int exceptions_;
};

/// The fixed settings of our own statements (search_path, text forms of values) for the time of a C++ scope.
class PinnedSettings {
 public:
  PinnedSettings();
  ~PinnedSettings();
  PinnedSettings(const PinnedSettings&) = delete;
  PinnedSettings& operator=(const PinnedSettings&) = delete;

 private:
  int exceptions_;
  int nest_level_;
};

/// The values of one row in text form; empty is NULL.
struct Row {
  std::vector<std::optional<std::string>> columns;
  const std::optional<std::string>& operator[](std::size_t i) const { return columns[i]; }
};

using Parameters = std::vector<std::optional<std::string>>;

/// Runs one statement with text parameters ($1...: each cast in the SQL, e.g. $1::integer). Returns its rows as text.
/// Sees what the statements before it wrote. Needs no Spi around it.
std::vector<Row> query(const std::string& sql, const Parameters& parameters = {});
/// The same without rows; returns how many rows were processed.
std::uint64_t execute(const std::string& sql, const Parameters& parameters = {});

/// A read-only query in the snapshot of the calling statement, so that all such queries of one call see the same rows.
std::vector<Row> query_in_snapshot(const std::string& sql, const Parameters& parameters = {});

struct Column {
  std::string name;
  Oid type = InvalidOid;
};
/// Columns of a table or view, by its oid; dropped ones left out.
std::vector<Column> table_columns(Oid relation);
bool has_column(Oid relation, const std::string& name);

/// The schema and name of an existing relation.
TableName table_name(Oid relation);

/// What a table is to the function that was called.
enum class TableRole : std::uint8_t { kInput, kOutput };

/// The name that was given. Throws SqlError naming the argument: ERRCODE_NULL_VALUE_NOT_ALLOWED, or
/// ERRCODE_INVALID_PARAMETER_VALUE where it is blank.
const std::string& given_name(const std::string& argument_name, const std::optional<std::string>& text, TableRole role);

/// Oid of an existing table or view that the caller may select from. Throws SqlError: as given_name,
/// ERRCODE_UNDEFINED_TABLE, ERRCODE_WRONG_OBJECT_TYPE, ERRCODE_INSUFFICIENT_PRIVILEGE, naming the argument.
Oid existing_table(const std::string& argument_name, const std::string& text);
/// The same, empty where there is none.
std::optional<Oid> find_table(const TableName& name);

/// Throws ERRCODE_DUPLICATE_TABLE where it exists, ERRCODE_READ_ONLY_SQL_TRANSACTION in a read-only transaction,
/// ERRCODE_INSUFFICIENT_PRIVILEGE where the caller may not create in the schema, and as given_name; the name where the
/// output will be made, schema filled in.
TableName free_output_table(const std::string& argument_name, const std::string& text);

}  // namespace modelhop::server
