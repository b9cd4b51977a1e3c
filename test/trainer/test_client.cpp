// SPDX-License-Identifier: Apache-2.0
#include "test_client.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <stdexcept>

#include "wire/build_id.hpp"
#include "wire/segment_layout.hpp"

namespace modelhop::trainer {
namespace {

bool is_event(const wire::Frame& frame) {
  const wire::Body type = frame.message().body_type();
  return type == wire::Body_UnitFinished || type == wire::Body_UnitFailed || type == wire::Body_WindowFree;
}

wire::SegmentLayout flower_layout(std::int64_t rows) {
  return {rows, {{modelhop::ElementType::kFloat32, 4}}, {{modelhop::ElementType::kInt16, 3}}};
}

void copy_rows(std::byte* to, const Flowers& flowers, std::int64_t first, std::int64_t rows) {
  const wire::SegmentLayout layout = flower_layout(rows);
  std::memcpy(to, flowers.features.data() + first * 4,
              static_cast<std::size_t>(rows * layout.independent[0].row_bytes()));
  std::memcpy(to + layout.offsets()[1], flowers.classes.data() + first * 3,
              static_cast<std::size_t>(rows * layout.dependent[0].row_bytes()));
}

flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<wire::Configuration>>> make_configurations(
    flatbuffers::FlatBufferBuilder& builder, const std::vector<ConfigurationText>& configurations,
    std::uint32_t architecture) {
  std::vector<flatbuffers::Offset<wire::Configuration>> rows;
  for (const ConfigurationText& row : configurations) {
    const auto compile = builder.CreateString(row.compile);
    const auto fit = builder.CreateString(row.fit);
    rows.push_back(wire::CreateConfiguration(builder, row.key, architecture, compile, fit, row.seed));
  }
  return builder.CreateVector(rows);
}

using Layouts = flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<wire::Layout>>>;

Layouts make_layouts(flatbuffers::FlatBufferBuilder& builder, wire::ElementType type, std::int64_t elements) {
  const auto layout = wire::CreateLayout(builder, type, elements);
  return builder.CreateVector(&layout, 1);
}

}  // namespace

Flowers make_flowers(std::int64_t rows, int variant) {
  Flowers flowers;
  for (std::int64_t row = 0; row < rows; ++row) {
    const int kind = static_cast<int>(row % 3);
    const double wave = std::sin(static_cast<double>(row * 7 + variant)) / 2;
    flowers.features.insert(
        flowers.features.end(),
        {static_cast<float>(5 + kind + wave), static_cast<float>(3 - kind * 0.3 + wave * 0.5),
         static_cast<float>(1.5 + 2 * kind - wave), static_cast<float>(0.3 + 0.8 * kind + wave / 4)});
    for (int i = 0; i < 3; ++i) flowers.classes.push_back(i == kind ? 1 : 0);
  }
  return flowers;
}

std::string mlp_architecture(const std::vector<int>& units) {
  std::string layers;
  for (const int count : units) {
    layers += R"({"class_name": "Dense", "config": {"name": "dense_)" + std::to_string(layers.size()) +
              R"(", "units": )" + std::to_string(count) + R"(, "activation": "relu")" +
              (layers.empty() ? R"(, "batch_input_shape": [null, 4])" : "") + R"(, "dtype": "float32"}}, )";
  }
  layers += R"({"class_name": "Dense", "config": {"name": "output", "units": 3, "activation": "softmax")" +
            std::string(layers.empty() ? R"(, "batch_input_shape": [null, 4])" : "") + R"(, "dtype": "float32"}})";
  return R"({"class_name": "Sequential", "config": {"name": "mlp", "layers": [)" + layers +
         R"(]}, "keras_version": "2.10.0", "backend": "tensorflow"})";
}

void TestClient::Closable::shut() {
  shutdown(descriptor(), SHUT_RDWR);
}

TestClient::TestClient(const TrainerProcess& trainer, bool greets) : channel_(trainer.connect()) {
  if (!greets) return;
  hello(wire::build_id());
  if (answer().message().body_as_Welcome() == nullptr) throw std::runtime_error("no Welcome");
}

