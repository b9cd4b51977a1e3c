// SPDX-License-Identifier: Apache-2.0
// Windows of a scan: who is sent what, and when a window is free again.
#include "trainer/stream_scan.hpp"

#include <gtest/gtest.h>

#include <map>
#include <tuple>
#include <vector>

#include "modelhop/error.hpp"

namespace modelhop::trainer {
namespace {

constexpr const char* kArchitecture = R"({"class_name": "Sequential", "config": {"name": "tiny", "layers": [
  {"class_name": "Dense", "config": {"name": "dense", "units": 2, "activation": "softmax",
   "batch_input_shape": [null, 4], "dtype": "float32"}}]}, "keras_version": "2.10.0", "backend": "tensorflow"})";

std::shared_ptr<Run> open_run() {
  flatbuffers::FlatBufferBuilder builder;
  const auto compile = builder.CreateString("optimizer='sgd', loss='categorical_crossentropy'");
  const auto configuration = wire::CreateConfiguration(builder, 1, 0, compile, builder.CreateString("batch_size=4"));
  const auto configurations = builder.CreateVector(&configuration, 1);
  const auto architecture = wire::CreateArchitecture(builder, builder.CreateString(kArchitecture));
  const auto architectures = builder.CreateVector(&architecture, 1);
  const auto shape = wire::CreateShape(builder, builder.CreateVector(std::vector<std::int64_t>{4}));
  const auto shapes = builder.CreateVector(&shape, 1);
  const auto dependent = builder.CreateVector(std::vector<std::int64_t>{2});
  wire::OpenRunBuilder run(builder);
  run.add_architectures(architectures);
  run.add_independent_shapes(shapes);
  run.add_dependent_row_elements(dependent);
  run.add_configurations(configurations);
  builder.Finish(run.Finish());
  return std::make_shared<Run>(1, Client{}, *flatbuffers::GetRoot<wire::OpenRun>(builder.GetBufferPointer()), Device{});
}

std::shared_ptr<Stream> open_stream(const std::shared_ptr<Run>& run, int windows, std::int64_t window_bytes) {
  flatbuffers::FlatBufferBuilder builder;
  const auto features = wire::CreateLayout(builder, wire::ElementType_Float32, 4);
  const auto independent = builder.CreateVector(&features, 1);
  const auto classes = wire::CreateLayout(builder, wire::ElementType_Int16, 2);
  const auto dependent = builder.CreateVector(&classes, 1);
  builder.Finish(
      wire::CreateOpenStream(builder, wire::TableKind_Training, 3, windows, window_bytes, independent, dependent));
  return std::make_shared<Stream>(*flatbuffers::GetRoot<wire::OpenStream>(builder.GetBufferPointer()), run);
}

/// Records what a scan of two units asks for.
struct Script {
  explicit Script(int windows = 2, const std::vector<std::uint64_t>& units = {10, 20})
      : run(open_run()), stream(open_stream(run, windows, 640)) {
    std::vector<StreamScan::Item> items;
    for (const std::uint64_t unit : units) {
      auto work = std::make_shared<StreamedWork>();
      work->unit = unit;
      items.push_back({work, &run->configuration(1)});
    }
    scan.emplace(
        stream, items,
        [this](const StreamScan::Item& item, const std::vector<Examples>& blocks, bool is_end) {
          sent.emplace_back(item.work->unit, blocks.size(), is_end);
        },
        [this](int window) { freed.push_back(window); });
  }
  void consume(std::uint64_t unit, int blocks) {
    for (int i = 0; i < blocks; ++i) scan->consumed(unit);
    scan->idle(unit);
  }

  using Sent = std::vector<std::tuple<std::uint64_t, std::size_t, bool>>;
  std::shared_ptr<Run> run;
  std::shared_ptr<Stream> stream;
  std::optional<StreamScan> scan;
  Sent sent;
  std::vector<int> freed;
};

