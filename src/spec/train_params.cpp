// SPDX-License-Identifier: Apache-2.0
// The keys of compile parameters and fit parameters.
#include "spec/train_params.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "spec/grammar_text.hpp"
#include "spec/losses.hpp"
#include "spec/optimizers.hpp"
#include "spec/parameter_value.hpp"

namespace modelhop {
namespace {

using namespace spec;
using Assignments = std::vector<std::pair<std::string, PythonValue>>;

const PythonValue* find_value(const Assignments& assignments, std::string_view name) {
  for (const auto& [key, value] : assignments) {
    if (key == name) return &value;
  }
  return nullptr;
}

/// Keys that are legal and must be None.
void require_none(const std::string& parameters, const std::string& key, const PythonValue& value, const char* reason) {
  if (is_none(value)) return;
  unsupported(parameters + ": " + in_quotes(key) + " = " + in_quotes(value.text) + " is not supported", reason);
}

void check_compile_keys(const Assignments& assignments) {
  for (const auto& [key, value] : assignments) {
    if (key == "optimizer" || key == "loss" || key == "metrics") continue;
    if (key == "loss_weights") {
      require_none("compile_params", key, value, "A network has one output, whose loss has weight 1.");
    } else if (key == "weighted_metrics" || key == "sample_weight_mode") {
      require_none("compile_params", key, value, "Examples have no weights.");
    } else {
      refuse("compile_params: " + in_quotes(key) + " is not currently accepted as a parameter",
             "optimizer, loss and metrics are accepted.");
    }
  }
}

/// True leaves the order to the call's own setting.
std::optional<Shuffle> read_shuffle(const PythonValue& value) {
  if (const auto* text = std::get_if<std::string>(&value.value)) {
    if (*text == "batch") return Shuffle::kBuffer;
  } else if (const auto* call = std::get_if<PythonCall>(&value.value); call != nullptr && call->name == "batch") {
    return Shuffle::kBuffer;
  } else if (std::holds_alternative<bool>(value.value)) {
    return std::get<bool>(value.value) ? std::nullopt : std::optional(Shuffle::kNone);
  }
  refuse("fit_params: \"shuffle\" must be True, False or 'batch', not " + in_quotes(value.text));
}

void read_fit(const Assignments& assignments, TrainSpec& train) {
  for (const auto& [key, value] : assignments) {
    const std::string what = "fit_params: " + in_quotes(key);
    if (key == "batch_size") {
      if (!is_none(value)) train.batch_size = integer_of(what, value, 1);
    } else if (key == "epochs") {
      train.epochs = integer_of(what, value, 1);
    } else if (key == "verbose") {
      const auto* text = std::get_if<std::string>(&value.value);
      const bool is_word = text != nullptr && *text == "auto";
      if (!is_word && !std::holds_alternative<bool>(value.value)) integer_of(what, value, 0);
    } else if (key == "shuffle") {
      train.shuffle = read_shuffle(value);
    } else if (key == "initial_epoch") {
      if (integer_of(what, value, 0) != 0) {
        unsupported(what + " = " + in_quotes(value.text) + " is not supported", "Training counts epochs from 0.");
      }
    } else if (key == "steps_per_epoch") {
      require_none("fit_params", key, value, "A pass always covers its whole segment.");
    } else if (key == "class_weight") {
      require_none("fit_params", key, value, "All classes have weight 1.");
    } else if (key == "callbacks") {
      const auto* list = std::get_if<PythonList>(&value.value);
      if (list == nullptr || !list->empty()) require_none("fit_params", key, value, "Callbacks are not run.");
    } else {
      refuse("fit_params: " + in_quotes(key) + " is not currently accepted as a parameter",
             "batch_size, epochs, verbose, shuffle and initial_epoch are accepted.");
    }
  }
}

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

TrainSpec parse_train_params(std::string_view compile_params, std::string_view fit_params, SemanticsProfile profile) {
  const Assignments compile = parse_python_assignments(compile_params);
  check_compile_keys(compile);
  TrainSpec train;
  const PythonValue* optimizer = find_value(compile, "optimizer");
  if (optimizer == nullptr) refuse("compile_params: \"optimizer\" is missing");
  train.optimizer = read_optimizer(*optimizer, profile);
  const PythonValue* loss = find_value(compile, "loss");
  if (loss == nullptr) refuse("compile_params: \"loss\" is missing");
  train.losses = {read_loss(*loss)};
  if (const PythonValue* metrics = find_value(compile, "metrics"))
    train.metrics = read_metrics(*metrics, train.losses.front());
  read_fit(parse_python_assignments(fit_params), train);
  return train;
}

TrainSpec resolve_train_spec(TrainSpec train, const ModelSpec& model) {
  const std::size_t outputs = model.outputs.size();
  if (train.losses.size() == 1) train.losses.resize(outputs, train.losses.front());
  if (train.losses.size() != outputs) {
    refuse("compile_params: " + std::to_string(train.losses.size()) + " losses for a model with " +
           std::to_string(outputs) + " outputs");
  }
  return train;
}

std::string canonical_params(std::string_view params) {
  std::vector<std::string> pairs;
  for (const auto& [key, value] : parse_python_assignments(params)) pairs.push_back(key + "=" + canonical_value(value));
  std::sort(pairs.begin(), pairs.end());
  std::string text;
  for (const std::string& pair : pairs) text += (text.empty() ? "" : ",") + pair;
  return text;
}

}  // namespace modelhop
