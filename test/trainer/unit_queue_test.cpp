// SPDX-License-Identifier: Apache-2.0
// Who gets a free slot, by given times only.
#include "trainer/unit_queue.hpp"

#include <gtest/gtest.h>

#include <map>
#include <utility>

#include "modelhop/error.hpp"

namespace modelhop::trainer {
namespace {

Job job_for(int slot = kAnySlot) {
  return {[](Executor&, int) {}, slot};
}

TEST(UnitQueue, TakesJobsOfOneRunInOrder) {
  UnitQueue queue;
  queue.add_run(1);
  int last = 0;
  for (int i = 1; i <= 3; ++i) queue.push(1, {[&last, i](Executor&, int) { last = i; }}, 0);
  const auto executor = make_executor({});
  for (int i = 1; i <= 3; ++i) {
    auto taken = queue.take(0, 0);
    ASSERT_TRUE(taken);
    taken->job.work(*executor, 0);
    EXPECT_EQ(last, i);
  }
  EXPECT_FALSE(queue.take(0, 0));
  EXPECT_EQ(queue.running(1), 3);
}

TEST(UnitQueue, RefusesAJobOfAnUnknownRun) {
  UnitQueue queue;
  EXPECT_THROW(queue.push(7, job_for(), 0), Error);
}

TEST(UnitQueue, KeepsARunWithinItsLimit) {
  UnitQueue queue;
  queue.add_run(1, 2);
  for (int i = 0; i < 3; ++i) queue.push(1, job_for(), 0);
  EXPECT_TRUE(queue.take(0, 0));
  EXPECT_TRUE(queue.take(1, 0));
  EXPECT_FALSE(queue.take(2, 0));
  // Other runs have what it may not use.
  queue.add_run(2);
  queue.push(2, job_for(), 0);
  const auto other = queue.take(2, 0);
  ASSERT_TRUE(other);
  EXPECT_EQ(other->run, 2U);
  EXPECT_TRUE(queue.finished(1, 0, 5)) << "a job has waited for this";
  EXPECT_TRUE(queue.take(3, 5));
  EXPECT_FALSE(queue.finished(1, 0, 6)) << "no job is left";
  EXPECT_FALSE(queue.finished(2, 0, 6));
}

TEST(UnitQueue, SharesOneSlotByTimeNotByCount) {
  UnitQueue queue;
  const std::map<RunId, std::int64_t> cost = {{1, 10}, {2, 30}};
  for (const auto& [run, us] : cost) queue.add_run(run);
  for (int i = 0; i < 1000; ++i) {
    for (const auto& [run, us] : cost) queue.push(run, job_for(), 0);
  }
  std::map<RunId, std::int64_t> had;
  std::int64_t now = 0;
  for (int i = 0; i < 400; ++i) {
    const auto taken = queue.take(0, now);
    ASSERT_TRUE(taken);
    const std::int64_t started = now;
    now += cost.at(taken->run);
    had[taken->run] += cost.at(taken->run);
    queue.finished(taken->run, started, now);
  }
  EXPECT_NEAR(static_cast<double>(had[1]), static_cast<double>(had[2]), 30.0);
}

TEST(UnitQueue, GivesTwoFreeSlotsToTwoRuns) {
  UnitQueue queue;
  queue.add_run(1);
  queue.add_run(2);
  for (int i = 0; i < 4; ++i) queue.push(1, job_for(), 0);
  for (int i = 0; i < 4; ++i) queue.push(2, job_for(), 0);
  EXPECT_EQ(queue.take(0, 0)->run, 1U);
  EXPECT_EQ(queue.take(1, 0)->run, 2U);
}

TEST(UnitQueue, CountsTimeThatARunningJobHasHad) {
  UnitQueue queue;
  queue.add_run(1);
  queue.add_run(2);
  for (int i = 0; i < 4; ++i) queue.push(1, job_for(), 0);
  EXPECT_EQ(queue.take(0, 0)->run, 1U);
  for (int i = 0; i < 4; ++i) queue.push(2, job_for(), 100);
  queue.finished(1, 0, 150);
  // Run 2 came while run 1 had had 100, and starts level with that.
  EXPECT_EQ(queue.take(0, 150)->run, 2U);
  queue.finished(2, 150, 220);
  EXPECT_EQ(queue.take(0, 220)->run, 1U);
}

TEST(UnitQueue, ANewcomerDoesNotStarveOthers) {
  UnitQueue queue;
  queue.add_run(1);
  for (int i = 0; i < 100; ++i) queue.push(1, job_for(), 0);
  std::int64_t now = 0;
  for (int i = 0; i < 50; ++i) {
    queue.take(0, now);
    queue.finished(1, now, now + 10);
    now += 10;
  }
  queue.add_run(2);
  for (int i = 0; i < 100; ++i) queue.push(2, job_for(), now);
  std::map<RunId, int> taken;
  for (int i = 0; i < 20; ++i) {
    const RunId run = queue.take(0, now)->run;
    ++taken[run];
    queue.finished(run, now, now + 10);
    now += 10;
  }
  EXPECT_EQ(taken[1], 10);
  EXPECT_EQ(taken[2], 10);
}

TEST(UnitQueue, KeepsAJobForItsSlot) {
  UnitQueue queue;
  queue.add_run(1);
  queue.push(1, job_for(1), 0);
  EXPECT_FALSE(queue.take(0, 0));
  queue.push(1, job_for(), 0);
  EXPECT_EQ(queue.take(0, 0)->job.slot, kAnySlot);
  EXPECT_EQ(queue.take(1, 0)->job.slot, 1);
}

TEST(UnitQueue, ForgetsARunWhoseJobsAreStillRunning) {
  UnitQueue queue;
  queue.add_run(1);
  for (int i = 0; i < 3; ++i) queue.push(1, job_for(), 0);
  queue.take(0, 0);
  EXPECT_EQ(queue.remove_run(1).size(), 2U);
  queue.finished(1, 0, 10);
  EXPECT_FALSE(queue.take(0, 10));
  EXPECT_EQ(queue.running(1), 0);
  EXPECT_TRUE(queue.remove_run(1).empty());
}

}  // namespace
}  // namespace modelhop::trainer
