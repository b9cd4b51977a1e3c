// SPDX-License-Identifier: Apache-2.0
// Norms per weight and over all weights.
#include "engine/gradient_clipping.hpp"

#include <ATen/ops/sum.h>

#include <cmath>

namespace modelhop::engine {
namespace {

void clip_to_norm(at::Tensor part, double bound) {
  const double norm = std::sqrt(at::sum(part.square(), at::kDouble).item<double>());
  // A norm that is not a number must show in the weights, not be hidden.
  if (!(norm <= bound)) part.mul_(bound / norm);
}

void clip_each(const StateLayout& layout, at::Tensor& gradients, double bound) {
  for (const WeightPlace& place : layout.weights) {
    if (place.is_trainable) clip_to_norm(gradients.narrow(0, place.offset, place.count), bound);
  }
}

void clip_values(at::Tensor& gradients, double bound) {
  gradients.clamp_(-bound, bound);
}

}  // namespace

bool clips(const OptimizerSpec& optimizer) {
  return optimizer.clip_norm || optimizer.clip_value || optimizer.global_clip_norm;
}

void clip_gradients(const OptimizerSpec& optimizer, SemanticsProfile profile, const StateLayout& layout,
                    at::Tensor& gradients) {
  switch (profile) {
    case SemanticsProfile::kKeras22:
      if (optimizer.clip_norm) clip_to_norm(gradients, *optimizer.clip_norm);
      if (optimizer.clip_value) clip_values(gradients, *optimizer.clip_value);
      return;
    case SemanticsProfile::kTf1:
      if (optimizer.clip_norm) clip_each(layout, gradients, *optimizer.clip_norm);
      if (optimizer.clip_value) clip_values(gradients, *optimizer.clip_value);
      return;
    case SemanticsProfile::kTf2Legacy:
      if (optimizer.clip_value) clip_values(gradients, *optimizer.clip_value);
      if (optimizer.clip_norm) clip_each(layout, gradients, *optimizer.clip_norm);
      if (optimizer.global_clip_norm) clip_to_norm(gradients, *optimizer.global_clip_norm);
      return;
    case SemanticsProfile::kTf2:
    case SemanticsProfile::kKeras3:
      if (optimizer.clip_norm) return clip_each(layout, gradients, *optimizer.clip_norm);
      if (optimizer.global_clip_norm) return clip_to_norm(gradients, *optimizer.global_clip_norm);
      if (optimizer.clip_value) clip_values(gradients, *optimizer.clip_value);
  }
}

}  // namespace modelhop::engine
