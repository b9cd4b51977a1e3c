// SPDX-License-Identifier: Apache-2.0
// One function per schedule.
#include "spec/learning_rate.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "modelhop/error.hpp"

namespace modelhop {
namespace {

double elapsed_share(const ScheduleSpec& schedule, double step) {
  const double share = step / schedule.decay_steps;
  return schedule.staircase ? std::floor(share) : share;
}

double exponential_decay(const ScheduleSpec& schedule, double step) {
  return schedule.initial_learning_rate * std::pow(schedule.decay_rate, elapsed_share(schedule, step));
}

double inverse_time_decay(const ScheduleSpec& schedule, double step) {
  return schedule.initial_learning_rate / (1.0 + schedule.decay_rate * elapsed_share(schedule, step));
}

double polynomial_decay(const ScheduleSpec& schedule, double step) {
  double steps = schedule.decay_steps;
  if (schedule.cycle) {
    steps *= std::max(1.0, std::ceil(step / steps));
  } else {
    step = std::min(step, steps);
  }
  const double span = schedule.initial_learning_rate - schedule.end_learning_rate;
  return span * std::pow(1.0 - step / steps, schedule.power) + schedule.end_learning_rate;
}

double piecewise_constant_decay(const ScheduleSpec& schedule, double step) {
  const auto boundary = std::lower_bound(schedule.boundaries.begin(), schedule.boundaries.end(), step);
  return schedule.values.at(static_cast<std::size_t>(boundary - schedule.boundaries.begin()));
}

double cosine_decay(const ScheduleSpec& schedule, double step) {
  double peak = schedule.initial_learning_rate;
  if (schedule.warmup_target) {
    const double rise = *schedule.warmup_target - peak;
    if (step < schedule.warmup_steps) return rise * (step / schedule.warmup_steps) + peak;
    step -= schedule.warmup_steps;
    peak = *schedule.warmup_target;
  }
  const double share = std::min(step, schedule.decay_steps) / schedule.decay_steps;
  const double cosine = 0.5 * (1.0 + std::cos(std::numbers::pi * share));
  return peak * ((1.0 - schedule.alpha) * cosine + schedule.alpha);
}

double cosine_decay_restarts(const ScheduleSpec& schedule, double step) {
  double share = step / schedule.decay_steps;
  double restarts = std::floor(share);
  // Keras counts the restarts in 32-bit floats; a step on a boundary must fall to the side where it falls there.
  const auto factor = static_cast<float>(schedule.t_mul);
  if (factor == 1.0F) {
    share -= restarts;
  } else {
    restarts = std::floor(std::log(1.0F - static_cast<float>(share) * (1.0F - factor)) / std::log(factor));
    const double period = std::pow(schedule.t_mul, restarts);
    share = (share - (1.0 - period) / (1.0 - schedule.t_mul)) / period;
  }
  const double height = std::pow(schedule.m_mul, restarts);
  const double cosine = 0.5 * height * (1.0 + std::cos(std::numbers::pi * share));
  return schedule.initial_learning_rate * ((1.0 - schedule.alpha) * cosine + schedule.alpha);
}

}  // namespace

double scheduled_rate(const ScheduleSpec& schedule, std::int64_t step) {
  const auto at = static_cast<double>(step);
  switch (schedule.kind) {
    case ScheduleSpec::Kind::kNone:
      break;
    case ScheduleSpec::Kind::kExponentialDecay:
      return exponential_decay(schedule, at);
    case ScheduleSpec::Kind::kInverseTimeDecay:
      return inverse_time_decay(schedule, at);
    case ScheduleSpec::Kind::kPolynomialDecay:
      return polynomial_decay(schedule, at);
    case ScheduleSpec::Kind::kPiecewiseConstantDecay:
      return piecewise_constant_decay(schedule, at);
    case ScheduleSpec::Kind::kCosineDecay:
      return cosine_decay(schedule, at);
    case ScheduleSpec::Kind::kCosineDecayRestarts:
      return cosine_decay_restarts(schedule, at);
  }
  throw Error(ErrorCode::kInternal, "there is no learning rate schedule");
}

double learning_rate_at(const OptimizerSpec& optimizer, std::int64_t completed_steps, std::optional<double> base) {
  double rate = optimizer.learning_rate;
  if (base) {
    rate = *base;
  } else if (optimizer.schedule.kind != ScheduleSpec::Kind::kNone) {
    rate = scheduled_rate(optimizer.schedule, completed_steps);
  }
  return rate / (1.0 + optimizer.decay * static_cast<double>(completed_steps));
}

}  // namespace modelhop
