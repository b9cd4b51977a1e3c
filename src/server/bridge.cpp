// SPDX-License-Identifier: Apache-2.0
// The only sigsetjmp and the only ereport(ERROR) of modelhop.
#include "server/bridge.hpp"

#include <csetjmp>
#include <cstring>
#include <new>
#include <string_view>

MODELHOP_SERVER_HEADERS_BEGIN
#include "miscadmin.h"
#include "utils/memutils.h"
MODELHOP_SERVER_HEADERS_END

namespace modelhop::server {

SqlError::SqlError(int sqlstate, const std::string& message, std::string hint, std::string detail)
    : Error(ErrorCode::kInvalidArgument, message, std::move(hint)), sqlstate_(sqlstate), detail_(std::move(detail)) {}

int sqlstate_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return ERRCODE_INVALID_PARAMETER_VALUE;
    case ErrorCode::kNotFound:
      return ERRCODE_UNDEFINED_OBJECT;
    case ErrorCode::kNotSupported:
      return ERRCODE_FEATURE_NOT_SUPPORTED;
    case ErrorCode::kOutOfMemory:
      return ERRCODE_OUT_OF_MEMORY;
    case ErrorCode::kCancelled:
      return ERRCODE_QUERY_CANCELED;
    case ErrorCode::kInternal:
      break;
  }
  return ERRCODE_INTERNAL_ERROR;
}

namespace bridge {
namespace {

/// The server's handlers as they were, put back on every way out.
class SavedHandlers {
 public:
  SavedHandlers() : exceptions_(PG_exception_stack), contexts_(error_context_stack) {}
  ~SavedHandlers() { restore(); }
  void restore() {
    PG_exception_stack = exceptions_;
    error_context_stack = contexts_;
  }

 private:
  sigjmp_buf* exceptions_;
  ErrorContextCallback* contexts_;
};

const char* copy_text(MemoryContext context, std::string_view text) {
  if (text.empty()) return nullptr;
  // At most a megabyte, so that the allocator has nothing to refuse but for want of memory, where it returns null.
  const std::size_t length = std::min<std::size_t>(text.size(), std::size_t{1} << 20);
  auto* copy = static_cast<char*>(MemoryContextAllocExtended(context, length + 1, MCXT_ALLOC_NO_OOM));
  if (copy == nullptr) return "out of memory";
  std::memcpy(copy, text.data(), length);
  copy[length] = '\0';
  return copy;
}

}  // namespace

ErrorData* run_guarded(void (*body)(void*), void* argument) {
  SavedHandlers saved;
  MemoryContext context = CurrentMemoryContext;
  sigjmp_buf jump;
  if (sigsetjmp(jump, 0) == 0) {
    PG_exception_stack = &jump;
    body(argument);
    return nullptr;
  }
  saved.restore();
  MemoryContextSwitchTo(context);
  ErrorData* error = CopyErrorData();
  FlushErrorState();
  return error;
}

Refusal describe_current_exception(MemoryContext context) noexcept {
  Refusal refusal{};
  try {
    throw;
  } catch (const PgError& error) {
    refusal.server_error = error.data();
  } catch (const SqlError& error) {
    refusal.sqlstate = error.sqlstate();
    refusal.message = copy_text(context, error.what());
    refusal.detail = copy_text(context, error.detail());
    refusal.hint = copy_text(context, error.hint());
  } catch (const Error& error) {
    refusal.sqlstate = sqlstate_of(error.code());
    refusal.message = copy_text(context, error.what());
    refusal.hint = copy_text(context, error.hint());
  } catch (const std::bad_alloc&) {
    refusal.sqlstate = ERRCODE_OUT_OF_MEMORY;
    refusal.message = "out of memory";
  } catch (const std::exception& error) {
    refusal.sqlstate = ERRCODE_INTERNAL_ERROR;
    refusal.message = copy_text(context, error.what());
  } catch (...) {
    refusal.sqlstate = ERRCODE_INTERNAL_ERROR;
  }
  return refusal;
}

void raise(const Refusal& refusal) {
  if (refusal.server_error != nullptr) ReThrowError(refusal.server_error);
  ereport(
      ERROR,
      (errcode(refusal.sqlstate), errmsg_internal("%s", refusal.message ? refusal.message : "unexpected exception"),
       refusal.detail ? errdetail_internal("%s", refusal.detail) : 0, refusal.hint ? errhint("%s", refusal.hint) : 0));
  pg_unreachable();
}

}  // namespace bridge

void check_interrupts() {
  if (INTERRUPTS_PENDING_CONDITION()) call_pg([] { CHECK_FOR_INTERRUPTS(); });
}

void report_notice(const std::string& message) {
  const char* text = message.c_str();
  call_pg([text] { ereport(NOTICE, errmsg_internal("%s", text)); });
}

void report_warning(const std::string& message, const std::string& hint) {
  const char* text = message.c_str();
  const char* advice = hint.empty() ? nullptr : hint.c_str();
  call_pg([text, advice] { ereport(WARNING, errmsg_internal("%s", text), advice ? errhint("%s", advice) : 0); });
}

}  // namespace modelhop::server
