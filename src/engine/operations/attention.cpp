// SPDX-License-Identifier: Apache-2.0
// Attention, AdditiveAttention, MultiHeadAttention, GroupQueryAttention, as expressions whose backward autograd
// derives.
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/repeat_interleave.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tanh.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/lowering.hpp"
#include "engine/random.hpp"
#include "spec/attention_inputs.hpp"

namespace modelhop::engine {
namespace {

/// What Keras takes off the scores of masked places.
constexpr double kMaskedScore = 1e9;

struct AttentionSettings {
  std::int64_t heads = 1, shared_heads = 1, key_dim = 1;
  std::vector<std::int64_t> axes;          ///< that attend, counting the batch axis
  std::vector<std::int64_t> output_shape;  ///< after the last data axis
  bool is_additive = false;                ///< scores by a sum of tanh, not by a product
  bool is_causal = false, returns_scores = false;
  double dropout = 0.0;  ///< 0 where it does not act
  std::uint32_t stream = 0;
  AttentionInputs inputs;                               ///< among the operation's
  int query_mask = -1, value_mask = -1, key_mask = -1;  ///< among the operation's inputs
  std::vector<int> weights;                             ///< see the lowerings; -1: none
};

const at::Tensor& input_at(const ForwardInputs& given, int index) {
  return given.inputs[static_cast<std::size_t>(index)];
}

/// The weight in that place of the settings, undefined where the layer has none.
at::Tensor weight_at(const AttentionSettings& settings, const ForwardInputs& given, std::size_t place) {
  const int index = settings.weights[place];
  return index < 0 ? at::Tensor() : given.weights[static_cast<std::size_t>(index)];
}

at::Tensor both(const at::Tensor& left, const at::Tensor& right) {
  if (!left.defined()) return right;
  return right.defined() ? at::minimum(left, right) : left;
}

/// [1, queries, values], 1 where a query may look.
at::Tensor causal_mask(std::int64_t queries, std::int64_t values, const at::TensorOptions& options) {
  const at::Tensor rows = at::arange(queries, options).unsqueeze(1);
  return rows.ge(at::arange(values, options)).to(at::kFloat).unsqueeze(0);
}

/// Probabilities over the last axis. `mask`, where defined, broadcasts against the scores.
at::Tensor probabilities(const at::Tensor& scores, const at::Tensor& mask) {
  if (!mask.defined()) return at::softmax(scores, -1);
  return at::softmax(scores.sub(mask.neg().add(1).mul(kMaskedScore)), -1);
}

at::Tensor dropped(const AttentionSettings& settings, const at::Tensor& weights, const Step& step) {
  if (settings.dropout <= 0.0) return weights;
  at::Tensor mask = at::empty(weights.sizes(), weights.options().device(at::kCPU));
  dropout_mask({mask.mutable_data_ptr<float>(), static_cast<std::size_t>(mask.numel())}, settings.dropout,
               step.configuration_seed, step.number, settings.stream);
  return weights.mul(mask.to(weights.device()));
}

// ---- Attention, AdditiveAttention: [rows, steps, features]

at::Tensor scores_of(const AttentionSettings& settings, const ForwardInputs& given) {
  const at::Tensor& query = input_at(given, settings.inputs.query);
  const at::Tensor& key = input_at(given, settings.inputs.key);
  const at::Tensor scale = weight_at(settings, given, 0), of_concat = weight_at(settings, given, 1);
  if (!settings.is_additive && !of_concat.defined()) {
    const at::Tensor scores = at::matmul(query, key.transpose(1, 2));
    return scale.defined() ? scores.mul(scale) : scores;
  }
  const at::Tensor sum = query.unsqueeze(-2).add(key.unsqueeze(-3));
  if (of_concat.defined()) {
    return at::tanh(scale.defined() ? sum.mul(scale) : sum).sum(-1).mul(of_concat);
  }
  const at::Tensor bent = at::tanh(sum);
  return (scale.defined() ? bent.mul(scale) : bent).sum(-1);
}

std::vector<at::Tensor> attended(const AttentionSettings& settings, const ForwardInputs& given) {
  const at::Tensor scores = scores_of(settings, given);
  at::Tensor mask;
  if (settings.value_mask >= 0) mask = input_at(given, settings.value_mask).unsqueeze(1);
  if (settings.is_causal) mask = both(mask, causal_mask(scores.size(1), scores.size(2), scores.options()));
  const at::Tensor weights = dropped(settings, probabilities(scores, mask), given.step);
  at::Tensor result = at::matmul(weights, input_at(given, settings.inputs.value));
  if (settings.query_mask >= 0) result = result.mul(input_at(given, settings.query_mask).unsqueeze(-1));
  if (settings.returns_scores) return {result, weights};
  return {result};
}

// ---- MultiHeadAttention, GroupQueryAttention

/// x [rows, axes..., features] by a kernel [features, heads, width] -> [rows, axes..., heads, width].
at::Tensor projected(const at::Tensor& x, const at::Tensor& kernel, const at::Tensor& bias) {
  at::Tensor result = at::matmul(x, kernel.flatten(1));
  if (bias.defined()) result = result.add(bias.flatten());
  return result.unflatten(-1, {kernel.size(1), kernel.size(2)});
}

class HeadsExpression {
 public:
  HeadsExpression(const AttentionSettings& settings, const ForwardInputs& given)
      : settings_(settings), given_(given), query_(input_at(given, settings.inputs.query)) {
    for (std::int64_t axis = 0; axis + 1 < query_.dim(); ++axis) {
      const bool attends = std::find(settings.axes.begin(), settings.axes.end(), axis) != settings.axes.end();
      if (!attends) order_.push_back(axis);
    }
    free_axes_ = static_cast<std::int64_t>(order_.size());
    order_.push_back(query_.dim() - 1);  // the heads
    order_.insert(order_.end(), settings.axes.begin(), settings.axes.end());
    order_.push_back(query_.dim());
  }

