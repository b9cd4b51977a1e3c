// SPDX-License-Identifier: Apache-2.0
// The frequent recurrences with a forward and a backward of their own on the CPU.
#pragma once

#include "engine/operations/recurrent_cell.hpp"
#include "engine/recurrent_loops.hpp"

namespace modelhop::engine {

/// Runs a Recurrence: by products and vectorized loops on the CPU where they do what it says, else as the expression of
/// recurrent_cell.hpp.
class RecurrentOperation final : public AutogradOperation {
 public:
  RecurrentOperation(const Recurrence& recurrence, SemanticsProfile profile);

  void prepare(std::int64_t rows, const at::TensorOptions& options) override;
  void forward(const Step& step) override;
  void backward(const Step& step) override;
  bool keeps_output() const override { return !is_fused_ || cell_.returns_state; }

 private:
  bool has_carry() const { return cell_.kind == CellKind::kLstm; }
  bool is_gru() const { return cell_.kind == CellKind::kGru; }
  std::int64_t width() const { return cell_.gates() * loop_.units; }
  RowMask mask_at(std::int64_t step) const;

  void allocate(std::int64_t rows, const at::TensorOptions& options);
  void allocate_gradients(const at::TensorOptions& options);
  void take_inputs(const Step& step);
  void step_forward(std::int64_t step);
  void step_forward_gru(std::int64_t step);
  void put_outputs();
  void step_backward(std::int64_t step, float* gradient, float* carry_gradient);
  void step_backward_gru(std::int64_t step, float* gradient);
  void put_input_gradient(std::int64_t step);
  void put_weight_gradients(std::int64_t first, std::int64_t count);

  Recurrence cell_;
  CellLoop loop_;
  bool is_fused_ = false;
  std::int64_t steps_ = 0, features_ = 0;
  std::int64_t steps_at_once_ = 1;  ///< whose gradients of weights are taken in one product
  at::Tensor sequence_;             ///< [steps, rows, features], in the order in which the steps are taken
  at::Tensor gates_;                ///< [steps, rows, gates * units]: sums, then values, in backward their gradients
  at::Tensor products_;             ///< the same of the state's products, of a GRU with reset_after
  at::Tensor left_;                 ///< [steps, rows, units]: what the reset gate leaves, of a GRU without
  at::Tensor states_, carries_;     ///< [steps + 1, rows, units]
  at::Tensor bent_;                 ///< [steps, rows, units]: activations of the carries
  at::Tensor mask_;                 ///< [steps, rows]
  at::Tensor dropout_mask_;         ///< [rows, features]
  at::Tensor kernel_back_, recurrent_back_;  ///< transposed kernels: BLAS is twice as fast with them (product.hpp)
  at::Tensor input_gradient_;                ///< [rows, steps, features]
  at::Tensor left_gradient_;                 ///< [rows, units]
  at::Tensor ones_;
};

}  // namespace modelhop::engine
