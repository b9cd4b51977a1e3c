// SPDX-License-Identifier: Apache-2.0
// Parameters in one spelling, so that texts that mean the same are recognized as the same.
#include <algorithm>
#include <array>
#include <charconv>

#include "modelhop/error.hpp"
#include "spec/python_literal.hpp"
#include "spec/train_params.hpp"

namespace modelhop {
namespace {

std::string number_text(double number) {
  std::array<char, 64> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr;
  return std::string(buffer.data(), end);
}

std::string canonical_value(const PythonValue& value);

/// Text in quotes means what it says without them, where it says something.
std::string canonical_string(const std::string& text) {
  try {
    return canonical_value(parse_python_value(text));
  } catch (const Error&) {
    std::string escaped = "'";
    for (const char character : text) {
      if (character == '\'' || character == '\\') escaped += '\\';
      escaped += character;
    }
    return escaped + "'";
  }
}

std::string canonical_call(const PythonCall& call) {
  if (!call.is_call) return call.name;
  std::string text = call.name + "(";
  for (const PythonValue& argument : call.positional) text += canonical_value(argument) + ",";
  std::vector<std::string> named;
  for (const auto& [name, argument] : call.named) named.push_back(name + "=" + canonical_value(argument) + ",");
  std::sort(named.begin(), named.end());
  for (const std::string& argument : named) text += argument;
  if (text.back() == ',') text.pop_back();
  return text + ")";
}

std::string canonical_value(const PythonValue& value) {
  struct Printer {
    std::string operator()(PythonNone) const { return "None"; }
    std::string operator()(bool flag) const { return flag ? "True" : "False"; }
    std::string operator()(long long number) const { return std::to_string(number); }
    std::string operator()(double number) const { return number_text(number); }
    std::string operator()(const std::string& text) const { return canonical_string(text); }
    std::string operator()(const PythonCall& call) const { return canonical_call(call); }
    std::string operator()(const PythonList& list) const {
      std::string text = "[";
      for (const PythonValue& element : list) text += (text.size() > 1 ? "," : "") + canonical_value(element);
      return text + "]";
    }
    std::string operator()(const PythonDict& dict) const {
      std::vector<std::string> pairs;
      for (const auto& [key, element] : dict) pairs.push_back(canonical_value(key) + ":" + canonical_value(element));
      std::sort(pairs.begin(), pairs.end());
      std::string text = "{";
      for (const std::string& pair : pairs) text += (text.size() > 1 ? "," : "") + pair;
      return text + "}";
    }
  };
  return std::visit(Printer(), value.value);
}

}  // namespace

std::string canonical_params(std::string_view params) {
  std::vector<std::string> pairs;
  for (const auto& [key, value] : parse_python_assignments(params)) pairs.push_back(key + "=" + canonical_value(value));
  std::sort(pairs.begin(), pairs.end());
  std::string text;
  for (const std::string& pair : pairs) text += (text.empty() ? "" : ",") + pair;
  return text;
}

}  // namespace modelhop
