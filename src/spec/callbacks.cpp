// SPDX-License-Identifier: Apache-2.0
// One table row per callback and per argument.
#include "spec/callbacks.hpp"

#include <array>

#include "spec/call_arguments.hpp"
#include "spec/grammar_text.hpp"
#include "spec/parameter_value.hpp"
#include "spec/schedules.hpp"

namespace modelhop::spec {
namespace {

constexpr std::size_t kMaxCallbacks = 50;

using Kind = CallbackSpec::Kind;

struct CallbackClass {
  std::string_view name;
  Kind kind;
  std::string_view signature;
};

constexpr std::array kClasses = std::to_array<CallbackClass>({
    {"EarlyStopping", Kind::kEarlyStopping,
     "monitor min_delta patience verbose mode baseline restore_best_weights start_from_epoch"},
    {"ReduceLROnPlateau", Kind::kReduceLrOnPlateau,
     "monitor factor patience verbose mode min_delta cooldown min_lr * epsilon"},
    {"LearningRateScheduler", Kind::kLearningRateSchedule, "schedule! verbose"},
    {"TerminateOnNaN", Kind::kTerminateOnNan, "raise_error"},
    {"ModelCheckpoint", Kind::kRecorded,
     "filepath monitor verbose save_best_only save_weights_only mode save_freq * period options "
     "initial_value_threshold"},
    {"CSVLogger", Kind::kRecorded, "filename! separator append"},
    {"TensorBoard", Kind::kRecorded,
     "log_dir histogram_freq * batch_size write_graph write_grads write_images write_steps_per_second update_freq "
     "profile_batch embeddings_freq embeddings_layer_names embeddings_metadata embeddings_data"},
    {"History", Kind::kRecorded, ""},
    {"ProgbarLogger", Kind::kRecorded, "count_mode stateful_metrics"},
    {"BaseLogger", Kind::kRecorded, "stateful_metrics"},
});

struct RefusedClass {
  std::string_view name;
  std::string_view reason;
};

constexpr std::array kRefused = std::to_array<RefusedClass>({
    {"BackupAndRestore", "A run is one transaction: one that is interrupted leaves nothing to go on from."},
    {"RemoteMonitor", "Nothing is sent over the network; the progress view shows a run to other sessions."},
    {"LambdaCallback", "Python functions cannot run in the database."},
    {"SwapEMAWeights", "Give the optimizer ema_overwrite_frequency instead."},
    {"OrbaxCheckpoint", "No files are written; ModelCheckpoint(save_best_only=True) keeps the best weights."},
    {"Callback", "Python classes cannot run in the database."},
});

[[noreturn]] void refuse_setting(const std::string& what, const PythonValue& value, const char* reason) {
  unsupported(what + " = " + in_quotes(value.text) + " is not supported", reason);
}

void read_mode(const std::string& what, const PythonValue& value, CallbackSpec& callback) {
  const std::string mode = string_of(what, value);
  if (mode != "auto" && mode != "min" && mode != "max")
    refuse(what + " must be 'auto', 'min' or 'max', not " + in_quotes(value.text));
  callback.mode = mode == "min"   ? CallbackSpec::Mode::kMin
                  : mode == "max" ? CallbackSpec::Mode::kMax
                                  : CallbackSpec::Mode::kAuto;
}

/// Keras takes the size of it: the direction is that of the mode.
void read_min_delta(const std::string& what, const PythonValue& value, CallbackSpec& callback) {
  read_value(what, value, kAnyNumber, callback.min_delta);
  if (callback.min_delta < 0.0) callback.min_delta = -callback.min_delta;
}

void read_schedule_argument(const std::string& what, const PythonValue& value, CallbackSpec& callback) {
  const auto* call = std::get_if<PythonCall>(&value.value);
  if (call != nullptr && !call->is_call)
    refuse_setting(what, value,
                   "Python functions cannot run in the database: give a schedule such as "
                   "ExponentialDecay(0.1, decay_steps=1, decay_rate=0.9).");
  callback.schedule = read_schedule(what, value);
}

void read_verbose(const std::string& what, const PythonValue& value, CallbackSpec&) {
  int ignored = 0;
  if (!std::holds_alternative<bool>(value.value)) read_value(what, value, kNotNegative, ignored);
}

void read_save_best_only(const std::string& what, const PythonValue& value, CallbackSpec& callback) {
  if (boolean_of(what, value)) callback.kind = Kind::kKeepBest;
}

void must_be_epoch(const std::string& what, const PythonValue& value, CallbackSpec&) {
  const auto* word = std::get_if<std::string>(&value.value);
  if (word == nullptr || *word != "epoch") refuse_setting(what, value, "Weights are looked at after each iteration.");
}

void must_be_one(const std::string& what, const PythonValue& value, CallbackSpec&) {
  const auto* number = std::get_if<long long>(&value.value);
  if (number == nullptr || *number != 1) refuse_setting(what, value, "Weights are looked at after each iteration.");
}

void must_be_false(const std::string& what, const PythonValue& value, CallbackSpec&) {
  if (boolean_of(what, value)) refuse_setting(what, value, "The configuration ends and is marked; others go on.");
}

void read_flag(const std::string& what, const PythonValue& value, CallbackSpec&) {
  boolean_of(what, value);
}

constexpr std::array kArguments = std::to_array<Argument<CallbackSpec>>({
    {"monitor", &CallbackSpec::monitor},
    {"min_delta", &read_min_delta},
    {"epsilon", &read_min_delta},
    {"patience", &CallbackSpec::patience, kNotNegative},
    {"verbose", &read_verbose},
    {"mode", &read_mode},
    {"baseline", &CallbackSpec::baseline},
    {"initial_value_threshold", &CallbackSpec::baseline},
    {"restore_best_weights", &CallbackSpec::restore_best_weights},
    {"start_from_epoch", &CallbackSpec::start_from_epoch, kNotNegative},
    {"factor", &CallbackSpec::factor, kShareBelowOne},
    {"cooldown", &CallbackSpec::cooldown, kNotNegative},
    {"min_lr", &CallbackSpec::min_lr, kNotNegative},
    {"schedule", &read_schedule_argument},
    {"raise_error", &must_be_false},
    {"save_best_only", &read_save_best_only},
    {"save_freq", &must_be_epoch},
    {"period", &must_be_one},
    {"save_weights_only", &read_flag},
    {"append", &read_flag},
    {"write_graph", &read_flag},
    {"write_grads", &read_flag},
    {"write_images", &read_flag},
    {"write_steps_per_second", &read_flag},
    // Where and how to write what is not written.
    {"filepath", {}},
    {"options", {}},
    {"filename", {}},
    {"separator", {}},
    {"log_dir", {}},
    {"histogram_freq", {}},
    {"batch_size", {}},
    {"update_freq", {}},
    {"profile_batch", {}},
    {"embeddings_freq", {}},
    {"embeddings_layer_names", {}},
    {"embeddings_metadata", {}},
    {"embeddings_data", {}},
    {"count_mode", {}},
    {"stateful_metrics", {}},
});

[[noreturn]] void refuse_class(const std::string& name) {
  for (const RefusedClass& entry : kRefused) {
    if (entry.name == name) unsupported("callback " + in_quotes(name), std::string(entry.reason));
  }
  std::string known;
  for (const CallbackClass& entry : kClasses) known += (known.empty() ? "" : ", ") + std::string(entry.name);
  refuse("unknown callback " + in_quotes(name), "Accepted: " + known + ".");
}

CallbackSpec read_callback(const PythonValue& value) {
  const PythonCall call = callable_of("callbacks", value);
  const CallbackClass* found = nullptr;
  for (const CallbackClass& entry : kClasses) found = entry.name == call.name ? &entry : found;
  if (found == nullptr) refuse_class(call.name);
  CallbackSpec callback;
  callback.kind = found->kind;
  callback.name = call.name;
  if (found->kind == Kind::kReduceLrOnPlateau) {
    callback.patience = 10;
    callback.min_delta = 1e-4;
  }
  read_arguments("callback " + call.name, call, found->signature, kArguments, callback);
  return callback;
}

}  // namespace

std::vector<CallbackSpec> read_callbacks(const PythonValue& written) {
  const PythonValue value = without_quotes(written);
  std::vector<CallbackSpec> callbacks;
  if (is_none(value)) return callbacks;
  const auto* list = std::get_if<PythonList>(&value.value);
  if (list == nullptr) return {read_callback(value)};
  if (list->size() > kMaxCallbacks)
    refuse("fit_params: \"callbacks\" has " + std::to_string(list->size()) + " entries, the limit is " +
           std::to_string(kMaxCallbacks));
  for (const PythonValue& element : *list) callbacks.push_back(read_callback(element));
  return callbacks;
}

}  // namespace modelhop::spec
