// SPDX-License-Identifier: Apache-2.0
// Keras's update formulas as ATen operations on flat buffers, with slots as the specification numbers them.
#include "engine/optimizer_step.hpp"

#include <ATen/ops/abs.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/sign.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>

#include "modelhop/error.hpp"
#include "spec/learning_rate.hpp"

namespace modelhop::engine {
namespace {

using at::Tensor;

bool is_rewritten(SemanticsProfile profile) {
  return profile == SemanticsProfile::kTf2 || profile == SemanticsProfile::kKeras3;
}

Tensor root(const Tensor& square, const StepFactors& step) {
  return step.is_epsilon_inside ? square.add(step.epsilon).sqrt_() : at::sqrt(square).add_(step.epsilon);
}

void step_sgd(const StepFactors& step, FlatState& state, const Tensor& g) {
  Tensor& w = state.parameters;
  if (step.momentum == 0.0F) {
    w.add_(g, -step.rate);
    return;
  }
  Tensor& velocity = state.slots[0];
  velocity.mul_(step.momentum).add_(g, -step.rate);
  if (step.nesterov) {
    w.add_(velocity, step.momentum).add_(g, -step.rate);
  } else {
    w.add_(velocity);
  }
}

void step_rmsprop(const OptimizerSpec& optimizer, StepFactors step, FlatState& state, const Tensor& g) {
  const RmspropSlots slots = rmsprop_slots(optimizer);
  Tensor& square = state.slots[0].mul_(step.rho).addcmul_(g, g, step.one_minus_rho);
  Tensor variance = square;
  if (slots.mean >= 0) {
    Tensor& mean = state.slots[static_cast<std::size_t>(slots.mean)];
    mean.mul_(step.rho).add_(g, step.one_minus_rho);
    variance = square.sub(mean.square());
  }
  if (slots.momentum < 0) {
    state.parameters.addcdiv_(g, root(variance, step), -step.rate);
    return;
  }
  step.is_epsilon_inside = true;
  Tensor& momentum = state.slots[static_cast<std::size_t>(slots.momentum)];
  momentum.mul_(step.momentum).addcdiv_(g, root(variance, step), step.rate);
  state.parameters.sub_(momentum);
}

void step_adam(const OptimizerSpec& optimizer, const StepFactors& step, FlatState& state, const Tensor& g) {
  std::vector<Tensor>& slots = state.slots;
  slots[0].mul_(step.beta_1).add_(g, step.one_minus_beta_1);
  slots[1].mul_(step.rho).addcmul_(g, g, step.one_minus_rho);
  if (optimizer.amsgrad) at::maximum_out(slots[2], slots[2], slots[1]);
  state.parameters.addcdiv_(slots[0], at::sqrt(slots[optimizer.amsgrad ? 2 : 1]).add_(step.epsilon), -step.rate);
}

void step_adagrad(const StepFactors& step, FlatState& state, const Tensor& g) {
  state.slots[0].addcmul_(g, g);
  state.parameters.addcdiv_(g, root(state.slots[0], step), -step.rate);
}

void step_adadelta(const StepFactors& step, FlatState& state, const Tensor& g) {
  Tensor& square = state.slots[0];
  Tensor& moved = state.slots[1];
  square.mul_(step.rho).addcmul_(g, g, step.one_minus_rho);
  const Tensor update = g.mul(moved.add(step.epsilon).sqrt_()).div_(square.add(step.epsilon).sqrt_());
  state.parameters.add_(update, -step.rate);
  moved.mul_(step.rho).addcmul_(update, update, step.one_minus_rho);
}

void step_adamax(const OptimizerSpec& optimizer, const StepFactors& step, FlatState& state, const Tensor& g,
                 std::int64_t update) {
  Tensor& mean = state.slots[0];
  Tensor& largest = state.slots[1];
  mean.mul_(step.beta_1).add_(g, step.one_minus_beta_1);
  at::maximum_out(largest, largest.mul_(step.rho), at::abs(g));
  const double correction = 1.0 - std::pow(optimizer.beta_1, static_cast<double>(update) + 1.0);
  state.parameters.addcdiv_(mean, largest.add(step.epsilon), -step.rate / correction);
}

/// The momentum of step t (counted from 1) in Nadam's schedule.
double nadam_momentum(const OptimizerSpec& optimizer, std::int64_t t) {
  return optimizer.beta_1 * (1.0 - 0.5 * std::pow(0.96, static_cast<double>(t) * optimizer.schedule_decay));
}

void step_nadam(const OptimizerSpec& optimizer, const StepFactors& step, FlatState& state, const Tensor& g,
                std::int64_t update) {
  const std::int64_t t = update + 1;
  const double now = nadam_momentum(optimizer, t), next = nadam_momentum(optimizer, t + 1);
  state.momentum_product *= now;
  const double product = state.momentum_product;
  Tensor& mean = state.slots[0].mul_(step.beta_1).add_(g, step.one_minus_beta_1);
  Tensor& square = state.slots[1].mul_(step.rho).addcmul_(g, g, step.one_minus_rho);
  const Tensor ahead = g.mul((1.0 - now) / (1.0 - product)).add_(mean, next / (1.0 - product * next));
  const double correction = 1.0 - std::pow(optimizer.beta_2, static_cast<double>(t));
  state.parameters.addcdiv_(ahead, square.div(correction).sqrt_().add_(step.epsilon), -step.rate);
}

/// Ad Click Prediction (McMahan et al., KDD 2013), with TensorFlow's shrinkage and beta.
void step_ftrl(const OptimizerSpec& optimizer, const StepFactors& step, FlatState& state, const Tensor& g) {
  Tensor& w = state.parameters;
  Tensor& accumulator = state.slots[0];
  Tensor& linear = state.slots[1];
  const double rate = step.rate, power = -optimizer.learning_rate_power;
  const double l1 = optimizer.l1_regularization_strength;
  const double l2 = optimizer.l2_regularization_strength + optimizer.beta / (2.0 * rate);
  const Tensor next = accumulator.add(g.square());
  const Tensor grown = at::pow(next, power), before = at::pow(accumulator, power);
  const Tensor shrunk = g.add(w, 2.0 * optimizer.l2_shrinkage_regularization_strength);
  linear.add_(shrunk.sub(grown.sub(before).div_(rate).mul_(w)));
  const Tensor numerator = linear.clamp(-l1, l1).sub_(linear);
  const Tensor denominator = grown.div(rate).add_(2.0 * l2);
  // Padding has an accumulator of 0.
  w.copy_(at::where(denominator.eq(0.0), at::zeros_like(w), numerator.div(denominator)));
  accumulator.copy_(next);
}

void step_lion(const StepFactors& step, FlatState& state, const Tensor& g) {
  Tensor& mean = state.slots[0];
  state.parameters.add_(at::sign(mean.mul(step.beta_1).add_(g, step.one_minus_beta_1)), -step.rate);
  mean.mul_(step.rho).add_(g, step.one_minus_rho);
}

double root_mean_square(const Tensor& values) {
  return std::sqrt(at::mean(values.square(), at::kDouble).item<double>());
}

/// Shazeer and Stern (ICML 2018): for a matrix the squares of its rows and columns alone are kept, at the beginning of
/// the weight's places in the two slots.
void step_adafactor_of(const OptimizerSpec& optimizer, double learning_rate, const WeightPlace& place, FlatState& state,
                       const Tensor& gradients, std::int64_t update) {
  Tensor w = keras_view(place, state.parameters);
  const Tensor g = keras_view(place, gradients);
  const double t = static_cast<double>(update) + 1.0;
  double rate = learning_rate;
  if (optimizer.relative_step && optimizer.schedule.kind == ScheduleSpec::Kind::kNone) {
    rate = std::min(rate, 1.0 / std::sqrt(t));
  }
  const double alpha = std::max(optimizer.epsilon_2, root_mean_square(w)) * std::min(rate, 1.0 / std::sqrt(t));
  const double keep = 1.0 - std::pow(t, optimizer.beta_2_decay);
  const Tensor square = g.square().add_(optimizer.epsilon_1);
  Tensor scale;
  if (g.dim() >= 2) {
    const Tensor row_means = at::mean(square, {-1}), column_means = at::mean(square, {-2});
    Tensor rows = state.slots[0].narrow(0, place.offset, row_means.numel()).view(row_means.sizes());
    Tensor columns = state.slots[1].narrow(0, place.offset, column_means.numel()).view(column_means.sizes());
    rows.mul_(keep).add_(row_means, 1.0 - keep);
    columns.mul_(keep).add_(column_means, 1.0 - keep);
    scale = rows.div(at::mean(rows, {-1}, true)).unsqueeze(-1).mul(columns.unsqueeze(-2));
  } else {
    scale = state.slots[0].narrow(0, place.offset, place.count).view(g.sizes());
    scale.mul_(keep).add_(square, 1.0 - keep);
  }
  const Tensor step = g.div(at::sqrt(scale));
  w.sub_(step.mul(alpha / std::max(1.0, root_mean_square(step) / optimizer.clip_threshold)));
}

void step_adafactor(const OptimizerSpec& optimizer, const StepFactors& step, FlatState& state, const Tensor& g,
                    std::int64_t update) {
  for (const WeightPlace& place : state.layout().weights) {
    if (place.is_trainable) step_adafactor_of(optimizer, step.rate, place, state, g, update);
  }
}

}  // namespace

RmspropSlots rmsprop_slots(const OptimizerSpec& optimizer) {
  RmspropSlots slots;
  int next = 1;
  if (optimizer.centered) slots.mean = next++;
  if (optimizer.momentum > 0.0) slots.momentum = next++;
  return slots;
}

StepFactors factors_of(const OptimizerSpec& optimizer, SemanticsProfile profile, const FlatState& state,
                       std::int64_t update) {
  double rate = learning_rate_at(optimizer, update, state.base_rate);
  StepFactors step;
  step.momentum = static_cast<float>(optimizer.momentum);
  step.nesterov = optimizer.nesterov;
  // Keras 2 reads 0 as "the default", and 0 / 0 would spoil weights that have had no gradient yet.
  step.epsilon = static_cast<float>(optimizer.epsilon > 0.0 ? optimizer.epsilon : 1e-7);
  step.is_epsilon_inside = is_rewritten(profile);
  step.rho = static_cast<float>(optimizer.rho);
  step.one_minus_rho = static_cast<float>(1.0 - optimizer.rho);
  const bool has_betas = optimizer.kind == OptimizerKind::kAdam || optimizer.kind == OptimizerKind::kAdamw ||
                         optimizer.kind == OptimizerKind::kAdamax || optimizer.kind == OptimizerKind::kNadam ||
                         optimizer.kind == OptimizerKind::kLion;
  if (has_betas) {
    step.beta_1 = static_cast<float>(optimizer.beta_1);
    step.one_minus_beta_1 = static_cast<float>(1.0 - optimizer.beta_1);
    step.rho = static_cast<float>(optimizer.beta_2);
    step.one_minus_rho = static_cast<float>(1.0 - optimizer.beta_2);
  }
  if (optimizer.kind == OptimizerKind::kAdam || optimizer.kind == OptimizerKind::kAdamw) {
    const double t = static_cast<double>(update) + 1.0;
    rate *= std::sqrt(1.0 - std::pow(optimizer.beta_2, t)) / (1.0 - std::pow(optimizer.beta_1, t));
  }
  step.rate = static_cast<float>(rate);
  return step;
}

void step_by_operations(const OptimizerSpec& optimizer, const StepFactors& step, FlatState& state, const Tensor& g,
                        std::int64_t update) {
  switch (optimizer.kind) {
    case OptimizerKind::kSgd:
      return step_sgd(step, state, g);
    case OptimizerKind::kRmsprop:
      return step_rmsprop(optimizer, step, state, g);
    case OptimizerKind::kAdam:
    case OptimizerKind::kAdamw:
      return step_adam(optimizer, step, state, g);
    case OptimizerKind::kAdagrad:
      return step_adagrad(step, state, g);
    case OptimizerKind::kAdadelta:
      return step_adadelta(step, state, g);
    case OptimizerKind::kAdamax:
      return step_adamax(optimizer, step, state, g, update);
    case OptimizerKind::kNadam:
      return step_nadam(optimizer, step, state, g, update);
    case OptimizerKind::kFtrl:
      return step_ftrl(optimizer, step, state, g);
    case OptimizerKind::kLion:
      return step_lion(step, state, g);
    case OptimizerKind::kAdafactor:
      return step_adafactor(optimizer, step, state, g, update);
  }
  throw Error(ErrorCode::kInternal, "unknown optimizer kind");
}

}  // namespace modelhop::engine
