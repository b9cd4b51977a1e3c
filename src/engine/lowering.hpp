// SPDX-License-Identifier: Apache-2.0
// Layers of Keras -> operations. Each layer class has one lowering function, in a file of operations/, named in the
// list of its file; layer_lowerings.cpp joins the lists.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/loss.hpp"
#include "engine/operation.hpp"
#include "engine/state_layout.hpp"
#include "modelhop/model_spec.hpp"

namespace modelhop::engine {

/// One output of the model.
struct GraphOutput {
  Value* logits = nullptr;  ///< before the final activation; equals `output` where there is none
  Value* output = nullptr;
  Value* mask = nullptr;  ///< [rows, steps], null: all count
  FinalActivation final_activation = FinalActivation::kNone;
};

/// A network as operations in an order that respects dependencies. No tensors yet.
struct Graph {
  std::vector<std::unique_ptr<Value>> values;
  std::vector<std::unique_ptr<Operation>> operations;
  std::vector<Value*> inputs;  ///< in the order of ModelSpec::inputs
  std::vector<GraphOutput> outputs;
};

/// What a graph is made for. Inference leaves out what only training does.
enum class Purpose { kTraining, kInference };

/// Throws kNotSupported for a layer class or attribute that has no lowering.
/// `drop_final_activations`, per output: the loss takes logits, so that training does without the final activation.
Graph lower(const ModelSpec& model, const StateLayout& layout, Purpose purpose,
            const std::vector<bool>& drop_final_activations);

/// The outputs of a lowered call, in Keras's order.
struct Values {
  Values(Value* only) : list{only} {}  // NOLINT(google-explicit-constructor): most layers have one
  Values(std::vector<Value*> several) : list(std::move(several)) {}  // NOLINT(google-explicit-constructor)
  std::vector<Value*> list;
};

/// One call of a layer while it is being lowered.
class Lowering {
 public:
  Lowering(const ModelSpec& model, const StateLayout& layout, Graph& graph, Purpose purpose)
      : model(model), layout(layout), graph(graph), purpose(purpose) {}

  /// The layer that is being lowered: a wrapped one while its wrapper lowers it.
  const LayerSpec& layer() const { return wrapped_.empty() ? model.layers[call().layer] : *wrapped_.back().layer; }
  const NodeSpec& call() const { return model.nodes[node]; }
  const Shape& output_shape() const { return output_shapes().front(); }
  const std::vector<Shape>& output_shapes() const {
    return wrapped_.empty() ? call().output_shapes : layer().output_shapes;
  }
  const Shape& input_shape(int index = 0) const { return inputs[index]->shape; }

  /// Index of the layer's weight of that name, -1 where it has none.
  int weight(const std::string& name) const;
  /// Whether the layer behaves as in training: by the plan's purpose, or, before Keras 3, as the
  /// call's `training` argument says.
  bool is_training() const;
  /// Of each input (NodeSpec::roles). A wrapped layer is given its inputs by position.
  std::vector<std::string> roles() const {
    return wrapped_.empty() ? call().roles : std::vector<std::string>(inputs.size());
  }
  /// The input in that role, null where there is none.
  Value* input_of(const std::string& role) const;
  /// Lowers wrapped layer number `child` on these inputs, with the wrapper's call. `masks` of the wrapped layer's
  /// inputs.
  Values lower_child(std::size_t child, std::vector<Value*> child_inputs, std::vector<Value*> child_masks = {});

  /// Adds an operation on `from` with the named weights (indexes; -1 is left out); returns its output. The output has
  /// as many rows per example as the first input.
  template <typename Op, typename... Arguments>
  Value* emit(std::vector<Value*> from, Shape shape, std::vector<int> weights, Arguments&&... arguments) {
    return emit_several<Op>(std::move(from), {std::move(shape)}, std::move(weights),
                            std::forward<Arguments>(arguments)...)
        .front();
  }
  /// The same with an output for each shape.
  template <typename Op, typename... Arguments>
  std::vector<Value*> emit_several(std::vector<Value*> from, std::vector<Shape> shapes, std::vector<int> weights,
                                   Arguments&&... arguments) {
    return place(std::make_unique<Op>(std::forward<Arguments>(arguments)...), std::move(from), std::move(shapes),
                 std::move(weights));
  }
  /// A number that tells the random streams of a network apart: another one each time it is asked for.
  std::uint32_t stream_number() { return static_cast<std::uint32_t>(node) + (streams_++ << 20); }
  /// What the layer computes before this activation makes it its output: glu halves the last axis.
  Shape shape_before(const std::string& activation) const;
  /// Applies an activation function by its Keras name.
  Value* activate(Value* value, const std::string& activation);
  /// The same value with a penalty on it (operations/activity.cpp).
  Value* regularize_activity(Value* value, const RegularizerSpec& regularizer);
  [[noreturn]] void refuse(const std::string& what) const;

  const ModelSpec& model;
  const StateLayout& layout;
  Graph& graph;
  Purpose purpose;
  int node = 0;
  std::vector<Value*> inputs;
  std::vector<Value*> masks;  ///< of the inputs; null: all count
  /// Per output, set by layers of MaskRule::kOwn; empty: none has a mask.
  std::vector<Value*> output_masks;

  /// Starts the lowering of call number `number`.
  void begin_call(int number) {
    node = number;
    streams_ = 0;
    inputs.clear();
    masks.clear();
    output_masks.clear();
  }

 private:
  std::vector<Value*> place(std::unique_ptr<Operation> operation, std::vector<Value*> from, std::vector<Shape> shapes,
                            std::vector<int> weights);

  struct Wrapped {
    const LayerSpec* layer;
    std::string prefix;  ///< of the names of its weights in the outermost layer
  };
  std::vector<Wrapped> wrapped_;
  std::uint32_t streams_ = 0;  ///< given out in this call
};

struct LayerLowering {
  std::string_view class_name;
  Values (*lower)(Lowering& lowering);
};

/// Null where the class has none.
const LayerLowering* find_layer_lowering(std::string_view class_name);

// The lists of operations/ that layer_lowerings.cpp joins.
std::span<const LayerLowering> activation_lowerings();
std::span<const LayerLowering> activity_lowerings();
std::span<const LayerLowering> attention_lowerings();
std::span<const LayerLowering> batch_normalization_lowerings();
std::span<const LayerLowering> convolution_lowerings();
std::span<const LayerLowering> dense_lowerings();
std::span<const LayerLowering> dropout_lowerings();
std::span<const LayerLowering> max_pooling_lowerings();
std::span<const LayerLowering> merge_lowerings();
std::span<const LayerLowering> normalization_lowerings();
std::span<const LayerLowering> embedding_lowerings();
std::span<const LayerLowering> image_lowerings();
std::span<const LayerLowering> operation_node_lowerings();
std::span<const LayerLowering> pooling_lowerings();
std::span<const LayerLowering> recurrent_lowerings();
std::span<const LayerLowering> resampling_lowerings();
std::span<const LayerLowering> shape_lowerings();
std::span<const LayerLowering> wrapper_lowerings();

/// What MaskRule::kMerged makes of the masks of a call's inputs; null: all count.
Value* merge_masks(Lowering& lowering);

/// Passes one value on to several consumers and sums their gradients.
std::unique_ptr<Operation> make_fork();

bool is_relu(const Operation& operation);
/// Leaves relu to the operation after or before it, where that one takes it over: a pass over memory less each way.
/// Every value must have one consumer at most.
void merge_relus(Graph& graph);

/// The softmax or sigmoid that a final activation is; nothing else is recognised.
FinalActivation final_activation_of(const Operation& operation);

}  // namespace modelhop::engine
