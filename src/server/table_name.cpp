// SPDX-License-Identifier: Apache-2.0
// Names that callers wrote: their parts, the relations they mean, and whether the caller may use them.
#include <algorithm>
#include <exception>

#include "server/bridge.hpp"
#include "server/compat.hpp"
#include "server/query.hpp"

MODELHOP_SERVER_HEADERS_BEGIN
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "commands/dbcommands.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/varlena.h"
MODELHOP_SERVER_HEADERS_END

namespace modelhop::server {
namespace {

RangeVar* range_of(const TableName& name) {
  return makeRangeVar(name.schema.empty() ? nullptr : pstrdup(name.schema.c_str()), pstrdup(name.table.c_str()), -1);
}

Oid relation_of(const TableName& name) {
  return call_pg([&name] { return RangeVarGetRelid(range_of(name), NoLock, true); });
}

bool has_rows(char kind) {
  return kind == RELKIND_RELATION || kind == RELKIND_PARTITIONED_TABLE || kind == RELKIND_VIEW ||
         kind == RELKIND_MATVIEW || kind == RELKIND_FOREIGN_TABLE;
}

bool may_select(Oid relation) {
  return call_pg([relation] {
    return pg_class_aclcheck(relation, GetUserId(), ACL_SELECT) == ACLCHECK_OK ||
           pg_attribute_aclcheck_all(relation, GetUserId(), ACL_SELECT, ACLMASK_ANY) == ACLCHECK_OK;
  });
}

std::string about(const std::string& argument, const std::string& text) {
  return "argument " + argument + ": " + in_quotes(text);
}

}  // namespace

std::string in_quotes(const std::string& text) {
  return text.find('"') == std::string::npos ? "\"" + text + "\"" : text;
}

std::vector<std::string> parse_column_names(const std::string& argument_name, const std::string& text) {
  const char* raw = text.c_str();
  List* names = call_pg([raw] {
    List* parts = NIL;
    return SplitIdentifierString(pstrdup(raw), ',', &parts) ? parts : NIL;
  });
  if (names == NIL) {
    throw SqlError(ERRCODE_INVALID_NAME, "argument " + argument_name + ": \"" + text + "\" is not a column name",
                   "Write name, \"Quoted Name\", or several of them with commas between.");
  }
  std::vector<std::string> list;
  for (int i = 0; i < list_length(names); ++i) list.emplace_back(static_cast<char*>(list_nth(names, i)));
  return list;
}

TableName TableName::parse(const std::string& argument_name, const std::string& text) {
  const char* raw = text.c_str();
  List* parts = call_pg([raw] {
    List* names = NIL;
    return SplitIdentifierString(pstrdup(raw), '.', &names) ? names : NIL;
  });
  const int count = list_length(parts);
  const auto part = [parts](int i) { return std::string(static_cast<char*>(list_nth(parts, i))); };
  bool is_valid = count >= 1 && count <= 3;
  for (int i = 0; is_valid && i < count; ++i) is_valid = !part(i).empty();
  if (!is_valid) {
    throw SqlError(ERRCODE_INVALID_NAME, about(argument_name, text) + " is not a valid table name",
                   "Write name, schema.name or \"Quoted Name\".");
  }
  if (count == 3) {
    const char* database = call_pg([] { return get_database_name(MyDatabaseId); });
    if (database == nullptr || part(0) != database) {
      throw SqlError(ERRCODE_FEATURE_NOT_SUPPORTED, about(argument_name, text) + " names a table of another database");
    }
  }
  return {count == 1 ? std::string() : part(count - 2), part(count - 1)};
}

std::string TableName::quoted() const {
  return schema.empty() ? quote_identifier(table) : quote_identifier(schema) + "." + quote_identifier(table);
}

TableName TableName::with_suffix(const std::string& argument, std::string_view suffix) const {
  TableName longer{schema, table + std::string(suffix)};
  if (longer.table.size() >= NAMEDATALEN) {
    throw SqlError(ERRCODE_NAME_TOO_LONG,
                   about(argument, table) + " is too long a name for a table \"" + longer.table + "\" beside it",
                   "Use a name of at most " + std::to_string(NAMEDATALEN - 1 - suffix.size()) + " bytes.");
  }
  return longer;
}

std::vector<Column> table_columns(Oid relation) {
  std::vector<Column> columns;
  for (const Row& row : query("SELECT attname, atttypid FROM pg_catalog.pg_attribute "
                              "WHERE attrelid = $1::oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
                              {std::to_string(relation)})) {
    columns.push_back({*row[0], static_cast<Oid>(std::stoul(*row[1]))});
  }
  return columns;
}

bool has_column(Oid relation, const std::string& name) {
  const std::vector<Column> columns = table_columns(relation);
  return std::any_of(columns.begin(), columns.end(), [&](const Column& column) { return column.name == name; });
}

TableName table_name(Oid relation) {
  const char* table = call_pg([relation] { return get_rel_name(relation); });
  const char* schema = call_pg([relation] { return get_namespace_name(get_rel_namespace(relation)); });
  if (table == nullptr || schema == nullptr) {
    throw SqlError(ERRCODE_UNDEFINED_TABLE, "relation with oid " + std::to_string(relation) + " was dropped meanwhile");
  }
  return {schema, table};
}

std::optional<Oid> find_table(const TableName& name) {
  const Oid relation = relation_of(name);
  if (!OidIsValid(relation)) return std::nullopt;
  return relation;
}

const std::string& given_name(const std::string& argument_name, const std::optional<std::string>& text,
                              TableRole role) {
  // A script that builds its calls from texts may write null where it has no name, and wants no table of that name.
  const bool is_null_word = role == TableRole::kOutput && text && pg_strcasecmp(text->c_str(), "null") == 0;
  if (text && !is_null_word && text->find_first_not_of(" \t\n\r\f\v") != std::string::npos) return *text;
  throw SqlError(
      text ? ERRCODE_INVALID_PARAMETER_VALUE : ERRCODE_NULL_VALUE_NOT_ALLOWED,
      "argument " + argument_name + ": NULL/empty " + (role == TableRole::kInput ? "input" : "output") + " table name",
      "Give a table name, with its schema where it is not on the search path.");
}

Oid existing_table(const std::string& argument_name, const std::string& text) {
  given_name(argument_name, text, TableRole::kInput);
  const Oid relation = relation_of(TableName::parse(argument_name, text));
  if (!OidIsValid(relation)) {
    throw SqlError(ERRCODE_UNDEFINED_TABLE, about(argument_name, text) + " does not exist",
                   "Check the spelling, the search path and the quotes around upper-case names.");
  }
  if (!has_rows(call_pg([relation] { return get_rel_relkind(relation); }))) {
    throw SqlError(ERRCODE_WRONG_OBJECT_TYPE, about(argument_name, text) + " is not a table or view");
  }
  if (!may_select(relation)) {
    throw SqlError(ERRCODE_INSUFFICIENT_PRIVILEGE, about(argument_name, text) + ": permission denied",
                   "GRANT SELECT on the table to the current role.");
  }
  return relation;
}

TableName free_output_table(const std::string& argument_name, const std::string& text) {
  given_name(argument_name, text, TableRole::kOutput);
  TableName name = TableName::parse(argument_name, text);
  if (XactReadOnly || RecoveryInProgress()) {
    throw SqlError(ERRCODE_READ_ONLY_SQL_TRANSACTION,
                   "cannot create " + about(argument_name, text) + " in a read-only transaction");
  }
  const Oid schema = call_pg([&name] { return RangeVarGetCreationNamespace(range_of(name)); });
  name.schema = call_pg([schema] { return get_namespace_name(schema); });
  if (OidIsValid(call_pg([&] { return get_relname_relid(name.table.c_str(), schema); }))) {
    throw SqlError(ERRCODE_DUPLICATE_TABLE, about(argument_name, text) + " already exists",
                   "Drop the table or choose another name.");
  }
  if (!call_pg([schema] { return may_create_in_schema(schema, GetUserId()); })) {
    throw SqlError(ERRCODE_INSUFFICIENT_PRIVILEGE,
                   about(argument_name, text) + ": permission denied to create in schema \"" + name.schema + "\"");
  }
  return name;
}

}  // namespace modelhop::server
