// SPDX-License-Identifier: Apache-2.0
// What a step means for each Keras generation, around the update itself: optimizer_step.cpp has the formulas,
// optimizer_loops.cpp the loops of the frequent ones.
#include "engine/optimizer.hpp"

#include <algorithm>

#include "engine/gradient_clipping.hpp"
#include "engine/guard.hpp"
#include "engine/optimizer_step.hpp"
#include "engine/regularizer.hpp"
#include "spec/learning_rate.hpp"
#include "spec/optimizers.hpp"

namespace modelhop::engine {
namespace {

/// Slots that every optimizer may have come last: sums of accumulated gradients, then the weights' moving average.
at::Tensor& average_of(FlatState& state) {
  return state.slots.back();
}
at::Tensor& accumulated_of(const OptimizerSpec& optimizer, FlatState& state) {
  return state.slots[state.slots.size() - (optimizer.use_ema ? 2 : 1)];
}

bool has_host_loop(OptimizerKind kind) {
  return kind == OptimizerKind::kSgd || kind == OptimizerKind::kRmsprop || kind == OptimizerKind::kAdam ||
         kind == OptimizerKind::kAdamw || kind == OptimizerKind::kAdagrad;
}

/// The CPU's form of the frequent updates: pointers into the flat buffers.
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
      if (optimizer.momentum > 0.0) return step_momentum(w, slot(0), g, count, step);
      return step_sgd(w, g, count, step);
    case OptimizerKind::kRmsprop: {
      const RmspropSlots slots = rmsprop_slots(optimizer);
      return step_rmsprop(w, slot(0), slot(slots.mean), slot(slots.momentum), g, count, step);
    }
    case OptimizerKind::kAdam:
    case OptimizerKind::kAdamw:
      if (optimizer.amsgrad) return step_amsgrad(w, slot(0), slot(1), slot(2), g, count, step);
      return step_adam(w, slot(0), slot(1), g, count, step);
    case OptimizerKind::kAdagrad:
      return step_adagrad(w, slot(0), g, count, step);
    default:
      throw Error(ErrorCode::kInternal, "the optimizer has no loop");
  }
}

/// Whether this step updates the weights; `gradients` are then the mean of those accumulated.
bool accumulate(const OptimizerSpec& optimizer, FlatState& state, at::Tensor& gradients) {
  const std::int64_t steps = optimizer.gradient_accumulation_steps;
  if (steps <= 1) return true;
  at::Tensor& sum = accumulated_of(optimizer, state);
  if ((state.step + 1) % steps != 0) {
    sum.add_(gradients);
    return false;
  }
  gradients.add_(sum).div_(static_cast<double>(steps));
  sum.zero_();
  return true;
}

/// `before`: the weights before the first step where the average begins with them, else undefined. Keras 3 begins with
/// those after the first update.
void update_average(const OptimizerSpec& optimizer, SemanticsProfile profile, FlatState& state, std::int64_t update,
                    const at::Tensor& before) {
  at::Tensor& average = average_of(state);
  if (profile == SemanticsProfile::kKeras3 && update == 0) {
    average.copy_(state.parameters);
    return;
  }
  if (before.defined()) average.copy_(before);
  average.mul_(optimizer.ema_momentum).add_(state.parameters, 1.0 - optimizer.ema_momentum);
}

void apply(const OptimizerSpec& optimizer, SemanticsProfile profile, FlatState& state, at::Tensor& gradients,
           bool on_host) {
  check(gradients.numel() == state.parameters.numel(), "gradients do not have the layout of the parameters");
  check(static_cast<int>(state.slots.size()) == spec::slot_count(optimizer),
        "optimizer does not fit the state's slots");
  const std::int64_t update = state.step / std::max<std::int64_t>(optimizer.gradient_accumulation_steps, 1);
  const bool begins_average = optimizer.use_ema && state.step == 0 && profile != SemanticsProfile::kKeras3;
  const at::Tensor before = begins_average ? state.parameters.clone() : at::Tensor();
  add_penalty_gradients(state.layout(), state, gradients);
  if (accumulate(optimizer, state, gradients)) {
    if (clips(optimizer)) clip_gradients(optimizer, profile, state.layout(), gradients);
    const StepFactors step = factors_of(optimizer, profile, state, update);
    if (optimizer.weight_decay != 0.0) {
      const double rate = learning_rate_at(optimizer, update, state.base_rate);
      state.parameters.sub_(state.parameters.mul(optimizer.weight_decay).mul_(rate));  // rounds as Keras does
    }
    if (on_host && has_host_loop(optimizer.kind)) {
      step_on_host(optimizer, step, state, gradients);
    } else {
      step_by_operations(optimizer, step, state, gradients, update);
    }
  }
  if (optimizer.use_ema) {
    update_average(optimizer, profile, state, update, before);
    const auto frequency = optimizer.ema_overwrite_frequency;
    if (frequency && (update + 1) % *frequency == 0) state.parameters.copy_(average_of(state));
  }
  ++state.step;
}

}  // namespace

float initial_slot_value(const OptimizerSpec& optimizer, int slot) {
  const bool is_accumulator =
      slot == 0 && (optimizer.kind == OptimizerKind::kAdagrad || optimizer.kind == OptimizerKind::kFtrl);
  return is_accumulator ? static_cast<float>(optimizer.initial_accumulator_value) : 0.0F;
}

void apply_optimizer(const OptimizerSpec& optimizer, SemanticsProfile profile, FlatState& state,
                     at::Tensor& gradients) {
  apply(optimizer, profile, state, gradients, state.parameters.is_cpu());
}

void apply_optimizer_by_operations(const OptimizerSpec& optimizer, SemanticsProfile profile, FlatState& state,
                                   at::Tensor& gradients) {
  apply(optimizer, profile, state, gradients, false);
}

}  // namespace modelhop::engine
