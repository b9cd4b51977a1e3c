// SPDX-License-Identifier: Apache-2.0
// Embedding, Masking: where masks come from.
#include "spec/grammar_text.hpp"
#include "spec/layer_kind.hpp"

namespace modelhop::spec {
namespace {

/// Positions beyond 2^24 cannot be told apart in float32, in which ids arrive.
constexpr std::int64_t kMaxIds = std::int64_t{1} << 24;

void read_embedding(LayerConfig& config, Attributes& attributes) {
  attributes["input_dim"] = config.integer("input_dim", {}, {1, kMaxIds});
  attributes["output_dim"] = config.integer("output_dim", {}, {});
  attributes["mask_zero"] = config.boolean("mask_zero", false);
  const Json* length = config.find("input_length");
  std::vector<std::int64_t> lengths;
  if (length != nullptr && length->is_array()) {
    for (const Json& extent : *length) {
      lengths.push_back(extent.is_null() ? 0 : config.integer_value("input_length", extent, {}));
    }
  } else if (length != nullptr) {
    lengths.push_back(config.integer_value("input_length", *length, {}));
  }
  attributes["input_length"] = lengths;
}

Shape embedding_shape(const LayerCall& call) {
  const auto& lengths = list_attribute(call.layer, "input_length");
  bool fits = lengths.empty() || lengths.size() == call.input().size();
  for (std::size_t i = 0; i < lengths.size() && fits; ++i) fits = lengths[i] == 0 || lengths[i] == call.input()[i];
  if (!fits) {
    refuse(call.where() + ": \"input_length\" " + to_text(lengths) + " is not the shape " + to_text(call.input()) +
           " of the input");
  }
  Shape shape = call.input();
  shape.push_back(integer_attribute(call.layer, "output_dim"));
  return shape;
}

Shape embedding_weight(const LayerCall& call, std::string_view) {
  return {integer_attribute(call.layer, "input_dim"), integer_attribute(call.layer, "output_dim")};
}

void read_masking(LayerConfig& config, Attributes& attributes) {
  attributes["mask_value"] = config.number("mask_value", 0.0, {});
}

Shape masking_shape(const LayerCall& call) {
  if (call.input().empty()) refuse(call.where() + ": Masking needs at least one axis beside the batch");
  return call.input();
}

std::int64_t masking_flops(const LayerCall& call, const Shape& output) {
  return flops_of(element_count(output), 2, call);
}

}  // namespace

const std::vector<LayerKind>& embedding_layers() {
  static const std::vector<LayerKind> kinds = {
      {.class_name = "Embedding",
       .read = read_embedding,
       .output_shape = embedding_shape,
       .flops = no_flops,
       .weights = {{"embeddings", "uniform"}},
       .weight_shape = embedding_weight,
       .mask_rule = MaskRule::kOwn},
      {.class_name = "Masking",
       .read = read_masking,
       .output_shape = masking_shape,
       .flops = masking_flops,
       .mask_rule = MaskRule::kOwn},
  };
  return kinds;
}

}  // namespace modelhop::spec
