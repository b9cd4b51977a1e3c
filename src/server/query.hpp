// SPDX-License-Identifier: Apache-2.0
// SQL from C++: qualified and quoted text, parameters, rows as plain values. Everything runs as the caller.
#pragma once

#include "server/postgres.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace modelhop::server {

/// "Schema"."table" -> parts, by the server's own identifier rules.
struct TableName {
  std::string schema;  ///< empty: by search_path
  std::string table;

  static TableName parse(const std::string& argument_name, const std::string& text);
  std::string quoted() const;
  TableName with_suffix(std::string_view suffix) const;  ///< schema."x" + _summary -> schema."x_summary"
};

std::string quote_identifier(std::string_view name);
std::string quote_literal(std::string_view text);

/// SPI for the time of a C++ scope. Nesting is fine. Destroying it on an error path leaves clean-up to the server.
class Spi {
 public:
  Spi();
  ~Spi();
};

/// One value of a row: text form of any type, or the datum itself.
struct Row {
  std::vector<std::optional<std::string>> columns;
  const std::optional<std::string>& operator[](std::size_t i) const { return columns[i]; }
};

/// Runs one statement with text parameters ($1...: each cast in the SQL, e.g. $1::integer). Returns its rows as text.
std::vector<Row> query(const std::string& sql, const std::vector<std::optional<std::string>>& parameters = {});
void execute(const std::string& sql, const std::vector<std::optional<std::string>>& parameters = {});

struct Column {
  std::string name;
  Oid type = InvalidOid;
};
/// Columns of a table or view, by its oid; empty attributes left out.
std::vector<Column> table_columns(Oid relation);

/// Oid of an existing relation that the caller may select from. Throws SqlError: ERRCODE_UNDEFINED_TABLE,
/// ERRCODE_INSUFFICIENT_PRIVILEGE, naming the argument.
Oid existing_table(const std::string& argument_name, const std::string& text);

/// Throws ERRCODE_DUPLICATE_TABLE where it exists, ERRCODE_READ_ONLY_SQL_TRANSACTION in a read-only transaction,
/// ERRCODE_INVALID_PARAMETER_VALUE for an empty name; the name where the output will be made.
TableName free_output_table(const std::string& argument_name, const std::string& text);

}  // namespace modelhop::server
