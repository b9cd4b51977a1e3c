// SPDX-License-Identifier: Apache-2.0
#include "server/value_text.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace modelhop::server {
namespace {

template <typename Value, typename Append>
std::string braced(const std::vector<Value>& values, Append append) {
  std::string text = "{";
  for (const Value& value : values) {
    if (text.size() > 1) text += ',';
    append(text, value);
  }
  return text + "}";
}

}  // namespace

std::string number_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  std::array<char, 32> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return std::string(buffer.data(), end.ptr);
}

std::string json_number_text(double value) {
  return std::isfinite(value) ? number_text(value) : "null";
}

std::string json_text(const std::string& text) {
  std::string json = "\"";
  for (const char character : text) {
    const auto code = static_cast<unsigned char>(character);
    if (code < 0x20) {
      std::array<char, 8> escape;
      std::snprintf(escape.data(), escape.size(), "\\u%04x", code);
      json += escape.data();
      continue;
    }
    if (character == '"' || character == '\\') json += '\\';
    json += character;
  }
  return json + "\"";
}

std::string boolean_text(bool value) {
  return value ? "true" : "false";
}

std::string array_text(const std::vector<double>& values) {
  return braced(values, [](std::string& text, double value) { text += number_text(value); });
}

std::string array_text(const std::vector<std::int32_t>& values) {
  return braced(values, [](std::string& text, std::int32_t value) { text += std::to_string(value); });
}

std::string array_text(const std::vector<std::int64_t>& values) {
  return braced(values, [](std::string& text, std::int64_t value) { text += std::to_string(value); });
}

std::string array_text(const std::vector<std::optional<std::string>>& values) {
  return braced(values, [](std::string& text, const std::optional<std::string>& value) {
    if (!value) {
      text += "NULL";
      return;
    }
    text += '"';
    for (char c : *value) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    text += '"';
  });
}

}  // namespace modelhop::server
