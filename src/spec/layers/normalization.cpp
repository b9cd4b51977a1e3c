// SPDX-License-Identifier: Apache-2.0
// BatchNormalization.
#include "spec/grammar_text.hpp"
#include "spec/layer_kind.hpp"

namespace modelhop::spec {
namespace {

void read_batch_normalization(LayerConfig& config, Attributes& attributes) {
  read_axis(config, attributes);
  attributes["momentum"] = config.number("momentum", 0.99, {0.0, 1.0});
  attributes["epsilon"] = config.number("epsilon", 1e-3, {0.0});
  attributes["center"] = config.boolean("center", true);
  attributes["scale"] = config.boolean("scale", true);
  for (const char* key : {"renorm", "synchronized"}) {
    if (config.boolean(key, false)) config.not_supported(in_quotes(key) + " of BatchNormalization");
  }
  // TensorFlow 1 writes these beside the flag that uses them; `fused` chooses an implementation, not a result.
  for (const char* key : {"renorm_clipping", "renorm_momentum", "fused"}) config.find(key);
}

Shape batch_normalization_shape(const LayerCall& call) {
  settle_axis(call, call.input().size());
  return call.input();
}

Shape batch_normalization_weight(const LayerCall& call, std::string_view) {
  return {call.input()[static_cast<std::size_t>(integer_attribute(call.layer, "axis"))]};
}

std::int64_t batch_normalization_flops(const LayerCall& call, const Shape& output) {
  return flops_of(element_count(output), 2, call);
}

}  // namespace

const std::vector<LayerKind>& normalization_layers() {
  static const std::vector<LayerKind> kinds = {
      {.class_name = "BatchNormalization",
       .read = read_batch_normalization,
       .output_shape = batch_normalization_shape,
       .flops = batch_normalization_flops,
       .weights = {{"gamma", "ones", "scale"},
                   {"beta", "zeros", "center"},
                   {"moving_mean", "zeros", nullptr, true},
                   {"moving_variance", "ones", nullptr, true}},
       .weight_shape = batch_normalization_weight,
       .aliases = {"BatchNormalizationV1", "BatchNormalizationV2"}},
  };
  return kinds;
}

}  // namespace modelhop::spec