void TestClient::flush() {
  while (!channel_.flush()) {
    pollfd event{channel_.descriptor(), POLLOUT, 0};
    if (poll(&event, 1, kHangLimitMs) != 1) throw std::runtime_error("the trainer does not read");
  }
}

wire::Frame TestClient::receive() {
  for (;;) {
    if (auto frame = channel_.next()) return std::move(*frame);
    pollfd event{channel_.descriptor(), POLLIN, 0};
    if (poll(&event, 1, kHangLimitMs) != 1) throw std::runtime_error("the trainer does not answer");
    const bool is_open = channel_.fill();
    if (auto frame = channel_.next()) return std::move(*frame);
    if (!is_open) throw std::runtime_error("the trainer closed the connection");
  }
}

wire::Frame TestClient::answer() {
  for (;;) {
    wire::Frame frame = receive();
    if (const auto* failure = frame.message().body_as_Failure()) {
      throw Error(static_cast<ErrorCode>(failure->code()), failure->message()->str(), failure->hint()->str());
    }
    if (!is_event(frame)) return frame;
    events_.push_back(std::move(frame));
  }
}

wire::Frame TestClient::event() {
  if (!events_.empty()) {
    wire::Frame frame = std::move(events_.front());
    events_.pop_front();
    return frame;
  }
  wire::Frame frame = receive();
  if (const auto* failure = frame.message().body_as_Failure()) {
    throw Error(static_cast<ErrorCode>(failure->code()), failure->message()->str(), failure->hint()->str());
  }
  if (!is_event(frame)) throw std::runtime_error("an answer came where an event was expected");
  return frame;
}

bool TestClient::is_closed() {
  for (;;) {
    pollfd event{channel_.descriptor(), POLLIN, 0};
    if (poll(&event, 1, kHangLimitMs) != 1) return false;
    if (!channel_.fill()) return true;
  }
}

void TestClient::hello(const std::string& build) {
  flatbuffers::FlatBufferBuilder builder;
  const auto text = builder.CreateString(build);
  send(builder, wire::CreateHello(builder, wire::kProtocol, text, getpid(), 10, 5));
}

void TestClient::open_run(const RunText& run) {
  flatbuffers::FlatBufferBuilder builder;
  const auto configurations = make_configurations(builder, run.configurations, 0);
  const auto text = builder.CreateString(run.architecture.empty() ? mlp_architecture({10, 10}) : run.architecture);
  const auto architecture = wire::CreateArchitecture(builder, text, static_cast<std::int8_t>(run.profile));
  const auto architectures = builder.CreateVector(&architecture, 1);
  std::vector<flatbuffers::Offset<wire::Shape>> shape_rows;
  for (const auto& shape : run.shapes) shape_rows.push_back(wire::CreateShape(builder, builder.CreateVector(shape)));
  const auto shapes = builder.CreateVector(shape_rows);
  const auto dependent = builder.CreateVector(run.dependent_row_elements);
  const auto name = builder.CreateString(run.name);
  const auto purpose = builder.CreateString("fit_multiple_model");
  wire::OpenRunBuilder message(builder);
  message.add_name(name);
  message.add_purpose(purpose);
  message.add_seed(99);
  message.add_shuffle(run.shuffle);
  message.add_iterations(3);
  message.add_units(100);
  message.add_memory_limit(run.memory_limit);
  message.add_architectures(architectures);
  message.add_independent_shapes(shapes);
  message.add_dependent_row_elements(dependent);
  message.add_configurations(configurations);
  send(builder, message.Finish());
  if (answer().message().body_as_RunOpened() == nullptr) throw std::runtime_error("no RunOpened");
}

void TestClient::add_configurations(const std::vector<ConfigurationText>& configurations, std::uint32_t architecture) {
  flatbuffers::FlatBufferBuilder builder;
  const auto list = make_configurations(builder, configurations, architecture);
  send(builder, wire::CreateAddConfigurations(builder, list));
  if (answer().message().body_as_Done() == nullptr) throw std::runtime_error("no Done");
}

void TestClient::close_run() {
  flatbuffers::FlatBufferBuilder builder;
  send(builder, wire::CreateCloseRun(builder));
  answer();
}

