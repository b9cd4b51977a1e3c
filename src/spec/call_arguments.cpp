// SPDX-License-Identifier: Apache-2.0
// Binding a call's arguments to a signature, and values to fields.
#include "spec/call_arguments.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "spec/grammar_text.hpp"
#include "spec/parameter_value.hpp"

namespace modelhop::spec {
namespace {

struct SignatureWord {
  std::string name;
  bool is_required = false;
  bool needs_name = false;
};

std::vector<SignatureWord> signature_words(std::string_view signature) {
  std::vector<SignatureWord> words;
  bool needs_name = false;
  for (std::string& word : words_of(signature)) {
    if (word == "*") {
      needs_name = true;
      continue;
    }
    const bool is_required = word.back() == '!';
    if (is_required) word.pop_back();
    words.push_back({std::move(word), is_required, needs_name});
  }
  return words;
}

std::string accepted_text(const std::vector<SignatureWord>& words) {
  if (words.empty()) return "It takes no arguments.";
  std::string text;
  for (const SignatureWord& word : words) text += (text.empty() ? "" : ", ") + word.name;
  return "Accepted: " + text + ".";
}

std::string number_text(double number) {
  std::array<char, 64> buffer;
  return std::string(buffer.data(), std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr);
}

[[noreturn]] void refuse_range(const std::string& what, const PythonValue& value, const std::string& expected) {
  refuse(what + " must be " + expected + ", not " + in_quotes(value.text));
}

}  // namespace

bool has_word(std::string_view words, std::string_view word) {
  const std::vector<std::string> list = words_of(words);
  return std::find(list.begin(), list.end(), word) != list.end();
}

std::vector<std::string> words_of(std::string_view words) {
  std::vector<std::string> list;
  while (!words.empty()) {
    const std::size_t end = std::min(words.find(' '), words.size());
    if (end > 0) list.emplace_back(words.substr(0, end));
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return list;
}

bool Range::holds(double number) const {
  const bool is_above = is_open_below ? number > low : number >= low;
  return is_above && (is_open_above ? number < high : number <= high);
}

std::string Range::text() const {
  const bool has_low = std::isfinite(low);
  const bool has_high = std::isfinite(high);
  if (has_low && has_high && !is_open_below && !is_open_above)
    return "from " + number_text(low) + " to " + number_text(high);
  const std::string below = has_high ? (is_open_above ? "below " : "at most ") + number_text(high) : "";
  const std::string above = has_low ? (is_open_below ? "above " : "at least ") + number_text(low) : "";
  return above + (has_low && has_high ? " and " : "") + below;
}

void read_value(const std::string& what, const PythonValue& value, const Range& range, double& field) {
  const double number = number_of(what, value);
  if (!range.holds(number)) refuse_range(what, value, range.text());
  field = number;
}

void read_value(const std::string& what, const PythonValue& value, const Range&, bool& field) {
  field = boolean_of(what, value);
}

void read_value(const std::string& what, const PythonValue& value, const Range& range, int& field) {
  std::int64_t number = 0;
  read_value(what, value, range, number);
  if (number > std::numeric_limits<int>::max() || number < std::numeric_limits<int>::min())
    refuse_range(what, value, "an integer below 2147483648");
  field = static_cast<int>(number);
}

void read_value(const std::string& what, const PythonValue& value, const Range& range, std::int64_t& field) {
  const auto* integer = std::get_if<long long>(&value.value);
  if (integer == nullptr) refuse_range(what, value, "an integer");
  if (!range.holds(static_cast<double>(*integer))) refuse_range(what, value, range.text());
  field = *integer;
}

void read_value(const std::string& what, const PythonValue& value, const Range&, std::string& field) {
  field = string_of(what, value);
}

void read_value(const std::string& what, const PythonValue& value, const Range& range, std::vector<double>& field) {
  const auto* list = std::get_if<PythonList>(&value.value);
  field.clear();
  if (list == nullptr) return read_value(what, value, range, field.emplace_back());
  if (list->empty()) refuse(what + " is an empty list");
  for (const PythonValue& element : *list) read_value(what, element, range, field.emplace_back());
}

std::string argument_text(const std::string& what, std::string_view name) {
  return what + ": argument " + in_quotes(name);
}

bool takes_argument(std::string_view signature, std::string_view name) {
  return name != "*" && (has_word(signature, name) || has_word(signature, std::string(name) + "!"));
}

std::vector<BoundArgument> bind_arguments(const std::string& what, const PythonCall& call, std::string_view signature) {
  const std::vector<SignatureWord> words = signature_words(signature);
  std::vector<BoundArgument> bound;
  for (std::size_t i = 0; i < call.positional.size(); ++i) {
    if (i >= words.size() || words[i].needs_name)
      refuse(argument_text(what, call.positional[i].text) + " needs a name", accepted_text(words));
    bound.push_back({words[i].name, &call.positional[i]});
  }
  const auto is_bound = [&bound](const std::string& name) {
    return std::any_of(bound.begin(), bound.end(), [&](const BoundArgument& other) { return other.name == name; });
  };
  for (const auto& [name, value] : call.named) {
    if (!takes_argument(signature, name)) refuse(argument_text(what, name) + " is unknown", accepted_text(words));
    if (is_bound(name)) refuse(argument_text(what, name) + " is given twice");
    bound.push_back({name, &value});
  }
  for (const SignatureWord& word : words) {
    if (word.is_required && !is_bound(word.name)) refuse(argument_text(what, word.name) + " is missing");
  }
  return bound;
}

}  // namespace modelhop::spec
