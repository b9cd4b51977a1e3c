// SPDX-License-Identifier: Apache-2.0
// Decisions of callbacks, epoch by epoch, as keras.callbacks of each generation takes them.
#include "selection/callbacks.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace modelhop {
namespace {

using Kind = CallbackSpec::Kind;

CallbackSpec spec_of(Kind kind, const std::string& monitor = "val_loss",
                     CallbackSpec::Mode mode = CallbackSpec::Mode::kMin) {
  CallbackSpec spec;
  spec.kind = kind;
  spec.name = kind == Kind::kEarlyStopping ? "EarlyStopping" : "other";
  spec.monitor = monitor;
  spec.mode = mode;
  return spec;
}

CallbackSpec early_stopping(std::int64_t patience, double min_delta = 0.0) {
  CallbackSpec spec = spec_of(Kind::kEarlyStopping);
  spec.patience = patience;
  spec.min_delta = min_delta;
  return spec;
}

Callbacks callbacks_of(std::vector<CallbackSpec> specs, SemanticsProfile profile = SemanticsProfile::kTf2) {
  return {std::move(specs), profile, [](const ScheduleSpec& schedule, std::int64_t iteration) {
            return schedule.initial_learning_rate / static_cast<double>(iteration + 1);
          }};
}

/// The epoch, counted from 0, after which it stops; -1 where it never does.
int stop_of(Callbacks callbacks, const std::vector<double>& values, const std::string& monitor = "val_loss") {
  for (std::size_t epoch = 0; epoch < values.size(); ++epoch) {
    const auto number = static_cast<std::int64_t>(epoch);
    if (callbacks.end_iteration(number, number, {{monitor, values[epoch]}}, 0.1).stops) {
      return static_cast<int>(epoch);
    }
  }
  return -1;
}

/// The rates in force after each epoch.
std::vector<double> rates_of(Callbacks callbacks, const std::vector<double>& values, double rate) {
  std::vector<double> rates;
  for (std::size_t epoch = 0; epoch < values.size(); ++epoch) {
    const auto number = static_cast<std::int64_t>(epoch);
    rate = callbacks.end_iteration(number, number, {{"val_loss", values[epoch]}}, rate).learning_rate.value_or(rate);
    rates.push_back(rate);
  }
  return rates;
}

TEST(EarlyStopping, StopsAfterPatienceWithoutImprovement) {
  EXPECT_EQ(stop_of(callbacks_of({early_stopping(2)}), {1.0, 0.9, 0.95, 0.92, 0.5}), 3);
  EXPECT_EQ(stop_of(callbacks_of({early_stopping(3)}), {1.0, 0.9, 0.95, 0.92, 0.5, 0.6}), -1);
  EXPECT_EQ(stop_of(callbacks_of({early_stopping(0)}), {1.0, 0.9, 0.95}), 2);
  EXPECT_EQ(stop_of(callbacks_of({early_stopping(1)}), {1.0, 0.9, 0.95}), 2);
}

TEST(EarlyStopping, CountsOnlyImprovementsBeyondMinDelta) {
  EXPECT_EQ(stop_of(callbacks_of({early_stopping(2, 0.1)}), {1.0, 0.95, 0.92}), 2);
  EXPECT_EQ(stop_of(callbacks_of({early_stopping(2, 0.1)}), {1.0, 0.95, 0.85, 0.84, 0.83}), 4);
}

TEST(EarlyStopping, LooksForGreaterValuesWhereTheModeSaysSo) {
  CallbackSpec spec = early_stopping(1);
  spec.mode = CallbackSpec::Mode::kMax;
  spec.monitor = "val_accuracy";
  EXPECT_EQ(stop_of(callbacks_of({spec}), {0.5, 0.6, 0.7, 0.7}, "val_accuracy"), 3);
}

TEST(EarlyStopping, NeverStopsAtTheFirstEpochButInEarlyGenerations) {
  CallbackSpec spec = early_stopping(0);
  spec.baseline = 0.5;
  EXPECT_EQ(stop_of(callbacks_of({spec}, SemanticsProfile::kKeras22), {0.9, 0.8}), 0);
  EXPECT_EQ(stop_of(callbacks_of({spec}, SemanticsProfile::kTf1), {0.9, 0.8}), 0);
  EXPECT_EQ(stop_of(callbacks_of({spec}, SemanticsProfile::kTf2Legacy), {0.9, 0.9}), 1);
}

TEST(EarlyStopping, WaitsOnUntilTheBaselineIsBeaten) {
  CallbackSpec spec = early_stopping(3);
  spec.baseline = 0.5;
  EXPECT_EQ(stop_of(callbacks_of({spec}), {0.9, 0.8, 0.7, 0.7}), 3);
  EXPECT_EQ(stop_of(callbacks_of({spec}), {0.9, 0.8, 0.4, 0.5, 0.5, 0.5}), 5);
}

TEST(EarlyStopping, BeginsAtItsFirstEpoch) {
  CallbackSpec spec = early_stopping(1);
  spec.start_from_epoch = 3;
  EXPECT_EQ(stop_of(callbacks_of({spec}), {0.1, 0.2, 0.3, 0.9, 0.95}), 4);
}

TEST(EarlyStopping, NeverTakesNaNForAnImprovement) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(stop_of(callbacks_of({early_stopping(2)}), {1.0, nan, nan}), 2);
}