TEST(StreamScan, SendsEachWindowToEachUnit) {
  Script script;
  script.scan->window_filled(1, 5);
  EXPECT_EQ(script.sent, (Script::Sent{{10, 1, false}, {20, 1, false}}));
  script.consume(10, 1);
  EXPECT_TRUE(script.freed.empty());
  script.consume(20, 1);
  EXPECT_EQ(script.freed, std::vector<int>{1});
}

TEST(StreamScan, LetsAFastUnitRunAhead) {
  Script script;
  script.scan->window_filled(0, 5);
  script.consume(10, 1);
  script.scan->window_filled(1, 5);
  EXPECT_EQ(script.sent, (Script::Sent{{10, 1, false}, {20, 1, false}, {10, 1, false}}));
  script.consume(10, 1);
  EXPECT_TRUE(script.freed.empty());
  script.consume(20, 1);
  EXPECT_EQ(script.freed, std::vector<int>{0});
  EXPECT_EQ(script.sent.back(), std::make_tuple(20U, 1U, false));
}

TEST(StreamScan, SendsWhatHasGatheredAndTheEndTogether) {
  Script script(3);
  for (int window = 0; window < 3; ++window) script.scan->window_filled(window, 5);
  script.scan->end();
  script.consume(10, 1);
  EXPECT_EQ(script.sent.back(), std::make_tuple(10U, 2U, true));
  script.scan->consumed(10);
  script.scan->consumed(10);
  script.scan->retire(10);
  EXPECT_FALSE(script.scan->is_over());
  script.consume(20, 1);
  script.scan->consumed(20);
  script.scan->consumed(20);
  EXPECT_EQ(script.freed, (std::vector<int>{0, 1, 2}));
  script.scan->retire(20);
  EXPECT_TRUE(script.scan->is_over());
}

TEST(StreamScan, AFailedUnitHoldsNoWindow) {
  Script script;
  script.scan->window_filled(0, 5);
  script.scan->window_filled(1, 5);
  script.scan->retire(10);
  script.consume(20, 1);
  EXPECT_EQ(script.freed, std::vector<int>{0});
  script.scan->consumed(20);
  script.scan->retire(20);
  EXPECT_EQ(script.freed, (std::vector<int>{0, 1}));
  script.scan->window_filled(0, 5);
  EXPECT_EQ(script.freed, (std::vector<int>{0, 1, 0}));
  EXPECT_FALSE(script.scan->is_over());
  script.scan->end();
  EXPECT_TRUE(script.scan->is_over());
}

TEST(StreamScan, RefusesWindowsThatAreNotFreeOrDoNotExist) {
  Script script;
  script.scan->window_filled(0, 5);
  EXPECT_THROW(script.scan->window_filled(0, 5), Error);
  EXPECT_THROW(script.scan->window_filled(2, 5), Error);
  EXPECT_THROW(script.scan->window_filled(-1, 5), Error);
  EXPECT_THROW(script.scan->window_filled(1, 0), Error);
  EXPECT_THROW(script.scan->window_filled(1, 33), Error);
  EXPECT_THROW(script.scan->window_filled(1, INT64_MAX), Error);
  script.scan->window_filled(1, 30);
  script.scan->end();
  EXPECT_THROW(script.scan->end(), Error);
  EXPECT_THROW(script.scan->window_filled(1, 5), Error);
}

TEST(StreamScan, RefusesAUnitThatComesTwice) {
  EXPECT_THROW(Script(2, {10, 20, 10}), Error);
}

TEST(Stream, RefusesSizesThatMakeNoSense) {
  const auto run = open_run();
  EXPECT_THROW(open_stream(run, 0, 640), Error);
  EXPECT_THROW(open_stream(run, 2, 0), Error);
  EXPECT_THROW(open_stream(run, 2, 100), Error);
  EXPECT_THROW(open_stream(run, 2, INT64_MAX / 64 * 64), Error);
  auto stream = open_stream(run, 2, 640);
  EXPECT_EQ(run->memory().used(), 1280);
  stream.reset();
  EXPECT_EQ(run->memory().used(), 0);
}

}  // namespace
}  // namespace modelhop::trainer
