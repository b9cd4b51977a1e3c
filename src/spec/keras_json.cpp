// SPDX-License-Identifier: Apache-2.0
// Joins the graph of a Keras file with the table of layer classes: order of calls, shapes, weights, counts.
#include "spec/keras_json.hpp"

#include <map>
#include <queue>
#include <utility>

#include "spec/grammar_text.hpp"
#include "spec/initializers.hpp"
#include "spec/keras_graph.hpp"
#include "spec/layer_kind.hpp"

namespace modelhop {
namespace {

using namespace spec;

/// A layer's class, and its attributes as the file says them, before any input shape is known.
struct ReadLayer {
  const LayerKind* kind = nullptr;
  Attributes attributes;
  std::vector<WeightSpec> weights;  ///< without shapes
};

void check_dtype(const GraphLayer& layer) {
  const auto found = layer.config.find("dtype");
  if (found == layer.config.end() || found->is_null()) return;
  const Json* name = &*found;
  if (name->is_object() && name->contains("config")) name = &(*name)["config"];
  if (name->is_object() && name->contains("name")) name = &(*name)["name"];
  if (*name == "float32") return;
  const bool is_integer_input = layer.class_name == "InputLayer" && name->is_string() &&
                                name->get_ref<const std::string&>().find("int") != std::string::npos;
  if (!is_integer_input) {
    unsupported("layer " + in_quotes(layer.name) + ": dtype " + shown(*name), "Networks compute in float32.");
  }
}

WeightSpec read_weight(LayerConfig& config, const WeightRule& rule, bool is_trainable) {
  const std::string name = rule.name;
  WeightSpec weight;
  weight.name = name;
  weight.initializer = read_initializer(config, name + "_initializer", rule.initializer);
  weight.is_trainable = is_trainable && !rule.is_statistic;
  if (rule.is_statistic) return weight;
  weight.regularizer = read_regularizer(config, name + "_regularizer");
  if (config.find(name + "_constraint") != nullptr) config.not_supported(in_quotes(name + "_constraint"));
  return weight;
}

class ModelBuilder {
 public:
  ModelBuilder(const Graph& graph, const Shape& input_shape) : graph_(graph), input_shape_(input_shape) {}

  ModelSpec build() {
    model_.name = graph_.name;
    // MADlib's users train Keras 2 files with tf.keras 2's numbers, whichever Keras 2 wrote the file; the file alone
    // decides only between the two generations.
    model_.profile = graph_.is_keras3 ? SemanticsProfile::kKeras3 : SemanticsProfile::kTf2Legacy;
    for (const GraphLayer& layer : graph_.layers) read_layer(layer);
    order_calls();
    for (const CallRef& input : graph_.inputs) model_.inputs.push_back(node_of(input, "\"input_layers\"").node);
    for (const CallRef& output : graph_.outputs) model_.outputs.push_back(node_of(output, "\"output_layers\""));
    check_inputs();
    return std::move(model_);
  }

 private:
  using Call = std::pair<int, int>;  ///< layer, number of its call

  void read_layer(const GraphLayer& source) {
    LayerSpec layer;
    layer.name = source.name;
    ReadLayer read;
    read.kind = find_layer_kind(source.class_name);
    if (read.kind == nullptr) {
      unsupported("layer " + in_quotes(source.name) + ": unknown class " + in_quotes(source.class_name));
    }
    layer.class_name = read.kind->class_name;
    LayerConfig config(source.name, source.config);
    layer.is_trainable = config.boolean("trainable", true);
    check_dtype(source);
    read.kind->read(config, read.attributes);
    if (const RegularizerSpec activity = read_regularizer(config, "activity_regularizer");
        activity.l1 + activity.l2 > 0) {
      config.not_supported("\"activity_regularizer\"");
    }
    for (const WeightRule& rule : read.kind->weights) {
      WeightSpec weight = read_weight(config, rule, layer.is_trainable);
      // Keras 3 has no penalty for what does not learn; Keras 2 reports it all the same.
      if (graph_.is_keras3 && !weight.is_trainable) weight.regularizer = {};
      const bool is_present = rule.present_if == nullptr || std::get<bool>(read.attributes.at(rule.present_if));
      if (is_present) read.weights.push_back(std::move(weight));
    }
    config.refuse_unknown_keys();
    model_.layers.push_back(std::move(layer));
    read_.push_back(std::move(read));
  }

