// SPDX-License-Identifier: Apache-2.0
// Bidirectional, TimeDistributed.
#include "spec/grammar_text.hpp"
#include "spec/recurrence.hpp"

namespace modelhop::spec {
namespace {

constexpr int kAnyNumber = 1 << 10;

// ---- Bidirectional

void read_bidirectional(LayerConfig& config, Attributes& attributes) {
  // Null is a mode of its own: the two directions stay apart.
  const bool stays_apart = config.has("merge_mode") && config.find("merge_mode") == nullptr;
  attributes["merge_mode"] =
      stays_apart ? "none" : config.choice("merge_mode", "concat", {"concat", "sum", "mul", "ave"});
}

/// The layer in the other direction.
Json backward_of(LayerConfig& config, const Json& layer) {
  const Json* given = config.find("backward_layer");
  if (given != nullptr) return *given;
  Json backward = layer;
  if (!layer.is_object() || !layer.contains("config") || !layer["config"].is_object()) return backward;
  Json& inner = backward["config"];
  inner["go_backwards"] = !(inner.contains("go_backwards") && inner["go_backwards"] == Json(true));
  return backward;
}

std::string class_text(const Json& layer) {
  const bool has_class = layer.is_object() && layer.contains("class_name");
  return has_class ? shown(layer["class_name"]) : shown(layer);
}

void read_bidirectional_children(LayerConfig& config, LayerSpec& layer, const ReadChild& read_child) {
  const Json* wrapped = config.find("layer");
  if (wrapped == nullptr) config.refuse_value("layer", "a recurrent layer");
  const Json backward = backward_of(config, *wrapped);
  for (const Json* inner : {wrapped, &backward}) {
    if (!is_recurrent(class_of(*inner))) config.not_supported("Bidirectional around " + class_text(*inner));
  }
  layer.children.push_back(read_child("forward", *wrapped));
  layer.children.push_back(read_child("backward", backward));
  for (LayerSpec& child : layer.children) {
    // Keras 2.2 repeats the last output at masked steps, all others give zeros there.
    const bool is_sequence = boolean_attribute(child, "return_sequences");
    if (is_sequence && config.profile() != SemanticsProfile::kKeras22) child.attributes["zero_output_for_mask"] = true;
  }
  for (const char* key : {"return_sequences", "return_state"}) {
    if (boolean_attribute(layer.children[0], key) != boolean_attribute(layer.children[1], key)) {
      refuse(config.where() + ": " + in_quotes(key) + " differs between \"layer\" and \"backward_layer\"");
    }
  }
  if (boolean_attribute(layer.children[0], "go_backwards") == boolean_attribute(layer.children[1], "go_backwards")) {
    refuse(config.where() + ": \"layer\" and \"backward_layer\" go in the same direction");
  }
}

/// The call's inputs as one direction gets them: the sequence and its half of the states.
std::vector<Shape> inputs_of_direction(const LayerCall& call, std::size_t direction) {
  std::vector<Shape> states;
  for (std::size_t index = 1; index < call.inputs.size(); ++index) {
    const std::string& role = call.roles[index];
    if (role == "mask") continue;
    if (!role.empty() && role != "initial_state") {
      unsupported(call.where() + ": call argument " + in_quotes(role) + " of Bidirectional");
    }
    states.push_back(call.inputs[index]);
  }
  if (states.size() % 2 != 0) refuse(call.where() + ": an odd number of initial states");
  const auto half = static_cast<std::ptrdiff_t>(states.size() / 2);
  std::vector<Shape> inputs = {call.input()};
  inputs.insert(inputs.end(), states.begin() + (direction == 0 ? 0 : half),
                direction == 0 ? states.begin() + half : states.end());
  return inputs;
}

std::vector<Shape> bidirectional_shapes(const LayerCall& call) {
  const std::vector<Shape> forward = call_child(call, 0, inputs_of_direction(call, 0));
  const std::vector<Shape> backward = call_child(call, 1, inputs_of_direction(call, 1));
  const std::string& mode = string_attribute(call.layer, "merge_mode");
  std::vector<Shape> outputs = {forward.front()};
  if (mode == "none") {
    outputs.push_back(backward.front());
  } else {
    Shape other = backward.front();
    if (mode == "concat") {
      outputs.front().back() += other.back();
      other.back() = forward.front().back();
    }
    if (other != forward.front()) {
      refuse(call.where() + ": the directions give shapes " + to_text(forward.front()) + " and " +
             to_text(backward.front()) + ", which \"merge_mode\" " + in_quotes(mode) + " cannot merge");
    }
  }
  outputs.insert(outputs.end(), forward.begin() + 1, forward.end());
  outputs.insert(outputs.end(), backward.begin() + 1, backward.end());
  return outputs;
}

std::int64_t bidirectional_flops(const LayerCall& call, const Shape& output) {
  return flops_of(element_count(output), 1, call);
}

// ---- TimeDistributed

void read_distributed_children(LayerConfig& config, LayerSpec& layer, const ReadChild& read_child) {
  const Json* wrapped = config.find("layer");
  if (wrapped == nullptr) config.refuse_value("layer", "a layer");
  const bool is_list = wrapped->is_object() && wrapped->contains("config") && (*wrapped)["config"].is_array();
  if (is_list) {
    // Sequential until Keras 2.2.2
    layer.children.push_back(read_child(
        "layer", {{"class_name", (*wrapped)["class_name"]}, {"config", {{"layers", (*wrapped)["config"]}}}}));
  } else {
    layer.children.push_back(read_child("layer", *wrapped));
  }
}

std::vector<Shape> distributed_shapes(const LayerCall& call) {
  std::vector<Shape> inner;
  std::int64_t steps = 0;
  for (std::size_t index = 0; index < call.inputs.size(); ++index) {
    if (call.roles[index] == "mask") continue;
    const Shape& input = call.inputs[index];
    if (input.empty()) refuse(call.where() + ": TimeDistributed needs an axis of steps beside the batch");
    if (index > 0 && input.front() != steps) {
      refuse(call.where() + ": inputs of " + std::to_string(steps) + " and " + std::to_string(input.front()) +
             " steps");
    }
    steps = input.front();
    inner.emplace_back(input.begin() + 1, input.end());
  }
  std::vector<Shape> outputs = call_child(call, 0, inner);
  if (outputs.size() != 1) unsupported(call.where() + ": TimeDistributed around a layer with several outputs");
  call.wrapped_flops = product_within(call.wrapped_flops, steps, kMaxFlops, call.where() + ": number of operations");
  outputs.front().insert(outputs.front().begin(), steps);
  return outputs;
}

}  // namespace

const std::vector<LayerKind>& wrapper_layers() {
  static const std::vector<LayerKind> kinds = {
      {.class_name = "Bidirectional",
       .read = read_bidirectional,
       .output_shapes = bidirectional_shapes,
       .flops = bidirectional_flops,
       .max_inputs = kAnyNumber,
       .mask_rule = MaskRule::kOwn,
       .read_children = read_bidirectional_children},
      {.class_name = "TimeDistributed",
       .read = read_nothing,
       .output_shapes = distributed_shapes,
       .flops = no_flops,
       .max_inputs = kAnyNumber,
       .mask_rule = MaskRule::kOwn,
       .read_children = read_distributed_children},
  };
  return kinds;
}

}  // namespace modelhop::spec
