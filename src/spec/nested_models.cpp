// SPDX-License-Identifier: Apache-2.0
// Flattening. A nested model has one instance for each time it is called, in the order of the calls; call number c of a
// layer in instance i becomes call i * (calls in the file) + c of the flat layer.
#include "spec/nested_models.hpp"

#include <algorithm>
#include <utility>

#include "spec/grammar_text.hpp"
#include "spec/layer_config.hpp"
#include "spec/model_class.hpp"

namespace modelhop::spec {
namespace {

constexpr std::int64_t kMaxCalls = 100'000;

/// A model of the file and how often it is called in all.
struct Place {
  FileModel* model = nullptr;
  Place* outer = nullptr;
  int layer_of_outer = 0;
  std::int64_t instances = 1;
  std::vector<int> flat;                       ///< per layer: number of the flat layer, -1: none
  std::vector<std::unique_ptr<Place>> nested;  ///< per layer, null: no model
  std::vector<int> input_numbers;              ///< per layer: which input of the model it is, -1: none
  /// Per instance and input: what flat_ref() found for it; layer -1: not yet known.
  std::vector<CallRef> found;
};

/// A tensor in one instance of a model.
struct Spot {
  Place* place = nullptr;
  std::int64_t instance = 0;
  CallRef ref;
};

class Flattening {
 public:
  explicit Flattening(FileModel& model) { root_.model = &model; }

  Graph run() {
    graph_.name = root_.model->name;
    graph_.nest = add_layers(root_, "", false);
    add_calls(root_);
    for (const CallRef& input : root_.model->inputs) graph_.inputs.push_back(flat_ref({&root_, 0, input}));
    for (const CallRef& output : root_.model->outputs) {
      graph_.outputs.push_back(flat_ref({&root_, 0, output}));
      graph_.output_names.push_back(root_.model->layers[output.layer].name);
    }
    if (!root_.model->output_keys.empty()) {
      graph_.output_names = root_.model->output_keys;
      graph_.has_named_outputs = true;
    }
    return std::move(graph_);
  }

 private:
  GraphNest add_layers(Place& place, const std::string& prefix, bool is_frozen) {
    GraphNest nest;
    nest.is_trainable = place.model->is_trainable;
    is_frozen = is_frozen || !nest.is_trainable;
    place.nested.resize(place.model->layers.size());
    for (std::size_t i = 0; i < place.model->layers.size(); ++i) {
      FileLayer& layer = place.model->layers[i];
      place.flat.push_back(-1);
      const std::int64_t calls = place.instances * static_cast<std::int64_t>(layer.calls.size());
      calls_ += calls;
      if (calls_ > kMaxCalls) {
        refuse("architecture has more than " + std::to_string(kMaxCalls) + " calls of layers in its nested models");
      }
      if (layer.model != nullptr) {
        place.nested[i] = std::make_unique<Place>();
        Place& inner = *place.nested[i];
        inner.model = layer.model.get();
        inner.outer = &place;
        inner.layer_of_outer = static_cast<int>(i);
        inner.instances = calls;
        nest.parts.push_back(add_layers(inner, prefix + layer.name + "/", is_frozen));
        continue;
      }
      if (layer.class_name == "InputLayer" && place.outer != nullptr) continue;
      place.flat.back() = static_cast<int>(graph_.layers.size());
      GraphLayer flat;
      flat.name = prefix + layer.name;
      flat.class_name = layer.class_name;
      flat.config = std::move(layer.config);
      flat.is_frozen_by_model = is_frozen;
      nest.parts.push_back({place.flat.back()});
      graph_.layers.push_back(std::move(flat));
    }
    return nest;
  }

  void add_calls(Place& place) {
    for (std::size_t i = 0; i < place.model->layers.size(); ++i) {
      if (place.nested[i] != nullptr) {
        prepare_inputs(*place.nested[i]);
        add_calls(*place.nested[i]);
      }
      if (place.flat[i] < 0) continue;
      for (std::int64_t instance = 0; instance < place.instances; ++instance) {
        for (const GraphCall& call : place.model->layers[i].calls) {
          graph_.layers[place.flat[i]].calls.push_back(flat_call(place, instance, call));
        }
      }
    }
  }

  GraphCall flat_call(Place& place, std::int64_t instance, const GraphCall& call) {
    GraphCall flat{{}, call.roles, call.arguments};
    for (const CallRef& ref : call.inputs) flat.inputs.push_back(flat_ref({&place, instance, ref}));
    if (flat.arguments.contains("training")) return flat;
    // Learning or not is what the innermost model around the layer was told.
    for (const Place* around = &place; around->outer != nullptr; around = around->outer) {
      const GraphCall& arguments = call_of(*around, instance);
      if (const auto training = arguments.arguments.find("training"); training != arguments.arguments.end()) {
        flat.arguments["training"] = *training;
        break;
      }
      instance /= calls_in_file(*around);
    }
    return flat;
  }

  static std::int64_t calls_in_file(const Place& place) {
    return static_cast<std::int64_t>(place.outer->model->layers[place.layer_of_outer].calls.size());
  }

  /// The call that an instance of a nested model is.
  static const GraphCall& call_of(const Place& place, std::int64_t instance) {
    return place.outer->model->layers[place.layer_of_outer].calls[instance % calls_in_file(place)];
  }

