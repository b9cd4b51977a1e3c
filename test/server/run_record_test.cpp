// SPDX-License-Identifier: Apache-2.0
// What a run's record says of its schedule.
#include "server/run_record.hpp"

#include <gtest/gtest.h>

namespace modelhop::server {
namespace {

RunShape shape(int configurations, int training_segments) {
  RunShape result;
  result.training_segments = training_segments;
  for (int key = 1; key <= configurations; ++key) {
    result.configurations.emplace(key, ConfigurationShape{Scoring(ModelSpec{}, TrainSpec{}), {}});
  }
  return result;
}

/// Times in seconds, counted from the run's begin.
void train(RunRecord& record, ConfigurationKey key, std::int32_t segment, double start, double end,
           std::int32_t iteration = 1) {
  UnitRecord unit;
  unit.unit = {key, UnitKind::kTrain, segment, iteration};
  unit.started_us = static_cast<std::int64_t>(start * 1e6);
  unit.ended_us = static_cast<std::int64_t>(end * 1e6);
  record.add(unit);
}

RunRecord record_of_two() {
  // Configuration 1 begins on segment 0, configuration 2 on segment 1, which comes at 10 s.
  RunRecord record(shape(2, 2), 0);
  train(record, 1, 0, 1, 3);
  train(record, 1, 1, 10, 12);
  train(record, 2, 1, 10, 12);
  train(record, 2, 0, 12, 14);
  return record;
}

TEST(RunRecord, SaysHowLongTheUnitsTookAndAtLeastTake) {
  RunRecord record = record_of_two();
  record.finish(15'000'000, 2);
  EXPECT_DOUBLE_EQ(record.makespan_seconds(), 13.0);
  EXPECT_DOUBLE_EQ(record.lower_bound_seconds(), 4.0);
}

TEST(RunRecord, CountsInItsBoundWhenSegmentsCame) {
  RunRecord record = record_of_two();
  record.arrived({false, 0}, 1'000'000);
  record.arrived({false, 1}, 10'000'000);
  record.finish(15'000'000, 2);
  // 9 s after the first unit's start segment 1 comes; configuration 2 has both of its units before it.
  EXPECT_DOUBLE_EQ(record.lower_bound_seconds(), 13.0);
  record.finish(15'000'000, 1);
  EXPECT_DOUBLE_EQ(record.lower_bound_seconds(), 15.0);
}

TEST(RunRecord, LooksAtSegmentsThatCameDuringTheUnitsAlone) {
  RunRecord record = record_of_two();
  record.arrived({false, 0}, 500'000);
  record.arrived({false, 1}, 900'000);
  record.finish(15'000'000, 2);
  EXPECT_DOUBLE_EQ(record.lower_bound_seconds(), 4.0);
}

TEST(RunRecord, HoldsAnEvaluationBackAlone) {
  RunShape one = shape(1, 1);
  one.validation_segments = 1;
  RunRecord record(std::move(one), 0);
  record.arrived({false, 0}, 0);
  record.arrived({true, 0}, 5'000'000);
  train(record, 1, 0, 1, 4);
  UnitRecord evaluation;
  evaluation.unit = {1, UnitKind::kEvaluateValidation, 0, 1};
  evaluation.started_us = 5'000'000;
  evaluation.ended_us = 6'000'000;
  record.add(evaluation);
  record.finish(7'000'000, 1);
  EXPECT_DOUBLE_EQ(record.makespan_seconds(), 5.0);
  EXPECT_DOUBLE_EQ(record.lower_bound_seconds(), 5.0);
}

TEST(RunRecord, OfNoUnitsIsEmpty) {
  RunRecord record(shape(1, 1), 0);
  record.arrived({false, 0}, 1'000'000);
  record.finish(2'000'000, 2);
  EXPECT_EQ(record.makespan_seconds(), 0.0);
  EXPECT_EQ(record.lower_bound_seconds(), 0.0);
}

}  // namespace
}  // namespace modelhop::server
