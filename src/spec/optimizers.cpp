// SPDX-License-Identifier: Apache-2.0
// One table row per optimizer, per argument, and per default that is not OptimizerSpec's.
#include "spec/optimizers.hpp"

#include <array>

#include "spec/call_arguments.hpp"
#include "spec/grammar_text.hpp"
#include "spec/parameter_value.hpp"
#include "spec/schedules.hpp"

namespace modelhop::spec {
namespace {

struct OptimizerClass {
  std::string_view name;
  OptimizerKind kind;
  /// Up to the * in the order in which every Keras generation has them.
  std::string_view signature;
};

constexpr std::array kClasses = std::to_array<OptimizerClass>({
    {"SGD", OptimizerKind::kSgd, "learning_rate momentum * nesterov"},
    {"RMSprop", OptimizerKind::kRmsprop, "learning_rate rho * momentum epsilon centered"},
    {"Adam", OptimizerKind::kAdam, "learning_rate beta_1 beta_2 epsilon * amsgrad"},
    {"AdamW", OptimizerKind::kAdamw, "learning_rate weight_decay beta_1 beta_2 epsilon amsgrad *"},
    {"Adadelta", OptimizerKind::kAdadelta, "learning_rate rho epsilon *"},
    {"Adagrad", OptimizerKind::kAdagrad, "learning_rate * initial_accumulator_value epsilon"},
    {"Adamax", OptimizerKind::kAdamax, "learning_rate beta_1 beta_2 epsilon *"},
    {"Nadam", OptimizerKind::kNadam, "learning_rate beta_1 beta_2 epsilon * schedule_decay"},
    {"Ftrl", OptimizerKind::kFtrl,
     "learning_rate learning_rate_power initial_accumulator_value l1_regularization_strength "
     "l2_regularization_strength * l2_shrinkage_regularization_strength beta"},
    {"Lion", OptimizerKind::kLion, "learning_rate beta_1 beta_2 *"},
    {"Adafactor", OptimizerKind::kAdafactor,
     "learning_rate beta_2_decay epsilon_1 epsilon_2 clip_threshold relative_step *"},
});

constexpr std::string_view kCommonSignature =
    " lr decay weight_decay clipnorm clipvalue global_clipnorm use_ema ema_momentum ema_overwrite_frequency "
    "gradient_accumulation_steps loss_scale_factor exclude_from_weight_decay name jit_compile is_legacy_optimizer";

struct RefusedClass {
  std::string_view name;
  std::string_view reason;
};

constexpr std::array kRefused = std::to_array<RefusedClass>({
    {"LossScaleOptimizer", "Training is in 32-bit floats, which need no loss scaling: give the inner optimizer."},
    {"Lamb", "Its update needs norms of whole layers; AdamW is the nearest that is supported."},
    {"Muon", "Its update orthogonalizes whole matrices; AdamW is the nearest that is supported."},
});

void read_learning_rate(const std::string& what, const PythonValue& value, OptimizerSpec& optimizer) {
  optimizer.schedule = looks_like_schedule(value) ? read_schedule(what, value) : ScheduleSpec{};
  if (optimizer.schedule.kind == ScheduleSpec::Kind::kNone)
    read_value(what, value, kNotNegative, optimizer.learning_rate);
}

void read_accumulation_steps(const std::string& what, const PythonValue& value, OptimizerSpec& optimizer) {
  optimizer.gradient_accumulation_steps = 1;
  if (!is_none(value)) read_value(what, value, Range{1.0, 1e9}, optimizer.gradient_accumulation_steps);
}

[[noreturn]] void refuse_setting(const std::string& what, const PythonValue& value, const char* reason) {
  unsupported(what + " = " + in_quotes(value.text) + " is not supported", reason);
}

void refuse_loss_scale(const std::string& what, const PythonValue& value, OptimizerSpec&) {
  if (!is_none(value)) refuse_setting(what, value, "Training is in 32-bit floats, which need no loss scaling.");
}

void refuse_exclusion(const std::string& what, const PythonValue& value, OptimizerSpec&) {
  const auto* list = std::get_if<PythonList>(&value.value);
  if (is_none(value) || (list != nullptr && list->empty())) return;
  refuse_setting(what, value, "weight_decay applies to all trainable weights.");
}

/// None is Keras's "no decay", also where the default is another (AdamW, which in Keras insists on a number).
void read_weight_decay(const std::string& what, const PythonValue& value, OptimizerSpec& optimizer) {
  if (is_none(value) && optimizer.kind != OptimizerKind::kAdamw) {
    optimizer.weight_decay = 0.0;
  } else {
    read_value(what, value, kNotNegative, optimizer.weight_decay);
  }
}

constexpr std::array kArguments = std::to_array<Argument<OptimizerSpec>>({
    {"learning_rate", &read_learning_rate},
    {"lr", &read_learning_rate},
    {"decay", &OptimizerSpec::decay, kNotNegative, true},
    {"momentum", &OptimizerSpec::momentum, kShare},
    {"nesterov", &OptimizerSpec::nesterov},
    {"rho", &OptimizerSpec::rho, kShare},
    {"centered", &OptimizerSpec::centered},
    {"beta_1", &OptimizerSpec::beta_1, kShareBelowOne},
    {"beta_2", &OptimizerSpec::beta_2, kShareBelowOne},
    {"epsilon", &OptimizerSpec::epsilon, kNotNegative, true},
    {"amsgrad", &OptimizerSpec::amsgrad},
    {"schedule_decay", &OptimizerSpec::schedule_decay, kNotNegative},
    {"initial_accumulator_value", &OptimizerSpec::initial_accumulator_value, kNotNegative},
    {"learning_rate_power", &OptimizerSpec::learning_rate_power, kNotPositive},
    {"l1_regularization_strength", &OptimizerSpec::l1_regularization_strength, kNotNegative},
    {"l2_regularization_strength", &OptimizerSpec::l2_regularization_strength, kNotNegative},
    {"l2_shrinkage_regularization_strength", &OptimizerSpec::l2_shrinkage_regularization_strength, kNotNegative},
    {"beta", &OptimizerSpec::beta, kNotNegative},
    {"beta_2_decay", &OptimizerSpec::beta_2_decay, kNotPositive},
    {"epsilon_1", &OptimizerSpec::epsilon_1, kNotNegative},
    {"epsilon_2", &OptimizerSpec::epsilon_2, kNotNegative},
    {"clip_threshold", &OptimizerSpec::clip_threshold, kPositive},
    {"relative_step", &OptimizerSpec::relative_step},
    {"weight_decay", &read_weight_decay},
    {"clipnorm", &OptimizerSpec::clip_norm, kPositive},
    {"clipvalue", &OptimizerSpec::clip_value, kPositive},
    {"global_clipnorm", &OptimizerSpec::global_clip_norm, kPositive},
    {"use_ema", &OptimizerSpec::use_ema},
    {"ema_momentum", &OptimizerSpec::ema_momentum, kShare},
    {"ema_overwrite_frequency", &OptimizerSpec::ema_overwrite_frequency, kAtLeastOne},
    {"gradient_accumulation_steps", &read_accumulation_steps},
    {"loss_scale_factor", &refuse_loss_scale},
    {"exclude_from_weight_decay", &refuse_exclusion},
    {"name", {}},
    {"jit_compile", {}},
    {"is_legacy_optimizer", {}},
});

template <typename Enum>
constexpr unsigned bit(Enum value) {
  return 1U << static_cast<unsigned>(value);
}
constexpr unsigned kKeras22 = bit(SemanticsProfile::kKeras22);
constexpr unsigned kTf2 = bit(SemanticsProfile::kTf2);
constexpr unsigned kKeras3 = bit(SemanticsProfile::kKeras3);
constexpr unsigned kAll = ~0U;

struct Default {
  OptimizerKind kind;
  unsigned profiles;
  double OptimizerSpec::*field;
  double value;
};

constexpr std::array kDefaults = std::to_array<Default>({
    {OptimizerKind::kSgd, kAll, &OptimizerSpec::learning_rate, 0.01},
    {OptimizerKind::kAdagrad, kKeras22, &OptimizerSpec::learning_rate, 0.01},
    {OptimizerKind::kAdagrad, kKeras22, &OptimizerSpec::initial_accumulator_value, 0.0},
    {OptimizerKind::kAdadelta, kKeras22, &OptimizerSpec::learning_rate, 1.0},
    {OptimizerKind::kAdadelta, kAll, &OptimizerSpec::rho, 0.95},
    {OptimizerKind::kAdamax, kKeras22, &OptimizerSpec::learning_rate, 0.002},
    {OptimizerKind::kNadam, kKeras22, &OptimizerSpec::learning_rate, 0.002},
    {OptimizerKind::kNadam, kTf2 | kKeras3, &OptimizerSpec::schedule_decay, 1.0},
    {OptimizerKind::kAdamw, kAll, &OptimizerSpec::weight_decay, 0.004},
    {OptimizerKind::kLion, kAll & ~kKeras3, &OptimizerSpec::learning_rate, 0.0001},
    {OptimizerKind::kLion, kAll, &OptimizerSpec::beta_2, 0.99},
});

OptimizerSpec default_optimizer(OptimizerKind kind, SemanticsProfile profile, bool is_call) {
  OptimizerSpec optimizer;
  optimizer.kind = kind;
  for (const Default& row : kDefaults) {
    if (row.kind == kind && (row.profiles & bit(profile)) != 0) optimizer.*row.field = row.value;
  }
  // TF 1.14 builds Adagrad by its name in another way than by its class.
  if (kind == OptimizerKind::kAdagrad && profile == SemanticsProfile::kTf1 && !is_call)
    optimizer.initial_accumulator_value = 0.0;
  if (kind == OptimizerKind::kRmsprop && profile == SemanticsProfile::kTf2) optimizer.ema_overwrite_frequency = 100;
  return optimizer;
}

const OptimizerClass* find_class(const std::string& name) {
  for (const OptimizerClass& entry : kClasses) {
    if (lower_case(entry.name) == lower_case(name)) return &entry;
  }
  return nullptr;
}

[[noreturn]] void refuse_class(const std::string& name) {
  for (const RefusedClass& entry : kRefused) {
    if (lower_case(entry.name) == lower_case(name))
      unsupported("optimizer " + in_quotes(entry.name), std::string(entry.reason));
  }
  std::string known;
  for (const OptimizerClass& entry : kClasses) known += (known.empty() ? "" : ", ") + std::string(entry.name);
  refuse("unknown optimizer " + in_quotes(name), "Accepted: " + known + ".");
}

std::string signature_of(const OptimizerClass& entry) {
  const bool has_weight_decay = takes_argument(entry.signature, "weight_decay");
  std::string signature(entry.signature);
  for (const std::string& word : words_of(kCommonSignature)) {
    if (!has_weight_decay || word != "weight_decay") signature += " " + word;
  }
  return signature;
}

void check_clipping(const std::string& what, const OptimizerSpec& optimizer, SemanticsProfile profile) {
  const int given =
      (optimizer.clip_norm ? 1 : 0) + (optimizer.clip_value ? 1 : 0) + (optimizer.global_clip_norm ? 1 : 0);
  if (profile == SemanticsProfile::kKeras3 && given > 1)
    refuse(what + ": only one of clipnorm, clipvalue and global_clipnorm may be given in Keras 3");
  if (optimizer.clip_norm && optimizer.global_clip_norm)
    refuse(what + ": only one of clipnorm and global_clipnorm may be given");
}

}  // namespace

std::string optimizer_class_name(const std::string& name) {
  if (const OptimizerClass* entry = find_class(name)) return std::string(entry->name);
  for (const RefusedClass& other : kRefused) {
    if (lower_case(other.name) == lower_case(name)) return std::string(other.name);
  }
  return name;
}

bool optimizer_takes(const std::string& optimizer, const std::string& argument) {
  const OptimizerClass* entry = find_class(optimizer);
  return entry != nullptr && takes_argument(signature_of(*entry), argument);
}

int slot_count(const OptimizerSpec& optimizer) {
  const int momentum = optimizer.momentum > 0.0 ? 1 : 0;
  const int amsgrad = optimizer.amsgrad ? 1 : 0;
  const int extra = (optimizer.use_ema ? 1 : 0) + (optimizer.gradient_accumulation_steps > 1 ? 1 : 0);
  switch (optimizer.kind) {
    case OptimizerKind::kSgd:
      return momentum + extra;
    case OptimizerKind::kRmsprop:
      return 1 + momentum + (optimizer.centered ? 1 : 0) + extra;
    case OptimizerKind::kAdam:
    case OptimizerKind::kAdamw:
      return 2 + amsgrad + extra;
    case OptimizerKind::kAdadelta:
    case OptimizerKind::kAdamax:
    case OptimizerKind::kNadam:
    case OptimizerKind::kFtrl:
    case OptimizerKind::kAdafactor:  // factors of rows (or whole vectors), and of columns
      return 2 + extra;
    case OptimizerKind::kAdagrad:
    case OptimizerKind::kLion:
      return 1 + extra;
  }
  throw Error(ErrorCode::kInternal, "an optimizer without a number of slots");
}

OptimizerSpec read_optimizer(const PythonValue& value, SemanticsProfile profile) {
  const PythonCall call = callable_of("optimizer", value);
  const OptimizerClass* entry = find_class(call.name);
  if (entry == nullptr) refuse_class(call.name);
  const std::string what = "optimizer " + std::string(entry->name);
  OptimizerSpec optimizer = default_optimizer(entry->kind, profile, call.is_call);
  const double epsilon = optimizer.epsilon;
  read_arguments(what, call, signature_of(*entry), kArguments, optimizer);
  const bool is_optimizer_v2 = profile == SemanticsProfile::kTf1 || profile == SemanticsProfile::kTf2Legacy;
  if (is_optimizer_v2 && optimizer.epsilon == 0.0) optimizer.epsilon = epsilon;  // they write: epsilon or 1e-7
  check_clipping(what, optimizer, profile);
  return optimizer;
}

}  // namespace modelhop::spec
