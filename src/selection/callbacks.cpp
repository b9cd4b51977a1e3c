// SPDX-License-Identifier: Apache-2.0
// The rules are those of keras.callbacks of each generation; test/selection/callbacks_test.cpp holds traces of them.
#include "selection/callbacks.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace modelhop {
namespace {

using Kind = CallbackSpec::Kind;

/// Whether `value` beats `reference` by more than `margin`. Nothing beats a reference that is no number, nor is beaten
/// by one; without a reference any number is an improvement.
bool is_better(const CallbackSpec& spec, double value, std::optional<double> reference, double margin) {
  if (!reference) return !std::isnan(value);
  return spec.mode == CallbackSpec::Mode::kMax ? value - margin > *reference : value + margin < *reference;
}

/// Before tf.keras 2, the baseline was the first value to beat, and the first epoch could be the last.
bool is_early_generation(SemanticsProfile profile) {
  return profile == SemanticsProfile::kKeras22 || profile == SemanticsProfile::kTf1;
}

}  // namespace

bool is_monitor(const CallbackSpec& callback) {
  return callback.kind == Kind::kEarlyStopping || callback.kind == Kind::kReduceLrOnPlateau ||
         callback.kind == Kind::kKeepBest;
}

bool keeps_weights(const CallbackSpec& callback) {
  return callback.kind == Kind::kKeepBest || (callback.kind == Kind::kEarlyStopping && callback.restore_best_weights);
}

Callbacks::Callbacks(std::vector<CallbackSpec> specs, SemanticsProfile profile, Rate rate)
    : specs_(std::move(specs)), profile_(profile), rate_(std::move(rate)), states_(specs_.size()) {
  for (std::size_t place = 0; place < specs_.size(); ++place) {
    const bool starts_at_baseline = specs_[place].kind == Kind::kKeepBest ||
                                    (specs_[place].kind == Kind::kEarlyStopping && is_early_generation(profile_));
    if (starts_at_baseline) states_[place].best = specs_[place].baseline;
  }
}

std::optional<double> Callbacks::first_rate(std::int64_t iteration) const {
  std::optional<double> rate;
  for (const CallbackSpec& spec : specs_) {
    if (spec.kind == Kind::kLearningRateSchedule) rate = rate_(spec.schedule, iteration);
  }
  return rate;
}

CallbackDecision Callbacks::end_iteration(std::int64_t epoch, std::int64_t iteration, const MonitoredScores& scores,
                                          double learning_rate) {
  CallbackDecision decision;
  double rate = learning_rate;
  for (int place = 0; place < static_cast<int>(specs_.size()); ++place) {
    const CallbackSpec& spec = specs_[static_cast<std::size_t>(place)];
    const auto found = scores.find(spec.monitor);
    if (!is_monitor(spec) || found == scores.end()) continue;
    if (spec.kind == Kind::kEarlyStopping) stop_early(place, epoch, found->second, decision);
    if (spec.kind == Kind::kReduceLrOnPlateau) reduce_rate(place, found->second, rate, decision);
    if (spec.kind == Kind::kKeepBest) keep_best(place, epoch, found->second, decision);
    rate = decision.learning_rate.value_or(rate);
  }
  // The scheduler sets the rate when the next epoch begins, over what was set at the end of this one.
  for (const CallbackSpec& spec : specs_) {
    if (spec.kind != Kind::kLearningRateSchedule || decision.stops) continue;
    decision.learning_rate = rate_(spec.schedule, iteration + 1);
    decision.rate_reason = spec.name;
  }
  return decision;
}

void Callbacks::keep(int place, std::int64_t epoch, CallbackDecision& decision) {
  State& state = states_[static_cast<std::size_t>(place)];
  state.keeps_weights = true;
  state.best_epoch = epoch;
  decision.keeps.push_back(place);
}

void Callbacks::stop_early(int place, std::int64_t epoch, double current, CallbackDecision& decision) {
  const CallbackSpec& spec = specs_[static_cast<std::size_t>(place)];
  State& state = states_[static_cast<std::size_t>(place)];
  if (epoch < spec.start_from_epoch) return;
  const bool is_early = is_early_generation(profile_);
  const bool has_improved = is_better(spec, current, state.best, spec.min_delta);
  // Without any progress the first epoch's weights are the best, but for the early generations, which have none then.
  if (spec.restore_best_weights && (has_improved || (!is_early && !state.keeps_weights))) keep(place, epoch, decision);
  ++state.wait;
  if (has_improved) {
    state.best = current;
    if (is_early || !spec.baseline || is_better(spec, current, spec.baseline, spec.min_delta)) state.wait = 0;
    return;
  }
  if (state.wait < spec.patience || (!is_early && epoch == 0)) return;
  state.has_stopped = true;
  decision.stops = true;
  decision.reason = spec.name;
}

void Callbacks::reduce_rate(int place, double current, double rate, CallbackDecision& decision) {
  const CallbackSpec& spec = specs_[static_cast<std::size_t>(place)];
  State& state = states_[static_cast<std::size_t>(place)];
  if (state.cooldown > 0) {
    --state.cooldown;
    state.wait = 0;
  }
  if (is_better(spec, current, state.best, spec.min_delta)) {
    state.best = current;
    state.wait = 0;
    return;
  }
  if (state.cooldown > 0) return;
  if (++state.wait < spec.patience || rate <= spec.min_lr) return;
  decision.learning_rate = std::max(rate * spec.factor, spec.min_lr);
  decision.rate_reason = spec.name;
  state.cooldown = spec.cooldown;
  state.wait = 0;
}

void Callbacks::keep_best(int place, std::int64_t epoch, double current, CallbackDecision& decision) {
  State& state = states_[static_cast<std::size_t>(place)];
  if (!is_better(specs_[static_cast<std::size_t>(place)], current, state.best, 0.0)) return;
  state.best = current;
  keep(place, epoch, decision);
}

std::optional<int> Callbacks::final_weights() const {
  std::optional<int> chosen;
  for (int place = 0; place < static_cast<int>(specs_.size()); ++place) {
    const State& state = states_[static_cast<std::size_t>(place)];
    if (!state.keeps_weights) continue;
    // A checkpoint is what the caller asked to have, whatever else has happened to the model.
    if (specs_[static_cast<std::size_t>(place)].kind == Kind::kKeepBest) return place;
    if (state.has_stopped || profile_ == SemanticsProfile::kKeras3) chosen = place;
  }
  return chosen;
}

}  // namespace modelhop
