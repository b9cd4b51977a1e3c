// SPDX-License-Identifier: Apache-2.0
// Grids in MADlib's spelling: a dict of lists, with the optimizers and their parameters in optimizer_params_list.
#include "spec/search_space.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "spec/grammar_text.hpp"
#include "spec/optimizers.hpp"
#include "spec/parameter_value.hpp"

namespace modelhop {
namespace {

using namespace spec;

constexpr const char* kCompileGrid = "compile_params_grid";
constexpr const char* kFitGrid = "fit_params_grid";

/// Python's repr() of a float: 0.0001, 1e-05, 3.0.
std::string float_text(double number) {
  std::array<char, 64> buffer;
  const auto shortest = [&](std::chars_format format) {
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, format).ptr;
    return std::string(buffer.data(), end);
  };
  const std::string scientific = shortest(std::chars_format::scientific);
  const int exponent = std::atoi(scientific.c_str() + scientific.find('e') + 1);
  if (number != 0.0 && (exponent < -4 || exponent >= 16)) return scientific;
  const std::string fixed = shortest(std::chars_format::fixed);
  return fixed.find('.') == std::string::npos ? fixed + ".0" : fixed;
}

std::string string_text(const std::string& text) {
  const char quote = text.find('\'') == std::string::npos ? '\'' : '"';
  std::string quoted_text(1, quote);
  for (const char character : text) {
    if (character == '\\' || character == quote) quoted_text += '\\';
    quoted_text += character;
  }
  return quoted_text + quote;
}

/// A value as Python would print it.
std::string value_text(const PythonValue& value) {
  if (std::holds_alternative<double>(value.value)) return float_text(number_of("value", value));
  if (const auto* integer = std::get_if<long long>(&value.value)) return std::to_string(*integer);
  if (const auto* text = std::get_if<std::string>(&value.value)) return string_text(*text);
  if (const auto* list = std::get_if<PythonList>(&value.value)) {
    std::string text = "[";
    for (const PythonValue& element : *list) text += (text.size() > 1 ? ", " : "") + value_text(element);
    return text + "]";
  }
  return value.text;
}

/// A single metric becomes a list of one, as MADlib has it; lists and dicts by output stay, also those in quotes.
std::string metrics_text(const PythonValue& value) {
  const auto* text = std::get_if<std::string>(&value.value);
  if (text != nullptr && (text->starts_with("[") || text->starts_with("{"))) return *text;
  const bool is_whole = is_none(value) || std::holds_alternative<PythonList>(value.value) ||
                        std::holds_alternative<PythonDict>(value.value);
  return is_whole ? value_text(value) : "[" + value_text(value) + "]";
}

class GridReader {
 public:
  explicit GridReader(const char* grid) : grid_(grid) {}

  /// The pairs of a dict with string keys; a key given twice is an error.
  std::vector<std::pair<std::string, PythonValue>> pairs(const PythonValue& value, const std::string& what) const {
    const auto* dict = std::get_if<PythonDict>(&value.value);
    if (dict == nullptr) refuse(what + " must be a dict, not " + in_quotes(value.text));
    std::vector<std::pair<std::string, PythonValue>> entries;
    for (const auto& [key, content] : *dict) {
      const std::string name = string_of(what + " key", key);
      for (const auto& [other, unused] : entries) {
        if (other == name) refuse(what + ": " + in_quotes(name) + " is given twice");
      }
      entries.emplace_back(name, content);
    }
    return entries;
  }

  const PythonList& list(const std::string& key, const PythonValue& value) const {
    const auto* values = std::get_if<PythonList>(&value.value);
    if (values == nullptr) refuse(where(key) + " must be a list, not " + in_quotes(value.text));
    if (values->empty()) refuse(where(key) + " is an empty list");
    return *values;
  }

  std::string where(const std::string& key) const { return grid_ + ": " + in_quotes(key); }

