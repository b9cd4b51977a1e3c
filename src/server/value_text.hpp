// SPDX-License-Identifier: Apache-2.0
// Values as the text that goes into a statement's parameters.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace modelhop::server {

std::string number_text(double value);           ///< shortest text that reads back as the same value; NaN, Infinity
std::string json_number_text(double value);      ///< the same, null where JSON has no such number
std::string json_text(const std::string& text);  ///< a JSON string, in its quotes
std::string boolean_text(bool value);

/// Array literals: {1,NaN}, {"a","b",NULL}.
std::string array_text(const std::vector<double>& values);
std::string array_text(const std::vector<std::int32_t>& values);
std::string array_text(const std::vector<std::int64_t>& values);
std::string array_text(const std::vector<std::optional<std::string>>& values);

}  // namespace modelhop::server
