// SPDX-License-Identifier: Apache-2.0
// BatchNormalization. Normalises by the biased variance of the batch; which variance enters the moving average depends
// on the Keras generation and on the rank (frozen layers too behave as their generation does).
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/native_batch_norm.h>
#include <ATen/ops/native_batch_norm_backward.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/square.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <array>

#include "engine/lowering.hpp"

namespace modelhop::engine {
namespace {

struct BatchNormalization {
  std::int64_t axis = 1;  ///< counts the batch axis
  double momentum = 0.99;
  double epsilon = 1e-3;
  bool uses_batch = false;  ///< normalises by the batch, not by the moving statistics
  bool moves_statistics = false;
  SemanticsProfile profile = SemanticsProfile::kTf2Legacy;
  int gamma = -1, beta = -1, mean = -1, variance = -1;  ///< positions among the operation's weights
};

/// Factor from the unbiased variance of n elements to the one that enters the moving average.
double moving_variance_factor(const BatchNormalization& settings, std::size_t rank, double n) {
  const double to_biased = n > 1 ? (n - 1) / n : 1.0;
  const double keras22 = n / (n - 1.0 - settings.epsilon);
  // TensorFlow's fused operation, which images and volumes go through where the channels are first or last.
  const auto last = static_cast<std::int64_t>(rank) - 1;
  const bool is_fused = (rank == 4 || rank == 5) && (settings.axis == 1 || settings.axis == last);
  switch (settings.profile) {
    case SemanticsProfile::kKeras22:
      return is_fused && rank == 4 ? keras22 : to_biased * keras22;
    case SemanticsProfile::kTf1:
      return is_fused && rank == 4 ? 1.0 : to_biased;
    case SemanticsProfile::kTf2Legacy:
    case SemanticsProfile::kTf2:
      return is_fused ? 1.0 : to_biased;
    case SemanticsProfile::kKeras3:
      break;
  }
  return to_biased;
}

class BatchNormalizationOperation final : public Operation {
 public:
  explicit BatchNormalizationOperation(const BatchNormalization& settings) : settings_(settings) {}

  void prepare(std::int64_t rows, const at::TensorOptions& options) override {
    const std::int64_t channels = output().shape[settings_.axis - 1];
    batch_mean_ = at::zeros({channels}, options);
    batch_variance_ = at::zeros({channels}, options);
    constant_one_ = at::ones({channels}, options);
    const double n = static_cast<double>(rows * element_count(output().shape) / channels);
    is_single_ = n < 2;
    variance_factor_ = moving_variance_factor(settings_, output().shape.size() + 1, n);
  }

  void forward(const Step&) override {
    if (!settings_.uses_batch) {
      set_output(at::native_batch_norm(images(input().data), gamma(), weight(settings_.beta), weight(settings_.mean),
                                       weight(settings_.variance), false, 0.0, settings_.epsilon));
      return;
    }
    // With momentum 1 the "running" statistics are the batch's own mean and unbiased variance. The old ones count zero
    // times, which is still NaN where a configuration that diverged left a NaN: the plan serves others after it.
    batch_mean_.zero_();
    batch_variance_.zero_();
    set_output(at::native_batch_norm(images(input().data), gamma(), weight(settings_.beta), batch_mean_,
                                     batch_variance_, true, 1.0, settings_.epsilon));
    if (settings_.moves_statistics) move_statistics();
  }

  void backward(const Step&) override {
    const bool gamma_learns = learns(settings_.gamma), beta_learns = learns(settings_.beta);
    const bool frozen = !settings_.uses_batch;
    auto [input_gradient, gamma_gradient, beta_gradient] = at::native_batch_norm_backward(
        images(output().gradient), images(input().data), gamma(), frozen ? weight(settings_.mean) : std::nullopt,
        frozen ? weight(settings_.variance) : std::nullopt, saved_mean_, saved_inverse_, !frozen, settings_.epsilon,
        {input().needs_gradient, gamma_learns, beta_learns});
    if (gamma_learns) weights[settings_.gamma].gradient.copy_(gamma_gradient);
    if (beta_learns) weights[settings_.beta].gradient.copy_(beta_gradient);
    if (input().needs_gradient) inputs[0]->gradient = values(input_gradient);
  }
  bool keeps_output() const override { return false; }

 private:
  bool learns(int position) const { return position >= 0 && weights[position].learns(); }
  std::optional<at::Tensor> weight(int position) const {
    return position >= 0 ? std::optional(weights[position].data) : std::nullopt;
  }
  std::optional<at::Tensor> gamma() const {
    return settings_.gamma >= 0 ? weight(settings_.gamma) : std::optional(constant_one_);
  }
  /// The channel axis at position 1; a free view.
  at::Tensor images(const at::Tensor& tensor) const { return tensor.movedim(settings_.axis, 1); }
  at::Tensor values(const at::Tensor& tensor) const { return tensor.movedim(1, settings_.axis).contiguous(); }

