// SPDX-License-Identifier: Apache-2.0
// One step of a plan: reads values and weights, writes one value; backward does the same for gradients.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "modelhop/model_spec.hpp"

namespace modelhop::engine {

class Operation;
class SparseRows;

/// What flows between two operations. Activations are channels last, as Keras's: data is [rows, extents...],
/// contiguous. After lowering every value has one consumer at most (a ForkOperation serves several).
struct Value {
  Shape shape;  ///< of one example
  /// Rows per example of the batch: 1, or the number of steps between the two ends of a TimeDistributed.
  std::int64_t steps = 1;
  bool needs_gradient = false;
  /// Its only consumer may change `data` in place: no backward reads it.
  bool may_overwrite = false;
  Operation* producer = nullptr;  ///< null for the model's input
  at::Tensor data;                ///< preallocated by its producer, or assigned in each forward
  /// Assigned by its consumer in each backward, which must own it: it may be changed in place. Undefined where the
  /// consumer does not depend on the value, or where there is none.
  at::Tensor gradient;
  bool is_preallocated = false;  ///< `data` stays from step to step
  /// Of the model's input, where its only consumer takes sparse rows: filled instead of `data` where the batch is
  /// sparse.
  SparseRows* sparse = nullptr;
  bool is_end = false;  ///< losses or callers read `data` when all operations have run
};

/// A weight as one operation sees it. `gradient` is undefined where the weight does not learn; otherwise backward
/// overwrites it. Both have the shape FlatState::weight() says.
struct WeightUse {
  int index = 0;  ///< in get_weights() order
  at::Tensor data;
  at::Tensor gradient;
  bool learns() const { return gradient.defined(); }
};

/// What changes from step to step.
struct Step {
  std::uint64_t configuration_seed = 0;
  std::uint64_t number = 0;  ///< completed optimizer steps
};

class Operation {
 public:
  virtual ~Operation() = default;

  /// Called once, when shapes and devices are known and before the first forward: allocates what stays.
  virtual void prepare(std::int64_t rows, const at::TensorOptions& options) {
    static_cast<void>(rows);
    static_cast<void>(options);
  }
  /// Called when the weights were bound to another state.
  virtual void bind() {}
  /// Drops every tensor that bind() made.
  virtual void unbind() {}
  virtual void forward(const Step& step) = 0;
  /// Called only where an output has a gradient. Assigns the gradient of each input that needs one.
  virtual void backward(const Step& step) = 0;
  /// Backward reads the output's data, so nobody may overwrite it.
  virtual bool keeps_output() const { return true; }
  /// Takes over the relu that is the only consumer of the output: forward and backward become those of both. False:
  /// does not.
  virtual bool absorb_relu_of_output() { return false; }
  /// The same for a relu that made the only input.
  virtual bool absorb_relu_of_input() { return false; }
  /// What the last forward adds to the mean loss of its batch (activity regularization); backward adds its gradient.
  virtual double penalty() const { return 0.0; }

  Value& output() const { return *outputs.front(); }
  bool needs_gradient() const;  ///< one of the outputs does

  std::vector<Value*> inputs;
  std::vector<Value*> outputs;
  std::vector<WeightUse> weights;
  bool is_training = false;  ///< the plan is one for training: backward will be called

 protected:
  const Value& input() const { return *inputs.front(); }
  /// Allocates the output's data as [rows, extents...].
  void allocate_output(std::int64_t rows, const at::TensorOptions& options);
};

/// The full sizes of a value: rows, then its extents.
std::vector<std::int64_t> sizes_of(std::int64_t rows, const Shape& shape);

/// What an expression is given in one forward. `inputs` and `weights` as the operation's.
struct ForwardInputs {
  std::span<const at::Tensor> inputs;
  std::span<const at::Tensor> weights;
  const Step& step;
};

/// An ATen expression whose backward autograd derives: correct for any layer, and slower than an operation of its own.
class AutogradOperation : public Operation {
 public:
  using Forward = std::function<std::vector<at::Tensor>(const ForwardInputs&)>;

  /// `forward` gives one tensor per output; a function that gives a single at::Tensor is accepted too.
  template <typename Function>
  explicit AutogradOperation(Function forward) {
    if constexpr (std::is_same_v<std::invoke_result_t<Function, const ForwardInputs&>, at::Tensor>) {
      forward_ = [one = std::move(forward)](const ForwardInputs& given) { return std::vector<at::Tensor>{one(given)}; };
    } else {
      forward_ = std::move(forward);
    }
  }

  void forward(const Step& step) override;
  void backward(const Step& step) override;
  void unbind() override;
  bool keeps_output() const override { return true; }

 private:
  Forward forward_;
  std::vector<at::Tensor> leaves_;  ///< inputs and weights that learn, of the last forward
  std::vector<at::Tensor> results_;
};

}  // namespace modelhop::engine
