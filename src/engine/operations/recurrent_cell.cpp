// SPDX-License-Identifier: Apache-2.0
// The expressions of SimpleRNN, LSTM, GRU and ConvLSTM, step by step; autograd derives their backward.
#include "engine/operations/recurrent_cell.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/convolution.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/flip.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/split.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>

#include "engine/random.hpp"

namespace modelhop::engine {
namespace {

/// [gates or 1, rows, extents...] of 0 or 1 / (1 - rate); undefined where nothing is dropped.
at::Tensor drawn_mask(double rate, std::int64_t gates, const at::Tensor& like, const Step& step, std::uint32_t stream) {
  if (rate <= 0.0) return {};
  std::vector<std::int64_t> sizes = like.sizes().vec();
  sizes.insert(sizes.begin(), gates);
  at::Tensor mask = at::empty(sizes, like.options().device(at::kCPU));
  dropout_mask({mask.mutable_data_ptr<float>(), static_cast<std::size_t>(mask.numel())}, rate, step.configuration_seed,
               step.number, stream);
  return mask.to(like.device());
}

/// x is [n, space..., channels], the kernel [window..., channels, filters].
at::Tensor convolved(const at::Tensor& x, const at::Tensor& kernel, at::IntArrayRef pads, at::IntArrayRef strides,
                     at::IntArrayRef dilation) {
  at::Tensor images = x.movedim(-1, 1);
  if (std::any_of(pads.begin(), pads.end(), [](std::int64_t pad) { return pad != 0; })) {
    images = at::constant_pad_nd(images, pads, 0);
  }
  const std::vector<std::int64_t> none(strides.size(), 0);
  return at::convolution(images, kernel.movedim({-1, -2}, {0, 1}), {}, strides, none, dilation, false, none, 1)
      .movedim(1, -1);
}

class RecurrentExpression {
 public:
  RecurrentExpression(const Recurrence& recurrence, const ForwardInputs& given)
      : cell_(recurrence),
        given_(given),
        kernel_(given.weights[recurrence.kernel]),
        recurrent_(given.weights[recurrence.recurrent]) {
    if (recurrence.bias >= 0) split_bias(given.weights[recurrence.bias]);
  }

  std::vector<at::Tensor> run() {
    const at::Tensor& sequence = given_.inputs.front();
    const std::int64_t steps = sequence.size(1);
    prepare_states(sequence);
    const std::vector<at::Tensor> projected = projections(sequence);
    std::vector<at::Tensor> masks;
    if (cell_.has_mask) masks = step_masks(given_.inputs.back());
    std::vector<at::Tensor> outputs;
    at::Tensor output = cell_.repeats_given_state ? states_.front() : at::zeros_like(states_.front());
    for (std::int64_t step = 0; step < steps; ++step) {
      std::vector<at::Tensor> next = stepped(projected[static_cast<std::size_t>(step)]);
      if (!cell_.has_mask) {
        output = next.front();
        states_ = std::move(next);
      } else {
        const at::Tensor& counts = masks[static_cast<std::size_t>(step)];
        output = cell_.zeroes_masked ? next.front().mul(counts) : at::where(counts.gt(0), next.front(), output);
        for (std::size_t state = 0; state < states_.size(); ++state) {
          states_[state] = at::where(counts.gt(0), next[state], states_[state]);
        }
      }
      if (cell_.returns_sequence) outputs.push_back(output);
    }
    std::vector<at::Tensor> results = {cell_.returns_sequence ? at::stack(outputs, 1) : output};
    if (cell_.returns_state) results.insert(results.end(), states_.begin(), states_.end());
    return results;
  }

 private:
  bool is_conv() const { return cell_.kind == CellKind::kConvLstm; }

  void split_bias(const at::Tensor& bias) {
    if (!cell_.has_split_bias) {
      input_bias_ = bias;
      return;
    }
    const at::Tensor rows = bias.view({2, -1});
    input_bias_ = rows.select(0, 0);
    state_bias_ = rows.select(0, 1);
  }

  void prepare_states(const at::Tensor& sequence) {
    for (int state = 0; state < cell_.states(); ++state) {
      states_.push_back(cell_.given_states > 0
                            ? given_.inputs[1 + static_cast<std::size_t>(state)]
                            : at::zeros(sizes_of(sequence.size(0), cell_.state_shape), sequence.options()));
    }
    const std::int64_t gates = cell_.dropout_per_gate ? cell_.gates() : 1;
    state_mask_ = drawn_mask(cell_.recurrent_dropout, gates, states_.front(), given_.step, cell_.state_stream);
  }

  /// One [rows, 1...] per step, in the order in which the steps are taken.
  std::vector<at::Tensor> step_masks(const at::Tensor& mask) const {
    std::vector<std::int64_t> sizes(cell_.state_shape.size() + 2, 1);
    sizes[0] = mask.size(0);
    sizes[1] = mask.size(1);
    return (cell_.reverses_mask ? mask.flip(1) : mask).reshape(sizes).unbind(1);
  }

  at::Tensor input_product(const at::Tensor& x, const at::Tensor& kernel) const {
    if (!is_conv()) return at::matmul(x, kernel);
    const at::Tensor images = x.flatten(0, 1);
    const at::Tensor result = convolved(images, kernel, cell_.window.pads, cell_.window.strides, cell_.window.dilation);
    return result.unflatten(0, {x.size(0), x.size(1)});
  }

