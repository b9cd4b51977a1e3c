// SPDX-License-Identifier: Apache-2.0
// Translates libtorch's errors into the engine's own.
#include "engine/guard.hpp"

#include <string_view>

namespace modelhop::engine {
namespace {

/// What libtorch's own allocators and oneDNN say when memory runs out; they have no type of their own for it.
bool tells_of_memory(std::string_view text) {
  for (const std::string_view sign : {"can't allocate memory", "not enough memory", "out of memory", "bad_alloc"}) {
    if (text.find(sign) != std::string_view::npos) return true;
  }
  return false;
}

[[noreturn]] void throw_out_of_memory(const std::string& message) {
  throw Error(ErrorCode::kOutOfMemory, message,
              "Use a smaller batch size or a smaller architecture, or raise modelhop.memory_limit.");
}

}  // namespace

void rethrow_as_error() {
  try {
    throw;
  } catch (const Error&) {
    throw;
  } catch (const c10::OutOfMemoryError& error) {
    throw_out_of_memory(error.what_without_backtrace());
  } catch (const c10::Error& error) {
    const std::string message = error.what_without_backtrace();
    if (tells_of_memory(message)) throw_out_of_memory(message);
    throw Error(ErrorCode::kInternal, message);
  } catch (const std::bad_alloc&) {
    throw_out_of_memory("out of memory");
  } catch (const std::exception& error) {
    if (tells_of_memory(error.what())) throw_out_of_memory(error.what());
    throw Error(ErrorCode::kInternal, error.what());
  } catch (...) {
    throw Error(ErrorCode::kInternal, "unknown exception in the engine");
  }
}

}  // namespace modelhop::engine
