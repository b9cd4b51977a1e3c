// SPDX-License-Identifier: Apache-2.0
// A small network trained by units on cached segments in the real program: moved out and in, added, kept aside.
#include <gtest/gtest.h>

#include <cmath>

#include "small_training.hpp"

namespace modelhop::trainer {
namespace {

class Training : public SmallTraining {};

struct Sums {
  double loss = 0;
  double accuracy = 0;
};

Sums evaluate(TestClient& client, int configuration, std::int32_t segment) {
  client.queue_unit(1000, wire::UnitKind_Evaluate, configuration, segment);
  const wire::Frame frame = client.finished(1000);
  const auto* done = frame.message().body_as_UnitFinished();
  EXPECT_EQ(done->examples(), kRows);
  EXPECT_EQ(done->metrics()->size(), 2U);  // hits and examples
  return {done->loss() / kRows, done->metrics()->Get(0) / done->metrics()->Get(1)};
}

TEST_F(Training, LearnsEvaluatesAndPredicts) {
  TestClient client(*trainer_);
  client.open_run({});
  client.load_segment(0, flowers_, kBuffers);
  const Sums before = evaluate(client, 1, 0);
  for (int iteration = 1; iteration <= 30; ++iteration) {
    client.queue_unit(static_cast<std::uint64_t>(iteration), wire::UnitKind_Train, 1, 0, iteration);
    const wire::Frame frame = client.finished(static_cast<std::uint64_t>(iteration));
    const auto* done = frame.message().body_as_UnitFinished();
    EXPECT_EQ(done->steps(), 19);
    EXPECT_EQ(done->examples(), kRows);
    EXPECT_LE(done->started_us(), done->ended_us());
    EXPECT_TRUE(done->slot() == 0 || done->slot() == 1);
    EXPECT_FALSE(done->has_diverged());
  }
  const Sums after = evaluate(client, 1, 0);
  EXPECT_LT(after.loss, before.loss / 2);
  EXPECT_GT(after.accuracy, 0.9);

  client.queue_unit(50, wire::UnitKind_Predict, 1, 0);
  wire::Frame frame = client.finished(50);
  const auto* done = frame.message().body_as_UnitFinished();
  ASSERT_EQ(done->output_elements(), 3);
  ASSERT_EQ(done->examples(), kRows);
  const auto memory = wire::SharedMemory::map(frame.take_file(), kRows * 3 * 4, wire::SharedMemory::Access::kReadOnly);
  const auto* outputs = reinterpret_cast<const float*>(memory.bytes().data());
  int correct = 0;
  for (std::int64_t row = 0; row < kRows; ++row) {
    const float* values = outputs + row * 3;
    EXPECT_NEAR(values[0] + values[1] + values[2], 1.0F, 1e-5F);
    correct += std::max_element(values, values + 3) - values == row % 3;
  }
  EXPECT_NEAR(correct / static_cast<double>(kRows), after.accuracy, 1e-9);
}

TEST_F(Training, ContinuesBitForBitFromAStateThatWasTakenOut) {
  TestClient client(*trainer_);
  client.open_run({.configurations = {{1}, {2}}});
  client.load_segment(0, flowers_, kBuffers);
  client.queue_unit(1, wire::UnitKind_Train, 1, 0, 1);
  client.finished(1);
  const StateBytes half_way = client.get_state(1);
  client.queue_unit(2, wire::UnitKind_Train, 1, 0, 2);
  client.finished(2);
  const StateBytes straight = client.get_state(1);
  EXPECT_NE(straight.weights, half_way.weights);

  client.set_state(2, half_way);
  EXPECT_EQ(client.get_state(2), half_way);
  client.queue_unit(3, wire::UnitKind_Train, 2, 0, 2);
  client.finished(3);
  EXPECT_EQ(client.get_state(2), straight);

  // Without the optimizer's slots the same unit must end elsewhere: they do travel.
  client.set_state(2, {half_way.weights, {}});
  client.queue_unit(4, wire::UnitKind_Train, 2, 0, 2);
  client.finished(4);
  EXPECT_NE(client.get_state(2).weights, straight.weights);
}

TEST_F(Training, RefusesAStateThatDoesNotFit) {
  TestClient client(*trainer_);
  client.open_run({});
  StateBytes state = client.get_state(1);
  const StateBytes original = state;
  state.weights.push_back(0);
  EXPECT_THROW(client.set_state(1, state), Error);
  state = original;
  state.rest.resize(state.rest.size() / 2);
  EXPECT_THROW(client.set_state(1, state), Error);
  EXPECT_EQ(client.get_state(1), original);
}

TEST_F(Training, RefusesTwoTrainingUnitsOfOneConfigurationAtOnce) {
  TestClient client(*trainer_);
  client.open_run({.configurations = {{.fit = "batch_size=1, epochs=200"}}});
  client.load_segment(0, flowers_, kBuffers);
  client.queue_unit(1, wire::UnitKind_Train, 1, 0);
  client.queue_unit(2, wire::UnitKind_Train, 1, 0);
  wire::Frame failed = client.event();
  ASSERT_NE(failed.message().body_as_UnitFailed(), nullptr);
  EXPECT_EQ(failed.message().body_as_UnitFailed()->unit(), 2U);
  EXPECT_EQ(failed.message().body_as_UnitFailed()->code(), static_cast<int>(ErrorCode::kInternal));
  client.finished(1);
}

TEST_F(Training, EvaluatesOneConfigurationSideBySide) {
  TestClient client(*trainer_);
  client.open_run({});
  client.load_segment(0, flowers_, kBuffers);
  for (std::uint64_t unit = 1; unit <= 8; ++unit) client.queue_unit(unit, wire::UnitKind_Evaluate, 1, 0);
  double loss = -1;
  for (int i = 0; i < 8; ++i) {
    wire::Frame frame = client.event();
    const auto* done = frame.message().body_as_UnitFinished();
    ASSERT_NE(done, nullptr);
    if (i > 0) {
      EXPECT_EQ(done->loss(), loss);
    }
    loss = done->loss();
  }
}

TEST_F(Training, MarksAConfigurationThatDiverged) {
  TestClient client(*trainer_);
  client.open_run({.configurations = {{.compile = "optimizer='sgd(lr=1e30)', loss='mse', metrics=['mae']"}}});
  client.load_segment(0, flowers_, kBuffers);
  bool has_diverged = false;
  for (std::uint64_t unit = 1; unit <= 3 && !has_diverged; ++unit) {
    client.queue_unit(unit, wire::UnitKind_Train, 1, 0, static_cast<int>(unit));
    has_diverged = client.finished(unit).message().body_as_UnitFinished()->has_diverged();
  }
  EXPECT_TRUE(has_diverged);
}

TEST_F(Training, TrainsAConfigurationThatIsAddedToTheSameBits) {
  const ConfigurationText other = {2, "optimizer='sgd(lr=0.05, momentum=0.9)', loss='categorical_crossentropy'",
                                   "batch_size=33", 5};
  TestClient client(*trainer_);
  client.open_run({.configurations = {{}, other}});
  client.load_segment(0, flowers_, kBuffers);
  train(client, 1, 2, 1);
  train(client, 2, 2, 2);
  const StateBytes expected = client.get_state(2);
  client.close_run();

  client.open_run({});
  client.load_segment(0, flowers_, kBuffers);
  client.queue_unit(1, wire::UnitKind_Train, 1, 0, 1);
  client.add_configurations({other});
  client.finished(1);
  train(client, 2, 2, 1);
  train(client, 3, 2, 2);
  EXPECT_EQ(client.get_state(2), expected);
  client.add_configurations({{3, other.compile, other.fit, 6}});
  train(client, 4, 3, 1);
  train(client, 5, 3, 2);
  EXPECT_NE(client.get_state(3).weights, expected.weights);  // another seed
}

TEST_F(Training, AddsAllConfigurationsOrNone) {
  TestClient client(*trainer_);
  EXPECT_THROW(client.add_configurations({{2}}), Error);  // no run is open
  client.open_run({});
  client.load_segment(0, flowers_, kBuffers);
  const ConfigurationText good = {.key = 2};
  EXPECT_THROW(client.add_configurations({good, {.key = 3, .compile = "optimizer='nobody', loss='mse'"}}), Error);
  EXPECT_THROW(client.add_configurations({good, {.key = 1}}), Error);
  EXPECT_THROW(client.add_configurations({good, good}), Error);
  EXPECT_THROW(client.add_configurations({good}, 7), Error);
  EXPECT_THROW(client.get_state(2), Error);
  client.add_configurations({good});
  train(client, 1, 2, 1);
  train(client, 2, 1, 1);
  EXPECT_EQ(client.get_state(2), client.get_state(1));  // the same seed and parameters
}

TEST_F(Training, KeepsWeightsAsideAndGivesThemBack) {
  TestClient client(*trainer_);
  client.open_run({});
  client.load_segment(0, flowers_, kBuffers);
  const auto train = [&](std::uint64_t unit) {
    client.queue_unit(unit, wire::UnitKind_Train, 1, 0, static_cast<int>(unit));
    client.finished(unit);
    return client.get_state(1);
  };
  const StateBytes first = train(1);
  client.keep_weights(1, 0);
  const StateBytes second = train(2);
  client.keep_weights(1, 7);
  train(3);
  client.restore_weights(1, 0);
  EXPECT_EQ(client.get_state(1).weights, first.weights);
  EXPECT_NE(client.get_state(1).rest, first.rest);  // the optimizer goes on from where it is
  client.restore_weights(1, 7);
  EXPECT_EQ(client.get_state(1).weights, second.weights);
  EXPECT_THROW(client.restore_weights(1, 2), Error);
  EXPECT_THROW(client.keep_weights(9, 0), Error);
}

TEST_F(Training, CountsKeptWeightsAsMemoryOfTheRun) {
  TestClient client(*trainer_);
  RunText run;
  client.open_run(run);
  client.get_state(1);
  const std::int64_t before = client.memory_used();
  client.keep_weights(1, 0);
  const std::int64_t copy = client.memory_used() - before;
  EXPECT_EQ(copy, 193 * 4);
  client.keep_weights(1, 0);
  EXPECT_EQ(client.memory_used() - before, copy);
  client.close_run();
  run.memory_limit = before + copy;
  client.open_run(run);
  client.keep_weights(1, 0);
  try {
    client.keep_weights(1, 1);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kOutOfMemory);
  }
  client.keep_weights(1, 0);
}

TEST_F(Training, ReportsTheLearningRateThatWasSet) {
  TestClient client(*trainer_);
  client.open_run({});
  client.load_segment(0, flowers_, kBuffers);
  client.set_learning_rate(1, 0.125);
  client.queue_unit(1, wire::UnitKind_Train, 1, 0);
  EXPECT_EQ(client.finished(1).message().body_as_UnitFinished()->learning_rate(), 0.125);
  EXPECT_THROW(client.set_learning_rate(1, std::nan("")), Error);
  EXPECT_THROW(client.set_learning_rate(2, 0.1), Error);
}

TEST_F(Training, TakesSampleWeightsBesideTheData) {
  TestClient client(*trainer_);
  client.open_run({});
  SegmentReply reply = client.request_weighted_segment(0, kBuffers);
  EXPECT_EQ(reply.bytes, (kRows * 16 + 63) / 64 * 64 + (kRows * 6 + 63) / 64 * 64 + (kRows * 4 + 63) / 64 * 64);
}

TEST_F(Training, ContinuesAfterARestart) {
  StateBytes half_way;
  StateBytes straight;
  {
    TestClient client(*trainer_);
    client.open_run({});
    client.load_segment(0, flowers_, kBuffers);
    client.queue_unit(1, wire::UnitKind_Train, 1, 0, 1);
    client.finished(1);
    half_way = client.get_state(1);
    client.queue_unit(2, wire::UnitKind_Train, 1, 0, 2);
    client.finished(2);
    straight = client.get_state(1);
  }
  const TrainerProcess another({"--slots=1"});
  TestClient client(another);
  client.open_run({});
  client.load_segment(0, flowers_, kBuffers);
  client.set_state(1, half_way);
  client.queue_unit(2, wire::UnitKind_Train, 1, 0, 2);
  client.finished(2);
  EXPECT_EQ(client.get_state(1), straight);
}

}  // namespace
}  // namespace modelhop::trainer