  /// [low, high, 'log'] and its kin, or nothing where the list is one of values.
  std::optional<Distribution> distribution(const std::string& key, const PythonList& list) const {
    if (list.size() != 3) return {};
    const auto* kind = std::get_if<std::string>(&list[2].value);
    if (kind == nullptr || !is_number(list[0]) || !is_number(list[1])) return {};
    Distribution range;
    range.low = number_of(where(key), list[0]);
    range.high = number_of(where(key), list[1]);
    if (*kind == "linear") {
      range.kind = Distribution::Kind::kLinear;
    } else if (*kind == "log") {
      range.kind = Distribution::Kind::kLog;
    } else if (*kind == "log_near_one") {
      range.kind = Distribution::Kind::kLogNearOne;
    } else {
      refuse(where(key) + ": unknown distribution " + in_quotes(*kind),
             "'linear', 'log' and 'log_near_one' are accepted.");
    }
    if (range.high <= range.low) refuse(where(key) + ": high " + list[1].text + " is not above low " + list[0].text);
    if (!std::isfinite(range.high - range.low))
      refuse(where(key) + ": from low " + list[0].text + " to high " + list[1].text + " is too far to draw from");
    if (range.kind == Distribution::Kind::kLog && range.low <= 0.0)
      refuse(where(key) + ": low " + list[0].text + " of a log distribution is not above 0");
    if (range.kind == Distribution::Kind::kLogNearOne && range.high >= 1.0)
      refuse(where(key) + ": high " + list[1].text + " of a log_near_one distribution is not below 1");
    return range;
  }

 private:
  static bool is_number(const PythonValue& value) {
    return std::holds_alternative<long long>(value.value) || std::holds_alternative<double>(value.value);
  }

