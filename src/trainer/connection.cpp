// SPDX-License-Identifier: Apache-2.0
// Requests but those about segments and streams. A request that throws is answered by Failure and changes nothing.
#include "trainer/connection.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>

#include "trainer/failure.hpp"
#include "wire/build_id.hpp"

namespace modelhop::trainer {

Connection::Connection(ConnectionId id, wire::FileDescriptor socket, Services& services)
    : id_(id), channel_(std::move(socket)), services_(services) {}

Connection::~Connection() {
  close_run();
}

bool Connection::serve() {
  if (!channel_.flush()) return true;
  if (is_closing_) return false;
  const bool is_open = channel_.fill();
  while (!channel_.has_unsent()) {
    auto frame = channel_.next();
    if (!frame) break;
    handle(*frame);
    channel_.flush();
    if (is_closing_) break;
  }
  return is_open && !(is_closing_ && !channel_.has_unsent());
}

void Connection::handle(wire::Frame& frame) {
  try {
    const wire::Message& message = frame.message();
    if (!is_greeted_) return greet(message);
    if (message.body_type() == wire::Body_GetProgress) return send_progress();
    if (handle_state(frame) || handle_segment(message) || handle_work(message)) return;
    is_closing_ = true;
    throw Error(ErrorCode::kInternal,
                std::string("unexpected message ") + wire::EnumNameBody(message.body_type()) + " from a client");
  } catch (...) {
    fail(current_error());
  }
}

bool Connection::handle_state(wire::Frame& frame) {
  const wire::Message& message = frame.message();
  switch (message.body_type()) {
    case wire::Body_OpenRun:
      begin_run(*message.body_as_OpenRun());
      return true;
    case wire::Body_AddConfigurations:
      add_configurations(*message.body_as_AddConfigurations());
      return true;
    case wire::Body_CloseRun:
      // The answer first: freeing takes milliseconds, and nobody is served before it is done.
      send_done();
      channel_.flush();
      close_run();
      return true;
    case wire::Body_SetState:
      set_state(*message.body_as_SetState(), frame.take_file());
      return true;
    case wire::Body_GetState:
      get_state(*message.body_as_GetState());
      return true;
    case wire::Body_SetLearningRate: {
      const auto& request = *message.body_as_SetLearningRate();
      idle_configuration(request.configuration(), "SetLearningRate").set_learning_rate(request.rate());
      send_done();
      return true;
    }
    case wire::Body_KeepWeights: {
      const auto& request = *message.body_as_KeepWeights();
      idle_configuration(request.configuration(), "KeepWeights").keep_weights(request.place());
      send_done();
      return true;
    }
    case wire::Body_RestoreWeights: {
      const auto& request = *message.body_as_RestoreWeights();
      idle_configuration(request.configuration(), "RestoreWeights").restore_weights(request.place());
      send_done();
      return true;
    }
    case wire::Body_DropConfiguration: {
      idle_configuration(message.body_as_DropConfiguration()->configuration(), "DropConfiguration").drop_state();
      send_done();
      return true;
    }
    default:
      return false;
  }
}

bool Connection::handle_segment(const wire::Message& message) {
  switch (message.body_type()) {
    case wire::Body_OpenSegment:
      open_segment(*message.body_as_OpenSegment());
      return true;
    case wire::Body_SegmentFilled:
      fill_segment(*message.body_as_SegmentFilled());
      return true;
    case wire::Body_CloseSegment:
      close_segment({message.body_as_CloseSegment()->kind(), message.body_as_CloseSegment()->segment()});
      return true;
    case wire::Body_OpenStream:
      open_stream(*message.body_as_OpenStream());
      return true;
    default:
      return false;
  }
}

bool Connection::handle_work(const wire::Message& message) {
  switch (message.body_type()) {
    case wire::Body_RunUnit:
      queue_unit(*message.body_as_RunUnit());
      return true;
    case wire::Body_ScanStream:
      begin_scan(*message.body_as_ScanStream());
      return true;
    case wire::Body_WindowFilled:
      scan().window_filled(message.body_as_WindowFilled()->window(), message.body_as_WindowFilled()->rows());
      return true;
    case wire::Body_StreamEnd:
      scan().end();
      close_finished_scan();
      return true;
    default:
      return false;
  }
}

void Connection::fail(const Error& error) {
  flatbuffers::FlatBufferBuilder builder;
  const auto text = builder.CreateString(error.what());
  const auto hint = builder.CreateString(error.hint());
  channel_.send(builder, wire::CreateFailure(builder, static_cast<std::uint8_t>(error.code()), text, hint));
}

void Connection::send_done() {
  flatbuffers::FlatBufferBuilder builder;
  channel_.send(builder, wire::CreateDone(builder));
}

void Connection::greet(const wire::Message& message) {
  const wire::Hello* hello = message.body_as_Hello();
  is_closing_ = true;
  check(hello != nullptr, "the first message of a connection was not Hello");
  const std::string build = hello->build() == nullptr ? std::string() : hello->build()->str();
  if (hello->protocol() != wire::kProtocol || build != wire::build_id()) {
    throw Error(ErrorCode::kNotSupported,
                "modelhop-trainer is build " + std::string(wire::build_id()) + " (protocol " +
                    std::to_string(wire::kProtocol) + "), but the extension is build " + build + " (protocol " +
                    std::to_string(hello->protocol()) + ")",
                "Install both from one build. A trainer that was started before an upgrade ends when it is idle, or "
                "when the server restarts.");
  }
  is_closing_ = false;
  is_greeted_ = true;
  client_ = {hello->process_id(), hello->role(), hello->database()};
  flatbuffers::FlatBufferBuilder builder;
  const auto own_build = builder.CreateString(wire::build_id());
  const auto device = builder.CreateString(to_string(services_.device));
  const auto engine = builder.CreateString(engine_version());
  const auto gpus = builder.CreateVectorOfStrings(services_.gpus);
  channel_.send(builder, wire::CreateWelcome(builder, wire::kProtocol, own_build, getpid(), services_.slots.slots(),
                                             device, engine, services_.options.memory_limit, gpus));
}

Run& Connection::open_run() {
  check(run_ != nullptr, "no run is open");
  return *run_;
}

Configuration& Connection::idle_configuration(int key, const char* request) {
  Configuration& configuration = open_run().configuration(key);
  if (!configuration.is_in_use()) return configuration;
  throw Error(ErrorCode::kInternal, std::string(request) + " while a unit is queued or running");
}

void Connection::begin_run(const wire::OpenRun& message) {
  check(run_ == nullptr, "OpenRun while a run is open");
  auto run = std::make_shared<Run>(++services_.last_run, client_, message, services_.device);
  std::erase_if(services_.runs, [](const auto& other) { return other.expired(); });
  services_.runs.push_back(run);
  services_.slots.add_run(run->id(), message.slots());
  run_ = std::move(run);
  flatbuffers::FlatBufferBuilder builder;
  channel_.send(builder, wire::CreateRunOpened(builder));
}

void Connection::add_configurations(const wire::AddConfigurations& message) {
  check(message.configurations() != nullptr, "AddConfigurations without configurations");
  open_run().add_configurations(*message.configurations());
  send_done();
}

void Connection::close_run() {
  if (!run_) return;
  run_->stop();
  const RunId id = run_->id();
  scan_.reset();
  scanned_.reset();
  streamed_.clear();
  streams_.clear();
  // A claim may call back when it goes, to this connection too: the map must be empty by then.
  std::exchange(segments_, {}).clear();
  run_.reset();
  services_.slots.remove_run(id);
}

void Connection::set_state(const wire::SetState& message, wire::FileDescriptor file) {
  Configuration& configuration = idle_configuration(message.configuration(), "SetState");
  const std::int64_t weights = message.weights();
  const std::int64_t rest = message.training_state();
  if (weights != configuration.model()->parameter_count() || rest < 0 || rest > (std::int64_t{1} << 50)) {
    throw Error(ErrorCode::kInvalidArgument,
                "state of configuration " + std::to_string(message.configuration()) + " has " +
                    std::to_string(weights) + " weights and " + std::to_string(rest) + " bytes, but the model has " +
                    std::to_string(configuration.model()->parameter_count()) + " parameters");
  }
  const std::int64_t weight_bytes = weights * static_cast<std::int64_t>(sizeof(float));
  const auto memory =
      wire::SharedMemory::map(std::move(file), weight_bytes + rest, wire::SharedMemory::Access::kReadOnly);
  const auto* values = reinterpret_cast<const float*>(memory.bytes().data());
  configuration.set_state({values, static_cast<std::size_t>(weights)},
                          memory.bytes().subspan(static_cast<std::size_t>(weight_bytes)));
  send_done();
}

void Connection::get_state(const wire::GetState& message) {
  Configuration& configuration = idle_configuration(message.configuration(), "GetState");
  State& state = configuration.state();
  finish_training(*configuration.model(), state);
  const std::int64_t weights = configuration.model()->parameter_count();
  const std::int64_t weight_bytes = weights * static_cast<std::int64_t>(sizeof(float));
  std::vector<std::byte> rest;
  if (message.with_training_state()) rest = state.get_training_state();
  auto memory = wire::SharedMemory::create(weight_bytes + static_cast<std::int64_t>(rest.size()));
  state.get_weights({reinterpret_cast<float*>(memory.bytes().data()), static_cast<std::size_t>(weights)});
  std::copy(rest.begin(), rest.end(), memory.bytes().begin() + weight_bytes);
  flatbuffers::FlatBufferBuilder builder;
  channel_.send(
      builder, wire::CreateStateData(builder, message.configuration(), weights, static_cast<std::int64_t>(rest.size())),
      memory.duplicate());
}

void Connection::queue_unit(const wire::RunUnit& message) {
  UnitTask task;
  task.unit = message.unit();
  task.kind = message.kind();
  try {
    open_run();
    task.run = run_;
    task.key = message.configuration();
    task.configuration = &task.run->configuration(task.key);
    task.segment = message.segment();
    task.iteration = message.iteration();
    check(task.kind <= wire::UnitKind_MAX, "unit of an unknown kind");
    const SegmentId id(message.table_kind(), message.segment());
    const auto found = segments_.find(id);
    check(found != segments_.end() && found->second->state() == SegmentClaim::State::kLoaded,
          "unit on a segment that is not loaded");
    task.block = found->second->block();
    check(task.kind == wire::UnitKind_Predict || found->second->request().layout.dependent.size() > 0,
          "unit on a segment without a dependent variable");
    task.configuration->begin_unit(task.trains());
  } catch (...) {
    UnitResult result;
    result.unit = task.unit;
    result.error = current_error();
    return report(result);
  }
  services_.slots.push(run_->id(), {[task, connection = id_, &outbox = services_.outbox](Executor& executor, int slot) {
                         auto result = std::make_shared<UnitResult>(perform(task, executor, slot));
                         outbox.post(connection, [task, result](Connection& self) { self.unit_done(task, *result); });
                       }});
}

void Connection::unit_done(const UnitTask& task, UnitResult& result) {
  if (task.run != run_) return;
  task.configuration->end_unit(task.trains());
  if (task.trains()) run_->examples_trained += result.trained.examples;
  ++run_->units_done;
  report(result);
}

void Connection::report(UnitResult& result) {
  flatbuffers::FlatBufferBuilder builder;
  if (result.error) {
    const auto text = builder.CreateString(result.error->what());
    const auto hint = builder.CreateString(result.error->hint());
    channel_.send(builder, wire::CreateUnitFailed(builder, result.unit, static_cast<std::uint8_t>(result.error->code()),
                                                  text, hint));
    return;
  }
  const bool trained = result.kind == wire::UnitKind_Train;
  const auto metrics = builder.CreateVector(result.sums.metrics);
  const auto output_losses = builder.CreateVector(result.sums.output_losses);
  wire::UnitFinishedBuilder message(builder);
  message.add_unit(result.unit);
  message.add_slot(result.slot);
  message.add_started_us(result.started_us);
  message.add_ended_us(result.ended_us);
  message.add_steps(result.trained.steps);
  message.add_examples(trained                                 ? result.trained.examples
                       : result.kind == wire::UnitKind_Predict ? result.outputs_rows
                                                               : result.sums.examples);
  message.add_loss(trained ? result.trained.mean_loss : result.sums.loss);
  message.add_penalty(result.sums.penalty);
  message.add_metrics(metrics);
  message.add_output_losses(output_losses);
  message.add_learning_rate(result.learning_rate);
  message.add_has_diverged(result.trained.has_diverged);
  message.add_output_elements(result.output_elements);
  channel_.send(builder, message.Finish(), std::move(result.outputs));
}

void Connection::send_progress() {
  flatbuffers::FlatBufferBuilder builder;
  std::vector<flatbuffers::Offset<wire::RunProgress>> rows;
  for (const auto& held : services_.runs) {
    const auto run = held.lock();
    if (!run) continue;
    const auto name = builder.CreateString(run->name());
    const auto purpose = builder.CreateString(run->purpose());
    rows.push_back(wire::CreateRunProgress(
        builder, run->client().process_id, run->client().role, run->client().database, name, purpose, run->started_us(),
        run->units_done, run->units_total(), run->configurations(), run->iterations(),
        services_.slots.running(run->id()), run->examples_trained, run->memory().used()));
  }
  const auto runs = builder.CreateVector(rows);
  channel_.send(builder, wire::CreateProgress(builder, runs, services_.slots.slots(),
                                              engine_memory().held + services_.segments.used_bytes(),
                                              services_.options.memory_limit));
}

}  // namespace modelhop::trainer
