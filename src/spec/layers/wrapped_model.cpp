// SPDX-License-Identifier: Apache-2.0
// A whole model as the layer that TimeDistributed wraps. Elsewhere models are replaced by their layers; here they stay
// together, as a layer whose children are wired.
#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "spec/grammar_text.hpp"
#include "spec/keras_graph.hpp"
#include "spec/layer_kind.hpp"

namespace modelhop::spec {
namespace {

constexpr int kAnyNumber = 1 << 10;

/// Keeps the keys of a model's config apart from those of a layer's.
Json document_of(LayerConfig& config) {
  Json inner = Json::object();
  for (const char* key : {"layers", "input_layers", "output_layers", "build_input_shape"}) {
    if (const Json* value = config.find(key); value != nullptr) inner[key] = *value;
  }
  const bool is_functional = inner.contains("input_layers");
  const bool is_keras3 = config.profile() == SemanticsProfile::kKeras3;
  return {{"class_name", is_functional ? "Functional" : "Sequential"},
          {"config", inner},
          {"keras_version", is_keras3 ? "3.12.0" : "2.10.0"}};
}

class Wiring {
 public:
  Wiring(const LayerConfig& config, const Graph& graph) : config_(config), graph_(graph) {}

  /// Fills the children, in file order, and their wiring in an order that respects dependencies.
  void run(LayerSpec& layer, const ReadChild& read_child) {
    check();
    std::map<int, std::int64_t> children;
    for (int index = 0; index < static_cast<int>(graph_.layers.size()); ++index) {
      const GraphLayer& inner = graph_.layers[index];
      if (is_input(inner)) continue;
      children[index] = static_cast<std::int64_t>(layer.children.size());
      layer.children.push_back(
          read_child(name_of_child(inner), {{"class_name", inner.class_name}, {"config", inner.config}}));
    }
    for (std::size_t input = 0; input < graph_.inputs.size(); ++input) {
      place_[graph_.inputs[input].layer] = -1 - static_cast<std::int64_t>(input);
    }
    std::vector<std::int64_t> wiring;
    for (std::size_t placed = 0; placed < children.size(); ++placed) add_next(children, wiring);
    const std::int64_t last = source_of(graph_.outputs.front());
    layer.attributes["wiring"] = wiring;
    layer.attributes["output"] = last;
  }

 private:
  static bool is_input(const GraphLayer& layer) { return layer.class_name == "InputLayer"; }

  void check() const {
    bool fits = graph_.outputs.size() == 1;
    for (const GraphLayer& layer : graph_.layers) {
      if (layer.calls.size() != 1) fits = fits && layer.calls.empty();
      for (const GraphCall& call : layer.calls) {
        fits = fits && call.arguments.empty();
        for (const std::string& role : call.roles) fits = fits && role.empty();
        for (const CallRef& ref : call.inputs) fits = fits && ref.tensor == 0;
      }
    }
    if (!fits) {
      config_.not_supported("a wrapped model with several outputs, shared layers or call arguments",
                            "Wrap its layers one by one.");
    }
  }

  /// In the names of weights a slash parts a layer from what it wraps.
  std::string name_of_child(const GraphLayer& layer) {
    std::string name = layer.name;
    std::replace(name.begin(), name.end(), '/', '.');
    while (!names_.insert(name).second) name += "_";
    return name;
  }

  std::int64_t source_of(const CallRef& ref) const {
    const auto found = place_.find(ref.layer);
    if (found == place_.end()) refuse(config_.where() + " wraps a model whose output depends on nothing");
    return found->second;
  }

  /// Adds child, number of inputs, and for each input the position of the call that gives it, or -1 - the model's
  /// input.
  void add_next(const std::map<int, std::int64_t>& children, std::vector<std::int64_t>& wiring) {
    for (const auto& [index, child] : children) {
      if (place_.count(index) != 0 || graph_.layers[index].calls.empty()) continue;
      const std::vector<CallRef>& refs = graph_.layers[index].calls.front().inputs;
      const bool is_ready =
          std::all_of(refs.begin(), refs.end(), [&](const CallRef& ref) { return place_.count(ref.layer) != 0; });
      if (!is_ready) continue;
      wiring.push_back(child);
      wiring.push_back(static_cast<std::int64_t>(refs.size()));
      for (const CallRef& ref : refs) wiring.push_back(source_of(ref));
      place_[index] = calls_++;
      return;
    }
  }

  const LayerConfig& config_;
  const Graph& graph_;
  std::map<int, std::int64_t> place_;  ///< of layers that are placed: their call, or -1 - the model's input
  std::int64_t calls_ = 0;
  std::set<std::string> names_;
};

void read_model_children(LayerConfig& config, LayerSpec& layer, const ReadChild& read_child) {
  // The shape is the wrapper's affair; the reader wants one where the file has none.
  const Graph graph = read_keras_graph(document_of(config), {{1}});
  Wiring(config, graph).run(layer, read_child);
}

Shape model_shape(const LayerCall& call) {
  const std::vector<std::int64_t>& wiring = list_attribute(call.layer, "wiring");
  std::vector<Shape> shapes;
  const auto shape_at = [&](std::int64_t source) {
    const std::vector<Shape>& from = source < 0 ? call.inputs : shapes;
    const std::int64_t index = source < 0 ? -1 - source : source;
    if (index >= static_cast<std::int64_t>(from.size())) {
      refuse(call.where() + ": the model takes more inputs than it is given");
    }
    return from[static_cast<std::size_t>(index)];
  };
  for (std::size_t at = 0; at < wiring.size();) {
    const auto child = static_cast<std::size_t>(wiring[at]);
    const auto count = static_cast<std::size_t>(wiring[at + 1]);
    std::vector<Shape> inputs;
    for (std::size_t input = 0; input < count; ++input) inputs.push_back(shape_at(wiring[at + 2 + input]));
    shapes.push_back(call_child(call, child, inputs).front());
    at += 2 + count;
  }
  return shape_at(integer_attribute(call.layer, "output"));
}

}  // namespace

const std::vector<LayerKind>& wrapped_model_layers() {
  static const std::vector<LayerKind> kinds = {
      {.class_name = "Functional",
       .read = read_nothing,
       .output_shape = model_shape,
       .flops = no_flops,
       .max_inputs = kAnyNumber,
       .aliases = {"Sequential", "Model"},
       .read_children = read_model_children},
  };
  return kinds;
}

}  // namespace modelhop::spec
