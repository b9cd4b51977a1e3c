// SPDX-License-Identifier: Apache-2.0
// Masks, sample weights, ignored classes and reductions of all Keras generations, as one factor per row of the outputs.
//
// Keras reduces a batch of n = examples x positions losses l with weights w and mask m to
//   tf.keras to 2.10   sum(w m l) / n
//   tf.keras 2.11 on,  sum(w m l (n / sum m)) / n
//   Keras 3            the same; mean_with_sample_weight: sum(w m l) / sum(w m)
//   Keras 2.2          l m / mean(m), averaged over positions, times w / mean(w != 0), averaged over examples
// and `sum` leaves out the division. Positions of a class to ignore are left out of the mean by all that know it. What
// is common to all is the mean of l times the factor that this file computes.
#include <ATen/ops/argmax.h>
#include <ATen/ops/ones.h>

#include <string>

#include "engine/loss.hpp"
#include "modelhop/error.hpp"

namespace modelhop::engine {
namespace {

using at::Tensor;

/// [examples] or [examples, steps] -> one value for each row of the outputs.
Tensor per_row(const Tensor& values, std::int64_t examples, std::int64_t rows) {
  const Tensor flat = values.reshape({examples, -1});
  if (flat.numel() > rows || rows % flat.numel() != 0) {
    throw Error(ErrorCode::kInvalidArgument, "there are " + std::to_string(flat.size(1)) +
                                                 " weights or mask values an example, which do not fit an output of " +
                                                 std::to_string(rows / examples) + " positions");
  }
  return flat.unsqueeze(2).expand({examples, flat.size(1), rows / flat.numel()}).reshape({-1});
}

/// 0 where the target is the class to ignore, else 1; undefined where there is none.
Tensor not_ignored(const OutputLoss& loss, const Tensor& target, std::int64_t columns) {
  if (!loss.loss.ignore_class) return {};
  const Tensor ids = loss.target_is_class_id ? target : at::argmax(target.reshape({-1, columns}), 1);
  return ids.reshape({-1}).ne(*loss.loss.ignore_class).to(at::kFloat);
}

/// n / sum(values), 0 where nothing counts.
Tensor scaled_to_mean_one(const Tensor& values) {
  const double sum = values.sum(at::kDouble).item<double>();
  return sum == 0.0 ? values : values.mul(static_cast<double>(values.numel()) / sum);
}

}  // namespace

Tensor loss_factors(const OutputLoss& loss, const Tensor& outputs, const Tensor& target, const Tensor& sample_weight,
                    const Tensor& mask) {
  const bool is_plain = loss.loss.reduction == LossReduction::kMean && !loss.loss.ignore_class;
  if (!sample_weight.defined() && !mask.defined() && is_plain) return {};
  const std::int64_t examples = outputs.size(0);
  const std::int64_t rows = outputs.dim() > 1 ? outputs.numel() / outputs.size(-1) : examples;
  const Tensor weight = sample_weight.defined() ? per_row(sample_weight, examples, rows) : Tensor();
  const Tensor masked = mask.defined() ? per_row(mask, examples, rows) : Tensor();
  const Tensor kept = not_ignored(loss, target, outputs.size(-1));
  const bool is_keras22 = loss.profile == SemanticsProfile::kKeras22;
  const bool is_old_tf = loss.profile == SemanticsProfile::kTf1 || loss.profile == SemanticsProfile::kTf2Legacy;
  Tensor factors = at::ones({rows}, outputs.options());
  if (kept.defined()) factors = factors.mul(kept);
  if (masked.defined() && !is_old_tf) factors = factors.mul(masked);
  if (loss.loss.reduction == LossReduction::kMeanWithSampleWeight) {
    return scaled_to_mean_one(weight.defined() ? factors.mul(weight) : factors);
  }
  const bool is_sum = loss.loss.reduction == LossReduction::kSum;
  if (!is_sum) factors = scaled_to_mean_one(factors);
  if (masked.defined() && is_old_tf) factors = factors.mul(masked);
  if (weight.defined()) {
    factors = factors.mul(weight);
    if (is_keras22) {
      const double share = sample_weight.ne(0.0).to(at::kFloat).mean().item<double>();
      if (share > 0.0) factors = factors.div(share);
    }
  }
  return is_sum ? factors.mul(static_cast<double>(rows)) : factors;
}

}  // namespace modelhop::engine
