// SPDX-License-Identifier: Apache-2.0
// Untrusted JSON text -> a document of limited size and depth.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace modelhop::spec {

using Json = nlohmann::json;

/// At most 64 MB, 4 million values, 100 levels. Python's NaN, Infinity and -Infinity become strings of that name.
/// Throws kInvalidArgument with a message that begins with `what`.
Json read_json_text(const std::string& what, std::string_view text);

}  // namespace modelhop::spec
