// SPDX-License-Identifier: Apache-2.0
// The wall between C++ exceptions and the server's longjmp. Nobody else writes PG_TRY, sigsetjmp or ereport(ERROR).
#pragma once

#include "server/postgres.hpp"

#include <exception>
#include <string>
#include <type_traits>
#include <utility>

#include "modelhop/error.hpp"

namespace modelhop::server {

/// A server error in flight through C++ frames. Not a std::exception, so that no generic handler swallows it; nobody
/// catches it but the edge: going on after a server error would need a subtransaction.
class PgError {
 public:
  explicit PgError(ErrorData* data) : data_(data) {}
  ErrorData* data() const { return data_; }

 private:
  ErrorData* data_;
};

/// A refusal with an SQLSTATE of its own, where ErrorCode is too coarse: throw SqlError(ERRCODE_UNDEFINED_TABLE, ...).
class SqlError : public Error {
 public:
  SqlError(int sqlstate, const std::string& message, std::string hint = {}, std::string detail = {});
  int sqlstate() const { return sqlstate_; }
  const std::string& detail() const { return detail_; }

 private:
  int sqlstate_;
  std::string detail_;
};

int sqlstate_of(ErrorCode code);

/// Runs a few lines of C that may ereport; a server error becomes a PgError. The body holds nothing with a destructor
/// and throws nothing; what it returns is trivially copyable. Only the backend's own thread comes here.
template <typename Body>
auto call_pg(Body&& body) -> std::invoke_result_t<Body&>;

/// Runs C++ that may throw; an exception becomes an ereport after every C++ frame has been left.
template <typename Body>
Datum enter_cpp(Body&& body);

/// Serves cancel and termination; throws PgError.
void check_interrupts();

/// Tell the user without ending the statement. `message` follows the rules of Error's.
void report_notice(const std::string& message);
void report_warning(const std::string& message, const std::string& hint = {});

/// The SQL function `name`, C symbol modelhop_<name>. Arguments through `fcinfo` as usual.
#define MODELHOP_FUNCTION(name)                                                   \
  extern "C" {                                                                    \
  PG_FUNCTION_INFO_V1(modelhop_##name);                                           \
  PGDLLEXPORT Datum modelhop_##name(PG_FUNCTION_ARGS);                            \
  }                                                                               \
  static Datum body_of_##name(PG_FUNCTION_ARGS);                                  \
  extern "C" Datum modelhop_##name(PG_FUNCTION_ARGS) {                            \
    return ::modelhop::server::enter_cpp([&] { return body_of_##name(fcinfo); }); \
  }                                                                               \
  static Datum body_of_##name([[maybe_unused]] PG_FUNCTION_ARGS)

}  // namespace modelhop::server

#include "server/bridge_inline.hpp"
