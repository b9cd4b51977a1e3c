// SPDX-License-Identifier: Apache-2.0
#include "trainer/run.hpp"

#include <chrono>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "modelhop/error.hpp"
#include "spec/keras_json.hpp"
#include "spec/train_params.hpp"

namespace modelhop::trainer {
namespace {

constexpr std::int64_t kMaxElements = std::int64_t{1} << 31;

std::string text_of(const flatbuffers::String* text) {
  return text == nullptr ? std::string() : text->str();
}

Shape checked_shape(const flatbuffers::Vector<std::int64_t>* extents) {
  if (extents == nullptr || extents->size() == 0) {
    throw Error(ErrorCode::kInvalidArgument, "shape of the independent variable is missing");
  }
  Shape shape;
  std::int64_t elements = 1;
  for (const std::int64_t extent : *extents) {
    if (extent < 1 || extent > kMaxElements / elements) {
      throw Error(ErrorCode::kInvalidArgument,
                  "shape of the independent variable is out of range at " + std::to_string(extent));
    }
    elements *= extent;
    shape.push_back(extent);
  }
  return shape;
}

}  // namespace

std::int64_t wall_clock_us() {
  using namespace std::chrono;
  return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

void MemoryShare::claim(std::int64_t bytes, const std::string& what) {
  const std::int64_t used = used_.fetch_add(bytes) + bytes;
  if (limit_ == 0 || used <= limit_) return;
  used_.fetch_sub(bytes);
  throw Error(ErrorCode::kOutOfMemory,
              what + " of " + std::to_string(bytes) + " bytes does not fit into the memory of this run: " +
                  std::to_string(used - bytes) + " of " + std::to_string(limit_) + " bytes are in use",
              "Raise modelhop.run_memory_limit or modelhop.memory_limit, or train fewer configurations at a time.");
}

State& Configuration::state() {
  const std::scoped_lock lock(mutex_);
  if (!state_) install(model_->initial_state(seed_));
  return *state_;
}

void Configuration::install(std::unique_ptr<State> state) {
  memory_.claim(state->size_bytes(), "a configuration's state");
  if (state_) memory_.release(state_->size_bytes());
  state_ = std::move(state);
}

void Configuration::set_state(std::span<const float> weights, std::span<const std::byte> training_state) {
  if (static_cast<std::int64_t>(weights.size()) != model_->parameter_count()) {
    throw Error(ErrorCode::kInvalidArgument, "weights have " + std::to_string(weights.size()) +
                                                 " values, but the model has " +
                                                 std::to_string(model_->parameter_count()) + " parameters");
  }
  // Not into the state that is there: without training state, optimizer slots must be as new.
  std::unique_ptr<State> state = model_->initial_state(seed_);
  state->set_weights(weights);
  if (!training_state.empty()) state->set_training_state(training_state);
  const std::scoped_lock lock(mutex_);
  install(std::move(state));
}

void Configuration::drop_state() {
  const std::scoped_lock lock(mutex_);
  if (state_) memory_.release(state_->size_bytes());
  state_.reset();
}

void Configuration::begin_unit(bool trains) {
  check(!is_training_ && !(trains && readers_ > 0), "two units of one configuration at once, where one trains");
  if (trains) {
    is_training_ = true;
  } else {
    ++readers_;
  }
}

void Configuration::end_unit(bool trains) {
  if (trains) {
    is_training_ = false;
  } else {
    --readers_;
  }
}

Run::Run(RunId id, Client client, const wire::OpenRun& message, Device device)
    : id_(id),
      client_(client),
      name_(text_of(message.name())),
      purpose_(text_of(message.purpose())),
      seed_(message.seed()),
      shuffle_(static_cast<Shuffle>(message.shuffle())),
      reset_optimizer_(message.reset_optimizer()),
      iterations_(message.iterations()),
      units_total_(message.units()),
      started_us_(wall_clock_us()),
      dependent_row_elements_(message.dependent_row_elements()),
      memory_(message.memory_limit()) {
  if (message.shuffle() > wire::Shuffle_MAX) {
    throw Error(ErrorCode::kInvalidArgument, "shuffle " + std::to_string(message.shuffle()) + " is unknown");
  }
  if (dependent_row_elements_ < 0 || dependent_row_elements_ > kMaxElements) {
    throw Error(ErrorCode::kInvalidArgument,
                "dependent_row_elements " + std::to_string(dependent_row_elements_) + " is out of range");
  }
  compile(message, device);
}

void Run::compile(const wire::OpenRun& message, Device device) {
  const Shape shape = checked_shape(message.independent_shape());
  for (const std::int64_t extent : shape) independent_row_elements_ *= extent;
  if (message.configurations() == nullptr || message.configurations()->size() == 0 ||
      message.architectures() == nullptr) {
    throw Error(ErrorCode::kInvalidArgument, "a run without configurations");
  }
  const auto& architectures = *message.architectures();
  std::vector<std::optional<ModelSpec>> parsed(architectures.size());
  std::map<std::tuple<std::uint32_t, std::string, std::string>, std::shared_ptr<const Model>> compiled;
  for (const auto* row : *message.configurations()) {
    const std::uint32_t index = row->architecture();
    if (index >= parsed.size()) {
      throw Error(ErrorCode::kInvalidArgument, "architecture " + std::to_string(index) + " of configuration " +
                                                   std::to_string(row->key()) + " does not exist");
    }
    if (!parsed[index]) parsed[index] = parse_keras_json(architectures[index]->string_view(), shape);
    auto& model = compiled[{index, text_of(row->compile_params()), text_of(row->fit_params())}];
    if (!model) {
      const TrainSpec train =
          parse_train_params(text_of(row->compile_params()), text_of(row->fit_params()), parsed[index]->profile);
      model = compile_model(*parsed[index], train, device, dependent_row_elements_);
    }
    if (!configurations_.try_emplace(row->key(), model, row->seed(), memory_).second) {
      throw Error(ErrorCode::kInvalidArgument, "configuration " + std::to_string(row->key()) + " comes twice");
    }
  }
}

Configuration& Run::configuration(int key) {
  const auto found = configurations_.find(key);
  if (found == configurations_.end()) {
    throw Error(ErrorCode::kInvalidArgument, "configuration " + std::to_string(key) + " is not in this run");
  }
  return found->second;
}

TrainUnit Run::train_unit(const Model& model, std::int32_t iteration, std::int32_t segment) const {
  return {seed_, iteration, segment, model.train_spec().shuffle.value_or(shuffle_), reset_optimizer_};
}

}  // namespace modelhop::trainer
