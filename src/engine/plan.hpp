// SPDX-License-Identifier: Apache-2.0
// A network compiled for one number of rows: operations over tensors, to which the weights of one state at a time are
// bound as views of its flat buffers.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <span>
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

  /// A mini-batch of `rows` examples comes in here: features and, where `dependent` has arrays, targets and weights.
  void load(const BatchRows& batch);

  /// Makes views of the state's buffers. Until release() the plan shares their ownership.
  void bind(const FlatState& state);
  void release();

  /// Forward, losses and backward on the loaded batch, with gradients in gradients(); no update. Returns the sum of
  /// per-example losses, weighted and with what layers add to them.
  double compute_gradients(const Step& step);
  /// Forward on the loaded batch.
  void run_forward(const Step& step);
  /// Sums of per-example losses of the last forward: adds each output's own to `output_losses`, returns the weighted
  /// sum.
  double losses(std::span<double> output_losses) const;
  /// Adds the last forward to the sums of the metrics in `objective`: those of the model that is being evaluated, since
  /// networks that differ in metrics alone share plans.
  void add_metrics(const Objective& objective, std::span<double> accumulators) const;
  /// Writes the outputs of the last forward, rows × elements of all outputs.
  void copy_outputs(float* out) const;

  at::Tensor& gradients() { return gradients_; }

 private:
  /// A tensor on the plan's device that the host fills; the same tensor where the device is the CPU.
  struct HostFilled {
    at::Tensor host, device;
    HostFilled() = default;
    HostFilled(const std::vector<std::int64_t>& sizes, const at::TensorOptions& options);
    void upload();
  };
  void allocate_inputs(const at::TensorOptions& options);
  void link_weights(const at::TensorOptions& options);
  void load_targets(const BatchRows& batch);
  void load_weights(const BatchRows& batch);
  void multiply_by_class(float* weights) const;
  double loss_of(std::size_t output, at::Tensor* gradient) const;
  double layer_penalties() const;

  Purpose purpose_;
  std::int64_t rows_;
  Objective objective_;  ///< its metrics are those of the network that the plan was made for
  SemanticsProfile profile_;
  Graph graph_;
  std::vector<HostFilled> inputs_, targets_;
  HostFilled sample_weight_;
  bool has_sample_weight_ = false;  ///< of the loaded batch
  at::Tensor gradients_;
  std::vector<at::Tensor> loss_gradients_;  ///< one per output
  bool has_idle_weights_ = false;           ///< some weight that learns is used by no operation
  /// Gradients of a weight's further uses, added to its first: use, and the weight's place in gradients_.
  struct FurtherUse {
    Operation* operation;
    at::Tensor gradient, sum;
  };
  std::vector<FurtherUse> further_uses_;
  const StateLayout layout_;
};

}  // namespace modelhop::engine
