// SPDX-License-Identifier: Apache-2.0
// SimpleRNN, LSTM, GRU, their cells and their CuDNN relatives, RNN around cells, StackedRNNCells.
#include "spec/activation_names.hpp"
#include "spec/grammar_text.hpp"
#include "spec/recurrence.hpp"

namespace modelhop::spec {
namespace {

constexpr int kAnyNumber = 1 << 10;

bool is_before_tf2(const LayerConfig& config) {
  return config.profile() == SemanticsProfile::kKeras22 || config.profile() == SemanticsProfile::kTf1;
}

// ---- cells

void read_simple_cell(LayerConfig& config, Attributes& attributes) {
  attributes["units"] = config.integer("units", {}, {});
  read_cell(config, attributes, false);
}

void read_lstm_cell(LayerConfig& config, Attributes& attributes) {
  attributes["units"] = config.integer("units", {}, {});
  read_cell(config, attributes, true);
  attributes["unit_forget_bias"] = config.boolean("unit_forget_bias", true);
}

void read_gru_cell(LayerConfig& config, Attributes& attributes) {
  attributes["units"] = config.integer("units", {}, {});
  read_cell(config, attributes, true);
  attributes["reset_after"] = config.boolean("reset_after", !is_before_tf2(config));
}

/// Blocks of `units` columns in the kernels.
std::int64_t gate_count(const LayerSpec& layer) {
  if (layer.class_name.find("LSTM") != std::string::npos) return 4;
  return layer.class_name.find("GRU") != std::string::npos ? 3 : 1;
}

Shape cell_weight(const LayerCall& call, std::string_view weight) {
  const std::int64_t units = integer_attribute(call.layer, "units");
  const std::int64_t columns = gate_count(call.layer) * units;
  if (weight == "kernel") return {call.input().back(), columns};
  if (weight == "recurrent_kernel") return {units, columns};
  const auto reset_after = call.layer.attributes.find("reset_after");
  const bool has_two_biases = reset_after != call.layer.attributes.end() && reset_after->second == Attribute(true);
  return has_two_biases ? Shape{2, columns} : Shape{columns};
}

/// The output of a cell; also of one step of the layer.
Shape cell_shape(const LayerCall& call) {
  if (gate_count(call.layer) == 4) mark_unit_forget(call, 4);
  return {integer_attribute(call.layer, "units")};
}

std::int64_t step_flops(const LayerCall& call) {
  const std::int64_t units = integer_attribute(call.layer, "units");
  const std::int64_t columns = gate_count(call.layer) * units;
  const std::int64_t products =
      product_within(2 * columns, call.input().back() + units, kMaxFlops, call.where() + ": number of operations");
  return products + 8 * columns;
}

std::int64_t cell_flops(const LayerCall& call, const Shape&) {
  return step_flops(call);
}

// ---- layers

void read_simple_rnn(LayerConfig& config, Attributes& attributes) {
  read_simple_cell(config, attributes);
  read_recurrence(config, attributes);
}

void read_lstm(LayerConfig& config, Attributes& attributes) {
  read_lstm_cell(config, attributes);
  read_recurrence(config, attributes);
}

void read_gru(LayerConfig& config, Attributes& attributes) {
  read_gru_cell(config, attributes);
  read_recurrence(config, attributes);
}

/// What cuDNN's layers compute is fixed.
void read_cudnn(LayerConfig& config, Attributes& attributes) {
  attributes["units"] = config.integer("units", {}, {});
  attributes["activation"] = std::string("tanh");
  attributes["recurrent_activation"] = std::string("sigmoid");
  attributes["use_bias"] = true;
  attributes["dropout"] = attributes["recurrent_dropout"] = 0.0;
  attributes["dropout_per_gate"] = false;
  read_recurrence(config, attributes);
}

void read_cudnn_lstm(LayerConfig& config, Attributes& attributes) {
  read_cudnn(config, attributes);
  attributes["unit_forget_bias"] = config.boolean("unit_forget_bias", true);
}

void read_cudnn_gru(LayerConfig& config, Attributes& attributes) {
  read_cudnn(config, attributes);
  attributes["reset_after"] = true;
}

std::vector<Shape> layer_shapes(const LayerCall& call) {
  if (call.input().size() != 2) call.require_rank(2);
  const Shape step = {integer_attribute(call.layer, "units")};
  const bool is_lstm = gate_count(call.layer) == 4;
  if (is_lstm) mark_unit_forget(call, call.layer.class_name == "CuDNNLSTM" ? 8 : 4);
  return recurrent_outputs(call, step, std::vector<Shape>(is_lstm ? 2 : 1, step));
}

Shape cudnn_weight(const LayerCall& call, std::string_view weight) {
  if (weight != "bias") return cell_weight(call, weight);
  return {2 * gate_count(call.layer) * integer_attribute(call.layer, "units")};
}

std::int64_t layer_flops(const LayerCall& call, const Shape&) {
  return flops_of(call.input().front(), step_flops(call), call);
}

// ---- layers around cells

void read_cell_child(LayerConfig& config, LayerSpec& layer, const Json& cell, const std::string& name,
                     const ReadChild& read_child) {
  const std::string class_name = class_of(cell);
  if (!class_name.ends_with("Cell") && class_name != "StackedRNNCells") {
    config.not_supported((class_name.empty() ? shown(cell) : "class " + in_quotes(class_name)) + " as a cell");
  }
  layer.children.push_back(read_child(name, cell));
}

void read_rnn_children(LayerConfig& config, LayerSpec& layer, const ReadChild& read_child) {
  const Json* cell = config.find("cell");
  if (cell == nullptr) config.refuse_value("cell", "a cell");
  if (cell->is_array()) {
    const Json stacked = {{"class_name", "StackedRNNCells"}, {"config", {{"cells", *cell}}}};
    read_cell_child(config, layer, stacked, "cell", read_child);
  } else {
    read_cell_child(config, layer, *cell, "cell", read_child);
  }
}

void read_stacked_children(LayerConfig& config, LayerSpec& layer, const ReadChild& read_child) {
  const Json* cells = config.find("cells");
  if (cells == nullptr || !cells->is_array() || cells->empty() || cells->size() > 64) {
    config.refuse_value("cells", "a list of 1 to 64 cells");
  }
  for (std::size_t index = 0; index < cells->size(); ++index) {
    read_cell_child(config, layer, (*cells)[index], "cell_" + std::to_string(index), read_child);
  }
}

std::vector<Shape> rnn_shapes(const LayerCall& call) {
  if (call.input().size() != 2) call.require_rank(2);
  const Shape step = call_child(call, 0, {{call.input().back()}}).front();
  call.wrapped_flops =
      product_within(call.wrapped_flops, call.input().front(), kMaxFlops, call.where() + ": number of operations");
  return recurrent_outputs(call, step, cell_states(call.layer.children.front(), call.profile));
}

Shape stacked_shape(const LayerCall& call) {
  Shape shape = call.input();
  for (std::size_t index = 0; index < call.layer.children.size(); ++index) {
    shape = call_child(call, index, {shape}).front();
  }
  return shape;
}

std::vector<WeightRule> cell_weights(const char* bias_present_if = "use_bias") {
  return {{"kernel", "glorot_uniform"},
          {"recurrent_kernel", "orthogonal", nullptr, false, "recurrent"},
          {"bias", "zeros", bias_present_if}};
}

LayerKind cell_kind(std::string_view class_name, void (*read)(LayerConfig&, Attributes&)) {
  return {.class_name = class_name,
          .read = read,
          .output_shape = cell_shape,
          .flops = cell_flops,
          .weights = cell_weights(),
          .weight_shape = cell_weight};
}

LayerKind layer_kind(std::string_view class_name, void (*read)(LayerConfig&, Attributes&),
                     std::vector<std::string_view> aliases = {}) {
  return {.class_name = class_name,
          .read = read,
          .output_shapes = layer_shapes,
          .flops = layer_flops,
          .weights = cell_weights(),
          .weight_shape = cell_weight,
          .max_inputs = kAnyNumber,
          .aliases = std::move(aliases),
          .mask_rule = MaskRule::kOwn};
}

LayerKind cudnn_kind(std::string_view class_name, void (*read)(LayerConfig&, Attributes&)) {
  LayerKind kind = layer_kind(class_name, read);
  kind.weight_shape = cudnn_weight;
  return kind;
}

}  // namespace

const std::vector<LayerKind>& recurrent_layers() {
  static const std::vector<LayerKind> kinds = {
      cell_kind("SimpleRNNCell", read_simple_cell),
      cell_kind("LSTMCell", read_lstm_cell),
      cell_kind("GRUCell", read_gru_cell),
      layer_kind("SimpleRNN", read_simple_rnn),
      layer_kind("LSTM", read_lstm, {"LSTMV1", "LSTMV2"}),
      layer_kind("GRU", read_gru, {"GRUV1", "GRUV2"}),
      cudnn_kind("CuDNNLSTM", read_cudnn_lstm),
      cudnn_kind("CuDNNGRU", read_cudnn_gru),
      {.class_name = "StackedRNNCells",
       .read = read_nothing,
       .output_shape = stacked_shape,
       .flops = no_flops,
       .read_children = read_stacked_children},
      {.class_name = "RNN",
       .read = read_recurrence,
       .output_shapes = rnn_shapes,
       .flops = no_flops,
       .max_inputs = kAnyNumber,
       .mask_rule = MaskRule::kOwn,
       .read_children = read_rnn_children},
  };
  return kinds;
}

}  // namespace modelhop::spec
