// SPDX-License-Identifier: Apache-2.0
// What training takes in bytes, from the specs alone:
//   state     = 4 x (parameters + trainable parameters x optimizer slots)
//   workspace = the larger of
//     training:   4 x (trainable parameters            gradients
//                      + kernels of recurrent layers   transposed copies
//                      + 2 x batch x activations       elements of all outputs and what layers keep inside, and their
//                                                      gradients
//                      + 2 x batch x scratch)          padded and reordered copies of the largest convolution
//     evaluation: 4 x kEvaluationRows x (activations + 2 x scratch)
//                 and for each step of a custom loss or metric its value, in training its gradient too
#include <algorithm>
#include <bit>
#include <limits>

#include "spec/optimizers.hpp"
#include "spec/train_params.hpp"

namespace modelhop {
namespace {

// Hostile sizes pass through here before anything refuses them: stop at the largest number instead of wrapping.
std::int64_t bytes_of(long double elements) {
  const long double bytes = 4.0L * elements;
  const auto limit = std::numeric_limits<std::int64_t>::max();
  return bytes >= static_cast<long double>(limit) ? limit : static_cast<std::int64_t>(bytes);
}

long double elements_of(const Shape& shape) {
  return static_cast<long double>(element_count(shape));
}

/// Elements without the last axis: steps, pixels.
long double positions_of(const Shape& shape) {
  return shape.empty() || shape.back() == 0 ? 1.0L : elements_of(shape) / static_cast<long double>(shape.back());
}

long double number_or(const LayerSpec& layer, const char* name, long double otherwise) {
  const auto found = layer.attributes.find(name);
  const auto* number = found == layer.attributes.end() ? nullptr : std::get_if<std::int64_t>(&found->second);
  return number == nullptr ? otherwise : static_cast<long double>(*number);
}

/// Steps and pixels of a recurrent layer's input, whose channels are first in convolutional ones that say so.
long double recurrent_positions(const LayerSpec& layer, const Shape& input) {
  const auto format = layer.attributes.find("data_format");
  const bool is_first = format != layer.attributes.end() && format->second == Attribute(std::string("channels_first"));
  if (!is_first || input.size() < 3) return positions_of(input);
  return elements_of(input) / static_cast<long double>(std::max<std::int64_t>(1, input[1]));
}

/// Gates and states of each step. A weight named recurrent_kernel has a column per unit and gate, also in the cells and
/// directions that the layer wraps.
long double recurrent_elements(const LayerSpec& layer, const Shape& input) {
  constexpr std::string_view kKernel = "recurrent_kernel";
  long double columns = 0;
  for (const WeightSpec& weight : layer.weights) {
    if (std::string_view(weight.name).ends_with(kKernel) && !weight.shape.empty())
      columns += static_cast<long double>(weight.shape.back());
  }
  return 3.0L * columns * recurrent_positions(layer, input);
}

/// Transposed copies of a recurrent layer's kernels, for its backward.
long double recurrent_copies(const LayerSpec& layer) {
  long double kernels = 0;
  bool is_recurrent = false;
  for (const WeightSpec& weight : layer.weights) {
    const std::string_view name = weight.name;
    is_recurrent |= name.ends_with("recurrent_kernel");
    if (name.ends_with("kernel")) kernels += elements_of(weight.shape);
  }
  return is_recurrent ? kernels : 0;
}

/// Scores before and after softmax, and the projections.
long double attention_elements(const LayerSpec& layer, const Shape& query, const Shape& value) {
  if (!std::string_view(layer.class_name).ends_with("Attention")) return 0;
  const long double pairs = positions_of(query) * positions_of(value);
  if (layer.class_name == "AdditiveAttention")
    return pairs * (2.0L + elements_of(query) / std::max(1.0L, positions_of(query)));
  const long double heads = number_or(layer, "num_heads", number_or(layer, "num_query_heads", 1));
  const long double key = number_or(layer, "key_dim", number_or(layer, "head_dim", 0));
  const long double projected = key + std::max(key, number_or(layer, "value_dim", 0));
  return heads * (2.0L * pairs + projected * (positions_of(query) + positions_of(value)));
}

/// Padded and reordered copies that a convolution works on, its own or those of layers it wraps.
long double convolution_scratch(const LayerSpec& layer, const Shape& input, const Shape& output) {
  long double scratch = 0;
  if (layer.attributes.contains("kernel_size"))
    scratch = elements_of(input) * std::max(1.0L, number_or(layer, "depth_multiplier", 1)) + elements_of(output);
  for (const LayerSpec& child : layer.children) scratch = std::max(scratch, convolution_scratch(child, input, output));
  return scratch;
}

/// Elements of an example that the steps of custom functions make at once: all of the losses', and one metric's.
long double custom_elements(const ModelSpec& model, const TrainSpec& train) {
  long double losses = 0;
  for (std::size_t output = 0; output < train.losses.size() && output < model.outputs.size(); ++output) {
    losses += elements_of(model.output_shape(output)) * train.losses[output].expression.nodes.size();
  }
  long double metrics = 0;
  for (const MetricSpec& metric : train.metrics) {
    const Shape& output = model.output_shape(static_cast<std::size_t>(metric.output_index));
    metrics = std::max(metrics, elements_of(output) * metric.expression.nodes.size());
  }
  return std::max(losses, metrics);
}

}  // namespace

std::int64_t cached_evaluation_rows(const ModelSpec& model) {
  constexpr long double kFloats = 2 * 1024 * 1024 / 4;
  long double largest = 1;
  for (const NodeSpec& node : model.nodes) {
    for (const Shape& shape : node.output_shapes) largest = std::max(largest, elements_of(shape));
  }
  const long double rows = std::clamp<long double>(kFloats / largest, 16, kEvaluationRows);
  return static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(rows)));
}

MemoryEstimate estimate_memory(const ModelSpec& model, const TrainSpec& train) {
  const auto trainable = static_cast<long double>(trainable_parameter_count(model));
  long double activations = 0;
  long double scratch = 0, copies = 0;
  for (const NodeSpec& node : model.nodes) {
    for (const Shape& shape : node.output_shapes) activations += elements_of(shape);
    if (node.inputs.empty()) continue;
    const LayerSpec& layer = model.layers[node.layer];
    const Shape& first = model.shape_of(node.inputs.front());
    const Shape& second = node.inputs.size() > 1 ? model.shape_of(node.inputs[1]) : first;
    activations += recurrent_elements(layer, first) + attention_elements(layer, first, second);
    copies += recurrent_copies(layer);
    scratch = std::max(scratch, convolution_scratch(layer, first, node.output_shapes.front()));
  }
  MemoryEstimate estimate;
  estimate.state =
      bytes_of(static_cast<long double>(parameter_count(model)) + trainable * spec::slot_count(train.optimizer));
  const long double custom = custom_elements(model, train);
  const long double training = trainable + copies + 2.0L * train.batch_size * (activations + scratch + custom);
  const long double evaluation = kEvaluationRows * (activations + 2.0L * scratch + custom);
  estimate.workspace = bytes_of(std::max(training, evaluation));
  return estimate;
}

}  // namespace modelhop