  std::vector<at::Tensor> run() const {
    const at::Tensor query = by_head(query_, 0).mul(1.0 / std::sqrt(static_cast<double>(settings_.key_dim)));
    const at::Tensor key = shared(by_head(input_at(given_, settings_.inputs.key), 2));
    const at::Tensor value = shared(by_head(input_at(given_, settings_.inputs.value), 4));
    const at::Tensor flat_query = flattened(query), flat_key = flattened(key), flat_value = flattened(value);
    const at::Tensor scores = at::matmul(flat_query, flat_key.transpose(-1, -2));
    const at::Tensor weights = probabilities(scores, mask(scores));
    const at::Tensor mixed = at::matmul(dropped(settings_, weights, given_.step), flat_value);
    std::vector<at::Tensor> results = {output_of(mixed, query)};
    if (settings_.returns_scores) results.push_back(unflattened_scores(weights, query, key));
    return results;
  }

 private:
  std::int64_t attending() const { return static_cast<std::int64_t>(settings_.axes.size()); }

  /// [free axes..., heads, attending axes..., width]
  at::Tensor by_head(const at::Tensor& x, std::size_t place) const {
    return projected(x, weight_at(settings_, given_, place), weight_at(settings_, given_, place + 1)).permute(order_);
  }
  /// Several query heads share one head of keys and values.
  at::Tensor shared(const at::Tensor& x) const {
    const std::int64_t times = settings_.heads / settings_.shared_heads;
    return times == 1 ? x : at::repeat_interleave(x, times, free_axes_);
  }
  at::Tensor flattened(const at::Tensor& x) const { return x.flatten(-1 - attending(), -2); }

  /// 1 where a query may look, broadcasting against [free axes..., heads, queries, values]; undefined: everywhere.
  at::Tensor mask(const at::Tensor& scores) const {
    at::Tensor result;
    if (settings_.query_mask >= 0) result = input_at(given_, settings_.query_mask).unsqueeze(-1);
    if (settings_.value_mask >= 0) result = both(result, input_at(given_, settings_.value_mask).unsqueeze(1));
    if (settings_.key_mask >= 0) result = both(result, input_at(given_, settings_.key_mask).unsqueeze(1));
    if (settings_.is_causal) result = both(result, causal_mask(scores.size(-2), scores.size(-1), scores.options()));
    if (settings_.inputs.attention_mask >= 0) {
      const at::Tensor given = input_at(given_, settings_.inputs.attention_mask).ne(0).to(at::kFloat);
      const std::int64_t axes = attending();
      result = both(result, axes == 1 ? given : given.flatten(-axes).flatten(-1 - axes, -2));
    }
    return result.defined() ? result.unsqueeze(-3) : result;
  }

  at::Tensor output_of(const at::Tensor& mixed, const at::Tensor& query) const {
    std::vector<std::int64_t> sizes = query.sizes().vec();
    sizes.back() = mixed.size(-1);
    std::vector<std::int64_t> back(order_.size());
    for (std::size_t axis = 0; axis < order_.size(); ++axis) {
      back[static_cast<std::size_t>(order_[axis])] = static_cast<std::int64_t>(axis);
    }
    const at::Tensor kernel = weight_at(settings_, given_, 6), bias = weight_at(settings_, given_, 7);
    at::Tensor result = at::matmul(mixed.reshape(sizes).permute(back).flatten(-2), kernel.flatten(0, 1).flatten(1));
    if (bias.defined()) result = result.add(bias.flatten());
    return settings_.output_shape.size() == 1 ? result : result.unflatten(-1, settings_.output_shape);
  }

  at::Tensor unflattened_scores(const at::Tensor& weights, const at::Tensor& query, const at::Tensor& key) const {
    std::vector<std::int64_t> sizes(query.sizes().begin(), query.sizes().end() - 1);
    sizes.insert(sizes.end(), key.sizes().end() - 1 - attending(), key.sizes().end() - 1);
    return weights.reshape(sizes);
  }