  at::Tensor state_product(const at::Tensor& state, const at::Tensor& kernel) const {
    if (!is_conv()) return at::matmul(state, kernel);
    const std::vector<std::int64_t> ones(cell_.window.strides.size(), 1);
    return convolved(state, kernel, cell_.window.state_pads, ones, ones);
  }

  /// A product whose columns are gates, each under its own dropout mask where there are several.
  template <typename Product>
  at::Tensor gated(const at::Tensor& x, const at::Tensor& kernel, const at::Tensor& mask, Product&& product) const {
    if (!mask.defined()) return product(x, kernel);
    if (mask.size(0) == 1) return product(x.mul(mask[0]), kernel);
    std::vector<at::Tensor> parts;
    const std::int64_t width = kernel.size(-1) / cell_.gates();
    const std::int64_t count = kernel.size(-1) / width;
    for (std::int64_t gate = 0; gate < count; ++gate) {
      parts.push_back(product(x.mul(mask[gate]), kernel.narrow(-1, gate * width, width)));
    }
    return at::cat(parts, -1);
  }

  std::vector<at::Tensor> projections(const at::Tensor& sequence) const {
    const at::Tensor x = cell_.reverses_input ? sequence.flip(1) : sequence;
    const std::int64_t gates = cell_.dropout_per_gate ? cell_.gates() : 1;
    at::Tensor mask = drawn_mask(cell_.dropout, gates, x.select(1, 0), given_.step, cell_.input_stream);
    if (mask.defined()) mask = mask.unsqueeze(2);
    at::Tensor product = gated(
        x, kernel_, mask, [this](const at::Tensor& in, const at::Tensor& kernel) { return input_product(in, kernel); });
    if (input_bias_.defined()) product = product.add(input_bias_);
    return product.unbind(1);
  }

  at::Tensor state_gates(const at::Tensor& state) const {
    return gated(state, recurrent_, state_mask_,
                 [this](const at::Tensor& in, const at::Tensor& kernel) { return state_product(in, kernel); });
  }

  std::vector<at::Tensor> stepped(const at::Tensor& projected) const {
    switch (cell_.kind) {
      case CellKind::kSimple:
        return {cell_.activation(projected.add(state_gates(states_[0])))};
      case CellKind::kGru:
        return {gru_step(projected)};
      default:
        return lstm_step(projected);
    }
  }

  /// Gates: input, forget, candidate, output.
  std::vector<at::Tensor> lstm_step(const at::Tensor& projected) const {
    at::Tensor sum = projected.add(state_gates(states_[0]));
    if (state_bias_.defined()) sum = sum.add(state_bias_);
    const std::vector<at::Tensor> z = sum.chunk(4, -1);
    const at::Tensor carry =
        cell_.gate_activation(z[1]).mul(states_[1]).add(cell_.gate_activation(z[0]).mul(cell_.activation(z[2])));
    return {cell_.gate_activation(z[3]).mul(cell_.activation(carry)), carry};
  }

  /// Gates: update, reset, candidate.
  at::Tensor gru_step(const at::Tensor& projected) const {
    at::Tensor state = states_[0], of_candidate = states_[0];
    const std::int64_t units = state.size(-1);
    at::Tensor gates, candidate;
    const bool has_own_masks = state_mask_.defined() && state_mask_.size(0) > 1;
    if (state_mask_.defined() && !has_own_masks) state = of_candidate = state.mul(state_mask_[0]);
    if (has_own_masks) of_candidate = state.mul(state_mask_[2]);
    const at::Tensor gate_kernel = recurrent_.narrow(-1, 0, 2 * units);
    const at::Tensor candidate_kernel = recurrent_.narrow(-1, 2 * units, units);
    if (has_own_masks) {
      gates = at::cat({at::matmul(state.mul(state_mask_[0]), gate_kernel.narrow(-1, 0, units)),
                       at::matmul(state.mul(state_mask_[1]), gate_kernel.narrow(-1, units, units))},
                      -1);
    } else {
      gates = at::matmul(state, gate_kernel);
    }
    if (state_bias_.defined()) gates = gates.add(state_bias_.narrow(0, 0, 2 * units));
    gates = cell_.gate_activation(projected.narrow(-1, 0, 2 * units).add(gates));
    const at::Tensor update = gates.narrow(-1, 0, units), reset = gates.narrow(-1, units, units);
    if (cell_.reset_after) {
      candidate = at::matmul(of_candidate, candidate_kernel);
      if (state_bias_.defined()) candidate = candidate.add(state_bias_.narrow(0, 2 * units, units));
      candidate = reset.mul(candidate);
    } else {
      candidate = at::matmul(reset.mul(of_candidate), candidate_kernel);
    }
    candidate = cell_.activation(projected.narrow(-1, 2 * units, units).add(candidate));
    return update.mul(state).add(update.neg().add(1).mul(candidate));
  }

  const Recurrence& cell_;
  const ForwardInputs& given_;
  at::Tensor kernel_, recurrent_, input_bias_, state_bias_;
  at::Tensor state_mask_;
  std::vector<at::Tensor> states_;
};

}  // namespace

std::vector<at::Tensor> run_recurrence(const Recurrence& recurrence, const ForwardInputs& given) {
  return RecurrentExpression(recurrence, given).run();
}

}  // namespace modelhop::engine