TEST(EarlyStopping, KeepsTheBestWeights) {
  CallbackSpec spec = early_stopping(2);
  spec.restore_best_weights = true;
  Callbacks callbacks = callbacks_of({spec});
  const std::vector<double> losses = {1.0, 0.5, 0.6, 0.7};
  std::vector<std::size_t> kept;
  for (int epoch = 0; epoch < 4; ++epoch) {
    kept.push_back(callbacks.end_iteration(epoch, epoch, {{"val_loss", losses[epoch]}}, 0.1).keeps.size());
    EXPECT_EQ(callbacks.final_weights().has_value(), epoch == 3);
  }
  EXPECT_EQ(kept, (std::vector<std::size_t>{1, 1, 0, 0}));
  EXPECT_EQ(callbacks.final_weights(), 0);
  EXPECT_EQ(callbacks.kept_epoch(0), 1);
}

TEST(EarlyStopping, RestoresAtTheEndOfTrainingInKeras3) {
  CallbackSpec spec = early_stopping(9);
  spec.restore_best_weights = true;
  for (const auto profile : {SemanticsProfile::kTf2, SemanticsProfile::kKeras3}) {
    Callbacks callbacks = callbacks_of({spec}, profile);
    callbacks.end_iteration(0, 0, {{"val_loss", 0.5}}, 0.1);
    callbacks.end_iteration(1, 1, {{"val_loss", 0.6}}, 0.1);
    EXPECT_EQ(callbacks.final_weights().has_value(), profile == SemanticsProfile::kKeras3);
  }
}

TEST(KeepBest, KeepsEachBestAndHasTheLastWord) {
  CallbackSpec stopping = early_stopping(1);
  stopping.restore_best_weights = true;
  Callbacks callbacks = callbacks_of({stopping, spec_of(Kind::kKeepBest, "val_accuracy", CallbackSpec::Mode::kMax)});
  EXPECT_EQ(callbacks.end_iteration(0, 0, {{"val_loss", 0.5}, {"val_accuracy", 0.7}}, 0.1).keeps.size(), 2U);
  const auto decision = callbacks.end_iteration(1, 1, {{"val_loss", 0.6}, {"val_accuracy", 0.8}}, 0.1);
  EXPECT_TRUE(decision.stops);
  EXPECT_EQ(decision.reason, "EarlyStopping");
  EXPECT_EQ(decision.keeps, std::vector<int>{1});
  EXPECT_EQ(callbacks.final_weights(), 1);
  EXPECT_EQ(callbacks.kept_epoch(1), 1);
}

