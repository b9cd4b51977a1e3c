// SPDX-License-Identifier: Apache-2.0
// Trains each configuration of a recorded run alone, over its recorded units, with the engine and nothing else: no
// server, no trainer, no scheduler, no wire. Its states must equal the run's, bit for bit (docs/architecture.md).
//
// usage: modelhop-replay RUN.json PACKED.copy OUTPUT_FOLDER
// Writes OUTPUT_FOLDER/<mst_key>.weights and .training_state. RUN.json:
//   {"segments": 4, "independent": [{"type": "uint8", "scale": 0.0039}], "dependent": [{"type": "int16"}],
//    "has_sample_weight": false,
//    "configurations": [{"mst_key": 1, "architecture": {...}, "compile_params": "...", "fit_params": "...",
//      "custom_functions": {"name": "text"},
//      "calls": [{"seed": "<run seed>", "shuffle": "segment", "reset_optimizer": false,
//                 "units": [{"iteration": 1, "segment": 0}, ...],
//                 "rates": [{"iteration": 1, "learning_rate": 0.1}, ...]}]}]}
// A rate is set by a callback after the units of its iteration, or before all units where it is the one before them.
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "copy_file.hpp"
#include "modelhop/engine.hpp"
#include "modelhop/error.hpp"
#include "selection/configurations.hpp"
#include "spec/keras_json.hpp"
#include "spec/train_params.hpp"

namespace {

using modelhop::Error;
using modelhop::ErrorCode;
using Json = nlohmann::json;

/// Those that hold rows, by their number.
using Segments = std::map<int, modelhop::replay::JoinedSegment>;

modelhop::ElementType element_type(const std::string& name) {
  if (name == "uint8") return modelhop::ElementType::kUint8;
  if (name == "int16") return modelhop::ElementType::kInt16;
  if (name == "float32") return modelhop::ElementType::kFloat32;
  throw Error(ErrorCode::kInvalidArgument, "unknown element type \"" + name + "\"");
}

modelhop::Shuffle shuffle_of(const std::string& name) {
  if (name == "segment") return modelhop::Shuffle::kSegment;
  if (name == "buffer") return modelhop::Shuffle::kBuffer;
  if (name == "none") return modelhop::Shuffle::kNone;
  throw Error(ErrorCode::kInvalidArgument, "unknown shuffle \"" + name + "\"");
}

/// 64-bit seeds travel as decimal text: JSON numbers are not exact beyond 2^53. SQL's BIGINT may be negative.
std::uint64_t seed_of(const Json& value) {
  const std::string text = value.get<std::string>();
  return text.starts_with('-') ? static_cast<std::uint64_t>(std::stoll(text)) : std::stoull(text);
}

template <typename Element>
void write_file(const std::string& path, const std::vector<Element>& values) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(values.data()),
             static_cast<std::streamsize>(values.size() * sizeof(Element)));
  if (!file.flush()) throw Error(ErrorCode::kInvalidArgument, "cannot write \"" + path + "\"");
}

void set_rates(const Json& rates, int iteration, modelhop::State& state) {
  for (const Json& rate : rates) {
    if (rate.at("iteration") == iteration) state.set_learning_rate(rate.at("learning_rate").get<double>());
  }
}

std::vector<modelhop::replay::ArrayType> array_types(const Json& list) {
  std::vector<modelhop::replay::ArrayType> types;
  for (const Json& array : list) types.push_back({element_type(array.at("type")), array.value("scale", 1.0F)});
  return types;
}

void replay_configuration(const Json& configuration, const Segments& segments, const std::string& folder) {
  const modelhop::ModelSpec architecture = modelhop::parse_keras_json(configuration.at("architecture").dump());
  modelhop::CustomFunctions functions;
  const Json texts = configuration.value("custom_functions", Json::object());
  for (const auto& [name, text] : texts.items()) {
    functions.push_back({name, text.get<std::string>()});
  }
  const modelhop::TrainSpec train = modelhop::resolve_train_spec(
      modelhop::parse_train_params(configuration.at("compile_params").get<std::string>(),
                                   configuration.at("fit_params").get<std::string>(), architecture.profile, functions),
      architecture);
  std::vector<std::int64_t> dependent_row_elements;
  for (const auto& array : segments.begin()->second.view().examples.dependent) {
    dependent_row_elements.push_back(array.row_elements);
  }
  const auto model = modelhop::compile_model(architecture, train, modelhop::Device{}, dependent_row_elements);
  const auto state = model->initial_state(modelhop::configuration_seed(
      seed_of(configuration.at("calls").at(0).at("seed")), configuration.at("mst_key").get<int>()));
  const auto executor = modelhop::make_executor(modelhop::Device{});
  std::vector<float> weights(static_cast<std::size_t>(model->parameter_count()));
  for (const Json& call : configuration.at("calls")) {
    modelhop::TrainUnit unit;
    unit.run_seed = seed_of(call.at("seed"));
    unit.shuffle = shuffle_of(call.at("shuffle"));
    unit.reset_optimizer = call.value("reset_optimizer", false);
    const Json& units = call.at("units");
    const Json rates = call.value("rates", Json::array());
    if (!units.empty()) set_rates(rates, units[0].at("iteration").get<int>() - 1, *state);
    for (std::size_t place = 0; place < units.size(); ++place) {
      unit.iteration = units[place].at("iteration");
      unit.segment = units[place].at("segment");
      executor->train(*model, *state, segments.at(unit.segment).view(), unit, {});
      const bool is_last = place + 1 == units.size() || units[place + 1].at("iteration") != unit.iteration;
      if (is_last) set_rates(rates, unit.iteration, *state);
    }
  }
  finish_training(*model, *state);
  state->get_weights(weights);
  const std::string stem = folder + "/" + std::to_string(configuration.at("mst_key").get<int>());
  write_file(stem + ".weights", weights);
  write_file(stem + ".training_state", state->get_training_state());
}

void replay(const std::string& run_path, const std::string& rows_path, const std::string& folder) {
  std::ifstream run_file(run_path);
  const Json run = Json::parse(run_file);
  modelhop::initialize_engine({});
  const auto rows = modelhop::replay::read_copy_file(rows_path);
  const int count = run.at("segments");
  const modelhop::replay::Arrays arrays{array_types(run.at("independent")), array_types(run.at("dependent")),
                                        run.value("has_sample_weight", false)};
  Segments segments;
  for (const auto& row : rows) {
    const int segment = static_cast<int>(row.buffer_id % count);
    segments.try_emplace(segment, rows, segment, count, arrays);
  }
  for (const Json& configuration : run.at("configurations")) replay_configuration(configuration, segments, folder);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: modelhop-replay RUN.json PACKED.copy OUTPUT_FOLDER\n";
    return 2;
  }
  try {
    replay(argv[1], argv[2], argv[3]);
  } catch (const std::exception& error) {
    std::cerr << "modelhop-replay: " << error.what() << "\n";
    return 1;
  }
  return 0;
}