  void set_output(std::tuple<at::Tensor, at::Tensor, at::Tensor> result) {
    output().data.reset();
    output().data = values(std::get<0>(result));
    saved_mean_ = std::get<1>(result);
    saved_inverse_ = std::get<2>(result);
  }

  void move_statistics() {
    if (is_single_) batch_variance_.zero_();
    const double share = 1.0 - settings_.momentum;
    const at::Tensor& mean = weights[settings_.mean].data;
    const at::Tensor& variance = weights[settings_.variance].data;
    mean.mul_(settings_.momentum).add_(batch_mean_, share);
    variance.mul_(settings_.momentum).add_(batch_variance_, share * variance_factor_);
  }

  BatchNormalization settings_;
  double variance_factor_ = 1.0;
  bool is_single_ = false;  ///< one element per channel: its variance is 0
  at::Tensor batch_mean_, batch_variance_, constant_one_, saved_mean_, saved_inverse_;
};

/// Moments of the steps that a mask leaves, each step of a (steps, channels) example being one element.
at::Tensor masked_batch_normalization(const BatchNormalization& settings, const ForwardInputs& given) {
  const at::Tensor& x = given.inputs[0];
  const std::vector<std::int64_t> others = {0, settings.axis == 1 ? 2 : 1};
  const at::Tensor counts = given.inputs[1].unsqueeze(-1).expand_as(x);
  // Keras 3 guards against a batch without any step that counts.
  const double guard = settings.profile == SemanticsProfile::kKeras3 ? 1e-7 : 0.0;
  const at::Tensor total = at::sum(counts, others, true).add(guard);
  const at::Tensor mean = at::sum(x.mul(counts), others, true).div(total);
  const at::Tensor centered = x.sub(mean);
  const at::Tensor variance = at::sum(centered.square().mul(counts), others, true).div(total);
  at::Tensor result = centered.mul(at::rsqrt(variance.add(settings.epsilon)));
  if (settings.gamma >= 0) result = result.mul(given.weights[settings.gamma].view_as(mean.select(0, 0)));
  if (settings.beta >= 0) result = result.add(given.weights[settings.beta].view_as(mean.select(0, 0)));
  const at::NoGradGuard no_grad;
  const auto move = [&](int position, const at::Tensor& batch) {
    const at::Tensor& moving = given.weights[position];
    moving.mul_(settings.momentum).add_(batch.detach().view_as(moving), 1.0 - settings.momentum);
  };
  move(settings.mean, mean);
  move(settings.variance, variance);
  return result;
}

/// Only the newest generations look at a mask, and only where TensorFlow's fused kernel does not serve.
Value* mask_of(const Lowering& lowering, const BatchNormalization& settings) {
  const bool is_looked_at = settings.profile == SemanticsProfile::kTf2 || settings.profile == SemanticsProfile::kKeras3;
  const bool fits = settings.moves_statistics && lowering.input_shape().size() == 2 && !lowering.masks.empty();
  return is_looked_at && fits ? lowering.masks.front() : nullptr;
}

}  // namespace

static Values lower_batch_normalization(Lowering& lowering) {
  const LayerSpec& layer = lowering.layer();
  BatchNormalization settings;
  settings.axis = integer_attribute(layer, "axis") + 1;
  settings.momentum = number_attribute(layer, "momentum");
  settings.epsilon = number_attribute(layer, "epsilon");
  settings.profile = lowering.model.profile;
  const bool keeps_batch_when_frozen =
      settings.profile == SemanticsProfile::kKeras22 || settings.profile == SemanticsProfile::kTf1;
  settings.uses_batch = lowering.is_training() && (layer.is_trainable || keeps_batch_when_frozen);
  settings.moves_statistics = lowering.is_training() && layer.is_trainable;
  std::vector<int> weights;
  const auto take = [&](const char* name, int& position) {
    const int index = lowering.weight(name);
    if (index < 0) return;
    position = static_cast<int>(weights.size());
    weights.push_back(index);
  };
  take("gamma", settings.gamma);
  take("beta", settings.beta);
  take("moving_mean", settings.mean);
  take("moving_variance", settings.variance);
  if (Value* mask = mask_of(lowering, settings); mask != nullptr) {
    const auto masked = [settings](const ForwardInputs& given) { return masked_batch_normalization(settings, given); };
    return lowering.emit<AutogradOperation>({lowering.inputs[0], mask}, lowering.output_shape(), weights, masked);
  }
  return lowering.emit<BatchNormalizationOperation>({lowering.inputs[0]}, lowering.output_shape(), weights, settings);
}

std::span<const LayerLowering> batch_normalization_lowerings() {
  static constexpr LayerLowering kLowerings[] = {
      {"BatchNormalization", lower_batch_normalization},
  };
  return kLowerings;
}

}  // namespace modelhop::engine