  std::string grid_;
};

void add_value(Parameter& parameter, std::string text) {
  if (std::find(parameter.values.begin(), parameter.values.end(), text) == parameter.values.end()) {
    parameter.values.push_back(std::move(text));
  }
}

Parameter read_optimizer_names(const GridReader& reader, const std::string& key, const PythonValue& value) {
  Parameter parameter{"optimizer"};
  for (const PythonValue& element : reader.list(key, value)) {
    const auto* text = std::get_if<std::string>(&element.value);
    const bool is_whole = (text != nullptr ? *text : element.text).find('(') != std::string::npos;
    const PythonCall call = callable_of(reader.where(key), element);
    add_value(parameter, is_whole ? (text != nullptr ? *text : element.text) : optimizer_class_name(call.name));
  }
  return parameter;
}

std::vector<Parameter> read_optimizer_dict(const GridReader& reader, const PythonValue& value) {
  const auto entries = reader.pairs(value, "compile_params_grid: an element of \"optimizer_params_list\"");
  if (entries.empty()) refuse("compile_params_grid: an element of \"optimizer_params_list\" is an empty dict");
  std::vector<Parameter> parameters = {Parameter{"optimizer", {"RMSprop"}, {}}};
  for (const auto& [key, content] : entries) {
    if (key == "optimizer") {
      parameters.front() = read_optimizer_names(reader, key, content);
      continue;
    }
    Parameter parameter{key};
    const PythonList& list = reader.list(key, content);
    parameter.distribution = reader.distribution(key, list);
    if (!parameter.distribution) {
      for (const PythonValue& element : list) add_value(parameter, value_text(element));
    }
    parameters.push_back(std::move(parameter));
  }
  for (const std::string& optimizer : parameters.front().values) {
    if (parameters.size() > 1 && optimizer.find('(') != std::string::npos) {
      refuse(reader.where("optimizer") + ": " + in_quotes(optimizer) +
             " has its own parameters beside those of the grid");
    }
    for (std::size_t i = 1; i < parameters.size(); ++i) {
      if (!optimizer_takes(optimizer, parameters[i].name)) {
        refuse(reader.where(parameters[i].name) + " is not a parameter of optimizer " + in_quotes(optimizer));
      }
    }
  }
  return parameters;
}

void read_compile_grid(std::string_view text, SearchSpace& space) {
  const GridReader reader(kCompileGrid);
  constexpr std::array kKeys =
      std::to_array<std::string_view>({"loss", "metrics", "loss_weights", "weighted_metrics", "sample_weight_mode"});
  std::vector<std::string> outside;
  for (const auto& [key, value] : reader.pairs(parse_python_value(text, kCompileGrid), kCompileGrid)) {
    if (key == "optimizer_params_list") {
      for (const PythonValue& element : reader.list(key, value))
        space.optimizers.push_back(read_optimizer_dict(reader, element));
      continue;
    }
    outside.push_back(key);
    if (key == "optimizer") continue;
    const bool is_known = std::find(kKeys.begin(), kKeys.end(), key) != kKeys.end();
    if (!is_known) continue;  // refused below, when it is known whether an optimizer has it too
    Parameter parameter{key};
    for (const PythonValue& element : reader.list(key, value)) {
      add_value(parameter, key == "metrics" || key == "weighted_metrics" ? metrics_text(element) : value_text(element));
    }
    space.compile.push_back(std::move(parameter));
  }
  for (const std::string& key : outside) {
    for (const auto& optimizer : space.optimizers) {
      for (const Parameter& parameter : optimizer) {
        if (parameter.name == key)
          refuse(reader.where(key) + " is given both inside and outside of \"optimizer_params_list\"");
      }
    }
    if (key != "optimizer" && std::find(kKeys.begin(), kKeys.end(), key) == kKeys.end()) {
      refuse(reader.where(key) + " is not currently accepted as a parameter");
    }
  }
}

/// Without optimizer_params_list the grid may list whole optimizers: {'optimizer': ['adam', 'SGD(lr=0.1)']}.
void complete_optimizers(std::string_view text, SearchSpace& space) {
  if (!space.optimizers.empty()) return;
  const GridReader reader(kCompileGrid);
  for (const auto& [key, value] : reader.pairs(parse_python_value(text, kCompileGrid), kCompileGrid)) {
    if (key == "optimizer") space.optimizers.push_back({read_optimizer_names(reader, key, value)});
  }
  if (space.optimizers.empty()) space.optimizers.push_back({Parameter{"optimizer", {"RMSprop"}, {}}});
}

void read_fit_grid(std::string_view text, SearchSpace& space) {
  const GridReader reader(kFitGrid);
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return;
  constexpr std::array kKeys = std::to_array<std::string_view>(
      {"batch_size", "epochs", "verbose", "shuffle", "class_weight", "initial_epoch", "steps_per_epoch", "callbacks"});
  for (const auto& [key, value] : reader.pairs(parse_python_value(text, kFitGrid), kFitGrid)) {
    if (std::find(kKeys.begin(), kKeys.end(), key) == kKeys.end()) {
      refuse(reader.where(key) + " is not currently accepted as a parameter");
    }
    const PythonList& list = reader.list(key, value);
    if (reader.distribution(key, list))
      refuse(reader.where(key) + ": a distribution " + in_quotes(value.text) + " is only for optimizer parameters");
    Parameter parameter{key};
    for (const PythonValue& element : list) {
      const auto* content = std::get_if<std::string>(&element.value);
      // A callback is written as text that holds an expression.
      add_value(parameter, key == "callbacks" && content != nullptr ? *content : value_text(element));
    }
    space.fit.push_back(std::move(parameter));
  }
}

}  // namespace

SearchSpace parse_search_space(std::string_view compile_params_grid, std::string_view fit_params_grid) {
  SearchSpace space;
  read_compile_grid(compile_params_grid, space);
  complete_optimizers(compile_params_grid, space);
  read_fit_grid(fit_params_grid, space);
  return space;
}

}  // namespace modelhop
