// SPDX-License-Identifier: Apache-2.0
// A small network trained by streams in the real program: the same bits as from cached segments.
#include <gtest/gtest.h>

#include "small_training.hpp"

namespace modelhop::trainer {
namespace {

class Streaming : public SmallTraining {};

/// Two configurations, two visits; with several passes in a visit.
std::vector<StateBytes> train_cached(TestClient& client, const RunText& run, const Flowers& flowers) {
  client.open_run(run);
  client.load_segment(0, flowers, kBuffers);
  for (int visit = 1; visit <= 2; ++visit) {
    for (const int key : {1, 2}) {
      const auto unit = static_cast<std::uint64_t>(visit * 10 + key);
      client.queue_unit(unit, wire::UnitKind_Train, key, 0, visit);
      client.finished(unit);
    }
  }
  std::vector<StateBytes> states = {client.get_state(1), client.get_state(2)};
  client.close_run();
  return states;
}

std::vector<StateBytes> train_streamed(TestClient& client, const RunText& run, const Flowers& flowers, int passes) {
  client.open_run(run);
  client.open_stream(0, 2, 64 * 40);
  for (int visit = 1; visit <= 2; ++visit) {
    const auto first = static_cast<std::uint64_t>(visit * 10);
    for (int pass = 0; pass < passes; ++pass) {
      client.begin_scan(0, pass, {{first + 1, 1, visit}, {first + 2, 2, visit}});
      client.stream(flowers, kBuffers);
      std::uint64_t units = 0;
      for (int ended = 0; ended < 2;) {
        wire::Frame frame = client.event();
        const auto* done = frame.message().body_as_UnitFinished();
        if (done == nullptr) {
          client.window_free(frame);
          continue;
        }
        units += done->unit();
        EXPECT_EQ(done->examples(), pass == passes - 1 ? kRows * passes : 0);
        ++ended;
      }
      EXPECT_EQ(units, 2 * first + 3);
    }
  }
  std::vector<StateBytes> states = {client.get_state(1), client.get_state(2)};
  client.close_run();
  return states;
}

TEST_F(Streaming, StreamsToConfigurationsInDifferentIterations) {
  const ConfigurationText twin = {.key = 2};  // the same seed and parameters
  TestClient client(*trainer_);
  client.open_run({.configurations = {{}, twin}, .shuffle = wire::Shuffle_Buffer});
  client.load_segment(0, flowers_, kBuffers);
  train(client, 1, 1, 1);
  train(client, 2, 2, 2);
  const StateBytes first = client.get_state(1);
  const StateBytes second = client.get_state(2);
  EXPECT_NE(first.weights, second.weights);
  client.close_run();

  client.open_run({.configurations = {{}, twin}, .shuffle = wire::Shuffle_Buffer});
  client.open_stream(0, 2, 64 * 40);
  client.begin_scan(0, 0, {{1, 1, 1}, {2, 2, 2}});
  client.stream(flowers_, kBuffers);
  for (int ended = 0; ended < 2;) {
    const wire::Frame frame = client.event();
    if (frame.message().body_as_UnitFinished() != nullptr) {
      ++ended;
    } else {
      client.window_free(frame);
    }
  }
  EXPECT_EQ(client.get_state(1), first);
  EXPECT_EQ(client.get_state(2), second);
}

TEST_F(Streaming, StreamsToTheSameBits) {
  for (const int passes : {1, 3}) {
    RunText run;
    const std::string epochs = "epochs=" + std::to_string(passes);
    run.configurations = {
        {1, "optimizer='adam(lr=0.01)', loss='categorical_crossentropy'", "batch_size=8, " + epochs},
        {2, "optimizer='sgd(lr=0.05, momentum=0.9)', loss='categorical_crossentropy'", "batch_size=33, " + epochs, 5}};
    for (const wire::Shuffle shuffle : {wire::Shuffle_Buffer, wire::Shuffle_None}) {
      run.shuffle = shuffle;
      TestClient client(*trainer_);
      const auto cached = train_cached(client, run, flowers_);
      EXPECT_EQ(train_streamed(client, run, flowers_, passes), cached) << passes << " " << int{shuffle};
      EXPECT_EQ(train_cached(client, run, flowers_), cached);
    }
  }
}

TEST_F(Streaming, EvaluatesAStream) {
  TestClient client(*trainer_);
  client.open_run({});
  client.load_segment(1, flowers_, kBuffers);
  client.queue_unit(1, wire::UnitKind_Evaluate, 1, 1);
  const wire::Frame cached = client.finished(1);
  client.open_stream(0, 3, 64 * 40);
  client.begin_scan(0, 0, {{7, 1}}, true);
  client.stream(flowers_, kBuffers);
  const wire::Frame frame = client.finished(7);
  EXPECT_EQ(frame.message().body_as_UnitFinished()->examples(), kRows);
  EXPECT_NEAR(frame.message().body_as_UnitFinished()->loss() / kRows,
              cached.message().body_as_UnitFinished()->loss() / kRows, 1e-6);
}

TEST_F(Streaming, RefusesToStreamWhatIsShuffledAsAWhole) {
  TestClient client(*trainer_);
  client.open_run({.shuffle = wire::Shuffle_Segment});
  client.open_stream(0, 2, 64 * 40);
  client.begin_scan(0, 0, {{7, 1}});
  client.stream(flowers_, {50});
  try {
    client.finished(7);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  }
  client.queue_unit(8, wire::UnitKind_Train, 1, 0);
  EXPECT_THROW(client.finished(8), Error);
}

TEST_F(Streaming, AScanWhoseUnitsAllFailedMakesRoomForTheNext) {
  TestClient client(*trainer_);
  client.open_run({.shuffle = wire::Shuffle_Segment});
  client.open_stream(0, 2, 64 * 40);
  for (const std::uint64_t unit : {7, 8}) {
    client.begin_scan(0, 0, {{unit, 1}});
    client.fill_window(flowers_, 0, kBuffers.front());
    EXPECT_THROW(client.finished(unit), Error);
    client.end_stream();
  }
  client.begin_scan(0, 0, {{9, 1}}, true);
  client.stream(flowers_, kBuffers);
  client.finished(9);
}

}  // namespace
}  // namespace modelhop::trainer
