// SPDX-License-Identifier: Apache-2.0
#include "trainer/run.hpp"

#include <chrono>
#include <cmath>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "modelhop/error.hpp"
#include "spec/keras_json.hpp"
#include "spec/train_params.hpp"
#include "wire/text.hpp"

namespace modelhop::trainer {
namespace {

constexpr std::int64_t kMaxElements = std::int64_t{1} << 31;

using ShapeList = flatbuffers::Vector<flatbuffers::Offset<wire::Shape>>;

Shape checked_shape(const wire::Shape& message) {
  if (message.extents() == nullptr || message.extents()->size() == 0) {
    throw Error(ErrorCode::kInvalidArgument, "shape of the independent variable is missing");
  }
  Shape shape;
  std::int64_t elements = 1;
  for (const std::int64_t extent : *message.extents()) {
    if (extent < 1 || extent > kMaxElements / elements) {
      throw Error(ErrorCode::kInvalidArgument,
                  "shape of the independent variable is out of range at " + std::to_string(extent));
    }
    elements *= extent;
    shape.push_back(extent);
  }
  return shape;
}

std::vector<Shape> checked_shapes(const ShapeList* list) {
  std::vector<Shape> shapes;
  if (list != nullptr) {
    for (const auto* shape : *list) shapes.push_back(checked_shape(*shape));
  }
  if (shapes.empty()) throw Error(ErrorCode::kInvalidArgument, "shape of the independent variable is missing");
  return shapes;
}

std::vector<std::int64_t> checked_row_elements(const flatbuffers::Vector<std::int64_t>* list) {
  std::vector<std::int64_t> elements;
  if (list == nullptr) return elements;
  for (const std::int64_t count : *list) {
    if (count < 1 || count > kMaxElements) {
      throw Error(ErrorCode::kInvalidArgument, "dependent_row_elements " + std::to_string(count) + " is out of range");
    }
    elements.push_back(count);
  }
  return elements;
}

std::optional<SemanticsProfile> checked_profile(int profile) {
  if (profile < -1 || profile > static_cast<int>(SemanticsProfile::kKeras3)) {
    throw Error(ErrorCode::kInvalidArgument, "profile " + std::to_string(profile) + " is unknown");
  }
  if (profile < 0) return std::nullopt;
  return static_cast<SemanticsProfile>(profile);
}

CustomFunctions custom_functions(const wire::OpenRun& message) {
  CustomFunctions functions;
  if (message.custom_functions() == nullptr) return functions;
  for (const auto* function : *message.custom_functions()) {
    functions.push_back({wire::text_of(function->name()), wire::text_of(function->text())});
  }
  return functions;
}

void check_count(const ModelSpec& model, const char* kind, std::size_t own, std::size_t given) {
  if (own == given) return;
  throw Error(ErrorCode::kInvalidArgument, "architecture \"" + model.name + "\" has " + std::to_string(own) + " " +
                                               kind + "s, but the run was opened for " + std::to_string(given));
}

void check_row_elements(const std::string& what, const char* kind, const std::vector<wire::ArrayLayout>& arrays,
                        const std::vector<std::int64_t>& expected) {
  if (arrays.size() != expected.size()) {
    throw Error(ErrorCode::kInvalidArgument, what + " has " + std::to_string(arrays.size()) + " " + kind +
                                                 " arrays, but the run was opened for " +
                                                 std::to_string(expected.size()));
  }
  for (std::size_t place = 0; place < arrays.size(); ++place) {
    if (arrays[place].row_elements == expected[place]) continue;
    throw Error(ErrorCode::kInvalidArgument, what + " has rows of " + std::to_string(arrays[place].row_elements) + " " +
                                                 kind + " elements, but the run was opened for " +
                                                 std::to_string(expected[place]));
  }
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
  // Not into the state that is there: without training state, optimizer slots must be as new.
  std::unique_ptr<State> state = model_->initial_state(seed_, weights);
  if (!training_state.empty()) state->set_training_state(training_state);
  const std::scoped_lock lock(mutex_);
  install(std::move(state));
}

void Configuration::drop_state() {
  const std::scoped_lock lock(mutex_);
  if (state_) memory_.release(state_->size_bytes());
  state_.reset();
  for (const auto& [place, weights] : kept_) memory_.release(static_cast<std::int64_t>(weights.size() * sizeof(float)));
  kept_.clear();
}

void Configuration::set_learning_rate(double rate) {
  if (!std::isfinite(rate)) {
    throw Error(ErrorCode::kInvalidArgument, "learning rate " + std::to_string(rate) + " is not a finite number");
  }
  state().set_learning_rate(rate);
}

void Configuration::keep_weights(int place) {
  State& source = state();
  const std::scoped_lock lock(mutex_);
  const auto count = static_cast<std::size_t>(model_->parameter_count());
  auto found = kept_.find(place);
  if (found == kept_.end()) {
    std::vector<float> weights(count);
    memory_.claim(static_cast<std::int64_t>(count * sizeof(float)), "a copy of a configuration's weights");
    found = kept_.emplace(place, std::move(weights)).first;
  }
  source.get_weights(found->second);
}

void Configuration::restore_weights(int place) {
  State& target = state();
  const std::scoped_lock lock(mutex_);
  const auto found = kept_.find(place);
  check(found != kept_.end(), "RestoreWeights where no weights were kept");
  target.set_weights(found->second);
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
      name_(wire::text_of(message.name())),
      purpose_(wire::text_of(message.purpose())),
      seed_(message.seed()),
      shuffle_(static_cast<Shuffle>(message.shuffle())),
      reset_optimizer_(message.reset_optimizer()),
      iterations_(message.iterations()),
      units_total_(message.units()),
      started_us_(wall_clock_us()),
      device_(device),
      shapes_(checked_shapes(message.independent_shapes())),
      dependent_row_elements_(checked_row_elements(message.dependent_row_elements())),
      custom_functions_(custom_functions(message)),
      memory_(message.memory_limit()) {
  if (message.shuffle() > wire::Shuffle_MAX) {
    throw Error(ErrorCode::kInvalidArgument, "shuffle " + std::to_string(message.shuffle()) + " is unknown");
  }
  for (const Shape& shape : shapes_) independent_row_elements_.push_back(element_count(shape));
  if (message.configurations() == nullptr || message.configurations()->size() == 0 ||
      message.architectures() == nullptr) {
    throw Error(ErrorCode::kInvalidArgument, "a run without configurations");
  }
  for (const auto* row : *message.architectures()) {
    architectures_.push_back({wire::text_of(row->json()), checked_profile(row->profile()), std::nullopt});
  }
  add_configurations(*message.configurations());
}

const ModelSpec& Run::architecture(const wire::Configuration& configuration) {
  if (configuration.architecture() >= architectures_.size()) {
    throw Error(ErrorCode::kInvalidArgument, "architecture " + std::to_string(configuration.architecture()) +
                                                 " of configuration " + std::to_string(configuration.key()) +
                                                 " does not exist");
  }
  Architecture& own = architectures_[configuration.architecture()];
  if (own.parsed) return *own.parsed;
  ModelSpec parsed = parse_keras_json(own.json, shapes_, own.profile);
  check_count(parsed, "input", parsed.inputs.size(), shapes_.size());
  if (!dependent_row_elements_.empty()) {
    check_count(parsed, "output", parsed.outputs.size(), dependent_row_elements_.size());
  }
  own.parsed = std::move(parsed);
  return *own.parsed;
}

std::shared_ptr<const Model> Run::model_of(const wire::Configuration& configuration) {
  const std::string compile_params = wire::text_of(configuration.compile_params());
  const std::string fit_params = wire::text_of(configuration.fit_params());
  const ModelSpec& spec = architecture(configuration);
  const ModelKey key{configuration.architecture(), compile_params, fit_params};
  const auto known = models_.find(key);
  if (known != models_.end()) return known->second;
  const TrainSpec train =
      resolve_train_spec(parse_train_params(compile_params, fit_params, spec.profile, custom_functions_), spec);
  return models_.emplace(key, compile_model(spec, train, device_, dependent_row_elements_)).first->second;
}

void Run::add_configurations(const ConfigurationList& list) {
  std::vector<std::shared_ptr<const Model>> models;
  std::set<int> keys;
  for (const auto* row : list) {
    if (configurations_.count(row->key()) > 0 || !keys.insert(row->key()).second) {
      throw Error(ErrorCode::kInvalidArgument, "configuration " + std::to_string(row->key()) + " comes twice");
    }
    models.push_back(model_of(*row));
  }
  for (std::size_t i = 0; i < models.size(); ++i) {
    const auto* row = list.Get(static_cast<flatbuffers::uoffset_t>(i));
    configurations_.try_emplace(row->key(), models[i], row->seed(), memory_);
  }
}

Configuration& Run::configuration(int key) {
  const auto found = configurations_.find(key);
  if (found == configurations_.end()) {
    throw Error(ErrorCode::kInvalidArgument, "configuration " + std::to_string(key) + " is not in this run");
  }
  return found->second;
}

void Run::check_columns(const wire::SegmentLayout& layout, const std::string& what) const {
  check_row_elements(what, "independent", layout.independent, independent_row_elements_);
  if (!layout.dependent.empty()) check_row_elements(what, "dependent", layout.dependent, dependent_row_elements_);
}

TrainUnit Run::train_unit(const Model& model, std::int32_t iteration, std::int32_t segment) const {
  return {seed_, iteration, segment, model.train_spec().shuffle.value_or(shuffle_), reset_optimizer_};
}

}  // namespace modelhop::trainer
