// SPDX-License-Identifier: Apache-2.0
// One step of a plan: reads values and weights, writes one value; backward does the same for gradients.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "modelhop/model_spec.hpp"

namespace modelhop::engine {

class Operation;

/// What flows between two operations. Activations are channels last, as Keras's: data is [rows, extents...],
/// contiguous. After lowering every value has one consumer at most (a ForkOperation serves several).
struct Value {
  Shape shape;  ///< of one example
  bool needs_gradient = false;
  /// Its only consumer may change `data` in place: no backward reads it.
  bool may_overwrite = false;
  Operation* producer = nullptr;  ///< null for the model's input
  at::Tensor data;                ///< preallocated by its producer, or assigned in each forward
  at::Tensor gradient;  ///< assigned by its consumer in each backward, which must own it: it may be changed in place
  bool is_preallocated = false;  ///< `data` stays from step to step
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
  /// Called only where the output needs a gradient. Assigns the gradient of each input that needs one.
  virtual void backward(const Step& step) = 0;
  /// Backward reads the output's data, so nobody may overwrite it.
  virtual bool keeps_output() const { return true; }

  std::vector<Value*> inputs;
  Value* output = nullptr;
  std::vector<WeightUse> weights;
  bool is_training = false;

 protected:
  const Value& input() const { return *inputs.front(); }
  /// Allocates the output's data as [rows, extents...].
  void allocate_output(std::int64_t rows, const at::TensorOptions& options);
};

/// The full sizes of a value: rows, then its extents.
std::vector<std::int64_t> sizes_of(std::int64_t rows, const Shape& shape);

/// An ATen expression whose backward autograd derives: correct for any layer, and slower than an operation of its own.
class AutogradOperation : public Operation {
 public:
  using Forward = std::function<at::Tensor(std::span<const at::Tensor> inputs, std::span<const at::Tensor> weights)>;
  explicit AutogradOperation(Forward forward) : forward_(std::move(forward)) {}

  void forward(const Step& step) override;
  void backward(const Step& step) override;
  bool keeps_output() const override { return true; }

 private:
  Forward forward_;
  std::vector<at::Tensor> leaves_;  ///< inputs and weights that learn, of the last forward
  at::Tensor result_;
};

}  // namespace modelhop::engine
