// SPDX-License-Identifier: Apache-2.0
// Handshake, refusals and hostile bytes, against the real program.
#include <gtest/gtest.h>
#include <unistd.h>

#include <random>

#include "test_client.hpp"
#include "wire/build_id.hpp"

namespace modelhop::trainer {
namespace {

template <typename Action>
Error error_of(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  throw std::runtime_error("no error came");
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class Protocol : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { trainer_ = new TrainerProcess({"--slots=2", "--cache-memory=100000"}); }
  static void TearDownTestSuite() {
    delete trainer_;
    trainer_ = nullptr;
  }
  static TrainerProcess* trainer_;
};
TrainerProcess* Protocol::trainer_ = nullptr;

TEST_F(Protocol, WelcomesItsOwnBuild) {
  TestClient client(*trainer_, false);
  client.hello(wire::build_id());
  const wire::Frame frame = client.answer();
  const auto* welcome = frame.message().body_as_Welcome();
  ASSERT_NE(welcome, nullptr);
  EXPECT_EQ(welcome->process_id(), trainer_->process());
  EXPECT_EQ(welcome->slots(), 2);
  EXPECT_EQ(welcome->device()->str(), "cpu");
  EXPECT_EQ(welcome->build()->str(), wire::build_id());
  ASSERT_NE(welcome->gpus(), nullptr);
  EXPECT_EQ(welcome->gpus()->size(), 0U);  // it computes on the CPU
}

TEST_F(Protocol, NamesBothBuildsWhereTheyDiffer) {
  TestClient client(*trainer_, false);
  client.hello("9.9.9+elsewhere");
  const Error error = error_of([&] { client.answer(); });
  EXPECT_EQ(error.code(), ErrorCode::kNotSupported);
  EXPECT_TRUE(contains(error.what(), "9.9.9+elsewhere")) << error.what();
  EXPECT_TRUE(contains(error.what(), wire::build_id())) << error.what();
  EXPECT_TRUE(client.is_closed());
}

TEST_F(Protocol, WantsHelloFirst) {
  TestClient client(*trainer_, false);
  EXPECT_EQ(error_of([&] { client.progress(); }).code(), ErrorCode::kInternal);
  EXPECT_TRUE(client.is_closed());
}

TEST_F(Protocol, AnswersProgressWithoutARun) {
  TestClient client(*trainer_);
  const wire::Frame frame = client.progress();
  ASSERT_NE(frame.message().body_as_Progress(), nullptr);
  EXPECT_EQ(frame.message().body_as_Progress()->slots(), 2);
}

TEST_F(Protocol, RefusedRequestsLeaveTheConnectionUsable) {
  TestClient client(*trainer_);
  RunText run;
  run.configurations[0].compile = "optimizer='nonsense', loss='mse'";
  EXPECT_EQ(error_of([&] { client.open_run(run); }).code(), ErrorCode::kInvalidArgument);
  run = {};
  run.architecture = R"({"class_name": "Sequential", "config": {"layers": [{"class_name": "Conv9D", "config": {}}]}})";
  EXPECT_TRUE(contains(error_of([&] { client.open_run(run); }).what(), "Conv9D"));
  run = {};
  run.shapes = {{0}};
  EXPECT_EQ(error_of([&] { client.open_run(run); }).code(), ErrorCode::kInvalidArgument);
  run = {};
  run.shapes = {};
  EXPECT_EQ(error_of([&] { client.open_run(run); }).code(), ErrorCode::kInvalidArgument);
  run.shapes = {{4}, {4}};
  EXPECT_EQ(error_of([&] { client.open_run(run); }).code(), ErrorCode::kInvalidArgument);
  run = {};
  run.dependent_row_elements = {3, 3};
  EXPECT_EQ(error_of([&] { client.open_run(run); }).code(), ErrorCode::kInvalidArgument);
  run.dependent_row_elements = {-1};
  EXPECT_EQ(error_of([&] { client.open_run(run); }).code(), ErrorCode::kInvalidArgument);
  run = {};
  run.profile = 9;
  EXPECT_TRUE(contains(error_of([&] { client.open_run(run); }).what(), "profile 9"));
  run = {};
  run.configurations = {{1}, {1}};
  EXPECT_TRUE(contains(error_of([&] { client.open_run(run); }).what(), "configuration 1 comes twice"));
  client.open_run({});
  EXPECT_EQ(error_of([&] { client.open_run({}); }).code(), ErrorCode::kInternal);
}

TEST_F(Protocol, RefusesImpossibleSegments) {
  TestClient client(*trainer_);
  EXPECT_EQ(error_of([&] { client.request_segment(0, {1}), client.segment_reply(); }).code(), ErrorCode::kInternal);
  client.open_run({});
  const auto refusal = [&](const std::vector<std::int64_t>& buffers, const std::string& key, std::int64_t dependent) {
    return error_of([&] {
             client.request_segment(0, buffers, key, dependent);
             client.segment_reply();
           })
        .code();
  };
  EXPECT_EQ(refusal({5, -5}, "", 3), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refusal({INT64_MAX, INT64_MAX}, "", 3), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refusal({INT64_MAX / 4}, "", 3), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refusal({5}, "short key", 3), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refusal({5}, "", 4), ErrorCode::kInvalidArgument);
  EXPECT_EQ(refusal({5}, "", -1), ErrorCode::kInvalidArgument);
  client.load_segment(0, make_flowers(5), {5});
}

TEST_F(Protocol, NamesTheLimitOfTheCache) {
  TestClient client(*trainer_);
  client.open_run({});
  const Error error = error_of([&] {
    client.request_segment(0, {10'000});
    client.segment_reply();
  });
  EXPECT_EQ(error.code(), ErrorCode::kOutOfMemory);
  EXPECT_TRUE(contains(error.what(), "220032 bytes")) << error.what();
  EXPECT_TRUE(contains(error.what(), "of 100000 bytes")) << error.what();
  EXPECT_TRUE(contains(error.hint(), "modelhop.cache_memory")) << error.hint();
}

TEST_F(Protocol, HoldsARunToItsMemory) {
  TestClient client(*trainer_);
  RunText run;
  run.memory_limit = 4000;
  client.open_run(run);
  client.load_segment(0, make_flowers(100), {100});
  client.queue_unit(1, wire::UnitKind_Train, 1, 0);
  EXPECT_EQ(error_of([&] { client.finished(1); }).code(), ErrorCode::kOutOfMemory);
  EXPECT_EQ(error_of([&] {
              client.request_segment(1, {100});
              client.segment_reply();
            }).code(),
            ErrorCode::kOutOfMemory);
}

TEST_F(Protocol, CountsPredictionsAsMemoryOfTheRun) {
  TestClient client(*trainer_);
  RunText run;
  const auto answer_of = [&](wire::UnitKind kind) {
    client.open_run(run);
    client.load_segment(0, make_flowers(100), {100});
    client.queue_unit(1, kind, 1, 0);
    client.finished(1);
  };
  answer_of(wire::UnitKind_Predict);
  run.memory_limit = client.memory_used() + 100 * 3 * 4 - 1;
  client.close_run();
  answer_of(wire::UnitKind_Evaluate);
  client.close_run();
  EXPECT_EQ(error_of([&] { answer_of(wire::UnitKind_Predict); }).code(), ErrorCode::kOutOfMemory);
}

TEST_F(Protocol, FailsUnitsThatCannotRun) {
  TestClient client(*trainer_);
  client.open_run({});
  const auto code = [&](int configuration, std::int32_t segment, int kind = wire::UnitKind_Train) {
    client.queue_unit(5, static_cast<wire::UnitKind>(kind), configuration, segment);
    return error_of([&] { client.finished(5); }).code();
  };
  EXPECT_EQ(code(2, 0), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(1, 7), ErrorCode::kInternal);
  client.load_segment(0, make_flowers(30), {30});
  EXPECT_EQ(code(1, 0, 9), ErrorCode::kInternal);
  client.queue_unit(6, wire::UnitKind_Evaluate, 1, 0);
  client.finished(6);
}

TEST_F(Protocol, SurvivesGarbage) {
  std::mt19937 random(5);
  for (int trial = 0; trial < 100; ++trial) {
    wire::FileDescriptor raw = trainer_->connect();
    std::vector<std::uint8_t> bytes(1 + random() % 200);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
    if (trial % 2 == 0 && bytes.size() > 4) bytes[1] = bytes[2] = bytes[3] = 0;
    EXPECT_GT(write(raw.get(), bytes.data(), bytes.size()), 0);
  }
  TestClient client(*trainer_);
  EXPECT_NE(client.progress().message().body_as_Progress(), nullptr);
}

/// Requests that are well formed but make no sense, in random order: each is answered, or the connection is closed.
TEST_F(Protocol, SurvivesRequestsInAnyOrder) {
  std::mt19937 random(6);
  int answered = 0;
  for (int trial = 0; trial < 60; ++trial) {
    TestClient client(*trainer_);
    if (trial % 3 != 0) client.open_run({});
    if (trial % 3 == 2) client.load_segment(0, make_flowers(8), {8});
    try {
      for (int step = 0; step < 20; ++step) {
        flatbuffers::FlatBufferBuilder b;
        const auto kind = static_cast<wire::TableKind>(random() % 4);
        const int small = static_cast<int>(random() % 4) - 1;
        switch (random() % 13) {
          case 0:
            client.send(b, wire::CreateGetState(b, small, true));
            break;
          case 1:
            client.send(b, wire::CreateSetState(b, small, 193, small));
            break;
          case 2:
            client.send(b, wire::CreateDropConfiguration(b, small));
            break;
          case 3:
            client.send(b, wire::CreateSegmentFilled(b, kind, small));
            break;
          case 4:
            client.send(b, wire::CreateCloseSegment(b, kind, small));
            break;
          case 5:
            client.send(b, wire::CreateOpenStream(b, kind, small, small, 64));
            break;
          case 6:
            client.send(b, wire::CreateScanStream(b, kind, small));
            break;
          case 7:
            client.send(b, wire::CreateWindowFilled(b, small, small));
            break;
          case 8:
            client.send(b, wire::CreateOpenSegment(b, kind, small));
            break;
          case 9:
            client.send(b, wire::CreateSetLearningRate(b, small, small));
            break;
          case 10:
            client.send(b, wire::CreateKeepWeights(b, small, static_cast<std::uint8_t>(small)));
            break;
          case 11:
            client.send(b, wire::CreateRestoreWeights(b, small, static_cast<std::uint8_t>(small)));
            break;
          default:
            client.queue_unit(1, static_cast<wire::UnitKind>(random() % 4), small, small);
            break;
        }
        client.receive();
        ++answered;
      }
    } catch (const std::exception&) {
      // Closed by the trainer: allowed. What must hold is below.
    }
  }
  EXPECT_GT(answered, 500);
  TestClient client(*trainer_);
  EXPECT_NE(client.progress().message().body_as_Progress(), nullptr);
}

}  // namespace
}  // namespace modelhop::trainer
