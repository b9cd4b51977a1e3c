// SPDX-License-Identifier: Apache-2.0
// BatchNormalization. Normalises by the biased variance of the batch; which variance enters the moving average depends
// on the Keras generation and on the rank (frozen layers too behave as their generation does).
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/native_batch_norm.h>
#include <ATen/ops/native_batch_norm_backward.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/square.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <vector>

#include "engine/batch_normalization_loops.hpp"
#include "engine/lowering.hpp"
#include "engine/operations/rectifier.hpp"

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

/// ATen's operations; or, where a relu that comes before can be taken over (channels last, on the CPU), loops that do
/// with two passes over memory less each way: docs/performance.md has the gain.
class BatchNormalizationOperation final : public Operation {
 public:
  explicit BatchNormalizationOperation(const BatchNormalization& settings) : settings_(settings) {}

  void prepare(std::int64_t rows, const at::TensorOptions& options) override {
    const std::int64_t channels = output().shape[settings_.axis - 1];
    size_ = {rows * element_count(output().shape) / channels, channels};
    const auto n = static_cast<double>(size_.rows);
    is_single_ = n < 2;
    variance_factor_ = moving_variance_factor(settings_, output().shape.size() + 1, n);
    has_loops_ = is_rectified_ && options.device().is_cpu();
    if (has_loops_) return;
    batch_mean_ = at::zeros({channels}, options);
    batch_variance_ = at::zeros({channels}, options);
    constant_one_ = at::ones({channels}, options);
  }

  void forward(const Step&) override { has_loops_ ? forward_by_loops() : forward_by_aten(); }
  void backward(const Step&) override { has_loops_ ? backward_by_loops() : backward_by_aten(); }
  bool keeps_output() const override { return false; }
  bool absorb_relu_of_input() override {
    return is_rectified_ = settings_.axis == static_cast<std::int64_t>(output().shape.size());
  }

 private:
  bool learns(int position) const { return position >= 0 && weights[position].learns(); }

  void forward_by_loops() {
    const float* x = input().data.const_data_ptr<float>();
    if (settings_.uses_batch) {
      channel_moments(size_, x, exact_mean_, exact_variance_);
      if (settings_.moves_statistics) move_exact_statistics();
    } else {
      const float *mean = numbers(settings_.mean), *variance = numbers(settings_.variance);
      exact_mean_.assign(mean, mean + size_.channels);
      exact_variance_.assign(variance, variance + size_.channels);
    }
    find_scales();
    // Inference has no backward that reads the input.
    const bool is_in_place = !is_training && input().may_overwrite;
    output().data.reset();
    output().data = is_in_place ? input().data : at::empty_like(input().data);
    scale_channels(size_, x, mean_, scale_, shift_, output().data.mutable_data_ptr<float>());
  }

  void backward_by_loops() {
    at::Tensor gradient = output().gradient.contiguous();
    const float* x = input().data.const_data_ptr<float>();
    const bool gamma_learns = learns(settings_.gamma), beta_learns = learns(settings_.beta);
    if (settings_.uses_batch || gamma_learns || beta_learns) {
      channel_gradient_sums(size_, gradient.const_data_ptr<float>(), x, mean_, gradient_sum_, gradient_product_);
    }
    for (std::int64_t i = 0; i < size_.channels; ++i) {
      if (gamma_learns) gradients(settings_.gamma)[i] = static_cast<float>(gradient_product_[i] * inverse_[i]);
      if (beta_learns) gradients(settings_.beta)[i] = static_cast<float>(gradient_sum_[i]);
    }
    if (!input().needs_gradient) return;
    scale_gradient(gradient.mutable_data_ptr<float>(), x);
    inputs[0]->gradient = gradient;
  }

  /// Through the batch's mean and variance too, where these normalised.
  void scale_gradient(float* gradient, const float* x) {
    offset_.assign(size_.channels, 0.0F);
    slope_.assign(size_.channels, 0.0F);
    const auto n = static_cast<double>(size_.rows);
    for (std::int64_t i = 0; settings_.uses_batch && i < size_.channels; ++i) {
      offset_[i] = static_cast<float>(gradient_sum_[i] / n);
      slope_[i] = static_cast<float>(gradient_product_[i] * inverse_[i] * inverse_[i] / n);
    }
    scale_channel_gradients(size_, gradient, x, mean_, offset_, slope_, scale_);
  }

