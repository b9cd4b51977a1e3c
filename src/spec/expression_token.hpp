// SPDX-License-Identifier: Apache-2.0
// A custom function's text cut into words, numbers and signs, with their places.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace modelhop::spec {

struct TextPlace {
  int line = 1;
  int column = 1;
};

struct Token {
  enum class Kind : std::uint8_t { kName, kNumber, kString, kSign, kNewline, kEnd };
  Kind kind = Kind::kEnd;
  std::string_view text;  ///< of a string without its quotes
  double number = 0.0;
  TextPlace place;

  bool is_sign(std::string_view sign) const { return kind == Kind::kSign && text == sign; }
  bool is_name(std::string_view name) const { return kind == Kind::kName && text == name; }
};

/// Line breaks inside brackets, comments and blanks are left out; `;` is a line break. The tokens point into `text`,
/// which is ASCII; the last one is kEnd.
std::vector<Token> read_tokens(std::string_view text);

/// kInvalidArgument "line 2, column 5: ...".
[[noreturn]] void refuse_at(TextPlace place, const std::string& message, std::string hint = {});
/// kNotSupported, the same way.
[[noreturn]] void unsupported_at(TextPlace place, const std::string& message, std::string hint = {});

}  // namespace modelhop::spec
