// SPDX-License-Identifier: Apache-2.0
#include "selection/schedule.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <vector>

#include "modelhop/error.hpp"
#include "schedule_simulator.hpp"

namespace modelhop {
namespace {

Work work(int iterations, std::vector<double> train) {
  Work result;
  result.iterations = iterations;
  result.train_cost = std::move(train);
  return result;
}

double mean_ratio(Policy policy, const std::function<Costs(std::uint64_t)>& costs, int trials) {
  double total = 0.0;
  for (int trial = 1; trial <= trials; ++trial) total += simulate(policy, costs(trial), trial).ratio();
  return total / trials;
}

TEST(Scheduler, GivesEveryVisitExactlyOnce) {
  Scheduler scheduler({.seed = 7});
  for (int key = 1; key <= 3; ++key) scheduler.add(key, work(2, {1, 1, 1, 1}));
  std::map<ConfigurationKey, std::set<std::pair<int, int>>> visits;
  while (!scheduler.is_done()) {
    const auto unit = scheduler.next(0);
    ASSERT_TRUE(unit);
    EXPECT_TRUE(visits[unit->configuration].insert({unit->iteration, unit->segment}).second);
    scheduler.finished(*unit, 1.0);
  }
  for (int key = 1; key <= 3; ++key) EXPECT_EQ(visits[key].size(), 8U);
}

TEST(Scheduler, TrainsAConfigurationOneUnitAtATime) {
  Scheduler scheduler;
  scheduler.add(1, work(1, {1, 1}));
  const auto first = scheduler.next(0);
  ASSERT_TRUE(first);
  EXPECT_FALSE(scheduler.next(1));
  scheduler.finished(*first, 1.0);
  EXPECT_TRUE(scheduler.next(1));
}

TEST(Scheduler, ServesTheLongestFirst) {
  Scheduler scheduler;
  scheduler.add(1, work(1, {1, 1}));
  scheduler.add(2, work(3, {1, 1}));
  EXPECT_EQ(scheduler.next(0)->configuration, 2);
}

TEST(Scheduler, LearnsFromMeasuredTimes) {
  Scheduler scheduler;
  scheduler.add(1, work(3, {1, 1}));
  scheduler.add(2, work(3, {1, 1}));
  const auto first = scheduler.next(0);
  const auto second = scheduler.next(1);
  scheduler.finished(*first, 1.0);
  scheduler.finished(*second, 10.0);
  EXPECT_EQ(scheduler.next(0)->configuration, second->configuration);
  EXPECT_NEAR(scheduler.remaining(second->configuration), 50.0, 1e-9);
}

TEST(Scheduler, EvaluationsOfAnIterationRunSideBySideAndGateTheNext) {
  Scheduler scheduler;
  Work owed = work(2, {1});
  owed.evaluate_training_cost = {1};
  owed.evaluate_validation_cost = {1, 1};
  owed.evaluated_iterations = {1};
  scheduler.add(5, owed);
  scheduler.finished(*scheduler.next(0), 1.0);
  std::vector<Unit> evaluations;
  for (int worker = 0; worker < 3; ++worker) {
    const auto unit = scheduler.next(worker);
    ASSERT_TRUE(unit);
    EXPECT_NE(unit->kind, UnitKind::kTrain);
    evaluations.push_back(*unit);
  }
  EXPECT_FALSE(scheduler.next(3));
  for (const Unit& unit : evaluations) scheduler.finished(unit, 1.0);
  const auto next = scheduler.next(0);
  ASSERT_TRUE(next);
  EXPECT_EQ(*next, (Unit{5, UnitKind::kTrain, 0, 2}));
  scheduler.finished(*next, 1.0);
  EXPECT_TRUE(scheduler.is_done());
}

TEST(Scheduler, AddsAndRemovesWhileUnitsRun) {
  Scheduler scheduler;
  scheduler.add(1, work(5, {1, 1}));
  const auto running = scheduler.next(0);
  scheduler.remove(1);
  EXPECT_FALSE(scheduler.is_done());
  EXPECT_FALSE(scheduler.next(1));
  scheduler.add(2, work(1, {1}));
  EXPECT_EQ(scheduler.next(1)->configuration, 2);
  scheduler.finished(*running, 1.0);
  scheduler.finished({2, UnitKind::kTrain, 0, 1}, 1.0);
  EXPECT_TRUE(scheduler.is_done());
}

TEST(Scheduler, GoesOnWithAConfigurationThatHadFinished) {
  Scheduler scheduler;
  Work owed = work(1, {1});
  owed.evaluate_training_cost = {1};
  owed.evaluated_iterations = {1};
  scheduler.add(4, owed);
  scheduler.finished(*scheduler.next(0), 2.0);
  scheduler.finished(*scheduler.next(0), 2.0);
  EXPECT_TRUE(scheduler.is_done());
  EXPECT_EQ(scheduler.remaining(4), 0.0);
  scheduler.extend(4, 3, {3});
  EXPECT_FALSE(scheduler.is_done());
  EXPECT_NEAR(scheduler.remaining(4), 6.0, 1e-9);  // two trainings and an evaluation, as measured
  std::vector<Unit> units;
  while (const auto unit = scheduler.next(0)) {
    units.push_back(*unit);
    scheduler.finished(*unit, 2.0);
  }
  EXPECT_EQ(units,
            (std::vector<Unit>{
                {4, UnitKind::kTrain, 0, 2}, {4, UnitKind::kTrain, 0, 3}, {4, UnitKind::kEvaluateTraining, 0, 3}}));
  EXPECT_TRUE(scheduler.is_done());
}

TEST(Scheduler, ExtendsWhileUnitsRun) {
  Scheduler scheduler;
  scheduler.add(1, work(1, {1, 1}));
  const auto running = scheduler.next(0);
  scheduler.extend(1, 2, {});
  EXPECT_NEAR(scheduler.remaining(1), 4.0, 1e-9);
  scheduler.finished(*running, 1.0);
  int left = 0;
  for (; const auto unit = scheduler.next(0); ++left) scheduler.finished(*unit, 1.0);
  EXPECT_EQ(left, 3);
  EXPECT_TRUE(scheduler.is_done());
}

TEST(Scheduler, TakesTheSameOrderOfSegmentsInOneRunAndInAnExtendedOne) {
  const auto order = [](bool is_extended) {
    Scheduler scheduler({.seed = 3});
    scheduler.add(1, work(is_extended ? 1 : 3, std::vector<double>(8, 1.0)));
    std::vector<std::pair<int, int>> visits;
    for (int part = 0; part < 2; ++part) {
      while (const auto unit = scheduler.next(0)) {
        visits.emplace_back(unit->iteration, unit->segment);
        scheduler.finished(*unit, 1.0);
      }
      if (part == 0 && is_extended) scheduler.extend(1, 3, {});
    }
    return visits;
  };
  EXPECT_EQ(order(true).size(), 24U);
  EXPECT_EQ(order(true), order(false));
}

TEST(Scheduler, RefusesToExtendWhatIsGoneOrOwesAsMuch) {
  Scheduler scheduler;
  EXPECT_THROW(scheduler.extend(1, 2, {}), Error);
  scheduler.add(1, work(2, {1}));
  EXPECT_THROW(scheduler.extend(1, 2, {}), Error);
  scheduler.remove(1);
  EXPECT_THROW(scheduler.extend(1, 3, {}), Error);
  EXPECT_TRUE(scheduler.is_done());
}

TEST(Scheduler, CountsWhatMayBeAskedForInTheChoiceOfTheLongest) {
  Scheduler scheduler;
  scheduler.add(1, work(3, {1, 1}));
  Work short_now = work(1, {1, 1});
  short_now.horizon = 9;
  scheduler.add(2, short_now);
  EXPECT_EQ(scheduler.next(0)->configuration, 2);
  EXPECT_NEAR(scheduler.remaining(2), 2.0, 1e-9);
}

TEST(Scheduler, RefusesAReportOfAUnitThatDoesNotRun) {
  Scheduler scheduler;
  scheduler.add(1, work(1, {1}));
  EXPECT_THROW(scheduler.finished({1, UnitKind::kTrain, 0, 1}, 1.0), Error);
}

TEST(Scheduler, OrdersSegmentsBySeedWhereAWorkerHasTheChoice) {
  const auto order = [](std::uint64_t seed) {
    Scheduler scheduler({.seed = seed});
    scheduler.add(1, work(1, std::vector<double>(8, 1.0)));
    std::vector<int> segments;
    while (const auto unit = scheduler.next(0)) {
      segments.push_back(unit->segment);
      scheduler.finished(*unit, 1.0);
    }
    return segments;
  };
  EXPECT_EQ(order(3), order(3));
  EXPECT_NE(order(3), order(4));
}

TEST(Scheduler, GoesOnInTheOrderOfTheRunThatItContinues) {
  const auto order = [](std::int32_t first_iteration, std::int32_t iterations) {
    Scheduler scheduler({.seed = 3, .first_iteration = first_iteration});
    scheduler.add(1, work(iterations, std::vector<double>(8, 1.0)));
    std::vector<int> segments;
    while (const auto unit = scheduler.next(0)) {
      segments.push_back(unit->segment);
      scheduler.finished(*unit, 1.0);
    }
    return segments;
  };
  std::vector<int> halves = order(1, 2);
  const std::vector<int> second = order(3, 2);
  EXPECT_NE(halves, second);
  halves.insert(halves.end(), second.begin(), second.end());
  EXPECT_EQ(halves, order(1, 4));
}

/// Three workers, one segment each. Configuration 1 is the longest by far: it needs 12 and worker 1 has 6.5 to do when
/// it asks at time 3; configuration 1 leaves worker 0 at time 4, worker 2 is busy until `worker_2_end`.
Scheduler scheduler_where_one_returns_soon(double unit_cost, double worker_2_end = 5) {
  Scheduler scheduler({}, [](int worker, UnitKind, std::int32_t segment) { return worker == segment; });
  scheduler.add(1, work(1, {4, 4, 4}));
  scheduler.add(2, work(1, {2, 3, 3}));
  scheduler.add(3, work(1, {0.5, 0.5, worker_2_end}));
  scheduler.add(4, work(1, {1, unit_cost, 1}));
  const auto on_worker_0 = scheduler.next(0);
  const auto on_worker_1 = scheduler.next(1);
  const auto on_worker_2 = scheduler.next(2);
  EXPECT_EQ(on_worker_0->configuration, 1);
  EXPECT_EQ(on_worker_1->configuration, 2);
  EXPECT_EQ(on_worker_2->configuration, 3);
  scheduler.finished(*on_worker_1, 3.0);
  return scheduler;
}

TEST(Scheduler, LeavesAWorkerIdleForTheLongestWhereThatCostsNothing) {
  Scheduler scheduler = scheduler_where_one_returns_soon(2.0);
  EXPECT_FALSE(scheduler.next(1));
  scheduler.finished({1, UnitKind::kTrain, 0, 1}, 4.0);
  EXPECT_EQ(scheduler.next(1)->configuration, 1);
}

TEST(Scheduler, UsesTheTimeUntilTheLongestReturns) {
  Scheduler scheduler = scheduler_where_one_returns_soon(0.9);
  EXPECT_EQ(scheduler.next(1)->configuration, 4);
}

TEST(Scheduler, LeavesNoWorkerIdleThatHasMoreToDoThanTheLongestNeeds) {
  Scheduler scheduler = scheduler_where_one_returns_soon(2.0);
  for (int key = 5; key < 8; ++key) scheduler.add(key, work(1, {0.1, 2, 0.1}));
  EXPECT_TRUE(scheduler.next(1));
}

TEST(Scheduler, LeavesNoWorkerIdleWhereAnotherWillBeFree) {
  Scheduler scheduler = scheduler_where_one_returns_soon(2.0, 3.75);
  EXPECT_EQ(scheduler.next(1)->configuration, 4);
}

TEST(Scheduler, GivesOutNoUnitBeforeItsSegmentHasArrived) {
  Scheduler scheduler;
  scheduler.await({false, 0});
  Work owed = work(1, {1});
  owed.evaluate_training_cost = {1};
  owed.evaluate_validation_cost = {1};
  owed.evaluated_iterations = {1};
  scheduler.await({true, 0});
  scheduler.add(1, owed);
  EXPECT_FALSE(scheduler.next(0));
  scheduler.arrived({false, 0});
  const auto trained = scheduler.next(0);
  ASSERT_TRUE(trained);
  scheduler.finished(*trained, 1.0);
  const auto evaluated = scheduler.next(0);
  ASSERT_TRUE(evaluated);
  EXPECT_EQ(evaluated->kind, UnitKind::kEvaluateTraining);
  EXPECT_FALSE(scheduler.next(1));
  scheduler.finished(*evaluated, 1.0);
  EXPECT_FALSE(scheduler.next(0));
  EXPECT_FALSE(scheduler.is_done());
  scheduler.arrived({true, 0});
  const auto validated = scheduler.next(0);
  ASSERT_TRUE(validated);
  EXPECT_EQ(validated->kind, UnitKind::kEvaluateValidation);
  scheduler.finished(*validated, 1.0);
  EXPECT_TRUE(scheduler.is_done());
}

/// The segments that each configuration visits, where segment s arrives after `every` * s units.
std::map<ConfigurationKey, std::vector<std::int32_t>> visits_of_late_segments(int every) {
  constexpr int kSegments = 3;
  Scheduler scheduler({.seed = 5});
  for (int key = 1; key <= 6; ++key) scheduler.add(key, work(2, std::vector<double>(kSegments, 1.0)));
  for (int segment = 0; every > 0 && segment < kSegments; ++segment) scheduler.await({false, segment});
  std::map<ConfigurationKey, std::vector<std::int32_t>> visits;
  int there = 0;
  for (int units = 0; !scheduler.is_done();) {
    for (; there < kSegments && units >= there * every; ++there) scheduler.arrived({false, there});
    auto unit = scheduler.next(0);
    if (!unit) {
      EXPECT_LT(there, kSegments) << "nothing is missing, and no unit comes";
      if (there == kSegments) break;
      scheduler.arrived({false, there++});
      continue;
    }
    EXPECT_LT(unit->segment, there);
    visits[unit->configuration].push_back(unit->segment);
    scheduler.finished(*unit, 1.0);
    ++units;
  }
  return visits;
}

TEST(Scheduler, KeepsTheOrderOfSegmentsWhateverComesWhen) {
  const auto all_there = visits_of_late_segments(0);
  ASSERT_EQ(all_there.size(), 6U);
  for (const int every : {1, 2, 7}) EXPECT_EQ(visits_of_late_segments(every), all_there);
}

TEST(LowerBound, IsTheLongestRowOrTheFullestMachine) {
  EXPECT_DOUBLE_EQ(makespan_lower_bound({{1, 2}, {4, 3}}), 7.0);
  EXPECT_DOUBLE_EQ(makespan_lower_bound({{1, 1}, {1, 1}, {1, 1}}), 3.0);
  EXPECT_DOUBLE_EQ(makespan_lower_bound(std::vector<double>{3, 3, 3, 3}, 2), 6.0);
  EXPECT_DOUBLE_EQ(makespan_lower_bound(std::vector<double>{9, 1}, 2), 9.0);
}

// Published means (96 configurations, 16 workers, 80 % of cost 1): 3.290, 1.065, 1.000.
TEST(Simulation, ReproducesTheTwoModeRow) {
  const auto costs = [](std::uint64_t seed) { return two_mode_costs(96, 16, 8.0, seed); };
  EXPECT_NEAR(mean_ratio(Policy::kSynchronousRing, costs, 200), 3.290, 0.02);
  EXPECT_NEAR(mean_ratio(Policy::kRandom, costs, 50), 1.065, 0.02);
  EXPECT_NEAR(mean_ratio(Policy::kLongestRemaining, costs, 50), 1.000, 0.02);
}

TEST(Simulation, ReproducesTheHomogeneousRows) {
  const struct {
    int configurations, workers;
    double random;
  } rows[] = {{8, 8, 1.171}, {16, 16, 1.138}, {16, 8, 1.064}, {96, 16, 1.009}};
  for (const auto& row : rows) {
    const auto costs = [&](std::uint64_t) { return homogeneous_costs(row.configurations, row.workers); };
    EXPECT_NEAR(mean_ratio(Policy::kSynchronousRing, costs, 1), 1.0, 1e-9);
    EXPECT_NEAR(mean_ratio(Policy::kRandom, costs, 200), row.random, 0.02);
    EXPECT_NEAR(mean_ratio(Policy::kLongestRemaining, costs, 1), 1.0, 1e-9);
  }
}

TEST(Simulation, LongestRemainingIsNearTheBoundOnLogNormalCosts) {
  for (const auto& [configurations, workers] : {std::pair{16, 8}, {24, 8}, {32, 8}, {32, 16}, {96, 16}}) {
    const auto costs = [&](std::uint64_t seed) { return log_normal_costs(configurations, workers, seed); };
    const double longest = mean_ratio(Policy::kLongestRemaining, costs, 50);
    EXPECT_LE(longest, 1.02) << configurations << " on " << workers;
    EXPECT_LE(longest, mean_ratio(Policy::kRandom, costs, 50));
  }
}

}  // namespace
}  // namespace modelhop
