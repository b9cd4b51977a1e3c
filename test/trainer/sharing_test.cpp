// SPDX-License-Identifier: Apache-2.0
// Several clients at once: one segment for two, clients that vanish, slots that are shared.
#include <gtest/gtest.h>
#include <poll.h>

#include <chrono>
#include <functional>
#include <set>

#include "test_client.hpp"

namespace modelhop::trainer {
namespace {

const std::string kKey(32, 'k');

/// Asks again until it holds, up to the hang limit.
bool comes_true(const std::function<bool()>& holds) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::milliseconds(kHangLimitMs);
  while (std::chrono::steady_clock::now() < limit) {
    if (holds()) return true;
    poll(nullptr, 0, 2);
  }
  return false;
}

struct RunFacts {
  int running = 0;
  std::int64_t units_done = 0;
  std::int64_t memory = 0;
};

std::optional<RunFacts> find_run(TestClient& watcher, const std::string& name) {
  const wire::Frame frame = watcher.progress();
  for (const auto* run : *frame.message().body_as_Progress()->runs()) {
    if (run->name()->str() == name) return RunFacts{run->running(), run->units_done(), run->memory_used()};
  }
  return std::nullopt;
}

/// Long enough that nothing of it ends by itself while a test looks.
RunText endless(const std::string& name) {
  RunText run;
  run.name = name;
  run.configurations[0].fit = "batch_size=1, epochs=1000000";
  return run;
}

bool is_readable(const TestClient& client) {
  pollfd event{client.descriptor(), POLLIN, 0};
  return poll(&event, 1, 0) == 1;
}

TEST(Sharing, TwoClientsShareOneSegment) {
  const TrainerProcess trainer({"--slots=2"});
  const Flowers flowers = make_flowers(60);
  TestClient first(trainer);
  TestClient second(trainer);
  first.open_run({});
  second.open_run({});
  first.request_segment(0, {30, 30}, kKey);
  SegmentReply fill = first.segment_reply();
  ASSERT_FALSE(fill.loaded);
  second.request_segment(4, {30, 30}, kKey);
  // Its answer waits: a later request of the first is answered before it.
  TestClient watcher(trainer);
  watcher.progress();
  EXPECT_FALSE(is_readable(second));
  first.fill_segment(0, fill, flowers);
  const SegmentReply loaded = second.segment_reply();
  EXPECT_TRUE(loaded.loaded);
  EXPECT_FALSE(loaded.file);

  first.queue_unit(1, wire::UnitKind_Train, 1, 0);
  first.finished(1);
  const StateBytes state = first.get_state(1);
  first.close();
  ASSERT_TRUE(comes_true([&] { return watcher.progress().message().body_as_Progress()->runs()->size() == 1; }));
  // The segment's number is part of the order of examples, so this one trains to other bits, on the same memory.
  second.queue_unit(1, wire::UnitKind_Evaluate, 1, 4);
  EXPECT_EQ(second.finished(1).message().body_as_UnitFinished()->examples(), 60);
}

TEST(Sharing, TheNextClientFillsWhereTheFirstVanished) {
  const TrainerProcess trainer({"--slots=1"});
  TestClient first(trainer);
  TestClient second(trainer);
  first.open_run({});
  second.open_run({});
  first.request_segment(0, {30}, kKey);
  ASSERT_FALSE(first.segment_reply().loaded);
  second.request_segment(0, {30}, kKey);
  first.close();
  SegmentReply fill = second.segment_reply();
  EXPECT_FALSE(fill.loaded);
  second.fill_segment(0, fill, make_flowers(30));
  second.queue_unit(1, wire::UnitKind_Train, 1, 0);
  second.finished(1);
}

TEST(Sharing, AClientThatVanishesFreesItsRun) {
  const TrainerProcess trainer({"--slots=2"});
  TestClient watcher(trainer);
  {
    TestClient client(trainer);
    RunText run = endless("doomed");
    run.configurations = {run.configurations[0], run.configurations[0], run.configurations[0]};
    for (int i = 0; i < 3; ++i) run.configurations[static_cast<std::size_t>(i)].key = i + 1;
    client.open_run(run);
    client.load_segment(0, make_flowers(100), {100});
    for (int i = 1; i <= 3; ++i) client.queue_unit(static_cast<std::uint64_t>(i), wire::UnitKind_Train, i, 0);
    ASSERT_TRUE(comes_true([&] {
      const auto facts = find_run(watcher, "doomed");
      return facts && facts->running == 2 && facts->memory > 2200;
    }));
    client.close();
  }
  EXPECT_TRUE(comes_true([&] { return !find_run(watcher, "doomed"); }));
  // The slots are free again.
  TestClient next(trainer);
  next.open_run({});
  next.load_segment(0, make_flowers(30), {30});
  next.queue_unit(1, wire::UnitKind_Train, 1, 0);
  next.finished(1);
}

TEST(Sharing, AStreamThatVanishesFreesItsRun) {
  const TrainerProcess trainer({"--slots=2"});
  TestClient watcher(trainer);
  {
    TestClient client(trainer);
    RunText run;
    run.name = "streamed";
    run.shuffle = wire::Shuffle_None;
    client.open_run(run);
    client.open_stream(0, 2, 6400);
    client.begin_scan(0, 0, {{1, 1}});
    client.stream(make_flowers(100), {50, 50});
    ASSERT_TRUE(find_run(watcher, "streamed"));
    client.close();
  }
  EXPECT_TRUE(comes_true([&] { return !find_run(watcher, "streamed"); }));
}

TEST(Sharing, CloseRunStopsItsUnitsAndTheConnectionGoesOn) {
  const TrainerProcess trainer({"--slots=1"});
  TestClient client(trainer);
  client.open_run(endless("first"));
  client.load_segment(0, make_flowers(100), {100});
  client.queue_unit(1, wire::UnitKind_Train, 1, 0);
  client.close_run();
  client.open_run({});
  client.load_segment(0, make_flowers(30), {30});
  client.queue_unit(2, wire::UnitKind_Train, 1, 0);
  // Nothing of unit 1 comes any more.
  client.finished(2);
}

TEST(Sharing, TwoRunsTakeTurns) {
  const TrainerProcess trainer({"--slots=1"});
  TestClient first(trainer);
  TestClient second(trainer);
  const Flowers flowers = make_flowers(150);
  const auto open = [&](TestClient& client, const std::string& name) {
    RunText run;
    run.name = name;
    run.configurations.clear();
    for (int key = 1; key <= 20; ++key) {
      ConfigurationText configuration;
      configuration.key = key;
      configuration.fit = "batch_size=4, epochs=20";
      run.configurations.push_back(configuration);
    }
    client.open_run(run);
    client.load_segment(0, flowers, {150}, kKey);
  };
  open(first, "first");
  open(second, "second");
  for (int key = 1; key <= 20; ++key) first.queue_unit(static_cast<std::uint64_t>(key), wire::UnitKind_Train, key, 0);
  for (int key = 1; key <= 20; ++key) second.queue_unit(static_cast<std::uint64_t>(key), wire::UnitKind_Train, key, 0);
  // All units cost the same: when the second, which came last, has had ten, the first may have had few more, and not
  // all.
  for (std::uint64_t key = 1; key <= 10; ++key) second.finished(key);
  TestClient watcher(trainer);
  const auto facts = find_run(watcher, "first");
  ASSERT_TRUE(facts);
  EXPECT_GE(facts->units_done, 5);
  EXPECT_LT(facts->units_done, 20);
}

TEST(Sharing, UsesEverySlot) {
  const TrainerProcess trainer({"--slots=3"});
  TestClient client(trainer);
  RunText run = endless("wide");
  const ConfigurationText row = run.configurations[0];
  run.configurations.clear();
  for (int key = 1; key <= 4; ++key) {
    run.configurations.push_back(row);
    run.configurations.back().key = key;
  }
  client.open_run(run);
  client.load_segment(0, make_flowers(60), {60});
  for (int key = 1; key <= 4; ++key) client.queue_unit(static_cast<std::uint64_t>(key), wire::UnitKind_Train, key, 0);
  TestClient watcher(trainer);
  EXPECT_TRUE(comes_true([&] { return find_run(watcher, "wide")->running == 3; }));
}

}  // namespace
}  // namespace modelhop::trainer
