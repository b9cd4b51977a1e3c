// SPDX-License-Identifier: Apache-2.0
// The value of the column and argument keras_semantics: which generation of Keras an architecture means.
#pragma once

#include <optional>
#include <string>

#include "modelhop/error.hpp"
#include "modelhop/model_spec.hpp"

namespace modelhop::server {

/// Empty: the one that the file's own fingerprint gives. Throws Error(kInvalidArgument) naming the argument.
inline std::optional<SemanticsProfile> keras_semantics(const std::optional<std::string>& name) {
  if (!name) return std::nullopt;
  try {
    return parse_profile(*name);
  } catch (const Error& error) {
    throw Error(error.code(), std::string("argument keras_semantics: ") + error.what(), error.hint());
  }
}

}  // namespace modelhop::server
