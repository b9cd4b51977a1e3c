// SPDX-License-Identifier: Apache-2.0
// What a step means for each optimizer and Keras generation; the arithmetic over a buffer is in optimizer_loops.cpp.
#include "engine/optimizer.hpp"

#include <ATen/ops/abs.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/sign.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/sum.h>

#include <cmath>

#include "engine/guard.hpp"
#include "engine/optimizer_loops.hpp"

namespace modelhop::engine {
namespace {

StepFactors factors_of(const OptimizerSpec& optimizer, SemanticsProfile profile, std::int64_t completed_steps) {
  // Standalone Keras 2 reads its counter after the increment: its first step already counts as the second.
  const double iteration = static_cast<double>(completed_steps) + (profile == SemanticsProfile::kKeras22 ? 1.0 : 0.0);
  const bool is_rewritten = profile == SemanticsProfile::kTf2 || profile == SemanticsProfile::kKeras3;
  double rate = optimizer.learning_rate / (1.0 + optimizer.decay * iteration);
  StepFactors step;
  step.momentum = static_cast<float>(optimizer.momentum);
  step.nesterov = optimizer.nesterov;
  // Keras 2 reads 0 as "the default", and 0 / 0 would spoil weights that have had no gradient yet.
  step.epsilon = static_cast<float>(optimizer.epsilon > 0.0 ? optimizer.epsilon : 1e-7);
  step.is_epsilon_inside = is_rewritten;
  step.rho = static_cast<float>(optimizer.rho);
  step.one_minus_rho = static_cast<float>(1.0 - optimizer.rho);
  if (optimizer.kind == OptimizerKind::kAdam) {
    step.beta_1 = static_cast<float>(optimizer.beta_1);
    step.one_minus_beta_1 = static_cast<float>(1.0 - optimizer.beta_1);
    step.rho = static_cast<float>(optimizer.beta_2);
    step.one_minus_rho = static_cast<float>(1.0 - optimizer.beta_2);
    rate *= std::sqrt(1.0 - std::pow(optimizer.beta_2, iteration + 1.0)) /
            (1.0 - std::pow(optimizer.beta_1, iteration + 1.0));
  }
  step.rate = static_cast<float>(rate);
  return step;
}

/// Slots of RMSprop after the mean square: mean gradient if centered, then momentum.
struct RmspropSlots {
  int mean = -1;
  int momentum = -1;
};

RmspropSlots rmsprop_slots(const OptimizerSpec& optimizer) {
  RmspropSlots slots;
  int next = 1;
  if (optimizer.centered) slots.mean = next++;
  if (optimizer.momentum > 0.0) slots.momentum = next++;
  return slots;
}

/// The CPU's form of a step: pointers into the flat buffers.
void step_on_host(const OptimizerSpec& optimizer, const StepFactors& step, FlatState& state,
                  const at::Tensor& gradients) {
  float* w = state.parameters.mutable_data_ptr<float>();
  const float* g = gradients.const_data_ptr<float>();
  const std::int64_t count = state.parameters.numel();
  const auto slot = [&state](int index) {
    return index < 0 ? nullptr : state.slots[static_cast<std::size_t>(index)].mutable_data_ptr<float>();
  };
  switch (optimizer.kind) {
    case OptimizerKind::kSgd:
      if (state.slots.empty()) {
        step_sgd(w, g, count, step);
      } else {
        step_momentum(w, slot(0), g, count, step);
      }
      break;
    case OptimizerKind::kRmsprop: {
      const RmspropSlots slots = rmsprop_slots(optimizer);
      step_rmsprop(w, slot(0), slot(slots.mean), slot(slots.momentum), g, count, step);
      break;
    }
    case OptimizerKind::kAdam:
      if (optimizer.amsgrad) {
        step_amsgrad(w, slot(0), slot(1), slot(2), g, count, step);
      } else {
        step_adam(w, slot(0), slot(1), g, count, step);
      }
      break;
    case OptimizerKind::kAdagrad:
      step_adagrad(w, slot(0), g, count, step);
      break;
  }
}

at::Tensor root(const at::Tensor& square, const StepFactors& step) {
  return step.is_epsilon_inside ? square.add(step.epsilon).sqrt_() : at::sqrt(square).add_(step.epsilon);
}

void rmsprop_by_operations(const OptimizerSpec& optimizer, StepFactors step, FlatState& state, const at::Tensor& g) {
  const RmspropSlots slots = rmsprop_slots(optimizer);
  at::Tensor& square = state.slots[0].mul_(step.rho).addcmul_(g, g, step.one_minus_rho);
  at::Tensor variance = square;
  if (slots.mean >= 0) {
    at::Tensor& mean = state.slots[static_cast<std::size_t>(slots.mean)];
    mean.mul_(step.rho).add_(g, step.one_minus_rho);
    variance = square.sub(mean.square());
  }
  if (slots.momentum < 0) {
    state.parameters.addcdiv_(g, root(variance, step), -step.rate);
    return;
  }
  step.is_epsilon_inside = true;
  at::Tensor& momentum = state.slots[static_cast<std::size_t>(slots.momentum)];
  momentum.mul_(step.momentum).addcdiv_(g, root(variance, step), step.rate);
  state.parameters.sub_(momentum);
}

/// The same mathematics for every other device.
void step_by_operations(const OptimizerSpec& optimizer, const StepFactors& step, FlatState& state,
                        const at::Tensor& g) {
  at::Tensor& w = state.parameters;
  std::vector<at::Tensor>& slots = state.slots;
  switch (optimizer.kind) {
    case OptimizerKind::kSgd:
      if (slots.empty()) {
        w.add_(g, -step.rate);
        break;
      }
      slots[0].mul_(step.momentum).add_(g, -step.rate);
      if (step.nesterov) {
        w.add_(slots[0], step.momentum).add_(g, -step.rate);
      } else {
        w.add_(slots[0]);
      }
      break;
    case OptimizerKind::kRmsprop:
      rmsprop_by_operations(optimizer, step, state, g);
      break;
    case OptimizerKind::kAdam: {
      slots[0].mul_(step.beta_1).add_(g, step.one_minus_beta_1);
      slots[1].mul_(step.rho).addcmul_(g, g, step.one_minus_rho);
      if (optimizer.amsgrad) at::maximum_out(slots[2], slots[2], slots[1]);
      w.addcdiv_(slots[0], at::sqrt(slots[optimizer.amsgrad ? 2 : 1]).add_(step.epsilon), -step.rate);
      break;
    }
    case OptimizerKind::kAdagrad:
      slots[0].addcmul_(g, g);
      w.addcdiv_(g, root(slots[0], step), -step.rate);
      break;
  }
}

bool is_penalized(const WeightPlace& place) {
  return place.regularizer.l1 != 0.0 || place.regularizer.l2 != 0.0;
}

void check_fit(const OptimizerSpec& optimizer, const FlatState& state, const at::Tensor& gradients) {
  check(gradients.numel() == state.parameters.numel(), "gradients do not have the layout of the parameters");
  check(static_cast<int>(state.slots.size()) == optimizer_slot_count(optimizer),
        "optimizer does not fit the state's slots");
}

}  // namespace

int optimizer_slot_count(const OptimizerSpec& optimizer) {
  switch (optimizer.kind) {
    case OptimizerKind::kSgd:
      return optimizer.momentum > 0.0 ? 1 : 0;
    case OptimizerKind::kRmsprop:
      return 1 + (optimizer.centered ? 1 : 0) + (optimizer.momentum > 0.0 ? 1 : 0);
    case OptimizerKind::kAdam:
      return optimizer.amsgrad ? 3 : 2;
    case OptimizerKind::kAdagrad:
      return 1;
  }
  throw Error(ErrorCode::kInternal, "unknown optimizer kind");
}

float initial_slot_value(const OptimizerSpec& optimizer, int /*slot*/) {
  return optimizer.kind == OptimizerKind::kAdagrad ? static_cast<float>(optimizer.initial_accumulator_value) : 0.0F;
}

void apply_optimizer(const OptimizerSpec& optimizer, SemanticsProfile profile, FlatState& state,
                     at::Tensor& gradients) {
  if (!state.parameters.is_cpu()) {
    apply_optimizer_by_operations(optimizer, profile, state, gradients);
    return;
  }
  check_fit(optimizer, state, gradients);
  for (const WeightPlace& place : state.layout().weights) {
    if (!is_penalized(place) || !place.is_trainable) continue;
    add_penalty_gradients(gradients.mutable_data_ptr<float>() + place.offset,
                          state.parameters.const_data_ptr<float>() + place.offset, place.count,
                          static_cast<float>(place.regularizer.l1), static_cast<float>(2.0 * place.regularizer.l2));
  }
  step_on_host(optimizer, factors_of(optimizer, profile, state.step), state, gradients);
  ++state.step;
}

void apply_optimizer_by_operations(const OptimizerSpec& optimizer, SemanticsProfile profile, FlatState& state,
                                   at::Tensor& gradients) {
  check_fit(optimizer, state, gradients);
  for (const WeightPlace& place : state.layout().weights) {
    if (!is_penalized(place) || !place.is_trainable) continue;
    const at::Tensor weight = state.parameters.narrow(0, place.offset, place.count);
    at::Tensor gradient = gradients.narrow(0, place.offset, place.count);
    gradient.add_(at::sign(weight), place.regularizer.l1).add_(weight, 2.0 * place.regularizer.l2);
  }
  step_by_operations(optimizer, factors_of(optimizer, profile, state.step), state, gradients);
  ++state.step;
}

double regularization_penalty(const FlatState& state) {
  double penalty = 0.0;
  for (const WeightPlace& place : state.layout().weights) {
    const auto [l1, l2] = std::pair(place.regularizer.l1, place.regularizer.l2);
    if (!is_penalized(place)) continue;
    const at::Tensor& buffer = place.is_trainable ? state.parameters : state.statistics;
    const at::Tensor weight = buffer.narrow(0, place.offset, place.count);
    if (l1 != 0.0) penalty += l1 * at::sum(at::abs(weight), at::kDouble).item<double>();
    if (l2 != 0.0) penalty += l2 * at::sum(weight.square(), at::kDouble).item<double>();
  }
  return penalty;
}

}  // namespace modelhop::engine
