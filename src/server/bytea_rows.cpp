// SPDX-License-Identifier: Apache-2.0
#include "server/bytea_rows.hpp"

#include <cstring>

#include "server/bridge.hpp"

MODELHOP_SERVER_HEADERS_BEGIN
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
MODELHOP_SERVER_HEADERS_END

namespace modelhop::server {
namespace {

/// Arguments of a statement in the server's memory, freed with the SPI scope around it.
struct StatementArguments {
  int count = 0;
  Oid* types = nullptr;
  Datum* values = nullptr;
  char* nulls = nullptr;
};

StatementArguments allocate_arguments(std::size_t count) {
  return call_pg([count] {
    return StatementArguments{0, static_cast<Oid*>(palloc((count + 1) * sizeof(Oid))),
                              static_cast<Datum*>(palloc0((count + 1) * sizeof(Datum))),
                              static_cast<char*>(palloc(count + 1))};
  });
}

void add_argument(StatementArguments& arguments, Oid type, const char* data, std::size_t size, bool is_null) {
  const int place = arguments.count++;
  arguments.types[place] = type;
  arguments.nulls[place] = is_null ? 'n' : ' ';
  if (is_null) return;
  arguments.values[place] = call_pg([=] {
    auto* value = static_cast<varlena*>(palloc(size + VARHDRSZ));
    SET_VARSIZE(value, size + VARHDRSZ);
    std::memcpy(VARDATA(value), data, size);
    return PointerGetDatum(value);
  });
}

void add_texts(StatementArguments& arguments, const Parameters& texts) {
  for (const auto& text : texts) {
    add_argument(arguments, TEXTOID, text ? text->data() : nullptr, text ? text->size() : 0, !text);
  }
}

void run(const std::string& sql, const StatementArguments& arguments) {
  const char* text = sql.c_str();
  const int code = call_pg([&] {
    return SPI_execute_with_args(text, arguments.count, arguments.types, arguments.values, arguments.nulls, false, 0);
  });
  check(code >= 0, "a statement with bytea values failed");
}

}  // namespace

bool read_bytea_row(const std::string& sql, const Parameters& parameters,
                    const std::function<void(const ByteaValues&)>& use) {
  Spi spi;
  {
    PinnedSettings settings;
    StatementArguments arguments = allocate_arguments(parameters.size());
    add_texts(arguments, parameters);
    run(sql, arguments);
  }
  if (SPI_processed == 0) return false;
  SPITupleTable* table = SPI_tuptable;
  ByteaValues values(table->tupdesc->natts);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const varlena* value = call_pg([&]() -> varlena* {
      bool is_null = false;
      const Datum datum = SPI_getbinval(table->vals[0], table->tupdesc, static_cast<int>(i) + 1, &is_null);
      return is_null ? nullptr : PG_DETOAST_DATUM_PACKED(datum);
    });
    if (value == nullptr) continue;
    values[i] = std::span(reinterpret_cast<const std::byte*>(VARDATA_ANY(value)), VARSIZE_ANY_EXHDR(value));
  }
  use(values);
  return true;
}

PreparedStatement::PreparedStatement(const std::string& sql, std::size_t texts, std::size_t values)
    : parameters_(texts + values) {
  Spi spi;
  PinnedSettings settings;
  std::vector<Oid> types(texts, TEXTOID);
  types.resize(parameters_, BYTEAOID);
  const char* text = sql.c_str();
  plan_ = call_pg([&] {
    SPIPlanPtr plan = SPI_prepare_cursor(text, static_cast<int>(types.size()), types.data(), CURSOR_OPT_GENERIC_PLAN);
    if (plan != nullptr) SPI_keepplan(plan);
    return plan;
  });
  check(plan_ != nullptr, "a statement could not be prepared");
}

PreparedStatement::~PreparedStatement() {
  SPI_freeplan(static_cast<SPIPlanPtr>(plan_));
}

void PreparedStatement::execute(const Parameters& texts, const ByteaValues& values) {
  check(texts.size() + values.size() == parameters_, "a prepared statement has other parameters");
  Spi spi;
  PinnedSettings settings;
  StatementArguments arguments = allocate_arguments(parameters_);
  add_texts(arguments, texts);
  for (const auto& value : values) {
    add_argument(arguments, BYTEAOID, value ? reinterpret_cast<const char*>(value->data()) : nullptr,
                 value ? value->size() : 0, !value);
  }
  const int code = call_pg(
      [&] { return SPI_execute_plan(static_cast<SPIPlanPtr>(plan_), arguments.values, arguments.nulls, false, 0); });
  check(code >= 0, "a prepared statement failed");
}

}  // namespace modelhop::server
