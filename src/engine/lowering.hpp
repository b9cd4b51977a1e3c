// SPDX-License-Identifier: Apache-2.0
// Layers of Keras -> operations. Each layer class has one lowering function, in operations/, named in one table
// (lowering.cpp).
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/loss.hpp"
#include "engine/operation.hpp"
#include "engine/state_layout.hpp"
#include "modelhop/model_spec.hpp"

namespace modelhop::engine {

/// A network as operations in an order that respects dependencies. No tensors yet.
struct Graph {
  std::vector<std::unique_ptr<Value>> values;
  std::vector<std::unique_ptr<Operation>> operations;
  Value* input = nullptr;
  Value* logits = nullptr;  ///< before the final activation; equals `output` where there is none
  Value* output = nullptr;
  FinalActivation final_activation = FinalActivation::kNone;
};

/// What a graph is made for. Inference leaves out what only training does.
enum class Purpose { kTraining, kInference };

/// Throws kNotSupported for a layer class or attribute that has no lowering.
/// `drop_final_activation`: the loss takes logits, so that training does without the final activation.
Graph lower(const ModelSpec& model, const StateLayout& layout, Purpose purpose, bool drop_final_activation);

/// One call of a layer while it is being lowered.
class Lowering {
 public:
  Lowering(const ModelSpec& model, const StateLayout& layout, Graph& graph, Purpose purpose)
      : model(model), layout(layout), graph(graph), purpose(purpose) {}

  const LayerSpec& layer() const { return model.layers[model.nodes[node].layer]; }
  const NodeSpec& call() const { return model.nodes[node]; }
  const Shape& output_shape() const { return call().output_shapes.front(); }
  const Shape& input_shape(int index = 0) const { return inputs[index]->shape; }

  /// Index of the layer's weight of that name, -1 where it has none.
  int weight(const std::string& name) const;
  bool is_training() const { return purpose == Purpose::kTraining; }

  /// Adds an operation on `from` with the named weights (indexes; -1 is left out); returns its output.
  template <typename Op, typename... Arguments>
  Value* emit(std::vector<Value*> from, Shape shape, std::vector<int> weights, Arguments&&... arguments) {
    return place(std::make_unique<Op>(std::forward<Arguments>(arguments)...), std::move(from), std::move(shape),
                 std::move(weights));
  }
  /// What the layer computes before this activation makes it its output: glu halves the last axis.
  Shape shape_before(const std::string& activation) const;
  /// Applies an activation function by its Keras name.
  Value* activate(Value* value, const std::string& activation);
  [[noreturn]] void refuse(const std::string& what) const;

  const ModelSpec& model;
  const StateLayout& layout;
  Graph& graph;
  Purpose purpose;
  int node = 0;
  std::vector<Value*> inputs;

 private:
  Value* place(std::unique_ptr<Operation> operation, std::vector<Value*> from, Shape shape, std::vector<int> weights);
};

using LowerLayer = Value* (*)(Lowering&);

// operations/
Value* lower_dense(Lowering& lowering);
Value* lower_activation(Lowering& lowering);
Value* lower_relu(Lowering& lowering);
Value* lower_leaky_relu(Lowering& lowering);
Value* lower_softmax(Lowering& lowering);
Value* lower_dropout(Lowering& lowering);
Value* lower_reshape(Lowering& lowering);
Value* lower_conv2d(Lowering& lowering);
Value* lower_max_pooling2d(Lowering& lowering);
Value* lower_average_pooling2d(Lowering& lowering);
Value* lower_global_average_pooling2d(Lowering& lowering);
Value* lower_global_max_pooling2d(Lowering& lowering);
Value* lower_batch_normalization(Lowering& lowering);
Value* lower_zero_padding2d(Lowering& lowering);
Value* lower_add(Lowering& lowering);
Value* lower_concatenate(Lowering& lowering);

/// Passes one value on to several consumers and sums their gradients.
std::unique_ptr<Operation> make_fork(std::vector<Value*> branches);

/// The softmax or sigmoid that a final activation is; nothing else is recognised.
FinalActivation final_activation_of(const Operation& operation);

}  // namespace modelhop::engine
