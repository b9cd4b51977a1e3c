// SPDX-License-Identifier: Apache-2.0
// The keys of recurrent layers and what follows from them for outputs.
#include "spec/recurrence.hpp"

#include <algorithm>
#include <array>

#include "spec/call_inputs.hpp"
#include "spec/grammar_text.hpp"

namespace modelhop::spec {

void read_recurrence(LayerConfig& config, Attributes& attributes) {
  for (const char* key : {"return_sequences", "return_state", "go_backwards", "zero_output_for_mask"}) {
    attributes[key] = config.boolean(key, false);
  }
  if (config.boolean("stateful", false)) {
    config.not_supported("\"stateful\" recurrent layers",
                         "States would be carried from one mini-batch to the next, which are shuffled rows here.");
  }
  if (config.boolean("time_major", false)) {
    config.not_supported("\"time_major\" recurrent layers", "The batch is the first axis of all data.");
  }
  // They choose an implementation, not a result.
  for (const char* key : {"unroll", "use_cudnn"}) config.find(key);
}

void read_cell(LayerConfig& config, Attributes& attributes, bool is_gated) {
  const SemanticsProfile profile = config.profile();
  const bool is_old = profile == SemanticsProfile::kKeras22 || profile == SemanticsProfile::kTf1;
  attributes["activation"] = config.activation("activation", "tanh");
  if (is_gated) {
    attributes["recurrent_activation"] = config.activation("recurrent_activation", is_old ? "hard_sigmoid" : "sigmoid");
  }
  attributes["use_bias"] = config.boolean("use_bias", true);
  attributes["dropout"] = config.number("dropout", 0.0, {0.0, 1.0, true});
  const double recurrent_dropout = config.number("recurrent_dropout", 0.0, {0.0, 1.0, true});
  attributes["recurrent_dropout"] = recurrent_dropout;
  const std::int64_t implementation = config.integer("implementation", is_old ? 1 : 2, {0, 2});
  // From TensorFlow 2 on, recurrent dropout brings implementation 1 back whatever the file says.
  attributes["dropout_per_gate"] = is_gated && (implementation < 2 || (!is_old && recurrent_dropout > 0.0));
  config.find("seed");
  for (const char* key : {"activation", "recurrent_activation"}) {
    const auto found = attributes.find(key);
    if (found != attributes.end() && found->second == Attribute(std::string("glu"))) {
      config.not_supported(in_quotes(key) + " \"glu\" of a recurrent layer");
    }
  }
}

std::string class_of(const Json& layer) {
  if (!layer.is_object() || !layer.contains("class_name") || !layer["class_name"].is_string()) return {};
  const LayerKind* kind = find_layer_kind(layer["class_name"].get_ref<const std::string&>());
  return kind == nullptr ? std::string() : std::string(kind->class_name);
}

bool is_recurrent(const std::string& class_name) {
  constexpr std::array kClasses = std::to_array<std::string_view>(
      {"SimpleRNN", "LSTM", "GRU", "CuDNNLSTM", "CuDNNGRU", "RNN", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"});
  return std::find(kClasses.begin(), kClasses.end(), class_name) != kClasses.end();
}

std::vector<Shape> cell_states(const LayerSpec& cell, SemanticsProfile profile) {
  if (cell.class_name != "StackedRNNCells") {
    return std::vector<Shape>(cell.class_name == "LSTMCell" ? 2 : 1, Shape{integer_attribute(cell, "units")});
  }
  std::vector<Shape> states;
  for (const LayerSpec& inner : cell.children) {
    const std::vector<Shape> more = cell_states(inner, profile);
    // Keras 2.2 lists the states of stacked cells from the last cell to the first.
    states.insert(profile == SemanticsProfile::kKeras22 ? states.begin() : states.end(), more.begin(), more.end());
  }
  return states;
}

std::vector<Shape> recurrent_outputs(const LayerCall& call, const Shape& step, const std::vector<Shape>& states) {
  const std::int64_t steps = call.input().front();
  const std::vector<int> given = state_indexes(call.roles);
  for (std::size_t index = 1; index < call.inputs.size(); ++index) {
    const std::string& role = call.roles[index];
    if (!role.empty() && role != "initial_state" && role != "mask") {
      unsupported(call.where() + ": call argument " + in_quotes(role) + " of a recurrent layer");
    }
  }
  if (!given.empty() && given.size() != states.size()) {
    refuse(call.where() + ": " + std::to_string(given.size()) + " initial states where " +
           std::to_string(states.size()) + " are needed");
  }
  for (std::size_t index = 0; index < given.size(); ++index) {
    const Shape& shape = call.inputs[static_cast<std::size_t>(given[index])];
    if (shape != states[index]) {
      refuse(call.where() + ": initial state of shape " + to_text(shape) + " where " + to_text(states[index]) +
             " is needed");
    }
  }
  std::vector<Shape> outputs = {step};
  if (boolean_attribute(call.layer, "return_sequences")) outputs.front().insert(outputs.front().begin(), steps);
  if (boolean_attribute(call.layer, "return_state")) outputs.insert(outputs.end(), states.begin(), states.end());
  return outputs;
}

void mark_unit_forget(const LayerCall& call, int parts) {
  if (!boolean_attribute(call.layer, "unit_forget_bias")) return;
  for (WeightSpec& weight : call.layer.weights) {
    if (weight.name == "bias") weight.initializer.unit_forget_parts = parts;
  }
}

}  // namespace modelhop::spec
