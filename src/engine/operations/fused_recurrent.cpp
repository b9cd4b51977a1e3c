// SPDX-License-Identifier: Apache-2.0
// Recurrent layers on the CPU: one product for the input of all steps, one for the state of each, loops for the rest;
// backward the same, and the kernels' gradients in one product each. A third of autograd's time (bench/engine_step).
#include "engine/operations/fused_recurrent.hpp"

#include <ATen/ops/addmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/flip.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include "engine/random.hpp"

namespace modelhop::engine {
namespace {

float* floats(at::Tensor& tensor) {
  return tensor.mutable_data_ptr<float>();
}

/// [rows, steps, ...] <-> [steps, rows, ...], turned around where the loop goes backwards.
at::Tensor turned(const at::Tensor& tensor, bool is_reversed, int step_axis) {
  return (is_reversed ? tensor.flip(step_axis) : tensor).transpose(0, 1);
}

/// All steps' rows under each other.
at::Tensor as_rows(const at::Tensor& tensor) {
  return tensor.flatten(0, 1);
}

bool has_loops(const Recurrence& cell, SemanticsProfile profile) {
  const bool is_drawn_at_steps = cell.recurrent_dropout > 0.0 || (cell.dropout > 0.0 && cell.dropout_per_gate);
  // A masked first step then gives zeros while the state is kept.
  const bool parts_from_state =
      cell.has_mask && cell.given_states > 0 && !cell.zeroes_masked && !cell.repeats_given_state;
  return cell.kind != CellKind::kConvLstm && !is_drawn_at_steps && !parts_from_state &&
         loop_activation(cell.activation_name, profile) && loop_activation(cell.gate_activation_name, profile);
}

}  // namespace

RecurrentOperation::RecurrentOperation(const Recurrence& recurrence, SemanticsProfile profile)
    : AutogradOperation([recurrence](const ForwardInputs& given) { return run_recurrence(recurrence, given); }),
      cell_(recurrence),
      is_fused_(has_loops(recurrence, profile)) {
  if (!is_fused_) return;
  loop_.units = recurrence.state_shape.front();
  loop_.activation = *loop_activation(recurrence.activation_name, profile);
  loop_.gate_activation = *loop_activation(recurrence.gate_activation_name, profile);
}

void RecurrentOperation::prepare(std::int64_t rows, const at::TensorOptions& options) {
  is_fused_ = is_fused_ && options.device().is_cpu();
  if (is_fused_) allocate(rows, options);
}

void RecurrentOperation::allocate(std::int64_t rows, const at::TensorOptions& options) {
  loop_.rows = rows;
  steps_ = inputs[0]->shape[0];
  const std::int64_t units = loop_.units;
  const auto matrices = [&](std::int64_t count, std::int64_t columns, std::vector<at::Tensor>& views) {
    const at::Tensor all = at::zeros({count, rows, columns}, options);
    views = all.unbind(0);
    return all;
  };
  sequence_ = at::empty({steps_, rows, inputs[0]->shape[1]}, options);
  gates_ = matrices(steps_, width(), gates_at_);
  states_ = matrices(steps_ + 1, units, states_at_);
  if (has_carry()) {
    carries_ = matrices(steps_ + 1, units, carries_at_);
    bent_ = matrices(steps_, units, bent_at_);
  } else if (is_gru() && cell_.reset_after) {
    products_ = matrices(steps_, width(), products_at_);
  } else if (is_gru()) {
    left_ = matrices(steps_, units, left_at_);
  }
  if (cell_.has_mask) mask_ = at::empty({steps_, rows}, options);
  if (cell_.dropout > 0.0) dropout_mask_ = at::empty({rows, inputs[0]->shape[1]}, options);
  allocate_output(rows, options);
  for (std::size_t index = 1; index < outputs.size(); ++index) {
    outputs[index]->data = (index == 1 ? states_at_ : carries_at_).back();
    outputs[index]->is_preallocated = true;
  }
}

RowMask RecurrentOperation::mask_at(std::int64_t step) const {
  return cell_.has_mask ? mask_.const_data_ptr<float>() + step * loop_.rows : nullptr;
}

at::Tensor RecurrentOperation::input_bias() const {
  const at::Tensor& bias = weights[2].data;
  return cell_.has_split_bias ? bias.view({2, -1}).select(0, 0) : bias;
}

void RecurrentOperation::take_inputs(const Step& step) {
  sequence_.copy_(turned(inputs[0]->data, cell_.reverses_input, 1));
  if (cell_.has_mask) mask_.copy_(turned(inputs.back()->data, cell_.reverses_mask, 1));
  if (cell_.dropout > 0.0) {
    dropout_mask({floats(dropout_mask_), static_cast<std::size_t>(dropout_mask_.numel())}, cell_.dropout,
                 step.configuration_seed, step.number, cell_.input_stream);
    sequence_.mul_(dropout_mask_);
  }
  for (int state = 0; state < cell_.states(); ++state) {
    at::Tensor& first = (state == 0 ? states_at_ : carries_at_).front();
    if (cell_.given_states > 0) {
      first.copy_(inputs[1 + static_cast<std::size_t>(state)]->data);
    } else {
      first.zero_();
    }
  }
}

void RecurrentOperation::forward(const Step& step) {
  if (!is_fused_) return AutogradOperation::forward(step);
  take_inputs(step);
  at::Tensor sums = as_rows(gates_);
  if (cell_.bias >= 0) {
    at::addmm_out(sums, input_bias(), as_rows(sequence_), weights[0].data);
  } else {
    at::mm_out(sums, as_rows(sequence_), weights[0].data);
  }
  // The state's bias meets the input's where no gate stands between them.
  if (cell_.has_split_bias && !is_gru()) sums.add_(weights[2].data.view({2, -1}).select(0, 1));
  for (std::size_t index = 0; index < gates_at_.size(); ++index) step_forward(index);
  put_outputs();
}

void RecurrentOperation::step_forward(std::size_t step) {
  at::Tensor& state = states_at_[step];
  at::Tensor& next = states_at_[step + 1];
  at::Tensor& gates = gates_at_[step];
  const at::Tensor& recurrent = weights[1].data;
  const RowMask mask = mask_at(static_cast<std::int64_t>(step));
  const std::int64_t units = loop_.units;
  if (!is_gru()) at::addmm_out(gates, gates, state, recurrent);
  if (has_carry()) {
    lstm_forward(loop_, floats(state), floats(carries_at_[step]), floats(gates), floats(carries_at_[step + 1]),
                 floats(bent_at_[step]), floats(next), mask);
  } else if (!is_gru()) {
    simple_forward(loop_, floats(state), floats(gates), floats(next), mask);
  } else if (cell_.reset_after) {
    at::Tensor& products = products_at_[step];
    if (cell_.bias >= 0) {
      at::addmm_out(products, weights[2].data.view({2, -1}).select(0, 1), state, recurrent);
    } else {
      at::mm_out(products, state, recurrent);
    }
    gru_after_forward(loop_, floats(state), floats(gates), floats(products), floats(next), mask);
  } else {
    at::Tensor update_and_reset = gates.narrow(1, 0, 2 * units), candidate = gates.narrow(1, 2 * units, units);
    at::addmm_out(update_and_reset, update_and_reset, state, recurrent.narrow(1, 0, 2 * units));
    gru_before_gates(loop_, floats(state), floats(gates), floats(left_at_[step]));
    at::addmm_out(candidate, candidate, left_at_[step], recurrent.narrow(1, 2 * units, units));
    gru_before_forward(loop_, floats(state), floats(gates), floats(next), mask);
  }
}

void RecurrentOperation::put_outputs() {
  const at::Tensor results = states_.narrow(0, 1, steps_);
  if (cell_.returns_sequence) {
    output().data.copy_(results.transpose(0, 1));
    if (cell_.zeroes_masked && cell_.has_mask) output().data.mul_(mask_.t().unsqueeze(-1));
  } else {
    output().data.copy_(states_at_.back());
    if (cell_.zeroes_masked && cell_.has_mask) output().data.mul_(mask_[steps_ - 1].unsqueeze(-1));
  }
}

void RecurrentOperation::backward(const Step& step) {
  if (!is_fused_) return AutogradOperation::backward(step);
  at::Tensor gradient = at::zeros_like(states_at_.front()), carry_gradient, of_sequence;
  if (has_carry()) carry_gradient = at::zeros_like(gradient);
  if (const at::Tensor& given = output().gradient; given.defined() && cell_.returns_sequence) {
    of_sequence = given.transpose(0, 1).contiguous();
    if (cell_.zeroes_masked && cell_.has_mask) of_sequence.mul_(mask_.unsqueeze(-1));
  } else if (given.defined()) {
    gradient.add_(cell_.zeroes_masked && cell_.has_mask ? given.mul(mask_[steps_ - 1].unsqueeze(-1)) : given);
  }
  if (outputs.size() > 1 && outputs[1]->gradient.defined()) gradient.add_(outputs[1]->gradient);
  if (outputs.size() > 2 && outputs[2]->gradient.defined()) carry_gradient.add_(outputs[2]->gradient);
  for (std::size_t index = gates_at_.size(); index-- > 0;) {
    if (of_sequence.defined()) gradient.add_(of_sequence[static_cast<std::int64_t>(index)]);
    step_backward(index, gradient, carry_gradient);
  }
  put_weight_gradients();
  if (inputs[0]->needs_gradient) put_input_gradient();
  for (int state = 0; state < cell_.given_states; ++state) {
    Value* given = inputs[1 + static_cast<std::size_t>(state)];
    if (given->needs_gradient) given->gradient = state == 0 ? gradient : carry_gradient;
  }
}

void RecurrentOperation::step_backward(std::size_t step, at::Tensor& gradient, at::Tensor& carry_gradient) {
  at::Tensor& state = states_at_[step];
  at::Tensor& gates = gates_at_[step];
  const at::Tensor back = weights[1].data.t();
  const RowMask mask = mask_at(static_cast<std::int64_t>(step));
  const std::int64_t units = loop_.units;
  if (has_carry()) {
    lstm_backward(loop_, floats(gradient), floats(carry_gradient), floats(carries_at_[step]), floats(bent_at_[step]),
                  floats(gates), mask);
    at::addmm_out(gradient, gradient, gates, back);
  } else if (!is_gru()) {
    simple_backward(loop_, floats(gradient), floats(gates), mask);
    at::addmm_out(gradient, gradient, gates, back);
  } else if (cell_.reset_after) {
    gru_after_backward(loop_, floats(gradient), floats(state), floats(gates), floats(products_at_[step]), mask);
    at::addmm_out(gradient, gradient, products_at_[step], back);
  } else {
    gru_before_candidate_backward(loop_, floats(gradient), floats(state), floats(gates), mask);
    at::Tensor left_gradient = at::mm(gates.narrow(1, 2 * units, units), back.narrow(0, 2 * units, units));
    gru_before_reset_backward(loop_, floats(gradient), floats(state), floats(gates), floats(left_gradient), mask);
    at::addmm_out(gradient, gradient, gates.narrow(1, 0, 2 * units), back.narrow(0, 0, 2 * units));
  }
}

void RecurrentOperation::put_weight_gradients() {
  const at::Tensor gates = as_rows(gates_);
  const at::Tensor states = as_rows(states_.narrow(0, 0, steps_)).t();
  const std::int64_t units = loop_.units;
  if (weights[0].learns()) at::mm_out(weights[0].gradient, as_rows(sequence_).t(), gates);
  if (weights[1].learns()) {
    at::Tensor& gradient = weights[1].gradient;
    if (products_.defined()) {
      at::mm_out(gradient, states, as_rows(products_));
    } else if (left_.defined()) {
      gradient.narrow(1, 0, 2 * units).copy_(at::mm(states, gates.narrow(1, 0, 2 * units)));
      gradient.narrow(1, 2 * units, units).copy_(at::mm(as_rows(left_).t(), gates.narrow(1, 2 * units, units)));
    } else {
      at::mm_out(gradient, states, gates);
    }
  }
  if (cell_.bias < 0 || !weights[2].learns()) return;
  at::Tensor of_bias = weights[2].gradient;
  if (cell_.has_split_bias) {
    at::Tensor halves = of_bias.view({2, -1}), input_half = halves.select(0, 0);
    at::sum_out(input_half, gates, {0});
    halves.select(0, 1).copy_(products_.defined() ? as_rows(products_).sum(0) : input_half);
  } else {
    at::sum_out(of_bias, gates, {0});
  }
}

void RecurrentOperation::put_input_gradient() {
  at::Tensor gradient = at::mm(as_rows(gates_), weights[0].data.t()).view(sequence_.sizes());
  if (cell_.dropout > 0.0) gradient.mul_(dropout_mask_);
  inputs[0]->gradient = turned(gradient, cell_.reverses_input, 0).contiguous();
}

}  // namespace modelhop::engine
