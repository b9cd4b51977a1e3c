// SPDX-License-Identifier: Apache-2.0
// Lays the weights of an architecture out in the flat buffers.
#include "engine/state_layout.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "engine/checksum.hpp"
#include "engine/optimizer.hpp"
#include "spec/optimizers.hpp"

namespace modelhop::engine {
namespace {

constexpr std::int64_t kAlignmentFloats = 16;

std::int64_t aligned(std::int64_t floats) {
  return (floats + kAlignmentFloats - 1) / kAlignmentFloats * kAlignmentFloats;
}

/// The layer that computes with a weight, which may be wrapped, and the weight's name there.
struct Owner {
  const LayerSpec* layer;
  std::string_view weight;
};

Owner owner_of(const LayerSpec& outermost, std::string_view name) {
  Owner owner{&outermost, name};
  for (std::size_t slash = name.find('/'); slash != std::string_view::npos; slash = owner.weight.find('/')) {
    const auto& children = owner.layer->children;
    const std::string_view child = owner.weight.substr(0, slash);
    const auto found =
        std::find_if(children.begin(), children.end(), [child](const LayerSpec& layer) { return layer.name == child; });
    if (found == children.end()) break;
    owner = {&*found, owner.weight.substr(slash + 1)};
  }
  return owner;
}

Storage storage_of(const LayerSpec& outermost, const std::string& name) {
  constexpr std::string_view kConvolutions[] = {
      "Conv1D",          "Conv2D",          "Conv3D",          "Conv1DTranspose", "Conv2DTranspose",
      "Conv3DTranspose", "DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D"};
  const auto [layer, weight] = owner_of(outermost, name);
  if (std::find(std::begin(kConvolutions), std::end(kConvolutions), layer->class_name) == std::end(kConvolutions)) {
    return Storage::kAsKeras;
  }
  if (weight == "depthwise_kernel") return Storage::kDepthwiseKernel;
  return weight == "kernel" || weight == "pointwise_kernel" ? Storage::kConvolutionKernel : Storage::kAsKeras;
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
    layout.weights.push_back({layer.name + "/" + weight.name, weight.shape, storage_of(layer, weight.name),
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
  layout.learning_rate = optimizer.learning_rate;
  layout.has_average = optimizer.use_ema;
  hash.add_word(static_cast<std::uint64_t>(optimizer.kind));
  hash.add_word(static_cast<std::uint64_t>(layout.slot_count));
  // Which slots these are: several choices give the same number of them.
  for (const bool is_kept : {optimizer.momentum > 0.0, optimizer.centered, optimizer.amsgrad, optimizer.use_ema,
                             optimizer.gradient_accumulation_steps > 1}) {
    hash.add_word(is_kept ? 1 : 0);
  }
  layout.hash = hash.value();
  return layout;
}

}  // namespace modelhop::engine
