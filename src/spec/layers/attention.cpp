// SPDX-License-Identifier: Apache-2.0
// Attention, AdditiveAttention, MultiHeadAttention, GroupQueryAttention.
#include <algorithm>

#include "spec/attention_inputs.hpp"
#include "spec/grammar_text.hpp"
#include "spec/layer_kind.hpp"

namespace modelhop::spec {
namespace {

constexpr int kMostInputs = 8;

void read_attention_arguments(LayerConfig& arguments, Attributes& attributes) {
  for (const char* key : {"return_attention_scores", "use_causal_mask"}) {
    if (arguments.find(key) != nullptr) attributes[key] = arguments.boolean(key, {});
  }
}

bool returns_scores(const LayerCall& call) {
  const auto found = call.arguments.find("return_attention_scores");
  return found != call.arguments.end() && std::get<bool>(found->second);
}

void read_dropout(LayerConfig& config, Attributes& attributes) {
  attributes["dropout"] = config.number("dropout", 0.0, {0.0, 1.0, true});
  config.find("seed");
}

const Shape& shape_of(const LayerCall& call, int index) {
  return call.inputs[static_cast<std::size_t>(index)];
}

AttentionInputs inputs_of(const LayerCall& call) {
  const AttentionInputs inputs = attention_inputs(call.roles);
  if (inputs.query < 0 || inputs.value < 0) refuse(call.where() + ": attention needs a query and a value");
  const bool has_list = argument_index(call.roles, "mask") >= 0;
  if (has_list)
    unsupported(call.where() + ": call argument \"mask\"", "Masks follow from Masking and Embedding layers.");
  return inputs;
}

std::int64_t attention_flops(const LayerCall& call, const Shape&) {
  const AttentionInputs inputs = inputs_of(call);
  const std::int64_t pairs =
      product_within(element_count(shape_of(call, inputs.query)), element_count(shape_of(call, inputs.value)),
                     kMaxFlops / 8, call.where() + ": number of operations");
  return 4 * pairs;
}

// ---- Attention, AdditiveAttention

void read_attention(LayerConfig& config, Attributes& attributes) {
  attributes["use_scale"] = config.boolean("use_scale", false);
  attributes["causal"] = config.boolean("causal", false);
  attributes["score_mode"] = config.choice("score_mode", "dot", {"dot", "concat"});
  attributes["concat_score"] = attributes["score_mode"] == Attribute(std::string("concat"));
  read_dropout(config, attributes);
}

void read_additive_attention(LayerConfig& config, Attributes& attributes) {
  attributes["use_scale"] = config.boolean("use_scale", true);
  attributes["causal"] = config.boolean("causal", false);
  read_dropout(config, attributes);
}

std::vector<Shape> attention_shapes(const LayerCall& call) {
  const AttentionInputs inputs = inputs_of(call);
  const Shape& query = shape_of(call, inputs.query);
  const Shape& value = shape_of(call, inputs.value);
  const Shape& key = shape_of(call, inputs.key);
  const bool fits =
      query.size() == 2 && value.size() == 2 && key.size() == 2 && value[0] == key[0] && query[1] == key[1];
  if (!fits) {
    refuse(call.where() + ": query " + to_text(query) + ", value " + to_text(value) + " and key " + to_text(key) +
           " do not fit together");
  }
  std::vector<Shape> outputs = {{query[0], value[1]}};
  if (returns_scores(call)) outputs.push_back({query[0], value[0]});
  return outputs;
}

Shape attention_weight(const LayerCall& call, std::string_view weight) {
  const bool is_vector = call.layer.class_name == "AdditiveAttention" && weight == "scale";
  return is_vector ? Shape{shape_of(call, inputs_of(call).query).back()} : Shape{};
}

// ---- MultiHeadAttention, GroupQueryAttention

void refuse_newer_options(LayerConfig& config, const char* class_name) {
  if (config.boolean("use_gate", false)) config.not_supported("\"use_gate\" of " + std::string(class_name));
  if (config.find("sliding_window") != nullptr) {
    config.not_supported("\"sliding_window\" of " + std::string(class_name));
  }
  config.find("flash_attention");  // an implementation, not a result
}

std::vector<std::int64_t> integers(LayerConfig& config, const char* key, IntegerRange range) {
  const Json* value = config.find(key);
  std::vector<std::int64_t> list;
  if (value == nullptr) return list;
  if (!value->is_array()) return {config.integer_value(key, *value, range)};
  for (const Json& element : *value) list.push_back(config.integer_value(key, element, range));
  return list;
}

void read_multi_head(LayerConfig& config, Attributes& attributes) {
  const std::int64_t heads = config.integer("num_heads", {}, {});
  const std::int64_t key_dim = config.integer("key_dim", {}, {});
  attributes["num_heads"] = attributes["num_key_value_heads"] = heads;
  attributes["key_dim"] = key_dim;
  attributes["value_dim"] = config.integer("value_dim", key_dim, {});
  attributes["use_bias"] = config.boolean("use_bias", true);
  attributes["output_shape"] = integers(config, "output_shape", {});
  attributes["attention_axes"] = integers(config, "attention_axes", {-32, 32});
  read_dropout(config, attributes);
  refuse_newer_options(config, "MultiHeadAttention");
  // Keras 2 writes down with what it was built.
  for (const char* key : {"query_shape", "key_shape", "value_shape"}) config.find(key);
}

void read_group_query(LayerConfig& config, Attributes& attributes) {
  const std::int64_t heads = config.integer("num_query_heads", {}, {});
  const std::int64_t key_value_heads = config.integer("num_key_value_heads", {}, {});
  if (heads % key_value_heads != 0) {
    refuse(config.where() + ": \"num_key_value_heads\" " + std::to_string(key_value_heads) +
           " does not divide \"num_query_heads\" " + std::to_string(heads));
  }
  attributes["num_heads"] = heads;
  attributes["num_key_value_heads"] = key_value_heads;
  attributes["key_dim"] = attributes["value_dim"] = config.integer("head_dim", {}, {});
  attributes["use_bias"] = config.boolean("use_bias", true);
  attributes["output_shape"] = attributes["attention_axes"] = std::vector<std::int64_t>();
  read_dropout(config, attributes);
  refuse_newer_options(config, "GroupQueryAttention");
}

/// Axes that attend to each other, without the batch axis, ascending.
Shape settled_axes(const LayerCall& call, const Shape& query) {
  const auto rank = static_cast<std::int64_t>(query.size());
  Shape axes = list_attribute(call.layer, "attention_axes");
  if (axes.empty()) {
    for (std::int64_t axis = 0; axis + 1 < rank; ++axis) axes.push_back(axis);
  } else {
    for (std::int64_t& axis : axes) axis = axis < 0 ? axis + rank : axis - 1;
  }
  std::sort(axes.begin(), axes.end());
  const bool is_legal = !axes.empty() && axes.front() >= 0 && axes.back() + 1 < rank &&
                        std::adjacent_find(axes.begin(), axes.end()) == axes.end();
  if (!is_legal) {
    refuse(call.where() + ": \"attention_axes\" " + to_text(list_attribute(call.layer, "attention_axes")) +
           " are not axes of a query of shape " + to_text(query));
  }
  call.layer.attributes["attention_axes"] = axes;
  return axes;
}

std::vector<Shape> multi_head_shapes(const LayerCall& call) {
  const AttentionInputs inputs = inputs_of(call);
  const Shape& query = shape_of(call, inputs.query);
  const Shape& value = shape_of(call, inputs.value);
  const Shape& key = shape_of(call, inputs.key);
  const Shape axes = settled_axes(call, query);
  bool fits = query.size() == value.size() && query.size() == key.size();
  for (std::size_t axis = 0; fits && axis + 1 < query.size(); ++axis) {
    const bool attends = std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(axis)) != axes.end();
    fits = value[axis] == key[axis] && (attends || query[axis] == key[axis]);
  }
  if (!fits) {
    refuse(call.where() + ": query " + to_text(query) + ", value " + to_text(value) + " and key " + to_text(key) +
           " do not fit together");
  }
  Shape scores, output(query.begin(), query.end() - 1), last = list_attribute(call.layer, "output_shape");
  if (last.empty()) last = {query.back()};
  output.insert(output.end(), last.begin(), last.end());
  call.layer.attributes["output_shape"] = last;
  std::vector<Shape> outputs = {output};
  if (!returns_scores(call)) return outputs;
  for (std::size_t axis = 0; axis + 1 < query.size(); ++axis) {
    const bool attends = std::find(axes.begin(), axes.end(), static_cast<std::int64_t>(axis)) != axes.end();
    if (!attends) scores.push_back(query[axis]);
  }
  scores.push_back(integer_attribute(call.layer, "num_heads"));
  for (const Shape* side : {&query, &value}) {
    for (const std::int64_t axis : axes) scores.push_back((*side)[static_cast<std::size_t>(axis)]);
  }
  outputs.push_back(scores);
  return outputs;
}

Shape multi_head_weight(const LayerCall& call, std::string_view weight) {
  const AttentionInputs inputs = inputs_of(call);
  const std::int64_t key_dim = integer_attribute(call.layer, "key_dim");
  const std::int64_t value_dim = integer_attribute(call.layer, "value_dim");
  const std::int64_t heads = integer_attribute(call.layer, "num_heads");
  const std::int64_t shared_heads = integer_attribute(call.layer, "num_key_value_heads");
  if (weight == "query/kernel") return {shape_of(call, inputs.query).back(), heads, key_dim};
  if (weight == "query/bias") return {heads, key_dim};
  if (weight == "key/kernel") return {shape_of(call, inputs.key).back(), shared_heads, key_dim};
  if (weight == "key/bias") return {shared_heads, key_dim};
  if (weight == "value/kernel") return {shape_of(call, inputs.value).back(), shared_heads, value_dim};
  if (weight == "value/bias") return {shared_heads, value_dim};
  Shape shape = list_attribute(call.layer, "output_shape");
  if (weight == "attention_output/kernel") shape.insert(shape.begin(), {heads, value_dim});
  return shape;
}

std::int64_t multi_head_flops(const LayerCall& call, const Shape& output) {
  const AttentionInputs inputs = inputs_of(call);
  const std::int64_t width =
      integer_attribute(call.layer, "num_heads") *
      std::max(integer_attribute(call.layer, "key_dim"), integer_attribute(call.layer, "value_dim"));
  std::int64_t projected = element_count(output);
  for (const int input : {inputs.query, inputs.key, inputs.value}) projected += element_count(shape_of(call, input));
  const Shape& query = shape_of(call, inputs.query);
  const Shape& value = shape_of(call, inputs.value);
  const std::int64_t pairs = product_within(element_count(query) / query.back(), element_count(value) / value.back(),
                                            kMaxElements, call.where() + ": number of operations");
  return product_within(2 * projected + 4 * pairs, width, kMaxFlops, call.where() + ": number of operations");
}

LayerKind heads_kind(std::string_view class_name, void (*read)(LayerConfig&, Attributes&),
                     std::vector<std::string_view> aliases = {}) {
  std::vector<WeightRule> weights;
  static constexpr const char* kNames[][2] = {{"query/kernel", "query/bias"},
                                              {"key/kernel", "key/bias"},
                                              {"value/kernel", "value/bias"},
                                              {"attention_output/kernel", "attention_output/bias"}};
  for (const auto& [kernel, bias] : kNames) {
    weights.push_back({kernel, "glorot_uniform", nullptr, false, "kernel"});
    weights.push_back({bias, "zeros", "use_bias", false, "bias"});
  }
  return {.class_name = class_name,
          .read = read,
          .output_shapes = multi_head_shapes,
          .flops = multi_head_flops,
          .weights = weights,
          .weight_shape = multi_head_weight,
          .min_inputs = 2,
          .max_inputs = kMostInputs,
          .aliases = std::move(aliases),
          .mask_rule = MaskRule::kOwn,
          .read_arguments = read_attention_arguments};
}

}  // namespace

const std::vector<LayerKind>& attention_layers() {
  static const std::vector<LayerKind> kinds = {
      {.class_name = "Attention",
       .read = read_attention,
       .output_shapes = attention_shapes,
       .flops = attention_flops,
       .weights = {{"scale", "ones", "use_scale"}, {"concat_score_weight", "ones", "concat_score"}},
       .weight_shape = attention_weight,
       .min_inputs = 2,
       .max_inputs = kMostInputs,
       .mask_rule = MaskRule::kOwn,
       .read_arguments = read_attention_arguments},
      {.class_name = "AdditiveAttention",
       .read = read_additive_attention,
       .output_shapes = attention_shapes,
       .flops = attention_flops,
       .weights = {{"scale", "glorot_uniform", "use_scale"}},
       .weight_shape = attention_weight,
       .min_inputs = 2,
       .max_inputs = kMostInputs,
       .mask_rule = MaskRule::kOwn,
       .read_arguments = read_attention_arguments},
      heads_kind("MultiHeadAttention", read_multi_head),
      heads_kind("GroupQueryAttention", read_group_query, {"GroupedQueryAttention"}),
  };
  return kinds;
}

}  // namespace modelhop::spec
