// SPDX-License-Identifier: Apache-2.0
// Names of custom functions and what may be stored under them.
#include "spec/custom_functions.hpp"

#include <algorithm>

#include "spec/call_arguments.hpp"
#include "spec/expression.hpp"
#include "spec/grammar_text.hpp"
#include "spec/losses.hpp"
#include "spec/metrics.hpp"
#include "spec/near_name.hpp"

namespace modelhop {
namespace spec {
namespace {

constexpr std::size_t kMaxNameBytes = 200;

bool is_identifier(std::string_view name) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
  constexpr std::string_view kDigits = "0123456789";
  if (name.empty() || name.size() > kMaxNameBytes || kDigits.find(name.front()) != std::string_view::npos) return false;
  if (has_word("None True False and or not lambda", name)) return false;
  return std::all_of(name.begin(), name.end(), [&](char character) {
    return kLetters.find(character) != std::string_view::npos || kDigits.find(character) != std::string_view::npos;
  });
}

/// Pickles begin with byte 0x80, older ones with the name of a module; and no text has a NUL.
bool is_pickled(std::string_view object) {
  return object.starts_with('\x80') || object.starts_with("cdill") || object.starts_with("c__builtin__") ||
         object.starts_with("cbuiltins") || object.find('\0') != std::string_view::npos;
}

}  // namespace

const CustomFunction* find_custom_function(const CustomFunctions& functions, std::string_view written) {
  const auto find = [&](auto&& is_it) {
    const auto found = std::find_if(functions.begin(), functions.end(), is_it);
    return found == functions.end() ? nullptr : &*found;
  };
  const std::string lower = lower_case(written);
  if (const auto* exact = find([&](const CustomFunction& function) { return function.name == written; })) return exact;
  if (const auto* madlib = find([&](const CustomFunction& function) { return function.name == lower; })) return madlib;
  return find([&](const CustomFunction& function) { return lower_case(function.name) == lower; });
}

ExpressionSpec read_custom_function(const CustomFunction& function) {
  try {
    if (is_pickled(function.text)) {
      refuse("it is a pickled Python object, which is not run here", "Store the text of the function instead.");
    }
    return parse_expression(function.text);
  } catch (const Error& error) {
    throw Error(error.code(), "custom function " + in_quotes(function.name) + ": " + error.what(), error.hint());
  }
}

std::string unknown_name_hint(const std::string& name, const std::vector<std::string>& known,
                              const CustomFunctions& functions) {
  std::vector<std::string> candidates;
  for (const CustomFunction& function : functions) candidates.push_back(function.name);
  candidates.insert(candidates.end(), known.begin(), known.end());
  std::string hint = "Did you mean " + in_quotes(nearest_name(name, candidates)) + "? ";
  hint += functions.empty() ? "A custom function needs the object_table that holds it."
                            : "The object_table holds no function of that name.";
  hint += " Accepted: ";
  for (const std::string& one : known) hint += (&one == &known.front() ? "" : ", ") + one;
  return hint + ".";
}

}  // namespace spec

void add_used_functions(const TrainSpec& train, CustomFunctions& used) {
  const auto add = [&used](const std::string& name, const ExpressionSpec& expression) {
    if (expression.nodes.empty()) return;
    const CustomFunction function{name, expression.text};
    if (std::find(used.begin(), used.end(), function) == used.end()) used.push_back(function);
  };
  for (const LossSpec& loss : train.losses) add(loss.name, loss.expression);
  for (const MetricSpec& metric : train.metrics) add(metric.function, metric.expression);
}

void check_custom_function(const std::optional<std::string>& name, std::string_view object) {
  using namespace spec;
  if (name && !is_identifier(*name)) {
    refuse("argument name: " + in_quotes(*name) + " is not a name",
           "Use letters, digits and _, as for a function of Python.");
  }
  if (name && (is_loss_name(*name) || is_metric_name(*name))) {
    refuse("argument name: " + in_quotes(*name) + " is a loss or metric of Keras", "Choose another name.");
  }
  if (object.empty()) refuse("argument object is empty", "Give the text of the function.");
  if (is_pickled(object)) {
    unsupported("argument object: a pickled Python object is not accepted, as no code is run here",
                "Give the function's text: convert_to('def f(y_true, y_pred): return K.square(y_pred - y_true)', "
                "'UTF8').");
  }
  try {
    parse_expression(object);
  } catch (const Error& error) {
    throw Error(error.code(), std::string("argument object: ") + error.what(), error.hint());
  }
}

}  // namespace modelhop
