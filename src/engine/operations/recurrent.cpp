// SPDX-License-Identifier: Apache-2.0
// Recurrent layers -> operations that run one cell over all steps. Stacked cells are layers one after the other: no
// cell looks back at a later one.
#include <algorithm>

#include "engine/lowering.hpp"
#include "engine/operations/fused_recurrent.hpp"
#include "spec/call_inputs.hpp"
#include "spec/padding.hpp"

namespace modelhop::engine {
namespace {

/// What a call of a recurrent layer gives its cells.
struct RecurrentCall {
  Value* sequence = nullptr;
  Value* mask = nullptr;
  std::vector<Value*> states;  ///< as given, in the layer's order
};

RecurrentCall recurrent_call(Lowering& lowering) {
  RecurrentCall call;
  call.sequence = lowering.inputs.front();
  Value* given_mask = lowering.input_of("mask");
  call.mask = given_mask != nullptr ? given_mask : lowering.masks.front();
  for (const int index : state_indexes(lowering.roles())) {
    call.states.push_back(lowering.inputs[static_cast<std::size_t>(index)]);
  }
  if (call.mask != nullptr && call.mask->shape.size() != 1) {
    lowering.refuse("a mask with " + std::to_string(call.mask->shape.size()) + " axes beside the batch");
  }
  return call;
}

CellKind kind_of(const LayerSpec& layer) {
  const std::string& name = layer.class_name;
  if (name.starts_with("ConvLSTM")) return CellKind::kConvLstm;
  if (name.find("LSTM") != std::string::npos) return CellKind::kLstm;
  return name.find("GRU") != std::string::npos ? CellKind::kGru : CellKind::kSimple;
}

void set_activations(Lowering& lowering, const LayerSpec& layer, Recurrence& cell) {
  cell.activation_name = string_attribute(layer, "activation");
  if (cell.kind != CellKind::kSimple) cell.gate_activation_name = string_attribute(layer, "recurrent_activation");
  cell.activation = activation_function(cell.activation_name, lowering.model.profile);
  cell.gate_activation = activation_function(cell.gate_activation_name, lowering.model.profile);
  for (const auto& [function, name] :
       {std::pair(cell.activation, cell.activation_name), std::pair(cell.gate_activation, cell.gate_activation_name)}) {
    if (function == nullptr) lowering.refuse("activation \"" + name + "\" is not supported");
  }
}

bool has_channels_first(const LayerSpec& layer) {
  const auto found = layer.attributes.find("data_format");
  return found != layer.attributes.end() && found->second == Attribute(std::string("channels_first"));
}

/// Moves an axis of a value; axes do not count the batch.
Value* with_moved_axis(Lowering& lowering, Value* value, std::int64_t from, std::int64_t to) {
  Shape shape = value->shape;
  const std::int64_t extent = shape[static_cast<std::size_t>(from)];
  shape.erase(shape.begin() + from);
  shape.insert(shape.begin() + to, extent);
  return lowering.emit<AutogradOperation>(
      {value}, shape, {}, [from, to](const ForwardInputs& given) { return given.inputs[0].movedim(from + 1, to + 1); });
}

void set_window(const LayerSpec& layer, const Shape& input, Recurrence& cell) {
  const auto& size = list_attribute(layer, "kernel_size");
  cell.window.strides = list_attribute(layer, "strides");
  cell.window.dilation = list_attribute(layer, "dilation_rate");
  const bool is_same = string_attribute(layer, "padding") == "same";
  // Padding is written from the last axis to the first; the channels are first by then.
  for (std::size_t axis = size.size(); axis-- > 0;) {
    const WindowExtent window{size[axis], cell.window.strides[axis], cell.window.dilation[axis]};
    const PaddedExtent pads = is_same ? same_padding(input[axis + 1], window) : PaddedExtent{};
    cell.window.pads.insert(cell.window.pads.end(), {pads.before, pads.after});
    const PaddedExtent of_state = same_padding(cell.state_shape[axis], {size[axis], 1, 1});
    cell.window.state_pads.insert(cell.window.state_pads.end(), {of_state.before, of_state.after});
  }
}

void set_dropout(Lowering& lowering, const LayerSpec& layer, Recurrence& cell) {
  if (!lowering.is_training()) return;
  cell.dropout = number_attribute(layer, "dropout");
  cell.recurrent_dropout = number_attribute(layer, "recurrent_dropout");
  cell.dropout_per_gate = boolean_attribute(layer, "dropout_per_gate");
  if (cell.dropout > 0.0) cell.input_stream = lowering.stream_number();
  if (cell.recurrent_dropout > 0.0) cell.state_stream = lowering.stream_number();
}

/// The cell that `layer`, a layer or a cell, is, with everything but the loop.
Recurrence cell_of(Lowering& lowering, const LayerSpec& layer, const Shape& input) {
  Recurrence cell;
  cell.kind = kind_of(layer);
  set_activations(lowering, layer, cell);
  set_dropout(lowering, layer, cell);
  if (cell.kind == CellKind::kConvLstm) {
    cell.state_shape = lowering.output_shape();
    if (boolean_attribute(layer, "return_sequences")) cell.state_shape.erase(cell.state_shape.begin());
    if (has_channels_first(layer)) {
      std::rotate(cell.state_shape.begin(), cell.state_shape.begin() + 1, cell.state_shape.end());
    }
    set_window(layer, input, cell);
  } else {
    cell.state_shape = {integer_attribute(layer, "units")};
  }
  const bool is_cudnn = layer.class_name.starts_with("CuDNN");
  cell.reset_after = cell.kind == CellKind::kGru && boolean_attribute(layer, "reset_after");
  cell.has_split_bias = is_cudnn || cell.reset_after;
  return cell;
}

/// Sets what the loop of `layer` says, for the first and the last of its cells.
void set_loop(const Lowering& lowering, const LayerSpec& layer, bool is_first, bool is_last, Recurrence& cell) {
  const bool is_backwards = boolean_attribute(layer, "go_backwards");
  cell.reverses_input = is_backwards && is_first;
  cell.reverses_mask = is_backwards;
  cell.returns_sequence = !is_last || boolean_attribute(layer, "return_sequences");
  cell.returns_state = boolean_attribute(layer, "return_state");
  cell.zeroes_masked = is_last && boolean_attribute(layer, "zero_output_for_mask");
  cell.repeats_given_state = lowering.model.profile == SemanticsProfile::kKeras22;
}

/// Runs a cell over the sequence; weights under `prefix`. Outputs as Recurrence says.
std::vector<Value*> emit_recurrence(Lowering& lowering, Recurrence cell, Value* sequence,
                                    const std::vector<Value*>& states, Value* mask, const std::string& prefix) {
  std::vector<Value*> from = {sequence};
  from.insert(from.end(), states.begin(), states.end());
  if (mask != nullptr) from.push_back(mask);
  cell.given_states = static_cast<int>(states.size());
  cell.has_mask = mask != nullptr;
  const int bias = lowering.weight(prefix + "bias");
  cell.bias = bias >= 0 ? 2 : -1;
  std::vector<Shape> shapes = {cell.state_shape};
  if (cell.returns_sequence) shapes.front().insert(shapes.front().begin(), sequence->shape.front());
  if (cell.returns_state) shapes.insert(shapes.end(), static_cast<std::size_t>(cell.states()), cell.state_shape);
  return lowering.emit_several<RecurrentOperation>(
      std::move(from), std::move(shapes),
      {lowering.weight(prefix + "kernel"), lowering.weight(prefix + "recurrent_kernel"), bias}, cell,
      lowering.model.profile);
}

void set_output_masks(Lowering& lowering, Value* mask, std::size_t outputs) {
  lowering.output_masks.assign(outputs, nullptr);
  if (boolean_attribute(lowering.layer(), "return_sequences")) lowering.output_masks.front() = mask;
}

/// The cells of an RNN in order, with the prefix of their weights.
void collect_cells(const LayerSpec& cell, const std::string& prefix,
                   std::vector<std::pair<const LayerSpec*, std::string>>& cells) {
  const std::string own = prefix + cell.name + "/";
  if (cell.class_name != "StackedRNNCells") {
    cells.emplace_back(&cell, own);
    return;
  }
  for (const LayerSpec& inner : cell.children) collect_cells(inner, own, cells);
}

/// Channels first: the cell works on channels last.
void move_channels_last(Lowering& lowering, RecurrentCall& call) {
  const auto last = static_cast<std::int64_t>(call.sequence->shape.size()) - 1;
  call.sequence = with_moved_axis(lowering, call.sequence, 1, last);
  for (Value*& state : call.states) state = with_moved_axis(lowering, state, 0, last - 1);
}

void move_channels_first(Lowering& lowering, bool is_sequence, std::vector<Value*>& outputs) {
  for (std::size_t index = 0; index < outputs.size(); ++index) {
    const auto last = static_cast<std::int64_t>(outputs[index]->shape.size()) - 1;
    outputs[index] = with_moved_axis(lowering, outputs[index], last, index == 0 && is_sequence ? 1 : 0);
  }
}

}  // namespace

static Values lower_recurrent(Lowering& lowering) {
  const LayerSpec& layer = lowering.layer();
  RecurrentCall call = recurrent_call(lowering);
  if (has_channels_first(layer)) move_channels_last(lowering, call);
  if (call.mask != nullptr && layer.class_name.starts_with("CuDNN")) {
    lowering.refuse("class \"" + layer.class_name + "\" does not take masks");
  }
  Recurrence cell = cell_of(lowering, layer, call.sequence->shape);
  set_loop(lowering, layer, true, true, cell);
  std::vector<Value*> outputs = emit_recurrence(lowering, cell, call.sequence, call.states, call.mask, "");
  if (has_channels_first(layer)) move_channels_first(lowering, boolean_attribute(layer, "return_sequences"), outputs);
  set_output_masks(lowering, call.mask, outputs.size());
  return outputs;
}

static Values lower_rnn(Lowering& lowering) {
  const LayerSpec& layer = lowering.layer();
  const RecurrentCall call = recurrent_call(lowering);
  std::vector<std::pair<const LayerSpec*, std::string>> cells;
  collect_cells(layer.children.front(), "", cells);
  const bool is_reversed = lowering.model.profile == SemanticsProfile::kKeras22;
  Value* sequence = call.sequence;
  std::vector<std::vector<Value*>> end_states;
  std::size_t taken = 0;
  for (std::size_t index = 0; index < cells.size(); ++index) {
    const auto& [spec, prefix] = cells[index];
    Recurrence cell = cell_of(lowering, *spec, sequence->shape);
    set_loop(lowering, layer, index == 0, index + 1 == cells.size(), cell);
    std::vector<Value*> states;
    if (!call.states.empty()) {
      const auto count = static_cast<std::size_t>(cell.states());
      const std::size_t first = is_reversed ? call.states.size() - taken - count : taken;
      states.assign(call.states.begin() + static_cast<std::ptrdiff_t>(first),
                    call.states.begin() + static_cast<std::ptrdiff_t>(first + count));
      taken += count;
    }
    const std::vector<Value*> outputs = emit_recurrence(lowering, cell, sequence, states, call.mask, prefix);
    sequence = outputs.front();
    end_states.emplace_back(outputs.begin() + 1, outputs.end());
  }
  if (is_reversed) std::reverse(end_states.begin(), end_states.end());
  std::vector<Value*> outputs = {sequence};
  for (const auto& states : end_states) outputs.insert(outputs.end(), states.begin(), states.end());
  set_output_masks(lowering, call.mask, outputs.size());
  return outputs;
}

std::span<const LayerLowering> recurrent_lowerings() {
  static constexpr LayerLowering kLowerings[] = {
      {"ConvLSTM1D", lower_recurrent}, {"ConvLSTM2D", lower_recurrent},
      {"ConvLSTM3D", lower_recurrent}, {"CuDNNGRU", lower_recurrent},
      {"CuDNNLSTM", lower_recurrent},  {"GRU", lower_recurrent},
      {"LSTM", lower_recurrent},       {"RNN", lower_rnn},
      {"SimpleRNN", lower_recurrent},
  };
  return kLowerings;
}

}  // namespace modelhop::engine
