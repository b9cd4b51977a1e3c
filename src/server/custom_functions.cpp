// SPDX-License-Identifier: Apache-2.0
#include "server/custom_functions.hpp"

#include <algorithm>
#include <charconv>

#include "server/bridge.hpp"
#include "server/run_input.hpp"
#include "server/value_text.hpp"
#include "spec/expression.hpp"

namespace modelhop::server {
namespace {

const char* const kArgument = "object_table";
constexpr std::size_t kMaxFunctions = 1000;  // each goes to the trainer

/// Bytes as bytes: what they are in the server's encoding does not matter.
std::string bytes_of_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    unsigned int byte = 0;
    std::from_chars(hex.data() + i, hex.data() + i + 2, byte, 16);
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

}  // namespace

CustomFunctions read_object_table(const std::optional<std::string>& object_table) {
  CustomFunctions functions;
  if (!object_table || object_table->empty()) return functions;
  const Oid relation = existing_table(kArgument, *object_table);
  check_columns(kArgument, *object_table, relation, {"name", "object"});
  // One byte more than a text may have: the reader refuses it, and nobody fills memory with a large one.
  const auto rows =
      query("SELECT name, encode(substr(object::bytea, 1, " + std::to_string(spec::kMaxExpressionBytes + 1) +
            "), 'hex') FROM " + table_name(relation).quoted() +
            " WHERE name IS NOT NULL AND object IS NOT NULL ORDER BY name LIMIT " + std::to_string(kMaxFunctions + 1));
  if (rows.size() > kMaxFunctions) {
    throw SqlError(ERRCODE_PROGRAM_LIMIT_EXCEEDED,
                   "argument object_table: \"" + *object_table + "\" has more than " + std::to_string(kMaxFunctions) +
                       " functions",
                   "Keep the functions of a run in a table of their own.");
  }
  for (const Row& row : rows) {
    if (!functions.empty() && functions.back().name == *row[0]) {
      throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE,
                     "argument object_table: \"" + *object_table + "\" has more than one function \"" + *row[0] + "\"",
                     "Leave one of them.");
    }
    functions.push_back({*row[0], bytes_of_hex(*row[1])});
  }
  return functions;
}

std::optional<std::string> kept_functions_json(const CustomFunctions& functions) {
  if (functions.empty()) return std::nullopt;
  std::string json;
  for (const CustomFunction& function : functions) {
    json += (json.empty() ? "{" : ", ") + json_text(function.name) + ": " + json_text(function.text);
  }
  return json + "}";
}

CustomFunctions read_kept_functions(const TableName& summary) {
  CustomFunctions functions;
  const Oid relation = existing_table("model_table", summary.quoted());
  if (!has_column(relation, "custom_functions")) {
    // MADlib's columns tell where the functions are, not what they were.
    if (!has_column(relation, "object_table")) return functions;
    const auto rows = query("SELECT object_table FROM " + summary.quoted());
    return rows.size() == 1 ? read_object_table(rows[0][0]) : functions;
  }
  for (const Row& row : query("SELECT f.key, f.value FROM " + summary.quoted() +
                              " AS s, jsonb_each_text(s.custom_functions) AS f ORDER BY f.key")) {
    functions.push_back({row[0].value_or(""), row[1].value_or("")});
  }
  return functions;
}

}  // namespace modelhop::server
