// SPDX-License-Identifier: Apache-2.0
// Lays the weights of an architecture out in the flat buffers.
#include "engine/state_layout.hpp"

#include "engine/checksum.hpp"
#include "engine/optimizer.hpp"
#include "spec/optimizers.hpp"

namespace modelhop::engine {
namespace {

constexpr std::int64_t kAlignmentFloats = 16;

std::int64_t aligned(std::int64_t floats) {
  return (floats + kAlignmentFloats - 1) / kAlignmentFloats * kAlignmentFloats;
}

Storage storage_of(const LayerSpec& layer, const WeightSpec& weight) {
  const bool is_kernel = layer.class_name == "Conv2D" && weight.name == "kernel" && weight.shape.size() == 4;
  return is_kernel ? Storage::kConvolutionKernel : Storage::kAsKeras;
}

}  // namespace

StateLayout make_state_layout(const ModelSpec& model, const OptimizerSpec& optimizer) {
  StateLayout layout;
  Checksum hash;
  for (const LayerSpec& layer : model.layers) layout.layer_weights.emplace_back(layer.weights.size(), -1);
  for (const WeightRef& ref : model.weight_order) {
    const LayerSpec& layer = model.layers[ref.layer];
    const WeightSpec& weight = layer.weights[ref.weight];
    layout.layer_weights[ref.layer][ref.weight] = static_cast<int>(layout.weights.size());
    std::int64_t& end = weight.is_trainable ? layout.parameter_floats : layout.statistics_floats;
    const std::int64_t count = element_count(weight.shape);
    layout.weights.push_back({layer.name + "/" + weight.name, weight.shape, storage_of(layer, weight),
                              weight.is_trainable, end, count, weight.initializer, weight.regularizer,
                              weight.constraint});
    end = aligned(end + count);
    hash.add_text(weight.name);
    hash.add_word(static_cast<std::uint64_t>(ref.layer));
    hash.add_word(weight.is_trainable ? 1 : 0);
    hash.add_word(static_cast<std::uint64_t>(layout.weights.back().storage));
    for (const std::int64_t extent : weight.shape) hash.add_word(static_cast<std::uint64_t>(extent));
  }
  layout.slot_count = spec::slot_count(optimizer);
  for (int slot = 0; slot < layout.slot_count; ++slot) {
    layout.initial_slot_values.push_back(initial_slot_value(optimizer, slot));
  }
  hash.add_word(static_cast<std::uint64_t>(optimizer.kind));
  hash.add_word(static_cast<std::uint64_t>(layout.slot_count));
  layout.hash = hash.value();
  return layout;
}

}  // namespace modelhop::engine
