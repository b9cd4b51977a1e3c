// SPDX-License-Identifier: Apache-2.0
#include "server/trainer_requests.hpp"

#include <algorithm>
#include <cstring>

#include "selection/configurations.hpp"
#include "server/bridge.hpp"
#include "wire/text.hpp"

namespace modelhop::server {
namespace {

wire::Shuffle to_wire(Shuffle shuffle) {
  switch (shuffle) {
    case Shuffle::kSegment:
      return wire::Shuffle_Segment;
    case Shuffle::kBuffer:
      return wire::Shuffle_Buffer;
    case Shuffle::kNone:
      break;
  }
  return wire::Shuffle_None;
}

template <typename Answer>
void expect(const wire::Frame& frame, const char* request) {
  if (frame.message().template body_as<Answer>() != nullptr) return;
  throw Error(ErrorCode::kInternal, std::string("the trainer gave an unexpected answer to ") + request);
}

auto make_configurations(flatbuffers::FlatBufferBuilder& builder, std::uint64_t seed,
                         const std::vector<OpenConfiguration>& configurations) {
  std::vector<flatbuffers::Offset<wire::Configuration>> list;
  for (const OpenConfiguration& configuration : configurations) {
    list.push_back(wire::CreateConfiguration(
        builder, configuration.key, configuration.architecture, builder.CreateString(configuration.compile_params),
        builder.CreateString(configuration.fit_params), configuration_seed(seed, configuration.key)));
  }
  return builder.CreateVector(list);
}

}  // namespace

void send_open_run(TrainerClient& trainer, const OpenRequest& request) {
  flatbuffers::FlatBufferBuilder builder;
  const auto seed = static_cast<std::uint64_t>(request.seed);
  std::vector<flatbuffers::Offset<wire::Architecture>> files;
  for (const OpenArchitecture& architecture : request.architectures) {
    const auto profile = static_cast<std::int8_t>(architecture.profile ? static_cast<int>(*architecture.profile) : -1);
    files.push_back(wire::CreateArchitecture(builder, builder.CreateString(architecture.json), profile));
  }
  const auto architectures = builder.CreateVector(files);
  std::vector<flatbuffers::Offset<wire::Shape>> extents;
  for (const Shape& shape : request.independent_shapes) {
    extents.push_back(wire::CreateShape(builder, builder.CreateVector(shape)));
  }
  const auto shapes = builder.CreateVector(extents);
  const auto dependent = builder.CreateVector(request.dependent_row_elements);
  const auto list = make_configurations(builder, seed, request.configurations);
  std::vector<flatbuffers::Offset<wire::CustomFunction>> functions;
  for (const CustomFunction& function : request.custom_functions) {
    functions.push_back(
        wire::CreateCustomFunction(builder, builder.CreateString(function.name), builder.CreateString(function.text)));
  }
  const auto custom = builder.CreateVector(functions);
  const auto name = builder.CreateString(request.name);
  const auto purpose = builder.CreateString(request.purpose);
  trainer.send(builder,
               wire::CreateOpenRun(builder, name, purpose, seed, to_wire(request.shuffle), request.reset_optimizer,
                                   request.iterations, request.units, request.memory_limit, architectures, shapes,
                                   dependent, list, request.slots, custom));
}

void await_run_opened(TrainerClient& trainer) {
  expect<wire::RunOpened>(trainer.wait_answer(), "OpenRun");
}

void open_run(TrainerClient& trainer, const OpenRequest& request) {
  send_open_run(trainer, request);
  await_run_opened(trainer);
}

void add_configurations(TrainerClient& trainer, std::int64_t seed,
                        const std::vector<OpenConfiguration>& configurations) {
  flatbuffers::FlatBufferBuilder builder;
  const auto list = make_configurations(builder, static_cast<std::uint64_t>(seed), configurations);
  trainer.send(builder, wire::CreateAddConfigurations(builder, list));
  expect<wire::Done>(trainer.wait_answer(), "AddConfigurations");
}

void close_run(TrainerClient& trainer) {
  flatbuffers::FlatBufferBuilder builder;
  trainer.send(builder, wire::CreateCloseRun(builder));
  expect<wire::Done>(trainer.wait_answer(), "CloseRun");
}

void check_device(const TrainerClient& trainer, bool use_gpus) {
  if (!use_gpus || trainer.info().device.rfind("cuda", 0) == 0) return;
  throw Error(ErrorCode::kNotSupported,
              "argument use_gpus is true, and the trainer computes on \"" + trainer.info().device + "\"",
              "Set modelhop.device on a server with a CUDA build and a GPU, or call with use_gpus => false.");
}

void set_state(TrainerClient& trainer, std::int32_t configuration, Bytes weights, Bytes training_state) {
  auto memory = wire::SharedMemory::create(static_cast<std::int64_t>(weights.size() + training_state.size()));
  std::copy(weights.begin(), weights.end(), memory.bytes().begin());
  std::copy(training_state.begin(), training_state.end(),
            memory.bytes().begin() + static_cast<std::ptrdiff_t>(weights.size()));
  flatbuffers::FlatBufferBuilder builder;
  trainer.send(builder,
               wire::CreateSetState(builder, configuration, static_cast<std::int64_t>(weights.size() / sizeof(float)),
                                    static_cast<std::int64_t>(training_state.size())),
               memory.duplicate());
  expect<wire::Done>(trainer.wait_answer(), "SetState");
}

FetchedState get_state(TrainerClient& trainer, std::int32_t configuration, bool with_training_state) {
  send_get_state(trainer, configuration, with_training_state);
  return await_state(trainer);
}

void send_get_state(TrainerClient& trainer, std::int32_t configuration, bool with_training_state) {
  flatbuffers::FlatBufferBuilder builder;
  trainer.send(builder, wire::CreateGetState(builder, configuration, with_training_state));
}

FetchedState await_state(TrainerClient& trainer) {
  wire::Frame frame = trainer.wait_answer();
  const auto* data = frame.message().body_as_StateData();
  check(data != nullptr && data->weights() >= 0 && data->training_state() >= 0,
        "the trainer gave an unexpected answer to GetState");
  FetchedState state;
  state.weight_bytes = data->weights() * static_cast<std::int64_t>(sizeof(float));
  state.training_state_bytes = data->training_state();
  state.memory = wire::SharedMemory::map(frame.take_file(), state.weight_bytes + state.training_state_bytes,
                                         wire::SharedMemory::Access::kReadOnly);
  return state;
}

void set_learning_rate(TrainerClient& trainer, std::int32_t configuration, double rate) {
  flatbuffers::FlatBufferBuilder builder;
  trainer.send(builder, wire::CreateSetLearningRate(builder, configuration, rate));
  expect<wire::Done>(trainer.wait_answer(), "SetLearningRate");
}

void keep_weights(TrainerClient& trainer, std::int32_t configuration, int place) {
  flatbuffers::FlatBufferBuilder builder;
  trainer.send(builder, wire::CreateKeepWeights(builder, configuration, static_cast<std::uint8_t>(place)));
  expect<wire::Done>(trainer.wait_answer(), "KeepWeights");
}

void restore_weights(TrainerClient& trainer, std::int32_t configuration, int place) {
  flatbuffers::FlatBufferBuilder builder;
  trainer.send(builder, wire::CreateRestoreWeights(builder, configuration, static_cast<std::uint8_t>(place)));
  expect<wire::Done>(trainer.wait_answer(), "RestoreWeights");
}

void run_unit(TrainerClient& trainer, const UnitRequest& request) {
  flatbuffers::FlatBufferBuilder builder;
  trainer.send(builder, wire::CreateRunUnit(builder, request.unit, request.kind, request.configuration, request.table,
                                            request.segment, request.iteration));
}

const wire::UnitFinished& finished_unit(const wire::Frame& frame,
                                        const std::function<std::string(std::uint64_t unit)>& subject) {
  if (const auto* failed = frame.message().body_as_UnitFailed()) {
    const std::string about = subject(failed->unit());
    throw Error(static_cast<ErrorCode>(failed->code()),
                (about.empty() ? std::string() : about + ": ") + wire::text_of(failed->message()),
                wire::text_of(failed->hint()));
  }
  const auto* finished = frame.message().body_as_UnitFinished();
  check(finished != nullptr, "the trainer sent an event that is not of a unit");
  return *finished;
}

}  // namespace modelhop::server
