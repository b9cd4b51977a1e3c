// SPDX-License-Identifier: Apache-2.0
// The one exception that leaves a room. The server maps its code to an SQLSTATE, the wire carries it.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>

namespace modelhop {

enum class ErrorCode : std::uint8_t {
  kInvalidArgument,  ///< what the caller gave is wrong: SQLSTATE 22023
  kNotFound,         ///< something named does not exist: 42704
  kNotSupported,     ///< valid, but not something modelhop does: 0A000
  kOutOfMemory,      ///< over a limit or over what the machine has: 53200
  kCancelled,        ///< stopped on request: 57014
  kInternal,         ///< a broken invariant: XX000
};

/// message: lower case, no full stop, names the argument and the value. hint: a sentence that says what to do.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message, std::string hint = {})
      : std::runtime_error(message), code_(code), hint_(std::move(hint)) {}

  ErrorCode code() const noexcept { return code_; }
  const std::string& hint() const noexcept { return hint_; }

 private:
  ErrorCode code_;
  std::string hint_;
};

/// Throws ErrorCode::kInternal when an invariant is broken; never aborts.
inline void check(bool condition, const char* message) {
  if (!condition) throw Error(ErrorCode::kInternal, message);
}

}  // namespace modelhop
