// SPDX-License-Identifier: Apache-2.0
// The walk over a model's calls that makes a graph of operations.
#include "engine/lowering.hpp"

#include <ATen/ops/maximum.h>
#include <ATen/ops/minimum.h>

#include <algorithm>
#include <map>

#include "modelhop/error.hpp"

namespace modelhop::engine {
namespace {

/// More than any file has calls, but an end for layers that are lowered once for each of their steps.
constexpr std::size_t kMaxOperations = 500'000;

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

/// Gives every consumer of a value that has several its own branch. A loss that looks at a model output consumes it
/// too.
class ForkInserter {
 public:
  explicit ForkInserter(Graph& graph) : graph_(graph), consumers_(consumers_of(graph)) {
    for (GraphOutput& output : graph.outputs) ends_[output.logits].push_back(&output);
  }

  void run() {
    for (Value* input : graph_.inputs) fork(input);
    for (auto& operation : graph_.operations) {
      const std::vector<Value*> outputs = operation->outputs;
      operations_.push_back(std::move(operation));
      for (Value* output : outputs) fork(output);
    }
    graph_.operations = std::move(operations_);
  }

 private:
  void fork(Value* value) {
    const std::vector<Operation*>& consumers = consumers_[value];
    const std::vector<GraphOutput*>& ends = ends_[value];
    if (consumers.size() + ends.size() < 2) return;
    auto operation = make_fork();
    operation->inputs = {value};
    for (Operation* consumer : consumers) {
      *std::find(consumer->inputs.begin(), consumer->inputs.end(), value) = branch_of(value, *operation);
    }
    for (GraphOutput* end : ends) {
      Value* branch = branch_of(value, *operation);
      if (end->output == end->logits) end->output = branch;
      end->logits = branch;
    }
    operations_.push_back(std::move(operation));
  }

  Value* branch_of(const Value* value, Operation& fork) {
    auto branch = std::make_unique<Value>();
    branch->shape = value->shape;
    branch->steps = value->steps;
    branch->needs_gradient = value->needs_gradient;
    branch->producer = &fork;
    fork.outputs.push_back(branch.get());
    graph_.values.push_back(std::move(branch));
    return graph_.values.back().get();
  }

