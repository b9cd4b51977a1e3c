// SPDX-License-Identifier: Apache-2.0
// One table row per optimizer: its class name and its arguments. Adding an argument is one row of kArguments.
#include "spec/optimizers.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "spec/grammar_text.hpp"
#include "spec/parameter_value.hpp"

namespace modelhop::spec {
namespace {

struct OptimizerClass {
  const char* class_name;
  OptimizerKind kind;
};

constexpr std::array kClasses = std::to_array<OptimizerClass>({{"SGD", OptimizerKind::kSgd},
                                                               {"RMSprop", OptimizerKind::kRmsprop},
                                                               {"Adam", OptimizerKind::kAdam},
                                                               {"Adagrad", OptimizerKind::kAdagrad}});

constexpr std::array kOtherClasses = std::to_array<std::string_view>(
    {"Adadelta", "Adamax", "Nadam", "Ftrl", "AdamW", "Lion", "Adafactor", "Lamb", "Muon", "LossScaleOptimizer"});

constexpr unsigned bit(OptimizerKind kind) {
  return 1U << static_cast<unsigned>(kind);
}
constexpr unsigned kSgd = bit(OptimizerKind::kSgd);
constexpr unsigned kRmsprop = bit(OptimizerKind::kRmsprop);
constexpr unsigned kAdam = bit(OptimizerKind::kAdam);
constexpr unsigned kAdagrad = bit(OptimizerKind::kAdagrad);
constexpr unsigned kAll = kSgd | kRmsprop | kAdam | kAdagrad;

struct Argument {
  const char* name;
  unsigned kinds;
  double OptimizerSpec::*number = nullptr;
  bool OptimizerSpec::*flag = nullptr;
  double high = std::numeric_limits<double>::infinity();  ///< low is always 0
  bool is_open_above = false;
};

constexpr std::array kArguments = std::to_array<Argument>({
    {"learning_rate", kAll, &OptimizerSpec::learning_rate},
    {"lr", kAll, &OptimizerSpec::learning_rate},
    {"decay", kAll, &OptimizerSpec::decay},
    {"momentum", kSgd | kRmsprop, &OptimizerSpec::momentum, nullptr, 1.0},
    {"nesterov", kSgd, nullptr, &OptimizerSpec::nesterov},
    {"rho", kRmsprop, &OptimizerSpec::rho, nullptr, 1.0},
    {"centered", kRmsprop, nullptr, &OptimizerSpec::centered},
    {"beta_1", kAdam, &OptimizerSpec::beta_1, nullptr, 1.0, true},
    {"beta_2", kAdam, &OptimizerSpec::beta_2, nullptr, 1.0, true},
    {"epsilon", kRmsprop | kAdam | kAdagrad, &OptimizerSpec::epsilon},
    {"amsgrad", kAdam, nullptr, &OptimizerSpec::amsgrad},
    {"initial_accumulator_value", kAdagrad, &OptimizerSpec::initial_accumulator_value},
});

/// Arguments of newer optimizers that must be off.
constexpr std::array kMustBeOff =
    std::to_array<std::string_view>({"clipnorm", "clipvalue", "global_clipnorm", "weight_decay", "use_ema",
                                     "gradient_accumulation_steps", "loss_scale_factor"});

/// Arguments that say nothing about the update.
constexpr std::array kWithoutEffect = std::to_array<std::string_view>(
    {"name", "jit_compile", "is_legacy_optimizer", "ema_momentum", "ema_overwrite_frequency"});

template <typename List>
bool contains(const List& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

const OptimizerClass* find_class(const std::string& name) {
  for (const OptimizerClass& entry : kClasses) {
    if (lower_case(entry.class_name) == lower_case(name)) return &entry;
  }
  return nullptr;
}

const Argument* find_argument(OptimizerKind kind, std::string_view name) {
  for (const Argument& argument : kArguments) {
    if (name == argument.name && (argument.kinds & bit(kind)) != 0) return &argument;
  }
  return nullptr;
}

OptimizerSpec default_optimizer(OptimizerKind kind, SemanticsProfile profile) {
  OptimizerSpec optimizer;
  optimizer.kind = kind;
  const bool is_keras22 = profile == SemanticsProfile::kKeras22;
  if (kind == OptimizerKind::kSgd || (kind == OptimizerKind::kAdagrad && is_keras22)) optimizer.learning_rate = 0.01;
  if (kind == OptimizerKind::kAdagrad && is_keras22) optimizer.initial_accumulator_value = 0.0;
  return optimizer;
}

void set_number(const Argument& argument, const std::string& what, const PythonValue& value, OptimizerSpec& optimizer) {
  const bool is_epsilon = argument.number == &OptimizerSpec::epsilon;
  if (is_epsilon && is_none(value)) return;
  if (const auto* call = std::get_if<PythonCall>(&value.value); call != nullptr && call->is_call) {
    unsupported(what + ": learning rate schedule " + in_quotes(value.text),
                "Give a number, with decay where it should fall.");
  }
  const double number = number_of(what, value);
  if (number < 0.0 || number > argument.high || (argument.is_open_above && number == argument.high)) {
    refuse(what + " is out of range: " + in_quotes(value.text));
  }
  // Keras 2 reads epsilon 0 as unset.
  if (is_epsilon && number == 0.0) return;
  optimizer.*argument.number = number;
}

void set_argument(const OptimizerClass& entry, const std::string& name, const PythonValue& value,
                  OptimizerSpec& optimizer) {
  const std::string what = "optimizer " + std::string(entry.class_name) + ": argument " + in_quotes(name);
  if (const Argument* argument = find_argument(entry.kind, name)) {
    if (argument->flag != nullptr) {
      optimizer.*argument->flag = boolean_of(what, value);
    } else {
      set_number(*argument, what, value, optimizer);
    }
    return;
  }
  if (contains(kWithoutEffect, name)) return;
  if (!contains(kMustBeOff, name)) refuse(what + " is unknown");
  const auto* flag = std::get_if<bool>(&value.value);
  if (!is_none(value) && (flag == nullptr || *flag))
    unsupported(what + " = " + in_quotes(value.text) + " is not supported");
}

}  // namespace

std::string optimizer_class_name(const std::string& name) {
  if (const OptimizerClass* entry = find_class(name)) return entry->class_name;
  for (const std::string_view other : kOtherClasses) {
    if (lower_case(other) == lower_case(name)) return std::string(other);
  }
  return name;
}

bool optimizer_takes(const std::string& optimizer, const std::string& argument) {
  const OptimizerClass* entry = find_class(optimizer);
  return entry != nullptr &&
         (find_argument(entry->kind, argument) != nullptr || contains(kMustBeOff, argument) || argument == "name");
}

int slot_count(const OptimizerSpec& optimizer) {
  const int momentum = optimizer.momentum > 0.0 ? 1 : 0;
  switch (optimizer.kind) {
    case OptimizerKind::kSgd:
      return momentum;
    case OptimizerKind::kRmsprop:
      return 1 + momentum + (optimizer.centered ? 1 : 0);
    case OptimizerKind::kAdam:
      return optimizer.amsgrad ? 3 : 2;
    case OptimizerKind::kAdagrad:
      return 1;
  }
  return 3;
}

OptimizerSpec read_optimizer(const PythonValue& value, SemanticsProfile profile) {
  const PythonCall call = callable_of("optimizer", value);
  const OptimizerClass* entry = find_class(call.name);
  if (entry == nullptr) {
    const std::string hint = "SGD, RMSprop, Adam and Adagrad are accepted.";
    const std::string known = optimizer_class_name(call.name);
    if (contains(kOtherClasses, known)) unsupported("optimizer " + in_quotes(known), hint);
    refuse("unknown optimizer " + in_quotes(call.name), hint);
  }
  OptimizerSpec optimizer = default_optimizer(entry->kind, profile);
  // What comes after differs between Keras versions.
  const std::size_t positions = entry->kind == OptimizerKind::kSgd ? 2 : 1;
  if (call.positional.size() > positions) {
    refuse("optimizer " + std::string(entry->class_name) + ": argument " + in_quotes(call.positional[positions].text) +
           " needs a name");
  }
  for (std::size_t i = 0; i < call.positional.size(); ++i) {
    set_argument(*entry, i == 0 ? "learning_rate" : "momentum", call.positional[i], optimizer);
  }
  for (const auto& [name, argument] : call.named) set_argument(*entry, name, argument, optimizer);
  return optimizer;
}

}  // namespace modelhop::spec