void TestClient::request_segment(std::int32_t segment, const std::vector<std::int64_t>& buffers,
                                 const std::string& share_key, std::int64_t dependent) {
  flatbuffers::FlatBufferBuilder builder;
  const auto key = builder.CreateVector(reinterpret_cast<const std::uint8_t*>(share_key.data()), share_key.size());
  const auto rows = builder.CreateVector(buffers);
  const auto features = make_layouts(builder, wire::ElementType_Float32, 4);
  const auto classes = make_layouts(builder, wire::ElementType_Int16, dependent);
  send(builder, wire::CreateOpenSegment(builder, wire::TableKind_Training, segment, key, rows, features, classes));
}

SegmentReply TestClient::segment_reply() {
  wire::Frame frame = answer();
  const auto* ready = frame.message().body_as_SegmentReady();
  if (ready == nullptr) throw std::runtime_error("no SegmentReady");
  const bool loaded = ready->loaded();
  const std::int64_t bytes = ready->bytes();
  return {loaded, frame.take_file(), bytes};
}

void TestClient::fill_segment(std::int32_t segment, SegmentReply& reply, const Flowers& flowers) {
  auto memory = wire::SharedMemory::map(std::move(reply.file), reply.bytes, wire::SharedMemory::Access::kReadWrite);
  copy_rows(memory.bytes().data(), flowers, 0, flowers.rows());
  flatbuffers::FlatBufferBuilder builder;
  send(builder, wire::CreateSegmentFilled(builder, wire::TableKind_Training, segment));
  answer();
}

void TestClient::load_segment(std::int32_t segment, const Flowers& flowers, const std::vector<std::int64_t>& buffers,
                              const std::string& share_key) {
  request_segment(segment, buffers, share_key);
  SegmentReply reply = segment_reply();
  if (!reply.loaded) fill_segment(segment, reply, flowers);
}

void TestClient::queue_unit(std::uint64_t unit, wire::UnitKind kind, int configuration, std::int32_t segment,
                            int iteration) {
  flatbuffers::FlatBufferBuilder builder;
  send(builder, wire::CreateRunUnit(builder, unit, kind, configuration, wire::TableKind_Training, segment, iteration));
}

wire::Frame TestClient::finished(std::uint64_t unit) {
  for (;;) {
    wire::Frame frame = event();
    if (frame.message().body_type() == wire::Body_WindowFree) {
      window_free(frame);
      continue;
    }
    if (const auto* failed = frame.message().body_as_UnitFailed()) {
      throw Error(static_cast<ErrorCode>(failed->code()), failed->message()->str(), failed->hint()->str());
    }
    const auto* done = frame.message().body_as_UnitFinished();
    if (done == nullptr || done->unit() != unit) throw std::runtime_error("another unit finished");
    return frame;
  }
}

StateBytes TestClient::get_state(int configuration) {
  flatbuffers::FlatBufferBuilder builder;
  send(builder, wire::CreateGetState(builder, configuration, true));
  wire::Frame frame = answer();
  const auto* data = frame.message().body_as_StateData();
  if (data == nullptr) throw std::runtime_error("no StateData");
  const std::int64_t weight_bytes = data->weights() * 4;
  const auto memory = wire::SharedMemory::map(frame.take_file(), weight_bytes + data->training_state(),
                                              wire::SharedMemory::Access::kReadOnly);
  StateBytes state;
  state.weights.resize(static_cast<std::size_t>(data->weights()));
  std::memcpy(state.weights.data(), memory.bytes().data(), static_cast<std::size_t>(weight_bytes));
  state.rest.assign(memory.bytes().begin() + weight_bytes, memory.bytes().end());
  return state;
}

void TestClient::set_state(int configuration, const StateBytes& state) {
  const std::size_t weight_bytes = state.weights.size() * 4;
  auto memory = wire::SharedMemory::create(static_cast<std::int64_t>(weight_bytes + state.rest.size()));
  std::memcpy(memory.bytes().data(), state.weights.data(), weight_bytes);
  std::copy(state.rest.begin(), state.rest.end(), memory.bytes().begin() + static_cast<std::ptrdiff_t>(weight_bytes));
  flatbuffers::FlatBufferBuilder builder;
  send(builder,
       wire::CreateSetState(builder, configuration, static_cast<std::int64_t>(state.weights.size()),
                            static_cast<std::int64_t>(state.rest.size())),
       memory.duplicate());
  answer();
}

