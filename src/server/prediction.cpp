// SPDX-License-Identifier: Apache-2.0
// Reading, computing and writing overlap: while the slots predict, the next batch is read and the last one written.
#include "server/prediction.hpp"

#include <algorithm>
#include <bit>
#include <map>

#include "server/bridge.hpp"
#include "server/prediction_input.hpp"
#include "server/prediction_output.hpp"
#include "server/segment_feed.hpp"
#include "server/trainer_requests.hpp"
#include "spec/train_params.hpp"
#include "wire/segment_layout.hpp"

namespace modelhop::server {
namespace {

/// A power of two, so that the batches of an evaluation are full: about a megabyte, and neither fewer rows than one
/// batch of an evaluation nor more than 1024 (the slots shall begin and end together, and each message has a fixed cost
/// of 0.2 ms), as far as examples and predictions stay below 64 MB.
std::int64_t rows_of_batch(std::int64_t row_bytes) {
  constexpr std::int64_t kUsualBytes = std::int64_t{1} << 20, kMostBytes = std::int64_t{64} << 20, kMostRows = 1024;
  const std::int64_t usual = std::clamp(kUsualBytes / row_bytes, kEvaluationRows, kMostRows);
  const std::int64_t rows = std::clamp(kMostBytes / row_bytes, std::int64_t{1}, usual);
  return static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(rows)));
}

class PredictionRun {
 public:
  PredictionRun(TrainerClient& trainer, const StoredModel& model, const ExampleSource& source, PredictionOutput& output)
      : trainer_(trainer), model_(model), source_(source), output_(output) {}

  void run() {
    Spi spi;
    ExampleCursor cursor(source_);
    const std::int64_t limit = rows_of_batch(std::max(source_.layout(0).row_bytes(), output_row_bytes()));
    const auto in_flight = static_cast<std::size_t>(trainer_.info().slots) + 1;
    while (cursor.fetch(limit) > 0) {
      send(cursor);
      while (batches_.size() >= in_flight) receive();
    }
    cursor.close();
    while (!batches_.empty()) receive();
    output_.flush();
  }

 private:
  using Ids = std::vector<std::optional<std::string>>;

  std::int64_t output_row_bytes() const {
    std::int64_t bytes = 0;
    for (std::size_t output = 0; output < model_.model.outputs.size(); ++output) {
      bytes += element_count(model_.model.output_shape(output)) * static_cast<std::int64_t>(sizeof(float));
    }
    return bytes;
  }

  void send(ExampleCursor& cursor) {
    const auto number = ++last_batch_;
    const wire::SegmentLayout layout = source_.layout(cursor.rows());
    const wire::FileDescriptor file = open_batch(number, layout);
    examples_.resize(static_cast<std::size_t>(layout.total_bytes()));
    batches_[number] = cursor.decode(examples_);
    wire::write_shared(file, 0, examples_);
    flatbuffers::FlatBufferBuilder builder;
    trainer_.send(builder, wire::CreateSegmentFilled(builder, wire::TableKind_Prediction, number));
    trainer_.wait_answer();
    run_unit(trainer_, {static_cast<std::uint64_t>(number), wire::UnitKind_Predict, model_.key,
                        wire::TableKind_Prediction, number, 1});
  }

  wire::FileDescriptor open_batch(std::int32_t number, const wire::SegmentLayout& layout) {
    flatbuffers::FlatBufferBuilder builder;
    const auto buffers = builder.CreateVector(std::vector<std::int64_t>{layout.rows});
    const auto independent = make_layouts(builder, layout.independent);
    trainer_.send(builder,
                  wire::CreateOpenSegment(builder, wire::TableKind_Prediction, number, 0, buffers, independent));
    wire::Frame answer = trainer_.wait_answer();
    check(answer.message().body_as_SegmentReady() != nullptr, "the trainer did not make room for a batch");
    return answer.take_file();
  }

  void receive() {
    wire::Frame frame = trainer_.wait_event();
    const auto& finished = finished_unit(frame, [](std::uint64_t) { return std::string(); });
    const auto number = static_cast<std::int32_t>(finished.unit());
    const auto batch = batches_.find(number);
    check(batch != batches_.end(), "the trainer finished a batch that nobody sent");
    const std::int64_t count = static_cast<std::int64_t>(batch->second.size()) * finished.output_elements();
    const auto memory = wire::SharedMemory::map(frame.take_file(), count * static_cast<std::int64_t>(sizeof(float)),
                                                wire::SharedMemory::Access::kReadOnly);
    output_.add(batch->second,
                {reinterpret_cast<const float*>(memory.bytes().data()), static_cast<std::size_t>(count)});
    batches_.erase(batch);
    flatbuffers::FlatBufferBuilder builder;
    trainer_.send(builder, wire::CreateCloseSegment(builder, wire::TableKind_Prediction, number));
    trainer_.wait_answer();
  }

  TrainerClient& trainer_;
  const StoredModel& model_;
  const ExampleSource& source_;
  PredictionOutput& output_;
  std::map<std::int32_t, Ids> batches_;  ///< in flight
  std::vector<std::byte> examples_;      ///< of the batch that is being read
  std::int32_t last_batch_ = 0;
};

}  // namespace

void predict(const StoredModel& model, const PredictionRequest& request, const std::string& purpose) {
  std::vector<InputForm> inputs;
  const std::vector<Shape> shapes = model.input_shapes();
  for (std::size_t place = 0; place < shapes.size(); ++place) {
    inputs.push_back({shapes[place], model.normalizing_consts[place]});
  }
  const ExampleSource source = find_examples(request.test_table, request.id_col, request.independent_varname, inputs);
  const TableName table =
      free_output_table("output_table", given_name("output_table", request.output_table, TableRole::kOutput));
  PredictionOutput output(model, request.kind, table);
  TrainerClient trainer = TrainerClient::connect();
  check_device(trainer, request.use_gpus);
  open_stored_model(trainer, model, purpose, {}, 0);
  output.create_table(source);
  PredictionRun(trainer, model, source, output).run();
  close_run(trainer);
}

}  // namespace modelhop::server
