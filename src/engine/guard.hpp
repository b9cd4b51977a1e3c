// SPDX-License-Identifier: Apache-2.0
// The one translator of libtorch's errors: every public function of the engine runs inside guarded().
#pragma once

#include <c10/util/Exception.h>

#include <exception>
#include <new>
#include <utility>

#include "modelhop/error.hpp"

namespace modelhop::engine {

/// Throws the current exception again as modelhop::Error, without libtorch's backtrace.
[[noreturn]] void rethrow_as_error();

template <typename Function>
auto guarded(Function&& function) {
  try {
    return std::forward<Function>(function)();
  } catch (...) {
    rethrow_as_error();
  }
}

}  // namespace modelhop::engine