  const AttentionSettings& settings_;
  const ForwardInputs& given_;
  at::Tensor query_;
  std::vector<std::int64_t> order_;  ///< of the axes of a projection: free ones, heads, attending ones, width
  std::int64_t free_axes_ = 0;       ///< the batch among them
};

// ---- lowering

bool argument(const Lowering& lowering, const std::string& name) {
  const auto& arguments = lowering.call().arguments;
  const auto found = arguments.find(name);
  return found != arguments.end() && std::get<bool>(found->second);
}

/// What the classes share; adds the masks of the call's inputs to `from`.
AttentionSettings settings_of(Lowering& lowering, std::vector<Value*>& from) {
  AttentionSettings settings;
  settings.inputs = attention_inputs(lowering.roles());
  settings.is_causal = argument(lowering, "use_causal_mask");
  settings.returns_scores = argument(lowering, "return_attention_scores");
  if (lowering.is_training()) settings.dropout = number_attribute(lowering.layer(), "dropout");
  if (settings.dropout > 0.0) settings.stream = lowering.stream_number();
  const AttentionInputs given = settings.inputs;
  from.clear();
  const auto place = [&](int index) {
    if (index < 0) return -1;
    from.push_back(lowering.inputs[static_cast<std::size_t>(index)]);
    return static_cast<int>(from.size()) - 1;
  };
  settings.inputs.query = place(given.query);
  settings.inputs.value = place(given.value);
  settings.inputs.key = given.key == given.value ? settings.inputs.value : place(given.key);
  settings.inputs.attention_mask = place(given.attention_mask);
  const auto mask_of = [&](int index, const char* keyword) {
    Value* written = lowering.input_of(keyword);
    return written != nullptr ? written : lowering.masks[static_cast<std::size_t>(index)];
  };
  const auto place_mask = [&](Value* mask) {
    if (mask == nullptr) return -1;
    from.push_back(mask);
    return static_cast<int>(from.size()) - 1;
  };
  Value* query_mask = mask_of(given.query, "query_mask");
  settings.query_mask = place_mask(query_mask);
  settings.value_mask = place_mask(mask_of(given.value, "value_mask"));
  if (given.key != given.value) settings.key_mask = place_mask(mask_of(given.key, "key_mask"));
  lowering.output_masks.assign(settings.returns_scores ? 2 : 1, nullptr);
  lowering.output_masks.front() = query_mask;
  return settings;
}

std::vector<int> take_weights(const Lowering& lowering, const std::vector<const char*>& names,
                              AttentionSettings& settings) {
  std::vector<int> weights;
  for (const char* name : names) {
    const int index = lowering.weight(name);
    settings.weights.push_back(index < 0 ? -1 : static_cast<int>(weights.size()));
    if (index >= 0) weights.push_back(index);
  }
  return weights;
}

}  // namespace

static Values lower_attention(Lowering& lowering) {
  std::vector<Value*> from;
  AttentionSettings settings = settings_of(lowering, from);
  settings.is_causal = settings.is_causal || boolean_attribute(lowering.layer(), "causal");
  settings.is_additive = lowering.layer().class_name == "AdditiveAttention";
  const std::vector<int> weights = take_weights(lowering, {"scale", "concat_score_weight"}, settings);
  return lowering.emit_several<AutogradOperation>(
      from, lowering.output_shapes(), weights,
      [settings](const ForwardInputs& given) { return attended(settings, given); });
}

static Values lower_heads(Lowering& lowering) {
  const LayerSpec& layer = lowering.layer();
  std::vector<Value*> from;
  AttentionSettings settings = settings_of(lowering, from);
  settings.heads = integer_attribute(layer, "num_heads");
  settings.shared_heads = integer_attribute(layer, "num_key_value_heads");
  settings.key_dim = integer_attribute(layer, "key_dim");
  settings.output_shape = list_attribute(layer, "output_shape");
  for (const std::int64_t axis : list_attribute(layer, "attention_axes")) settings.axes.push_back(axis + 1);
  if (from.front()->shape.size() != 2) settings.query_mask = settings.value_mask = settings.key_mask = -1;
  const std::vector<int> weights = take_weights(lowering,
                                                {"query/kernel", "query/bias", "key/kernel", "key/bias", "value/kernel",
                                                 "value/bias", "attention_output/kernel", "attention_output/bias"},
                                                settings);
  return lowering.emit_several<AutogradOperation>(
      from, lowering.output_shapes(), weights,
      [settings](const ForwardInputs& given) { return HeadsExpression(settings, given).run(); });
}

std::span<const LayerLowering> attention_lowerings() {
  static constexpr LayerLowering kLowerings[] = {
      {"AdditiveAttention", lower_attention},
      {"Attention", lower_attention},
      {"GroupQueryAttention", lower_heads},
      {"MultiHeadAttention", lower_heads},
  };
  return kLowerings;
}

}  // namespace modelhop::engine
