// SPDX-License-Identifier: Apache-2.0
// The keys of compile parameters and fit parameters: one table row per key.
#include "spec/train_params.hpp"

#include <array>

#include "spec/call_arguments.hpp"
#include "spec/callbacks.hpp"
#include "spec/grammar_text.hpp"
#include "spec/losses.hpp"
#include "spec/metrics.hpp"
#include "spec/optimizers.hpp"
#include "spec/parameter_value.hpp"

namespace modelhop {
namespace {

using namespace spec;

/// What a key means beside its value.
struct Meaning {
  SemanticsProfile profile;
  const CustomFunctions& functions;
};

/// Sets the fields of `train` that the key is about. `what` is `fit_params: "key"`.
using ReadKey = void (*)(const std::string& what, const PythonValue& value, const Meaning& meaning, TrainSpec& train);

struct Key {
  std::string_view name;
  ReadKey read;  ///< null: not accepted
  std::string_view hint = {};
  bool is_required = false;
};

/// A value that must not say anything, with the reason.
void require_none(const std::string& what, const PythonValue& value, const char* reason) {
  if (!is_none(without_quotes(value))) unsupported(what + " = " + in_quotes(value.text) + " is not supported", reason);
}

void read_optimizer_key(const std::string&, const PythonValue& value, const Meaning& meaning, TrainSpec& train) {
  train.optimizer = read_optimizer(value, meaning.profile);
}

void read_loss_key(const std::string&, const PythonValue& value, const Meaning& meaning, TrainSpec& train) {
  read_losses(value, meaning.functions, train);
}

void read_loss_weights_key(const std::string&, const PythonValue& value, const Meaning&, TrainSpec& train) {
  read_loss_weights(value, train);
}

void read_metrics_key(const std::string&, const PythonValue& value, const Meaning& meaning, TrainSpec& train) {
  read_metrics(value, false, meaning.functions, train);
}

void read_weighted_metrics_key(const std::string&, const PythonValue& value, const Meaning& meaning, TrainSpec& train) {
  read_metrics(value, true, meaning.functions, train);
}

void read_sample_weight_mode(const std::string& what, const PythonValue& value, const Meaning&, TrainSpec&) {
  require_none(what, value, "A sample weight belongs to a whole example.");
}

constexpr std::array kCompileKeys = std::to_array<Key>({
    {"optimizer", &read_optimizer_key, {}, true},
    {"loss", &read_loss_key, {}, true},
    {"metrics", &read_metrics_key},
    {"loss_weights", &read_loss_weights_key},
    {"weighted_metrics", &read_weighted_metrics_key},
    {"sample_weight_mode", &read_sample_weight_mode},
});

void read_batch_size(const std::string& what, const PythonValue& value, const Meaning&, TrainSpec& train) {
  if (!is_none(value)) train.batch_size = integer_of(what, value, 1);
}

void read_epochs(const std::string& what, const PythonValue& value, const Meaning&, TrainSpec& train) {
  train.epochs = integer_of(what, value, 1);
}

void read_verbose(const std::string& what, const PythonValue& value, const Meaning&, TrainSpec&) {
  const auto* text = std::get_if<std::string>(&value.value);
  const bool is_word = text != nullptr && *text == "auto";
  if (!is_word && !std::holds_alternative<bool>(value.value)) integer_of(what, value, 0);
}

/// True leaves the order to the call's own setting.
void read_shuffle(const std::string& what, const PythonValue& value, const Meaning&, TrainSpec& train) {
  const auto* text = std::get_if<std::string>(&value.value);
  const auto* name = std::get_if<PythonCall>(&value.value);
  if ((text != nullptr && *text == "batch") || (name != nullptr && name->name == "batch")) {
    train.shuffle = Shuffle::kBuffer;
  } else if (const auto* flag = std::get_if<bool>(&value.value)) {
    train.shuffle = *flag ? std::nullopt : std::optional(Shuffle::kNone);
  } else {
    refuse(what + " must be True, False or 'batch', not " + in_quotes(value.text));
  }
}

void read_initial_epoch(const std::string& what, const PythonValue& value, const Meaning&, TrainSpec& train) {
  train.initial_epoch = integer_of(what, value, 0);
}

void read_steps_per_epoch(const std::string& what, const PythonValue& value, const Meaning&, TrainSpec& train) {
  train.steps_per_epoch.reset();
  if (!is_none(value)) train.steps_per_epoch = integer_of(what, value, 1);
}

void read_class_weight(const std::string& what, const PythonValue& written, const Meaning&, TrainSpec& train) {
  const PythonValue value = without_quotes(written);
  train.class_weights.clear();
  if (is_none(value)) return;
  const auto* dict = std::get_if<PythonDict>(&value.value);
  if (dict == nullptr || dict->empty())
    refuse(what + " must be a dict such as {0: 1.0, 1: 2.5}, not " + in_quotes(value.text));
  for (const auto& [key, weight] : *dict) {
    std::int64_t id = 0;
    read_value(what + ": class " + in_quotes(key.text), key, kNotNegative, id);
    double number = 0.0;
    read_value(what + ": weight of class " + std::to_string(id), weight, kNotNegative, number);
    train.class_weights[id] = number;
  }
}

void read_callbacks_key(const std::string&, const PythonValue& value, const Meaning&, TrainSpec& train) {
  train.callbacks = read_callbacks(value);
}

constexpr std::string_view kValidationHint = "Give the validation table to the training function instead.";
constexpr std::string_view kWeightHint = "Name the column of weights as sample_weight_varname in the preprocessor.";
constexpr std::string_view kInputHint = "Data comes from the packed table.";

constexpr std::array kFitKeys = std::to_array<Key>({
    {"batch_size", &read_batch_size},
    {"epochs", &read_epochs},
    {"verbose", &read_verbose},
    {"shuffle", &read_shuffle},
    {"class_weight", &read_class_weight},
    {"initial_epoch", &read_initial_epoch},
    {"steps_per_epoch", &read_steps_per_epoch},
    {"callbacks", &read_callbacks_key},
    {"validation_split", nullptr, kValidationHint},
    {"validation_data", nullptr, kValidationHint},
    {"validation_steps", nullptr, kValidationHint},
    {"validation_batch_size", nullptr, kValidationHint},
    {"validation_freq", nullptr, "metrics_compute_frequency says how often there is a validation."},
    {"sample_weight", nullptr, kWeightHint},
    {"x", nullptr, kInputHint},
    {"y", nullptr, kInputHint},
});

void read_keys(const std::string& parameters, std::string_view text, std::span<const Key> keys, const Meaning& meaning,
               TrainSpec& train) {
  std::string known;
  for (const Key& key : keys) known += key.read == nullptr ? "" : (known.empty() ? "" : ", ") + std::string(key.name);
  const auto assignments = parse_python_assignments(text, parameters);
  for (const Key& key : keys) {
    bool is_given = false;
    for (const auto& [name, value] : assignments) is_given = is_given || name == key.name;
    if (key.is_required && !is_given) refuse(parameters + ": " + in_quotes(key.name) + " is missing");
  }
  for (const auto& [name, value] : assignments) {
    const Key* found = nullptr;
    for (const Key& key : keys) found = key.name == name ? &key : found;
    const std::string what = parameters + ": " + in_quotes(name);
    if (found == nullptr || found->read == nullptr) {
      const bool has_hint = found != nullptr && !found->hint.empty();
      refuse(what + " is not currently accepted as a parameter",
             has_hint ? std::string(found->hint) : "Accepted: " + known + ".");
    }
    found->read(what, value, meaning, train);
  }
}

/// Keras's optimizers refuse to have their rate set while a schedule decides it.
void check_schedules(const TrainSpec& train) {
  if (train.optimizer.schedule.kind == ScheduleSpec::Kind::kNone) return;
  for (const CallbackSpec& callback : train.callbacks) {
    if (callback.kind != CallbackSpec::Kind::kReduceLrOnPlateau &&
        callback.kind != CallbackSpec::Kind::kLearningRateSchedule)
      continue;
    refuse("callback " + callback.name + " cannot change the learning rate: the optimizer has a schedule",
           "Give the optimizer a number as learning_rate.");
  }
}

}  // namespace

TrainSpec parse_train_params(std::string_view compile_params, std::string_view fit_params, SemanticsProfile profile,
                             const CustomFunctions& functions) {
  TrainSpec train;
  const Meaning meaning{profile, functions};
  read_keys("compile_params", compile_params, kCompileKeys, meaning, train);
  read_keys("fit_params", fit_params, kFitKeys, meaning, train);
  check_schedules(train);
  return train;
}

}  // namespace modelhop