  /// Runs every call when its inputs and the same layer's previous call are done, lowest layer first.
  void order_calls() {
    std::map<Call, int> missing;
    std::map<Call, std::vector<Call>> waiting;
    std::priority_queue<Call, std::vector<Call>, std::greater<>> ready;
    for (int layer = 0; layer < static_cast<int>(graph_.layers.size()); ++layer) {
      const auto& calls = graph_.layers[layer].calls;
      for (int call = 0; call < static_cast<int>(calls.size()); ++call) {
        int count = call > 0 ? 1 : 0;
        if (call > 0) waiting[{layer, call - 1}].push_back({layer, call});
        for (const CallRef& ref : calls[call]) {
          waiting[{ref.layer, ref.call}].push_back({layer, call});
          ++count;
        }
        if (count == 0) ready.push({layer, call});
        missing[{layer, call}] = count;
      }
    }
    while (!ready.empty()) {
      const Call next = ready.top();
      ready.pop();
      run(next);
      missing.erase(next);
      for (const Call& dependent : waiting[next]) {
        if (--missing[dependent] == 0) ready.push(dependent);
      }
    }
    if (!missing.empty()) {
      refuse("layer " + in_quotes(graph_.layers[missing.begin()->first.first].name) + " is part of a loop");
    }
  }

  void run(const Call& call) {
    const GraphLayer& source = graph_.layers[call.first];
    const LayerKind& kind = *read_[call.first].kind;
    const std::string where = "layer " + in_quotes(source.name);
    NodeSpec node;
    node.layer = call.first;
    std::vector<Shape> inputs;
    for (const CallRef& ref : source.calls[call.second]) {
      node.inputs.push_back(node_of(ref, where));
      inputs.push_back(model_.shape_of(node.inputs.back()));
    }
    const bool is_input = kind.class_name == "InputLayer";
    if (is_input) inputs.push_back(read_input_shape(where, source.config, input_shape_));
    if (static_cast<int>(inputs.size()) < kind.min_inputs || static_cast<int>(inputs.size()) > kind.max_inputs) {
      refuse(where + ": " + std::string(kind.class_name) + " does not take " + std::to_string(inputs.size()) +
             " inputs");
    }

    LayerSpec layer = model_.layers[call.first];
    layer.attributes = read_[call.first].attributes;
    const LayerCall layer_call{layer, inputs};
    Shape output = kind.output_shape(layer_call);
    std::int64_t elements = 1;
    for (const std::int64_t extent : output)
      elements = product_within(elements, extent, kMaxElements, where + ": output");
    layer.weights = shaped_weights(layer_call, read_[call.first]);
    node.forward_flops = kind.flops(layer_call, output);
    flops_ += node.forward_flops;
    if (flops_ > kMaxFlops / 2) refuse(where + ": number of operations is too large");
    node.output_shapes.push_back(std::move(output));

    nodes_[call] = static_cast<int>(model_.nodes.size());
    model_.nodes.push_back(std::move(node));
    keep_layer(std::move(layer), call.first, call.second == 0);
  }

  std::vector<WeightSpec> shaped_weights(const LayerCall& call, const ReadLayer& read) const {
    std::vector<WeightSpec> weights = read.weights;
    for (WeightSpec& weight : weights) {
      weight.shape = read.kind->weight_shape(call, weight.name);
      std::int64_t elements = 1;
      for (const std::int64_t extent : weight.shape) {
        elements = product_within(elements, extent, kMaxElements, call.where() + ": weight " + in_quotes(weight.name));
      }
    }
    return weights;
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
    const LayerSpec& listed = model_.layers[model_.nodes[model_.inputs.front()].layer];
    if (listed.class_name != "InputLayer") {
      refuse("\"input_layers\" names " + in_quotes(listed.name) + ", which is not an InputLayer");
    }
    for (int node = 0; node < static_cast<int>(model_.nodes.size()); ++node) {
      const LayerSpec& layer = model_.layers[model_.nodes[node].layer];
      if (layer.class_name == "InputLayer" && node != model_.inputs.front()) {
        refuse("layer " + in_quotes(layer.name) + " is an InputLayer, but not among \"input_layers\"");
      }
    }
  }

  const Graph& graph_;
  const Shape& input_shape_;
  ModelSpec model_;
  std::vector<ReadLayer> read_;
  std::map<Call, int> nodes_;
  std::int64_t flops_ = 0;
  std::int64_t parameters_ = 0;
};

}  // namespace

ModelSpec parse_keras_json(std::string_view json, const Shape& input_shape) {
  const Graph graph = read_keras_graph(read_json_text(json), input_shape);
  return ModelBuilder(graph, input_shape).build();
}

}  // namespace modelhop
