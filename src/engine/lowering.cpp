// SPDX-License-Identifier: Apache-2.0
// The table of layer classes, and the walk over a model's calls that makes a graph of operations.
#include "engine/lowering.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>

#include "modelhop/error.hpp"

namespace modelhop::engine {
namespace {

Value* lower_input(Lowering& lowering) {
  if (lowering.graph.input != nullptr) lowering.refuse("models with several inputs are not supported");
  auto value = std::make_unique<Value>();
  value->shape = lowering.output_shape();
  lowering.graph.input = value.get();
  lowering.graph.values.push_back(std::move(value));
  return lowering.graph.input;
}

struct LayerEntry {
  std::string_view class_name;
  LowerLayer lower;
};

constexpr LayerEntry kLayers[] = {
    {"Activation", lower_activation},
    {"Add", lower_add},
    {"AveragePooling2D", lower_average_pooling2d},
    {"BatchNormalization", lower_batch_normalization},
    {"Concatenate", lower_concatenate},
    {"Conv2D", lower_conv2d},
    {"Dense", lower_dense},
    {"Dropout", lower_dropout},
    {"Flatten", lower_reshape},
    {"GlobalAveragePooling2D", lower_global_average_pooling2d},
    {"GlobalMaxPooling2D", lower_global_max_pooling2d},
    {"InputLayer", lower_input},
    {"LeakyReLU", lower_leaky_relu},
    {"MaxPooling2D", lower_max_pooling2d},
    {"ReLU", lower_relu},
    {"Reshape", lower_reshape},
    {"Softmax", lower_softmax},
    {"ZeroPadding2D", lower_zero_padding2d},
};

LowerLayer lowering_of(const Lowering& lowering) {
  for (const LayerEntry& entry : kLayers) {
    if (entry.class_name == lowering.layer().class_name) return entry.lower;
  }
  lowering.refuse("class \"" + lowering.layer().class_name + "\" is not supported");
}

/// Calls that the outputs depend on; others compute for nobody.
std::vector<bool> needed_nodes(const ModelSpec& model) {
  std::vector<bool> needed(model.nodes.size(), false);
  for (const TensorRef& output : model.outputs) needed[output.node] = true;
  for (int node = static_cast<int>(model.nodes.size()) - 1; node >= 0; --node) {
    if (!needed[node]) continue;
    for (const TensorRef& input : model.nodes[node].inputs) needed[input.node] = true;
  }
  for (const int input : model.inputs) needed[input] = true;
  return needed;
}

std::map<const Value*, std::vector<Operation*>> consumers_of(const Graph& graph) {
  std::map<const Value*, std::vector<Operation*>> consumers;
  for (const auto& operation : graph.operations) {
    for (const Value* value : operation->inputs) consumers[value].push_back(operation.get());
  }
  return consumers;
}

/// Gives every consumer of a value that has several its own branch.
void insert_forks(Graph& graph) {
  std::vector<std::unique_ptr<Operation>> operations;
  const auto consumers = consumers_of(graph);
  const auto fork = [&](Value* value) {
    const auto found = consumers.find(value);
    if (found == consumers.end() || found->second.size() < 2) return;
    std::vector<Value*> branches;
    for (Operation* consumer : found->second) {
      auto branch = std::make_unique<Value>();
      branch->shape = value->shape;
      branch->needs_gradient = value->needs_gradient;
      *std::find(consumer->inputs.begin(), consumer->inputs.end(), value) = branch.get();
      branches.push_back(branch.get());
      graph.values.push_back(std::move(branch));
    }
    auto operation = make_fork(branches);
    operation->inputs = {value};
    operation->output = branches.front();
    for (Value* branch : branches) branch->producer = operation.get();
    operations.push_back(std::move(operation));
  };
  fork(graph.input);
  for (auto& operation : graph.operations) {
    Value* output = operation->output;
    operations.push_back(std::move(operation));
    fork(output);
  }
  graph.operations = std::move(operations);
}

/// Finds the final activation and, where asked, takes it out of the graph.
void split_final_activation(Graph& graph, bool drop) {
  graph.logits = graph.output;
  Operation* last = graph.output->producer;
  if (last == nullptr || final_activation_of(*last) == FinalActivation::kNone) return;
  const auto consumers = consumers_of(graph);
  Value* logits = last->inputs.front();
  if (consumers.count(graph.output) != 0 || consumers.at(logits).size() != 1) return;
  graph.final_activation = final_activation_of(*last);
  graph.logits = logits;
  if (!drop) return;
  graph.output = logits;
  std::erase_if(graph.operations, [&](const auto& operation) { return operation.get() == last; });
}

void mark_overwritable(Graph& graph) {
  for (const auto& operation : graph.operations) operation->output->may_overwrite = !operation->keeps_output();
  graph.logits->may_overwrite = false;
  graph.output->may_overwrite = false;
}

}  // namespace

int Lowering::weight(const std::string& name) const {
  const LayerSpec& spec = layer();
  for (std::size_t index = 0; index < spec.weights.size(); ++index) {
    if (spec.weights[index].name == name) return layout.layer_weights[call().layer][index];
  }
  return -1;
}

Value* Lowering::place(std::unique_ptr<Operation> operation, std::vector<Value*> from, Shape shape,
                       std::vector<int> weights) {
  auto value = std::make_unique<Value>();
  value->shape = std::move(shape);
  value->producer = operation.get();
  for (const Value* input : from) value->needs_gradient |= input->needs_gradient;
  for (const int index : weights) {
    if (index < 0) continue;
    operation->weights.push_back({index, {}, {}});
    value->needs_gradient |= layout.weights[index].is_trainable;
  }
  operation->inputs = std::move(from);
  operation->output = value.get();
  operation->is_training = is_training();
  graph.values.push_back(std::move(value));
  graph.operations.push_back(std::move(operation));
  return graph.values.back().get();
}

void Lowering::refuse(const std::string& what) const {
  throw Error(ErrorCode::kNotSupported, "layer \"" + layer().name + "\": " + what);
}

Graph lower(const ModelSpec& model, const StateLayout& layout, Purpose purpose, bool drop_final_activation) {
  if (model.inputs.size() != 1 || model.outputs.size() != 1) {
    throw Error(ErrorCode::kNotSupported,
                "model \"" + model.name + "\" has " + std::to_string(model.inputs.size()) + " inputs and " +
                    std::to_string(model.outputs.size()) + " outputs",
                "Models with one input and one output are supported.");
  }
  Graph graph;
  Lowering lowering(model, layout, graph, purpose);
  const std::vector<bool> needed = needed_nodes(model);
  std::vector<Value*> outputs(model.nodes.size(), nullptr);
  for (int node = 0; node < static_cast<int>(model.nodes.size()); ++node) {
    if (!needed[node]) continue;
    lowering.node = node;
    lowering.inputs.clear();
    for (const TensorRef& ref : model.nodes[node].inputs) {
      if (ref.output != 0) lowering.refuse("inputs from a layer's second output are not supported");
      lowering.inputs.push_back(outputs[ref.node]);
    }
    outputs[node] = lowering_of(lowering)(lowering);
    check(outputs[node]->shape == lowering.output_shape(), "a lowered layer has another shape than its specification");
  }
  graph.output = outputs[model.outputs.front().node];
  split_final_activation(graph, drop_final_activation);
  insert_forks(graph);
  mark_overwritable(graph);
  return graph;
}

}  // namespace modelhop::engine
