// SPDX-License-Identifier: Apache-2.0
// Families of classes that the grammar of a file treats in their own way.
#pragma once

#include <string_view>

namespace modelhop::spec {

/// A container of layers.
inline bool is_model_class(std::string_view name) {
  return name == "Sequential" || name == "Model" || name == "Functional";
}

/// Recurrent layers: further inputs of a call are states.
inline bool takes_initial_state(std::string_view name) {
  return name == "RNN" || name == "Bidirectional" || name.starts_with("SimpleRNN") || name.starts_with("LSTM") ||
         name.starts_with("GRU") || name.starts_with("CuDNN") || name.starts_with("ConvLSTM");
}

/// An operation node under its canonical name.
inline bool is_operation_class(std::string_view name) {
  return name.starts_with("ops.");
}

}  // namespace modelhop::spec