  Graph& graph_;
  std::map<const Value*, std::vector<Operation*>> consumers_;
  std::map<const Value*, std::vector<GraphOutput*>> ends_;
  std::vector<std::unique_ptr<Operation>> operations_;
};

/// Whether a loss may look behind this layer for the activation that is its input, as Keras does where the layer hands
/// the same tensor on: an Activation that is linear (not TensorFlow 1), a Dropout of rate 0 (Keras 3).
bool shows_activation(const ModelSpec& model, const TensorRef& output, const Value& value) {
  const NodeSpec& node = model.nodes[output.node];
  const LayerSpec& layer = model.layers[node.layer];
  if (layer.class_name == "Activation" && string_attribute(layer, "activation") == "linear") {
    return model.profile != SemanticsProfile::kTf1;
  }
  if (layer.class_name == "Dropout") return model.profile == SemanticsProfile::kKeras3;
  return value.producer != nullptr;
}

/// Finds an output's final activation and, where asked, takes it out of the graph.
void split_final_activation(Graph& graph, GraphOutput& end, bool drop) {
  Operation* last = end.output->producer;
  if (last == nullptr || final_activation_of(*last) == FinalActivation::kNone) return;
  const auto consumers = consumers_of(graph);
  const auto uses = std::count_if(graph.outputs.begin(), graph.outputs.end(),
                                  [&end](const GraphOutput& other) { return other.output == end.output; });
  Value* logits = last->inputs.front();
  if (consumers.count(end.output) != 0 || uses > 1 || consumers.at(logits).size() != 1) return;
  end.final_activation = final_activation_of(*last);
  end.logits = logits;
  if (!drop) return;
  end.output = logits;
  std::erase_if(graph.operations, [&](const auto& operation) { return operation.get() == last; });
}

void mark_overwritable(Graph& graph) {
  for (const auto& operation : graph.operations) {
    for (Value* output : operation->outputs) output->may_overwrite = !operation->keeps_output();
  }
  for (const GraphOutput& end : graph.outputs) {
    for (Value* value : {end.logits, end.output, end.mask}) {
      if (value == nullptr) continue;
      value->may_overwrite = false;
      value->is_end = true;
    }
  }
}

/// Of values and masks, per output of each node.
struct Lowered {
  std::vector<std::vector<Value*>> values, masks;
};

std::vector<Value*> masks_after(Lowering& lowering, std::size_t outputs) {
  std::vector<Value*> masks(outputs, nullptr);
  switch (lowering.call().mask_rule) {
    case MaskRule::kDropped:
      break;
    case MaskRule::kPassed:
      if (!lowering.masks.empty()) std::fill(masks.begin(), masks.end(), lowering.masks.front());
      break;
    case MaskRule::kMerged:
      masks.front() = merge_masks(lowering);
      break;
    case MaskRule::kOwn:
      if (!lowering.output_masks.empty()) masks = lowering.output_masks;
      break;
  }
  check(masks.size() == outputs, "a lowered layer has another number of masks than outputs");
  return masks;
}

void lower_call(Lowering& lowering, Lowered& lowered) {
  const NodeSpec& call = lowering.call();
  for (const TensorRef& ref : call.inputs) {
    lowering.inputs.push_back(lowered.values[ref.node].at(ref.output));
    lowering.masks.push_back(lowered.masks[ref.node].at(ref.output));
  }
  const LayerLowering* entry = find_layer_lowering(lowering.layer().class_name);
  if (entry == nullptr) lowering.refuse("class \"" + lowering.layer().class_name + "\" is not supported");
  std::vector<Value*>& values = lowered.values[lowering.node];
  values = entry->lower(lowering).list;
  for (Value*& value : values) value = lowering.regularize_activity(value, lowering.layer().activity_regularizer);
  check(values.size() == call.output_shapes.size(), "a lowered layer has another number of outputs than specified");
  for (std::size_t index = 0; index < values.size(); ++index) {
    check(values[index]->shape == call.output_shapes[index], "a lowered layer has another shape than specified");
  }
  lowered.masks[lowering.node] = masks_after(lowering, values.size());
}

Value* add_input(Graph& graph, const Shape& shape) {
  graph.values.push_back(std::make_unique<Value>());
  graph.values.back()->shape = shape;
  return graph.values.back().get();
}

}  // namespace

/// And in Keras 2; or in Keras 3, where one input without a mask makes all count.
Value* merge_masks(Lowering& lowering) {
  const bool is_or = lowering.model.profile == SemanticsProfile::kKeras3;
  std::vector<Value*> present;
  for (Value* mask : lowering.masks) {
    if (mask != nullptr) present.push_back(mask);
  }
  if (present.empty() || (is_or && present.size() < lowering.masks.size())) return nullptr;
  if (present.size() == 1) return present.front();
  return lowering.emit<AutogradOperation>(present, present.front()->shape, {}, [is_or](const ForwardInputs& given) {
    at::Tensor merged = given.inputs[0];
    for (const at::Tensor& mask : given.inputs.subspan(1)) {
      merged = is_or ? at::maximum(merged, mask) : at::minimum(merged, mask);
    }
    return merged;
  });
}

int Lowering::weight(const std::string& name) const {
  const LayerSpec& outermost = model.layers[call().layer];
  const std::string full_name = wrapped_.empty() ? name : wrapped_.back().prefix + name;
  for (std::size_t index = 0; index < outermost.weights.size(); ++index) {
    if (outermost.weights[index].name == full_name) return layout.layer_weights[call().layer][index];
  }
  return -1;
}

bool Lowering::is_training() const {
  // Keras 3 gives every call the mode of the model, whatever the file says.
  if (model.profile == SemanticsProfile::kKeras3) return purpose == Purpose::kTraining;
  const auto found = call().arguments.find("training");
  return found != call().arguments.end() ? std::get<bool>(found->second) : purpose == Purpose::kTraining;
}

Value* Lowering::input_of(const std::string& role) const {
  const std::vector<std::string> all = roles();
  const auto found = std::find(all.begin(), all.end(), role);
  return found == all.end() ? nullptr : inputs[static_cast<std::size_t>(found - all.begin())];
}

Values Lowering::lower_child(std::size_t child, std::vector<Value*> child_inputs, std::vector<Value*> child_masks) {
  const LayerSpec& wrapped = layer().children.at(child);
  const std::string prefix = (wrapped_.empty() ? "" : wrapped_.back().prefix) + wrapped.name + "/";
  const LayerLowering* entry = find_layer_lowering(wrapped.class_name);
  if (entry == nullptr) refuse("wrapped class \"" + wrapped.class_name + "\" is not supported");
  child_masks.resize(child_inputs.size(), nullptr);
  std::swap(inputs, child_inputs);
  std::swap(masks, child_masks);
  wrapped_.push_back({&wrapped, prefix});
  Values outputs = entry->lower(*this);
  for (Value*& value : outputs.list) value = regularize_activity(value, wrapped.activity_regularizer);
  wrapped_.pop_back();
  std::swap(masks, child_masks);
  std::swap(inputs, child_inputs);
  return outputs;
}

std::vector<Value*> Lowering::place(std::unique_ptr<Operation> operation, std::vector<Value*> from,
                                    std::vector<Shape> shapes, std::vector<int> weights) {
  if (graph.operations.size() >= kMaxOperations) refuse("the network takes too many operations");
  bool needs_gradient = false;
  for (const Value* input : from) needs_gradient |= input->needs_gradient;
  for (const int index : weights) {
    if (index < 0) continue;
    operation->weights.push_back({index, {}, {}});
    needs_gradient |= layout.weights[index].is_trainable;
  }
  for (Shape& shape : shapes) {
    auto value = std::make_unique<Value>();
    value->shape = std::move(shape);
    value->steps = from.empty() ? 1 : from.front()->steps;
    value->producer = operation.get();
    value->needs_gradient = needs_gradient;
    operation->outputs.push_back(value.get());
    graph.values.push_back(std::move(value));
  }
  operation->inputs = std::move(from);
  operation->is_training = purpose == Purpose::kTraining;
  graph.operations.push_back(std::move(operation));
  return graph.operations.back()->outputs;
}

void Lowering::refuse(const std::string& what) const {
  throw Error(ErrorCode::kNotSupported, "layer \"" + layer().name + "\": " + what);
}

Graph lower(const ModelSpec& model, const StateLayout& layout, Purpose purpose,
            const std::vector<bool>& drop_final_activations) {
  Graph graph;
  Lowering lowering(model, layout, graph, purpose);
  Lowered lowered{std::vector<std::vector<Value*>>(model.nodes.size()),
                  std::vector<std::vector<Value*>>(model.nodes.size())};
  for (const int input : model.inputs) {
    graph.inputs.push_back(add_input(graph, model.nodes[input].output_shapes.front()));
    lowered.values[input] = {graph.inputs.back()};
    lowered.masks[input] = {nullptr};
  }
  const std::vector<bool> needed = needed_nodes(model);
  for (int node = 0; node < static_cast<int>(model.nodes.size()); ++node) {
    if (!needed[node] || !lowered.values[node].empty()) continue;
    lowering.begin_call(node);
    lower_call(lowering, lowered);
  }
  for (const TensorRef& output : model.outputs) {
    Value* value = lowered.values[output.node].at(output.output);
    graph.outputs.push_back({value, value, lowered.masks[output.node].at(output.output)});
  }
  for (std::size_t index = 0; index < graph.outputs.size(); ++index) {
    GraphOutput& end = graph.outputs[index];
    end.logits = end.output;
    if (!shows_activation(model, model.outputs[index], *end.output)) continue;
    split_final_activation(graph, graph.outputs[index], drop_final_activations.at(index));
  }
  ForkInserter(graph).run();
  merge_relus(graph);
  mark_overwritable(graph);
  return graph;
}

}  // namespace modelhop::engine
