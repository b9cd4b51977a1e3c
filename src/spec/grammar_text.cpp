// SPDX-License-Identifier: Apache-2.0
// Names, shapes and sizes in error messages.
#include "spec/grammar_text.hpp"

#include <algorithm>

namespace modelhop::spec {

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kShown = 80;
  std::size_t length = std::min(text.size(), kShown);
  while (length < text.size() && length > 0 && (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80) --length;
  std::string shown = "\"";
  for (const char character : text.substr(0, length)) {
    const auto code = static_cast<unsigned char>(character);
    shown += code < 0x20 || code == 0x7F ? '?' : character;
  }
  return shown + (length < text.size() ? "...\"" : "\"");
}

std::string to_text(const Shape& shape) {
  std::string text = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return text + ")";
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& character : lower) {
    if (character >= 'A' && character <= 'Z') character = static_cast<char>(character - 'A' + 'a');
  }
  return lower;
}

void refuse(const std::string& message, std::string hint) {
  throw Error(ErrorCode::kInvalidArgument, message, std::move(hint));
}

void unsupported(const std::string& message, std::string hint) {
  throw Error(ErrorCode::kNotSupported, message, std::move(hint));
}

std::int64_t product_within(std::int64_t left, std::int64_t right, std::int64_t limit, const std::string& what) {
  if (left != 0 && right > limit / left) refuse(what + " is too large");
  return left * right;
}

}  // namespace modelhop::spec
