// SPDX-License-Identifier: Apache-2.0
// Statements through SPI: parameters in, rows out as text.
#include "server/query.hpp"

#include <exception>

#include "server/bridge.hpp"

MODELHOP_SERVER_HEADERS_BEGIN
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"
MODELHOP_SERVER_HEADERS_END

namespace modelhop::server {
namespace {

void pin(const char* name, const char* value) {
  set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

/// What SPI_execute_with_args takes, in the server's memory.
struct Arguments {
  int count;
  Oid* types;
  Datum* values;
  char* nulls;
};

Arguments text_arguments(const Parameters& parameters) {
  const int count = static_cast<int>(parameters.size());
  Arguments arguments = call_pg([count] {
    return Arguments{count, static_cast<Oid*>(palloc(count * sizeof(Oid) + 1)),
                     static_cast<Datum*>(palloc0(count * sizeof(Datum) + 1)), static_cast<char*>(palloc(count + 1))};
  });
  for (int i = 0; i < count; ++i) {
    arguments.types[i] = TEXTOID;
    arguments.nulls[i] = parameters[i] ? ' ' : 'n';
    if (!parameters[i]) continue;
    const std::string& text = *parameters[i];
    arguments.values[i] = call_pg(
        [&text] { return PointerGetDatum(cstring_to_text_with_len(text.data(), static_cast<int>(text.size()))); });
  }
  return arguments;
}

void run_statement(const std::string& sql, const Parameters& parameters, bool read_only) {
  const Arguments arguments = text_arguments(parameters);
  const char* text = sql.c_str();
  const int code = call_pg([&] {
    return SPI_execute_with_args(text, arguments.count, arguments.types, arguments.values, arguments.nulls, read_only,
                                 0);
  });
  if (code < 0) {
    throw Error(ErrorCode::kInternal, std::string("statement failed: ") + SPI_result_code_string(code) + ": " + sql);
  }
}

std::vector<Row> collect_rows() {
  std::vector<Row> rows;
  SPITupleTable* table = SPI_tuptable;
  if (table == nullptr) return rows;
  const int width = table->tupdesc->natts;
  rows.resize(SPI_processed);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    rows[r].columns.resize(width);
    HeapTuple tuple = table->vals[r];
    for (int c = 0; c < width; ++c) {
      char* value = call_pg([&] { return SPI_getvalue(tuple, table->tupdesc, c + 1); });
      if (value == nullptr) continue;
      rows[r].columns[c] = value;
      pfree(value);
    }
  }
  return rows;
}

std::vector<Row> run_query(const std::string& sql, const Parameters& parameters, bool read_only) {
  Spi spi;
  PinnedSettings settings;
  run_statement(sql, parameters, read_only);
  return collect_rows();
}

}  // namespace

std::string quote_identifier(std::string_view name) {
  const std::string text(name);
  return call_pg([&text] { return ::quote_identifier(text.c_str()); });
}

std::string quote_literal(std::string_view text) {
  const std::string copy(text);
  return call_pg([&copy] { return quote_literal_cstr(copy.c_str()); });
}

Spi::Spi() : exceptions_(std::uncaught_exceptions()) {
  call_pg([] { SPI_connect(); });
}

Spi::~Spi() {
  if (std::uncaught_exceptions() == exceptions_) SPI_finish();
}

PinnedSettings::PinnedSettings() : exceptions_(std::uncaught_exceptions()) {
  nest_level_ = call_pg([] {
    const int level = NewGUCNestLevel();
    pin("search_path", "pg_catalog, pg_temp");
    // Values travel as text and must come back as they were.
    pin("extra_float_digits", "1");
    pin("datestyle", "ISO");
    pin("intervalstyle", "postgres");
    pin("bytea_output", "hex");
    pin("array_nulls", "on");
    return level;
  });
}

PinnedSettings::~PinnedSettings() {
  if (std::uncaught_exceptions() == exceptions_) AtEOXact_GUC(true, nest_level_);
}

std::vector<Row> query(const std::string& sql, const Parameters& parameters) {
  return run_query(sql, parameters, false);
}

std::uint64_t execute(const std::string& sql, const Parameters& parameters) {
  Spi spi;
  PinnedSettings settings;
  run_statement(sql, parameters, false);
  return SPI_processed;
}

std::vector<Row> query_in_snapshot(const std::string& sql, const Parameters& parameters) {
  check(ActiveSnapshotSet(), "no statement runs whose snapshot could be read");
  return run_query(sql, parameters, true);
}

}  // namespace modelhop::server
