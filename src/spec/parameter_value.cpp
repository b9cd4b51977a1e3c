// SPDX-License-Identifier: Apache-2.0
// Typed reading of Python values.
#include "spec/parameter_value.hpp"

#include <array>
#include <cmath>
#include <limits>

#include "spec/grammar_text.hpp"

namespace modelhop::spec {
namespace {

[[noreturn]] void refuse_value(const std::string& what, const PythonValue& value, const std::string& expected) {
  refuse(what + " must be " + expected + ", not " + in_quotes(value.text));
}

/// What Keras's serialization writes beside the class and its arguments.
bool is_ignored_key(const std::string& name) {
  return name == "module" || name == "registered_name" || name == "build_config" || name == "shared_object_id";
}

/// {'class_name': 'Adam', 'config': {'learning_rate': 0.01}}
PythonCall call_of_dict(const std::string& what, const PythonValue& value, const PythonDict& dict) {
  PythonCall call;
  for (const auto& [key, content] : dict) {
    const std::string name = string_of(what + " key", key);
    if (name == "class_name") {
      call.name = string_of(what + " class_name", content);
    } else if (name == "config") {
      const auto* config = std::get_if<PythonDict>(&content.value);
      if (config == nullptr) refuse_value(what + " config", content, "a dict");
      for (const auto& [argument, setting] : *config) call.named.emplace_back(string_of(what, argument), setting);
    } else if (!is_ignored_key(name)) {
      refuse(what + ": unknown key " + in_quotes(name) + " in " + in_quotes(value.text));
    }
  }
  if (call.name.empty()) refuse_value(what, value, "a dict with 'class_name'");
  call.is_call = true;
  return call;
}

constexpr std::array kModules = std::to_array<std::string_view>(
    {"tensorflow", "tf",      "keras",     "K",   "tf_keras",     "python",         "api",
     "v1",         "v2",      "compat",    "src", "optimizers",   "legacy",         "schedules",
     "losses",     "metrics", "callbacks", "opt", "experimental", "mixed_precision"});

}  // namespace

bool is_none(const PythonValue& value) {
  return std::holds_alternative<PythonNone>(value.value);
}

double number_of(const std::string& what, const PythonValue& value) {
  double number = std::numeric_limits<double>::quiet_NaN();
  if (const auto* integer = std::get_if<long long>(&value.value)) number = static_cast<double>(*integer);
  if (const auto* real = std::get_if<double>(&value.value)) number = *real;
  if (!std::isfinite(number)) refuse_value(what, value, "a finite number");
  return number;
}

bool boolean_of(const std::string& what, const PythonValue& value) {
  if (const auto* boolean = std::get_if<bool>(&value.value)) return *boolean;
  const auto* integer = std::get_if<long long>(&value.value);
  if (integer == nullptr || (*integer != 0 && *integer != 1)) refuse_value(what, value, "True or False");
  return *integer == 1;
}

int integer_of(const std::string& what, const PythonValue& value, int low) {
  const auto* integer = std::get_if<long long>(&value.value);
  if (integer == nullptr || *integer < low || *integer > std::numeric_limits<int>::max()) {
    refuse_value(what, value, "an integer from " + std::to_string(low) + " to 2147483647");
  }
  return static_cast<int>(*integer);
}

std::string string_of(const std::string& what, const PythonValue& value) {
  const auto* text = std::get_if<std::string>(&value.value);
  if (text == nullptr) refuse_value(what, value, "a string");
  return *text;
}

std::string word_of(const std::string& what, const PythonValue& value) {
  const auto* call = std::get_if<PythonCall>(&value.value);
  if (call == nullptr || call->is_call) return lower_case(string_of(what, value));
  return lower_case(call->name.substr(call->name.rfind('.') + 1));
}

bool names_a_class(const PythonDict& dict) {
  for (const auto& [key, content] : dict) {
    const auto* name = std::get_if<std::string>(&key.value);
    if (name != nullptr && *name == "class_name") return true;
  }
  return false;
}

PythonValue without_quotes(const PythonValue& value) {
  const auto* text = std::get_if<std::string>(&value.value);
  const std::size_t first = text == nullptr ? std::string::npos : text->find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return value;
  const bool is_container = std::string_view("[({").find((*text)[first]) != std::string_view::npos;
  return is_container || *text == "None" ? parse_python_value(*text) : value;
}

std::string bare_name(const std::string& dotted) {
  std::string_view rest = dotted;
  for (std::size_t dot = rest.find('.'); dot != std::string_view::npos; dot = rest.find('.')) {
    bool is_module = false;
    for (const std::string_view module : kModules) is_module = is_module || rest.substr(0, dot) == module;
    if (!is_module) break;
    rest.remove_prefix(dot + 1);
  }
  return std::string(rest);
}

PythonCall callable_of(const std::string& what, const PythonValue& value) {
  const PythonValue* written = &value;
  PythonValue inner;
  if (const auto* text = std::get_if<std::string>(&value.value)) {
    inner = parse_python_value(*text);
    written = &inner;
  }
  PythonCall call;
  if (const auto* named = std::get_if<PythonCall>(&written->value)) {
    call = *named;
  } else if (const auto* dict = std::get_if<PythonDict>(&written->value)) {
    call = call_of_dict(what, *written, *dict);
  } else {
    refuse_value(what, value, "a name or a call");
  }
  call.name = bare_name(call.name);
  return call;
}

std::string snake_case(const std::string& name) {
  std::string snake;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool is_upper = name[i] >= 'A' && name[i] <= 'Z';
    const bool follows_lower = i > 0 && name[i - 1] >= 'a' && name[i - 1] <= 'z';
    const bool leads_lower =
        i > 0 && name[i - 1] != '_' && i + 1 < name.size() && name[i + 1] >= 'a' && name[i + 1] <= 'z';
    if (is_upper && (follows_lower || leads_lower)) snake += '_';
    snake += name[i];
  }
  return lower_case(snake);
}

}  // namespace modelhop::spec
