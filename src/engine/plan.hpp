// SPDX-License-Identifier: Apache-2.0
// A network compiled for one number of rows: operations over tensors, to which the weights of one state at a time are
// bound as views of its flat buffers.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/flat_state.hpp"
#include "engine/gather.hpp"
#include "engine/lowering.hpp"
#include "engine/network.hpp"

namespace modelhop::engine {

/// Restricts this thread to libtorch's kernels: no autograd bookkeeping, one compute thread. Plans run inside one.
class ComputeScope {
 public:
  ComputeScope();
  ~ComputeScope();
  ComputeScope(const ComputeScope&) = delete;
  ComputeScope& operator=(const ComputeScope&) = delete;

 private:
  struct Guards;
  std::unique_ptr<Guards> guards_;
};

class Plan {
 public:
  Plan(const Network& network, Purpose purpose, std::int64_t rows);

  std::int64_t rows() const { return rows_; }
  /// About what the plan keeps: activations, their gradients, and the gradients of the weights.
  std::int64_t retained_bytes() const;

  /// A mini-batch of `rows` examples comes in here: features and, where `dependent` has rows, targets.
  void load(const RowList& independent, float scale, const RowList& dependent);

  /// Makes views of the state's buffers. Until release() the plan shares their ownership.
  void bind(const FlatState& state);
  void release();

  /// Forward, loss and backward on the loaded batch, with gradients in gradients(); no update. Returns the sum of
  /// per-example losses.
  double compute_gradients(const Step& step);
  /// Forward on the loaded batch.
  void run_forward(const Step& step);

  at::Tensor& gradients() { return gradients_; }
  const at::Tensor& logits() const { return graph_.logits->data; }
  const at::Tensor& output() const { return graph_.output->data; }
  const at::Tensor& target() const { return target_; }

 private:
  void allocate_inputs(const Network& network, const at::TensorOptions& options);
  void link_weights(const at::TensorOptions& options);

  Purpose purpose_;
  std::int64_t rows_;
  Objective objective_;
  Graph graph_;
  at::Tensor host_input_, host_target_, target_;  ///< host tensors are the same as the device's on the CPU
  std::int64_t target_classes_ = 0;
  at::Tensor gradients_, loss_gradient_;
  bool has_idle_weights_ = false;  ///< some weight that learns is used by no operation
  /// Gradients of a weight's further uses, added to its first: use, and the weight's place in gradients_.
  struct FurtherUse {
    Operation* operation;
    at::Tensor gradient, sum;
  };
  std::vector<FurtherUse> further_uses_;
  const StateLayout layout_;
};

}  // namespace modelhop::engine
