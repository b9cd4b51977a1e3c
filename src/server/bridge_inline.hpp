// SPDX-License-Identifier: Apache-2.0
// The templates of bridge.hpp.
#pragma once

#include "server/bridge.hpp"

#include <memory>

namespace modelhop::server {
namespace bridge {

/// What an exception said, copied out of it so that it can be reported when no C++ frame is left. Plain memory: a
/// longjmp passes over it.
struct Refusal {
  ErrorData* server_error;
  int sqlstate;
  const char* message;
  const char* detail;
  const char* hint;
};

/// Runs body(argument) under a handler of its own; null, or the server's error, copied into the caller's context.
ErrorData* run_guarded(void (*body)(void*), void* argument);

/// To be called in a handler. Allocates in `context` and never ereports.
Refusal describe_current_exception(MemoryContext context) noexcept;

[[noreturn]] void raise(const Refusal& refusal);

}  // namespace bridge

template <typename Body>
auto call_pg(Body&& body) -> std::invoke_result_t<Body&> {
  using Result = std::invoke_result_t<Body&>;
  if constexpr (std::is_void_v<Result>) {
    auto run = [](void* argument) { (*static_cast<std::remove_reference_t<Body>*>(argument))(); };
    if (ErrorData* error = bridge::run_guarded(run, std::addressof(body))) throw PgError(error);
  } else {
    static_assert(std::is_trivially_copyable_v<Result>, "a longjmp passes over it");
    struct Call {
      std::remove_reference_t<Body>* body;
      Result result;
    };
    Call call{std::addressof(body), Result{}};
    auto run = [](void* argument) {
      auto* call = static_cast<Call*>(argument);
      call->result = (*call->body)();
    };
    if (ErrorData* error = bridge::run_guarded(run, &call)) throw PgError(error);
    return call.result;
  }
}

template <typename Body>
Datum enter_cpp(Body&& body) {
  MemoryContext context = CurrentMemoryContext;
  bridge::Refusal refusal;
  try {
    if constexpr (std::is_void_v<std::invoke_result_t<Body&>>) {
      body();
      return 0;
    } else {
      return body();
    }
  } catch (...) {
    refusal = bridge::describe_current_exception(context);
  }
  MemoryContextSwitchTo(context);
  bridge::raise(refusal);
}

}  // namespace modelhop::server
