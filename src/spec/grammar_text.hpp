// SPDX-License-Identifier: Apache-2.0
// Names and values from untrusted text as they appear in error messages, and the errors that name them.
#pragma once

#include <string>
#include <string_view>

#include "modelhop/error.hpp"
#include "modelhop/model_spec.hpp"

namespace modelhop::spec {

/// `"text"`, cut at 80 bytes (never within a character) and without control characters.
std::string in_quotes(std::string_view text);

/// (32, 32, 3)
std::string to_text(const Shape& shape);

std::string lower_case(std::string_view text);

[[noreturn]] void refuse(const std::string& message, std::string hint = {});       ///< kInvalidArgument
[[noreturn]] void unsupported(const std::string& message, std::string hint = {});  ///< kNotSupported

/// left * right, where both are at least 0. Throws kInvalidArgument naming `what` beyond `limit`.
std::int64_t product_within(std::int64_t left, std::int64_t right, std::int64_t limit, const std::string& what);

constexpr std::int64_t kMaxElements = std::int64_t{1} << 40;      ///< of one weight, one activation, one model
constexpr std::int64_t kMaxFlops = std::int64_t{1} << 62;         ///< of one model
constexpr std::int64_t kMaxExtent = (std::int64_t{1} << 31) - 1;  ///< of one axis

}  // namespace modelhop::spec