  static void prepare_inputs(Place& place) {
    const FileLayer& layer = place.outer->model->layers[place.layer_of_outer];
    const std::string where = "layer " + in_quotes(layer.name);
    const std::vector<CallRef>& inputs = place.model->inputs;
    place.input_numbers.assign(place.model->layers.size(), -1);
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const FileLayer& input = place.model->layers[inputs[i].layer];
      if (input.class_name != "InputLayer") {
        refuse(where + ": \"input_layers\" names " + in_quotes(input.name) + ", which is not an InputLayer");
      }
      place.input_numbers[inputs[i].layer] = static_cast<int>(i);
    }
    place.found.assign(static_cast<std::size_t>(place.instances) * inputs.size(), CallRef{-1, 0, 0});
    for (const GraphCall& call : layer.calls) check_arguments(where, place, call);
  }

  static void check_arguments(const std::string& where, const Place& place, const GraphCall& call) {
    std::size_t given = 0;
    while (given < call.roles.size() && call.roles[given].empty()) ++given;
    for (std::size_t i = given; i < call.inputs.size(); ++i) {
      // A mask that operation nodes compute is Keras 3's own, which our propagation finds again.
      if (call.roles[i] == "mask" && is_operation(*place.outer, call.inputs[i])) continue;
      unsupported(where + ": argument " + in_quotes(call.roles[i]) + " of a model inside a model");
    }
    if (given != place.model->inputs.size()) {
      refuse(where + ": the model has " + std::to_string(place.model->inputs.size()) + " inputs, but is given " +
             std::to_string(given));
    }
    for (const auto& [key, value] : call.arguments.items()) {
      if (key != "training") unsupported(where + ": " + in_quotes(key) + " = " + shown(value) + " is not supported");
    }
  }

  static bool is_operation(const Place& place, const CallRef& ref) {
    return is_operation_class(place.model->layers[ref.layer].class_name);
  }

  /// Follows a tensor through the ends of nested models to the layer that computes it.
  CallRef flat_ref(Spot spot) {
    std::vector<CallRef*> passed;
    CallRef result{-1, 0, 0};
    for (std::int64_t steps = 0; result.layer < 0; ++steps) {
      if (steps > 4 * kMaxCalls) refuse("architecture has a loop of nested models");
      const int layer = spot.ref.layer;
      if (Place* nested = spot.place->nested[layer].get(); nested != nullptr) {
        spot = enter(spot, *nested);
      } else if (spot.place->flat[layer] < 0) {
        passed.push_back(&found_at(spot));
        result = *passed.back();
        if (result.layer < 0) spot = leave(spot);
      } else {
        const auto calls = static_cast<std::int64_t>(spot.place->model->layers[layer].calls.size());
        result = {spot.place->flat[layer], static_cast<int>(spot.instance * calls + spot.ref.call), spot.ref.tensor};
      }
    }
    for (CallRef* known : passed) *known = result;
    return result;
  }

  static Spot enter(const Spot& spot, Place& nested) {
    const auto outputs = static_cast<std::int64_t>(nested.model->outputs.size());
    if (spot.ref.tensor >= outputs) {
      refuse("architecture refers to output " + std::to_string(spot.ref.tensor) + " of " +
             in_quotes(spot.place->model->layers[spot.ref.layer].name) + ", which has " + std::to_string(outputs));
    }
    return {&nested, spot.instance * calls_in_file(nested) + spot.ref.call, nested.model->outputs[spot.ref.tensor]};
  }

  /// Where the result for an input of a nested model is kept.
  static CallRef& found_at(const Spot& spot) {
    Place& place = *spot.place;
    const int number = place.input_numbers[spot.ref.layer];
    if (number < 0) {
      refuse("layer " + in_quotes(place.model->layers[spot.ref.layer].name) +
             " is an InputLayer, but not among \"input_layers\"");
    }
    return place
        .found[static_cast<std::size_t>(spot.instance) * place.model->inputs.size() + static_cast<std::size_t>(number)];
  }

  static Spot leave(const Spot& spot) {
    const Place& place = *spot.place;
    const std::int64_t calls = calls_in_file(place);
    const auto call = static_cast<std::size_t>(spot.instance % calls);
    return {place.outer, spot.instance / calls, argument(place, call, place.input_numbers[spot.ref.layer])};
  }

  /// Inputs of a model are given in its own order, or by key or name where they are given as a dict.
  static const CallRef& argument(const Place& place, std::size_t call, int number) {
    const FileLayer& layer = place.outer->model->layers[place.layer_of_outer];
    const std::vector<std::string>& keys = layer.keys[call];
    if (keys.empty()) return layer.calls[call].inputs[number];
    const std::string& name = place.model->layers[place.model->inputs[number].layer].name;
    const bool has_keys = !place.model->input_keys.empty();
    for (const std::string& key : {has_keys ? place.model->input_keys[number] : name, name}) {
      const auto found = std::find(keys.begin(), keys.end(), key);
      if (found != keys.end()) return layer.calls[call].inputs[found - keys.begin()];
    }
    refuse("layer " + in_quotes(layer.name) + ": input " + in_quotes(name) + " is not given");
  }

  Place root_;
  Graph graph_;
  std::int64_t calls_ = 0;
};

}  // namespace

Graph flatten(FileModel model) {
  return Flattening(model).run();
}

}  // namespace modelhop::spec
