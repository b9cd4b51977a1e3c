// SPDX-License-Identifier: Apache-2.0
// Recurrent layers on the CPU: of each step one product for the input, one for the state and a loop for the rest, while
// the step's matrices are in the cache; backward the same, and the kernels' gradients of several steps at once. A sixth
// to a third of autograd's time (bench/engine_step, with a recurrent_dropout of next to nothing for autograd).
#include "engine/operations/fused_recurrent.hpp"

#include <ATen/ops/add.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/flip.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>

#include "engine/product.hpp"
#include "engine/random.hpp"

namespace modelhop::engine {
namespace {

/// Rows whose gradients of weights are taken at once: enough for a product at full speed, and few enough that the
/// second level of the cache still holds what the steps before have written.
constexpr std::int64_t kRowsAtOnce = 512;

float* floats(const at::Tensor& tensor) {
  return tensor.mutable_data_ptr<float>();
}

/// Where a step's matrix begins.
float* at_step(const at::Tensor& matrices, std::int64_t step) {
  return floats(matrices) + step * matrices.stride(0);
}

Factor factor(const at::Tensor& matrix) {
  return {floats(matrix), matrix.stride(0)};
}

/// [rows, steps, ...] <-> [steps, rows, ...], turned around where the loop goes backwards.
at::Tensor turned(const at::Tensor& tensor, bool is_reversed, int step_axis) {
  return (is_reversed ? tensor.flip(step_axis) : tensor).transpose(0, 1);
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
  features_ = inputs[0]->shape[1];
  const std::int64_t units = loop_.units;
  const auto matrices = [&](std::int64_t count, std::int64_t columns) {
    return at::zeros({count, rows, columns}, options);
  };
  sequence_ = at::empty({steps_, rows, features_}, options);
  gates_ = matrices(steps_, width());
  states_ = matrices(steps_ + 1, units);
  if (has_carry()) {
    carries_ = matrices(steps_ + 1, units);
    bent_ = matrices(steps_, units);
  } else if (is_gru() && cell_.reset_after) {
    products_ = matrices(steps_, width());
  } else if (is_gru()) {
    left_ = matrices(steps_, units);
  }
  if (cell_.has_mask) mask_ = at::empty({steps_, rows}, options);
  if (cell_.dropout > 0.0) dropout_mask_ = at::empty({rows, features_}, options);
  if (is_training) allocate_gradients(options);
  allocate_output(rows, options);
  for (std::size_t index = 1; index < outputs.size(); ++index) {
    outputs[index]->data = (index == 1 ? states_ : carries_)[steps_];
    outputs[index]->is_preallocated = true;
  }
}

void RecurrentOperation::allocate_gradients(const at::TensorOptions& options) {
  steps_at_once_ = std::max<std::int64_t>(1, kRowsAtOnce / loop_.rows);
  recurrent_back_ = at::empty({width(), loop_.units}, options);
  if (left_.defined()) left_gradient_ = at::empty({loop_.rows, loop_.units}, options);
  if (cell_.bias >= 0) ones_ = at::ones({1, steps_at_once_ * loop_.rows}, options);
  if (!inputs[0]->needs_gradient) return;
  kernel_back_ = at::empty({width(), features_}, options);
  input_gradient_ = at::empty({loop_.rows, steps_, features_}, options);
}

RowMask RecurrentOperation::mask_at(std::int64_t step) const {
  return cell_.has_mask ? mask_.const_data_ptr<float>() + step * loop_.rows : nullptr;
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
    at::Tensor first = (state == 0 ? states_ : carries_)[0];
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
  at::Tensor bias = cell_.bias >= 0 ? weights[2].data : at::Tensor();
  if (bias.defined() && cell_.has_split_bias) {
    const at::Tensor halves = bias.view({2, -1});
    // The state's bias meets the input's where no gate stands between them.
    bias = is_gru() ? halves[0] : halves[0].add(halves[1]);
    if (is_gru()) loop_.state_bias = floats(halves[1]);
  }
  loop_.bias = bias.defined() ? floats(bias) : nullptr;
  for (std::int64_t index = 0; index < steps_; ++index) {
    multiply({loop_.rows, width(), features_}, {at_step(sequence_, index), features_}, factor(weights[0].data),
             at_step(gates_, index), width(), false);
    is_gru() ? step_forward_gru(index) : step_forward(index);
  }
  put_outputs();
}

void RecurrentOperation::step_forward(std::int64_t step) {
  const std::int64_t units = loop_.units;
  float *state = at_step(states_, step), *next = at_step(states_, step + 1), *gates = at_step(gates_, step);
  multiply({loop_.rows, width(), units}, {state, units}, factor(weights[1].data), gates, width(), true);
  if (has_carry()) {
    lstm_forward(loop_, state, at_step(carries_, step), gates, at_step(carries_, step + 1), at_step(bent_, step), next,
                 mask_at(step));
  } else {
    simple_forward(loop_, state, gates, next, mask_at(step));
  }
}

void RecurrentOperation::step_forward_gru(std::int64_t step) {
  const std::int64_t rows = loop_.rows, units = loop_.units;
  float *state = at_step(states_, step), *next = at_step(states_, step + 1), *gates = at_step(gates_, step);
  const Factor recurrent = factor(weights[1].data);
  if (cell_.reset_after) {
    float* products = at_step(products_, step);
    multiply({rows, width(), units}, {state, units}, recurrent, products, width(), false);
    gru_after_forward(loop_, state, gates, products, next, mask_at(step));
  } else {
    const Factor of_candidate{recurrent.values + 2 * units, recurrent.stride};
    multiply({rows, 2 * units, units}, {state, units}, recurrent, gates, width(), true);
    gru_before_gates(loop_, state, gates, at_step(left_, step));
    multiply({rows, units, units}, {at_step(left_, step), units}, of_candidate, gates + 2 * units, width(), true);
    gru_before_forward(loop_, state, gates, next, mask_at(step));
  }
}

void RecurrentOperation::put_outputs() {
  const at::Tensor results = states_.narrow(0, 1, steps_);
  if (cell_.returns_sequence) {
    output().data.copy_(results.transpose(0, 1));
    if (cell_.zeroes_masked && cell_.has_mask) output().data.mul_(mask_.t().unsqueeze(-1));
  } else {
    output().data.copy_(states_[steps_]);
    if (cell_.zeroes_masked && cell_.has_mask) output().data.mul_(mask_[steps_ - 1].unsqueeze(-1));
  }
}

void RecurrentOperation::backward(const Step& step) {
  if (!is_fused_) return AutogradOperation::backward(step);
  at::Tensor gradient = at::zeros_like(states_[0]), carry_gradient = at::zeros_like(gradient), of_sequence;
  if (const at::Tensor& given = output().gradient; given.defined() && cell_.returns_sequence) {
    of_sequence = given.transpose(0, 1).contiguous();
    if (cell_.zeroes_masked && cell_.has_mask) of_sequence.mul_(mask_.unsqueeze(-1));
  } else if (given.defined()) {
    gradient.add_(cell_.zeroes_masked && cell_.has_mask ? given.mul(mask_[steps_ - 1].unsqueeze(-1)) : given);
  }
  if (outputs.size() > 1 && outputs[1]->gradient.defined()) gradient.add_(outputs[1]->gradient);
  if (outputs.size() > 2 && outputs[2]->gradient.defined()) carry_gradient.add_(outputs[2]->gradient);
  recurrent_back_.copy_(weights[1].data.t());
  if (input_gradient_.defined()) kernel_back_.copy_(weights[0].data.t());
  for (std::int64_t index = steps_; index-- > 0;) {
    if (of_sequence.defined()) gradient.add_(of_sequence[index]);
    is_gru() ? step_backward_gru(index, floats(gradient))
             : step_backward(index, floats(gradient), floats(carry_gradient));
    if (input_gradient_.defined()) put_input_gradient(index);
    if (index % steps_at_once_ == 0) put_weight_gradients(index, std::min(steps_at_once_, steps_ - index));
  }
  if (input_gradient_.defined()) {
    if (cell_.dropout > 0.0) input_gradient_.mul_(dropout_mask_.unsqueeze(1));
    inputs[0]->gradient = input_gradient_;
  }
  for (int state = 0; state < cell_.given_states; ++state) {
    Value* given = inputs[1 + static_cast<std::size_t>(state)];
    if (given->needs_gradient) given->gradient = state == 0 ? gradient : carry_gradient;
  }
}

void RecurrentOperation::step_backward(std::int64_t step, float* gradient, float* carry_gradient) {
  const std::int64_t units = loop_.units;
  float* gates = at_step(gates_, step);
  if (has_carry()) {
    lstm_backward(loop_, gradient, carry_gradient, at_step(carries_, step), at_step(bent_, step), gates, mask_at(step));
  } else {
    simple_backward(loop_, gradient, gates, mask_at(step));
  }
  multiply({loop_.rows, units, width()}, {gates, width()}, factor(recurrent_back_), gradient, units, true);
}

void RecurrentOperation::step_backward_gru(std::int64_t step, float* gradient) {
  const std::int64_t rows = loop_.rows, units = loop_.units;
  float *state = at_step(states_, step), *gates = at_step(gates_, step);
  const Factor back = factor(recurrent_back_), of_candidate{back.values + 2 * units * back.stride, back.stride};
  if (cell_.reset_after) {
    float* products = at_step(products_, step);
    gru_after_backward(loop_, gradient, state, gates, products, mask_at(step));
    multiply({rows, units, width()}, {products, width()}, back, gradient, units, true);
  } else {
    float* left_gradient = floats(left_gradient_);
    gru_before_candidate_backward(loop_, gradient, state, gates, mask_at(step));
    multiply({rows, units, units}, {gates + 2 * units, width()}, of_candidate, left_gradient, units, false);
    gru_before_reset_backward(loop_, gradient, state, gates, left_gradient, mask_at(step));
    multiply({rows, units, 2 * units}, {gates, width()}, back, gradient, units, true);
  }
}

void RecurrentOperation::put_input_gradient(std::int64_t step) {
  const std::int64_t place = cell_.reverses_input ? steps_ - 1 - step : step;
  multiply({loop_.rows, features_, width()}, {at_step(gates_, step), width()}, factor(kernel_back_),
           floats(input_gradient_) + place * features_, steps_ * features_, false);
}

/// Of `count` steps from `first`, which come last step first.
void RecurrentOperation::put_weight_gradients(std::int64_t first, std::int64_t count) {
  const std::int64_t rows = count * loop_.rows, units = loop_.units;
  const bool accumulates = first + count < steps_;
  const auto put = [&](const Factor& left, std::int64_t height, const Factor& right, const at::Tensor& into) {
    multiply({height, into.size(-1), rows}, left, right, floats(into), into.stride(0), accumulates);
  };
  const Factor gates{at_step(gates_, first), width()}, states{at_step(states_, first), units, true};
  const Factor of_state = products_.defined() ? Factor{at_step(products_, first), width()} : gates;
  if (weights[0].learns()) put({at_step(sequence_, first), features_, true}, features_, gates, weights[0].gradient);
  if (const at::Tensor& gradient = weights[1].gradient; weights[1].learns() && left_.defined()) {
    put(states, units, gates, gradient.narrow(1, 0, 2 * units));
    put({at_step(left_, first), units, true}, units, {gates.values + 2 * units, width()},
        gradient.narrow(1, 2 * units, units));
  } else if (weights[1].learns()) {
    put(states, units, of_state, gradient);
  }
  if (cell_.bias < 0 || !weights[2].learns()) return;
  const at::Tensor of_bias = weights[2].gradient.view({-1, width()});
  put(factor(ones_), 1, gates, of_bias[0].unsqueeze(0));
  if (cell_.has_split_bias) put(factor(ones_), 1, of_state, of_bias[1].unsqueeze(0));
}

}  // namespace modelhop::engine
