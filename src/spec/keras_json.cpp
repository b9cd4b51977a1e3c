// SPDX-License-Identifier: Apache-2.0
// Joins the graph of a Keras file with the table of layer classes: shapes, weights, counts.
#include "spec/keras_json.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "spec/call_order.hpp"
#include "spec/grammar_text.hpp"
#include "spec/keras_graph.hpp"
#include "spec/layer_reader.hpp"
#include "spec/mask_flow.hpp"
#include "spec/weight_order.hpp"

namespace modelhop {
namespace {

using namespace spec;

class ModelBuilder {
 public:
  ModelBuilder(const Graph& graph, const std::vector<Shape>& input_shapes)
      : graph_(graph), input_shapes_(input_shapes) {}

  ModelSpec build() {
    model_.name = graph_.name;
    model_.profile = graph_.profile;
    model_.output_names = output_names();
    for (const GraphLayer& layer : graph_.layers) {
      read_.push_back(read_layer(layer.name, layer.class_name, layer.config, graph_.profile));
    }
    model_.layers = read_;
    for (const Call& call : order_of_calls(graph_)) run(call);
    model_.weight_order = order_of_weights(graph_.nest, model_.layers, graph_.profile);
    for (std::size_t layer = 0; layer < graph_.layers.size(); ++layer) {
      if (graph_.layers[layer].is_frozen_by_model) freeze(model_.layers[layer], graph_.profile);
    }
    for (const CallRef& input : graph_.inputs) model_.inputs.push_back(node_of(input, "\"input_layers\"").node);
    for (const CallRef& output : graph_.outputs) model_.outputs.push_back(node_of(output, "\"output_layers\""));
    check_inputs();
    return std::move(model_);
  }

 private:
  /// tf.keras tells outputs of one layer apart by a number.
  std::vector<std::string> output_names() const {
    const bool is_tensorflow =
        graph_.profile != SemanticsProfile::kKeras22 && graph_.profile != SemanticsProfile::kKeras3;
    if (!is_tensorflow || graph_.has_named_outputs) return graph_.output_names;
    std::set<std::string> taken;
    std::map<std::string, int> numbers;
    std::vector<std::string> names;
    for (const std::string& name : graph_.output_names) {
      std::string proposal = name;
      while (!taken.insert(proposal).second) proposal = name + "_" + std::to_string(++numbers[name]);
      names.push_back(std::move(proposal));
    }
    return names;
  }

  void run(const Call& call) {
    const GraphLayer& source = graph_.layers[call.first];
    const GraphCall& written = source.calls[call.second];
    const std::string where = "layer " + in_quotes(source.name);
    NodeSpec node;
    node.layer = call.first;
    node.roles = written.roles;
    node.arguments = read_call_arguments(read_[call.first], written.arguments, graph_.profile);
    std::vector<Shape> inputs;
    for (const CallRef& ref : written.inputs) {
      node.inputs.push_back(node_of(ref, where));
      inputs.push_back(model_.shape_of(node.inputs.back()));
    }
    if (read_[call.first].class_name == "InputLayer") {
      inputs.push_back(read_input_shape(where, source.config, given_shape(call.first)));
    }
    CalledLayer called = call_layer(read_[call.first], inputs, node.roles, node.arguments, graph_.profile);
    node.mask_rule = find_layer_kind(called.layer.class_name)->mask_rule;
    node.forward_flops = called.flops;
    flops_ += node.forward_flops;
    if (flops_ > kMaxFlops / 2) refuse(where + ": number of operations is too large");
    node.output_shapes = std::move(called.outputs);

    nodes_[call] = static_cast<int>(model_.nodes.size());
    model_.nodes.push_back(std::move(node));
    keep_layer(std::move(called.layer), call.first, call.second == 0);
  }

  /// What the caller says of this input of the model; empty where it says nothing.
  Shape given_shape(int layer) const {
    for (std::size_t input = 0; input < graph_.inputs.size() && input < input_shapes_.size(); ++input) {
      if (graph_.inputs[input].layer == layer) return input_shapes_[input];
    }
    return {};
  }

  /// The first call makes the weights; a later call of a shared layer must need the same ones.
  void keep_layer(LayerSpec layer, int index, bool is_first) {
    LayerSpec& kept = model_.layers[index];
    if (is_first) {
      parameters_ += parameter_count(layer);
      if (parameters_ > kMaxElements) refuse("layer " + in_quotes(layer.name) + ": the model has too many parameters");
      kept = std::move(layer);
      return;
    }
    bool is_same = kept.attributes == layer.attributes;
    for (std::size_t i = 0; i < kept.weights.size(); ++i)
      is_same = is_same && kept.weights[i].shape == layer.weights[i].shape;
    if (!is_same) refuse("layer " + in_quotes(layer.name) + " is shared by inputs of different shapes");
  }

  TensorRef node_of(const CallRef& ref, const std::string& where) const {
    const auto found = nodes_.find({ref.layer, ref.call});
    check(found != nodes_.end(), "a call was used before it ran");
    const auto outputs = static_cast<std::int64_t>(model_.nodes[found->second].output_shapes.size());
    if (ref.tensor >= outputs) {
      refuse(where + " refers to output " + std::to_string(ref.tensor) + " of " +
             in_quotes(graph_.layers[ref.layer].name) + ", which has " + std::to_string(outputs));
    }
    return {found->second, static_cast<int>(ref.tensor)};
  }

  void check_inputs() const {
    for (const int input : model_.inputs) {
      const LayerSpec& listed = model_.layers[model_.nodes[input].layer];
      if (listed.class_name != "InputLayer") {
        refuse("\"input_layers\" names " + in_quotes(listed.name) + ", which is not an InputLayer");
      }
    }
    for (int node = 0; node < static_cast<int>(model_.nodes.size()); ++node) {
      const LayerSpec& layer = model_.layers[model_.nodes[node].layer];
      const bool is_listed = std::find(model_.inputs.begin(), model_.inputs.end(), node) != model_.inputs.end();
      if (layer.class_name == "InputLayer" && !is_listed) {
        refuse("layer " + in_quotes(layer.name) + " is an InputLayer, but not among \"input_layers\"");
      }
    }
  }

  const Graph& graph_;
  const std::vector<Shape>& input_shapes_;
  ModelSpec model_;
  std::vector<LayerSpec> read_;  ///< as no call has settled them
  std::map<Call, int> nodes_;
  std::int64_t flops_ = 0;
  std::int64_t parameters_ = 0;
};

}  // namespace

ModelSpec parse_keras_json(std::string_view json, const std::vector<Shape>& input_shapes,
                           std::optional<SemanticsProfile> profile) {
  Graph graph = read_keras_graph(read_json_text("architecture", json), input_shapes);
  if (profile) graph.profile = *profile;
  settle_masks(graph);
  return ModelBuilder(graph, input_shapes).build();
}

}  // namespace modelhop
