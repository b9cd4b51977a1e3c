// SPDX-License-Identifier: Apache-2.0
// What recurrent layers, cells and their wrappers share: the keys of the loop over steps, states and outputs.
#pragma once

#include <vector>

#include "spec/layer_kind.hpp"

namespace modelhop::spec {

/// return_sequences, return_state, go_backwards, zero_output_for_mask. Refuses stateful and time_major.
void read_recurrence(LayerConfig& config, Attributes& attributes);

/// activation, recurrent_activation where `is_gated`, use_bias, dropout, recurrent_dropout, dropout_per_gate.
void read_cell(LayerConfig& config, Attributes& attributes, bool is_gated);

/// The canonical class of a wrapped layer as the file writes it, empty where it is none. To be asked before the layer
/// is read: wrappers that read a layer twice must not nest.
std::string class_of(const Json& layer);

/// A class that Bidirectional accepts.
bool is_recurrent(const std::string& class_name);

/// Shapes of a cell's states, in the order in which layers take and return them.
std::vector<Shape> cell_states(const LayerSpec& cell, SemanticsProfile profile);

/// Checks the call's initial states and its mask, and gives the shapes of the layer's outputs: the sequence or its last
/// step, then the states where they are returned.
std::vector<Shape> recurrent_outputs(const LayerCall& call, const Shape& step, const std::vector<Shape>& states);

/// Marks the forget gate's bias of an LSTM where `unit_forget_bias` says so: the last but two of so many parts.
void mark_unit_forget(const LayerCall& call, int parts);

}  // namespace modelhop::spec
