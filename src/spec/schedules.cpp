// SPDX-License-Identifier: Apache-2.0
// One table row per schedule: its class name and its arguments.
#include "spec/schedules.hpp"

#include <algorithm>
#include <array>

#include "spec/call_arguments.hpp"
#include "spec/grammar_text.hpp"
#include "spec/parameter_value.hpp"

namespace modelhop::spec {
namespace {

struct ScheduleClass {
  std::string_view name;
  ScheduleSpec::Kind kind;
  std::string_view signature;
};

constexpr std::array kClasses = std::to_array<ScheduleClass>({
    {"ExponentialDecay", ScheduleSpec::Kind::kExponentialDecay,
     "initial_learning_rate! decay_steps! decay_rate! staircase name"},
    {"InverseTimeDecay", ScheduleSpec::Kind::kInverseTimeDecay,
     "initial_learning_rate! decay_steps! decay_rate! staircase name"},
    {"PolynomialDecay", ScheduleSpec::Kind::kPolynomialDecay,
     "initial_learning_rate! decay_steps! end_learning_rate power cycle name"},
    {"PiecewiseConstantDecay", ScheduleSpec::Kind::kPiecewiseConstantDecay, "boundaries! values! name"},
    {"CosineDecay", ScheduleSpec::Kind::kCosineDecay,
     "initial_learning_rate! decay_steps! alpha name warmup_target warmup_steps"},
    {"CosineDecayRestarts", ScheduleSpec::Kind::kCosineDecayRestarts,
     "initial_learning_rate! first_decay_steps! t_mul m_mul alpha name"},
});

constexpr std::array kArguments = std::to_array<Argument<ScheduleSpec>>({
    {"initial_learning_rate", &ScheduleSpec::initial_learning_rate, kNotNegative},
    {"decay_steps", &ScheduleSpec::decay_steps, kPositive},
    {"first_decay_steps", &ScheduleSpec::decay_steps, kPositive},
    {"decay_rate", &ScheduleSpec::decay_rate, kNotNegative},
    {"staircase", &ScheduleSpec::staircase},
    {"end_learning_rate", &ScheduleSpec::end_learning_rate, kNotNegative},
    {"power", &ScheduleSpec::power, kNotNegative},
    {"cycle", &ScheduleSpec::cycle},
    {"boundaries", &ScheduleSpec::boundaries},
    {"values", &ScheduleSpec::values, kNotNegative},
    {"alpha", &ScheduleSpec::alpha, kNotNegative},
    {"warmup_target", &ScheduleSpec::warmup_target, kNotNegative},
    {"warmup_steps", &ScheduleSpec::warmup_steps, kNotNegative},
    // Below 1 the restarts would crowd into a finite number of steps, after which Keras has no rate.
    {"t_mul", &ScheduleSpec::t_mul, Range{1.0, 1e6}},
    {"m_mul", &ScheduleSpec::m_mul, kNotNegative},
    {"name", {}},
});

void check_pieces(const std::string& what, const ScheduleSpec& schedule) {
  if (schedule.values.size() != schedule.boundaries.size() + 1) {
    refuse(what + ": " + std::to_string(schedule.boundaries.size()) + " boundaries need " +
           std::to_string(schedule.boundaries.size() + 1) + " values, not " + std::to_string(schedule.values.size()));
  }
  if (std::adjacent_find(schedule.boundaries.begin(), schedule.boundaries.end(), std::greater_equal()) !=
      schedule.boundaries.end()) {
    refuse(argument_text(what, "boundaries") + " must be ascending");
  }
}

}  // namespace

bool looks_like_schedule(const PythonValue& value) {
  return std::holds_alternative<PythonCall>(value.value) || std::holds_alternative<PythonDict>(value.value) ||
         (std::holds_alternative<std::string>(value.value) && value.text.find_first_of("({") != std::string::npos);
}

ScheduleSpec read_schedule(const std::string& what, const PythonValue& value) {
  const PythonCall call = callable_of(what, value);
  for (const ScheduleClass& entry : kClasses) {
    if (entry.name != call.name) continue;
    ScheduleSpec schedule;
    schedule.kind = entry.kind;
    const std::string where = what + ": " + call.name;
    read_arguments(where, call, entry.signature, kArguments, schedule);
    if (entry.kind == ScheduleSpec::Kind::kPiecewiseConstantDecay) check_pieces(where, schedule);
    return schedule;
  }
  std::string known;
  for (const ScheduleClass& entry : kClasses) known += (known.empty() ? "" : ", ") + std::string(entry.name);
  refuse(what + ": unknown learning rate schedule " + in_quotes(call.name), "Accepted: " + known + ".");
}

}  // namespace modelhop::spec
