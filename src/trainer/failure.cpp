// SPDX-License-Identifier: Apache-2.0
#include "trainer/failure.hpp"

#include <exception>
#include <new>

namespace modelhop::trainer {

Error current_error() {
  try {
    throw;
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return {ErrorCode::kOutOfMemory, "the trainer ran out of memory",
            "Raise modelhop.memory_limit, or train fewer configurations at a time."};
  } catch (const std::exception& error) {
    return {ErrorCode::kInternal, error.what()};
  } catch (...) {
    return {ErrorCode::kInternal, "unknown error"};
  }
}

}  // namespace modelhop::trainer