void TestClient::set_learning_rate(int configuration, double rate) {
  flatbuffers::FlatBufferBuilder builder;
  send(builder, wire::CreateSetLearningRate(builder, configuration, rate));
  answer();
}

void TestClient::keep_weights(int configuration, int place) {
  flatbuffers::FlatBufferBuilder builder;
  send(builder, wire::CreateKeepWeights(builder, configuration, static_cast<std::uint8_t>(place)));
  answer();
}

void TestClient::restore_weights(int configuration, int place) {
  flatbuffers::FlatBufferBuilder builder;
  send(builder, wire::CreateRestoreWeights(builder, configuration, static_cast<std::uint8_t>(place)));
  answer();
}

SegmentReply TestClient::request_weighted_segment(std::int32_t segment, const std::vector<std::int64_t>& buffers) {
  flatbuffers::FlatBufferBuilder builder;
  const auto rows = builder.CreateVector(buffers);
  const auto features = make_layouts(builder, wire::ElementType_Float32, 4);
  const auto classes = make_layouts(builder, wire::ElementType_Int16, 3);
  send(builder, wire::CreateOpenSegment(builder, wire::TableKind_Training, segment, 0, rows, features, classes, true));
  return segment_reply();
}

wire::Frame TestClient::progress() {
  flatbuffers::FlatBufferBuilder builder;
  send(builder, wire::CreateGetProgress(builder));
  return answer();
}

void TestClient::open_stream(std::int32_t segment, int windows, std::int64_t window_bytes) {
  flatbuffers::FlatBufferBuilder builder;
  const auto features = make_layouts(builder, wire::ElementType_Float32, 4);
  const auto classes = make_layouts(builder, wire::ElementType_Int16, 3);
  send(builder,
       wire::CreateOpenStream(builder, wire::TableKind_Training, segment, windows, window_bytes, features, classes));
  SegmentReply reply = segment_reply();
  windows_ = wire::SharedMemory::map(std::move(reply.file), reply.bytes, wire::SharedMemory::Access::kReadWrite);
  window_bytes_ = window_bytes;
  free_windows_.clear();
  for (int window = 0; window < windows; ++window) free_windows_.push_back(window);
}

void TestClient::begin_scan(std::int32_t segment, int pass, const std::vector<ScannedUnit>& units, bool evaluate) {
  flatbuffers::FlatBufferBuilder builder;
  std::vector<flatbuffers::Offset<wire::StreamedUnit>> rows;
  for (const auto& [unit, configuration, iteration] : units) {
    rows.push_back(wire::CreateStreamedUnit(builder, unit, configuration, evaluate, iteration));
  }
  const auto list = builder.CreateVector(rows);
  send(builder, wire::CreateScanStream(builder, wire::TableKind_Training, segment, pass, list));
}

void TestClient::window_free(const wire::Frame& frame) {
  const auto* window = frame.message().body_as_WindowFree();
  if (window == nullptr) throw std::runtime_error("another event came where WindowFree was expected");
  free_windows_.push_back(window->window());
}

void TestClient::fill_window(const Flowers& flowers, std::int64_t first, std::int64_t rows) {
  while (free_windows_.empty()) window_free(event());
  const int window = free_windows_.front();
  free_windows_.pop_front();
  copy_rows(windows_.bytes().data() + window * window_bytes_, flowers, first, rows);
  flatbuffers::FlatBufferBuilder builder;
  send(builder, wire::CreateWindowFilled(builder, window, rows));
}

void TestClient::end_stream() {
  flatbuffers::FlatBufferBuilder builder;
  send(builder, wire::CreateStreamEnd(builder));
}

void TestClient::stream(const Flowers& flowers, const std::vector<std::int64_t>& buffers) {
  std::int64_t first = 0;
  for (const std::int64_t rows : buffers) {
    fill_window(flowers, first, rows);
    first += rows;
  }
  end_stream();
}

std::int64_t TestClient::memory_used() {
  while (true) {
    const auto answer = progress();
    const auto* runs = answer.message().body_as_Progress()->runs();
    if (runs->size() == 1) return runs->Get(0)->memory_used();
  }
}

}  // namespace modelhop::trainer