  void find_scales() {
    const float *gamma = numbers(settings_.gamma), *beta = numbers(settings_.beta);
    for (std::vector<float>* each : {&mean_, &scale_, &shift_}) each->resize(size_.channels);
    inverse_.resize(size_.channels);
    for (std::int64_t i = 0; i < size_.channels; ++i) {
      const double total = exact_variance_[i] + settings_.epsilon;
      inverse_[i] = settings_.uses_batch && total == 0.0 ? 0.0 : 1.0 / std::sqrt(total);
      mean_[i] = static_cast<float>(exact_mean_[i]);
      scale_[i] = static_cast<float>(gamma != nullptr ? gamma[i] * inverse_[i] : inverse_[i]);
      shift_[i] = beta != nullptr ? beta[i] : 0.0F;
    }
  }

  void move_exact_statistics() {
    auto *mean = weights[settings_.mean].data.mutable_data_ptr<float>(),
         *variance = weights[settings_.variance].data.mutable_data_ptr<float>();
    const auto n = static_cast<double>(size_.rows);
    const double factor = variance_factor_ * n / (n - 1.0);
    for (std::int64_t i = 0; i < size_.channels; ++i) {
      mean[i] = moved(mean[i], exact_mean_[i]);
      variance[i] = moved(variance[i], is_single_ ? 0.0 : exact_variance_[i] * factor);
    }
  }
  float moved(float moving, double batch) const {
    return static_cast<float>(moving * settings_.momentum + batch * (1.0 - settings_.momentum));
  }

  const float* numbers(int position) const {
    return position >= 0 ? weights[position].data.const_data_ptr<float>() : nullptr;
  }
  float* gradients(int position) const { return weights[position].gradient.mutable_data_ptr<float>(); }

  void forward_by_aten() {
    if (is_rectified_) rectify_source();
    if (!settings_.uses_batch) {
      set_output(at::native_batch_norm(images(source()), gamma(), weight(settings_.beta), weight(settings_.mean),
                                       weight(settings_.variance), false, 0.0, settings_.epsilon));
      return;
    }
    // With momentum 1 the "running" statistics are the batch's own mean and unbiased variance. The old ones count zero
    // times, which is still NaN where a configuration that diverged left a NaN: the plan serves others after it.
    batch_mean_.zero_();
    batch_variance_.zero_();
    set_output(at::native_batch_norm(images(source()), gamma(), weight(settings_.beta), batch_mean_, batch_variance_,
                                     true, 1.0, settings_.epsilon));
    if (settings_.moves_statistics) move_statistics();
  }
  /// In place where nobody else reads the input, so that it is not there twice.
  void rectify_source() {
    if (input().may_overwrite) {
      rectify_in_place(input().data);
      source_ = input().data;
    } else {
      source_ = at::relu(input().data);
    }
  }
  const at::Tensor& source() const { return is_rectified_ ? source_ : input().data; }

  void backward_by_aten() {
    const bool gamma_learns = learns(settings_.gamma), beta_learns = learns(settings_.beta);
    const bool frozen = !settings_.uses_batch;
    auto [input_gradient, gamma_gradient, beta_gradient] = at::native_batch_norm_backward(
        images(output().gradient), images(source()), gamma(), frozen ? weight(settings_.mean) : std::nullopt,
        frozen ? weight(settings_.variance) : std::nullopt, saved_mean_, saved_inverse_, !frozen, settings_.epsilon,
        {input().needs_gradient, gamma_learns, beta_learns});
    if (gamma_learns) weights[settings_.gamma].gradient.copy_(gamma_gradient);
    if (beta_learns) weights[settings_.beta].gradient.copy_(beta_gradient);
    if (input().needs_gradient) inputs[0]->gradient = values(input_gradient);
    if (input().needs_gradient && is_rectified_) rectify_gradient_in_place(inputs[0]->gradient, source_, nullptr);
    source_.reset();
  }
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
    if (!is_training) source_.reset();
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
  RowsOfChannels size_;
  double variance_factor_ = 1.0;
  bool is_single_ = false;  ///< one element per channel: its variance is 0
  bool is_rectified_ = false, has_loops_ = false;
  at::Tensor source_;  ///< relu of the input, where ATen normalised it; until backward
  /// Of the loops: the batch's or the moving statistics, and what they and the weights give.
  std::vector<double> exact_mean_, exact_variance_, inverse_, gradient_sum_, gradient_product_;
  std::vector<float> mean_, scale_, shift_, offset_, slope_;
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
