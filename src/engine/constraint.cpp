// SPDX-License-Identifier: Apache-2.0
// Keras's constraints, on views in Keras's layout: their axes mean that one.
#include "engine/constraint.hpp"

#include <ATen/ops/clamp.h>
#include <ATen/ops/ge.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/square.h>
#include <ATen/ops/sum.h>

namespace modelhop::engine {
namespace {

/// Keras's epsilon beside a length that divides.
constexpr double kEpsilon = 1e-7;

void project(const ConstraintSpec& constraint, const at::Tensor& weight) {
  using Kind = ConstraintSpec::Kind;
  if (constraint.kind == Kind::kNonNegative) {
    weight.mul_(at::ge(weight, 0));
    return;
  }
  const at::Tensor length = at::sqrt(at::sum(weight.square(), constraint.axes, true));
  at::Tensor wanted;
  switch (constraint.kind) {
    case Kind::kMaxNorm:
      wanted = at::clamp(length, 0, constraint.max_value);
      break;
    case Kind::kMinMaxNorm:
      wanted = at::clamp(length, constraint.min_value, constraint.max_value)
                   .mul_(constraint.rate)
                   .add_(length, 1.0 - constraint.rate);
      break;
    default:
      break;
  }
  const at::Tensor divisor = length.add(kEpsilon);
  if (wanted.defined()) {
    weight.mul_(wanted.div_(divisor));
  } else {
    weight.div_(divisor);
  }
}

}  // namespace

void apply_constraints(FlatState& state) {
  for (const WeightPlace& place : state.layout().weights) {
    if (place.constraint.kind == ConstraintSpec::Kind::kNone || !place.is_trainable) continue;
    project(place.constraint, keras_view(place, state.parameters));
  }
}

}  // namespace modelhop::engine
