// SPDX-License-Identifier: Apache-2.0
// Recurrent cells as expressions: what a layer computes over all its steps, for any activation, mask and dropout.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "engine/operation.hpp"
#include "engine/operations/activation_function.hpp"

namespace modelhop::engine {

enum class CellKind : std::uint8_t { kSimple, kLstm, kGru, kConvLstm };

/// The window of a ConvLSTM's convolution of its input; that of its state is "same" with stride 1.
struct CellWindow {
  std::vector<std::int64_t> strides, dilation;
  std::vector<std::int64_t> pads;        ///< before and after the last axis of space, then of the one before, ...
  std::vector<std::int64_t> state_pads;  ///< in the same order
};

/// One cell run over all steps of a sequence.
struct Recurrence {
  CellKind kind = CellKind::kSimple;
  Shape state_shape;
  std::string activation_name = "tanh", gate_activation_name = "sigmoid";
  ActivationFunction activation = nullptr, gate_activation = nullptr;
  bool reset_after = false;     ///< of a GRU: the reset gate comes after the recurrent product
  bool has_split_bias = false;  ///< one bias for the input and one for the state
  CellWindow window;

  double dropout = 0.0, recurrent_dropout = 0.0;  ///< 0 where they do not act
  bool dropout_per_gate = false;
  std::uint32_t input_stream = 0, state_stream = 0;

  bool reverses_input = false, reverses_mask = false;
  bool returns_sequence = false, returns_state = false;
  bool zeroes_masked = false;                ///< else masked steps repeat the previous output
  bool repeats_given_state = false;          ///< Keras 2.2: a masked first step gives the initial state, not zeros
  int given_states = 0;                      ///< inputs 1.. of the operation
  bool has_mask = false;                     ///< the operation's last input
  int kernel = 0, recurrent = 1, bias = -1;  ///< positions among the operation's weights

  int gates() const { return kind == CellKind::kSimple ? 1 : kind == CellKind::kGru ? 3 : 4; }
  int states() const { return kind == CellKind::kLstm || kind == CellKind::kConvLstm ? 2 : 1; }
};

/// The sequence of outputs or the last one, then the states where they are returned.
std::vector<at::Tensor> run_recurrence(const Recurrence& recurrence, const ForwardInputs& given);

}  // namespace modelhop::engine