TEST(KeepBest, HasToBeatItsThreshold) {
  CallbackSpec spec = spec_of(Kind::kKeepBest);
  spec.baseline = 0.4;
  Callbacks callbacks = callbacks_of({spec});
  EXPECT_TRUE(callbacks.end_iteration(0, 0, {{"val_loss", 0.5}}, 0.1).keeps.empty());
  EXPECT_FALSE(callbacks.final_weights());
  EXPECT_EQ(callbacks.end_iteration(1, 1, {{"val_loss", 0.3}}, 0.1).keeps.size(), 1U);
}

CallbackSpec reduction(std::int64_t patience) {
  CallbackSpec spec = spec_of(Kind::kReduceLrOnPlateau);
  spec.factor = 0.5;
  spec.patience = patience;
  spec.min_delta = 1e-4;
  return spec;
}

TEST(ReduceLrOnPlateau, ReducesAfterPatience) {
  EXPECT_EQ(rates_of(callbacks_of({reduction(2)}), {1.0, 1.0, 1.0, 1.0, 1.0}, 0.8),
            (std::vector<double>{0.8, 0.8, 0.4, 0.4, 0.2}));
  EXPECT_EQ(rates_of(callbacks_of({reduction(2)}), {1.0, 1.0, 0.5, 0.5, 0.5}, 0.8),
            (std::vector<double>{0.8, 0.8, 0.8, 0.8, 0.4}));
}

TEST(ReduceLrOnPlateau, RestsDuringItsCooldown) {
  CallbackSpec spec = reduction(1);
  spec.cooldown = 2;
  EXPECT_EQ(rates_of(callbacks_of({spec}), {1.0, 1.0, 1.0, 1.0, 1.0}, 0.8),
            (std::vector<double>{0.8, 0.4, 0.4, 0.2, 0.2}));
}

TEST(ReduceLrOnPlateau, NeverGoesBelowItsLeastRate) {
  CallbackSpec spec = reduction(1);
  spec.min_lr = 0.3;
  EXPECT_EQ(rates_of(callbacks_of({spec}), {1.0, 1.0, 1.0, 1.0}, 0.8), (std::vector<double>{0.8, 0.4, 0.3, 0.3}));
}

TEST(LearningRateSchedule, SetsTheRateOfEachIteration) {
  CallbackSpec spec = spec_of(Kind::kLearningRateSchedule);
  spec.schedule.initial_learning_rate = 0.6;
  const Callbacks callbacks = callbacks_of({spec});
  EXPECT_EQ(callbacks.first_rate(0), 0.6);
  EXPECT_EQ(callbacks.first_rate(2), 0.6 / 3);
  EXPECT_EQ(rates_of(callbacks, {1.0, 1.0}, 0.8), (std::vector<double>{0.3, 0.6 / 3}));
}

TEST(Callbacks, LayWeightsAsideWhereTheyMayGiveThemBack) {
  CallbackSpec stopping = spec_of(Kind::kEarlyStopping);
  EXPECT_FALSE(keeps_weights(stopping));
  stopping.restore_best_weights = true;
  EXPECT_TRUE(keeps_weights(stopping));
  EXPECT_TRUE(keeps_weights(spec_of(Kind::kKeepBest)));
  EXPECT_FALSE(keeps_weights(spec_of(Kind::kReduceLrOnPlateau)));
}

TEST(Callbacks, LookAtNothingWhereTheyOnlyRecord) {
  EXPECT_FALSE(is_monitor(spec_of(Kind::kRecorded)));
  EXPECT_FALSE(is_monitor(spec_of(Kind::kTerminateOnNan)));
  EXPECT_FALSE(is_monitor(spec_of(Kind::kLearningRateSchedule)));
  Callbacks callbacks = callbacks_of({spec_of(Kind::kRecorded), spec_of(Kind::kTerminateOnNan)});
  EXPECT_FALSE(callbacks.first_rate(0));
  const auto decision = callbacks.end_iteration(0, 0, {{"val_loss", 1.0}}, 0.1);
  EXPECT_FALSE(decision.stops);
  EXPECT_FALSE(decision.learning_rate);
}

}  // namespace
}  // namespace modelhop
