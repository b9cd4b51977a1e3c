// SPDX-License-Identifier: Apache-2.0
// L1, L2 and orthogonal penalties. On the CPU the gradients of the first two are one vectorized loop.
#include "engine/regularizer.hpp"

#include <ATen/ops/abs.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/sign.h>
#include <ATen/ops/square.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/zeros.h>

#include "engine/optimizer_loops.hpp"

namespace modelhop::engine {
namespace {

/// Keras's epsilon of a length's square.
constexpr double kSmallestSquare = 1e-12;

/// Rows (or columns) of a matrix at length 1, and their cosines without those of a row with itself.
struct Directions {
  at::Tensor inverse_lengths, units, cosines;
  double share = 0.0;  ///< of one ordered pair
};

Directions directions_of(const RegularizerSpec& regularizer, const at::Tensor& matrix) {
  const at::Tensor rows = regularizer.orthogonal_of_columns ? matrix.t() : matrix;
  Directions result;
  result.inverse_lengths = at::rsqrt(at::sum(rows.square(), 1, true).clamp_min(kSmallestSquare));
  result.units = rows.mul(result.inverse_lengths);
  result.cosines = at::matmul(result.units, result.units.t());
  result.cosines.diagonal().zero_();
  const auto count = static_cast<double>(rows.size(0));
  result.share = count > 1 ? regularizer.orthogonal / (count * (count - 1)) : 0.0;
  return result;
}

at::Tensor orthogonal_gradient(const RegularizerSpec& regularizer, const at::Tensor& matrix) {
  const auto [inverse_lengths, units, cosines, share] = directions_of(regularizer, matrix);
  const at::Tensor by_units = at::matmul(at::sign(cosines), units).mul_(2.0 * share);
  const at::Tensor along = at::sum(by_units.mul(units), 1, true);
  const at::Tensor by_rows = by_units.sub(units.mul(along)).mul(inverse_lengths);
  return regularizer.orthogonal_of_columns ? by_rows.t() : by_rows;
}

}  // namespace

at::Tensor penalty_of(const RegularizerSpec& regularizer, const at::Tensor& values) {
  at::Tensor penalty = at::zeros({}, values.options().dtype(at::kDouble));
  if (regularizer.l1 != 0.0) penalty.add_(at::sum(at::abs(values), at::kDouble), regularizer.l1);
  if (regularizer.l2 != 0.0) penalty.add_(at::sum(values.square(), at::kDouble), regularizer.l2);
  if (regularizer.orthogonal != 0.0) {
    const Directions directions = directions_of(regularizer, values);
    penalty.add_(at::sum(at::abs(directions.cosines), at::kDouble), directions.share);
  }
  return penalty;
}

void add_penalty_gradient(const RegularizerSpec& regularizer, const at::Tensor& values, double factor,
                          at::Tensor& gradient) {
  if (regularizer.l1 != 0.0) gradient.add_(at::sign(values), factor * regularizer.l1);
  if (regularizer.l2 != 0.0) gradient.add_(values, factor * 2.0 * regularizer.l2);
  if (regularizer.orthogonal != 0.0) gradient.add_(orthogonal_gradient(regularizer, values), factor);
}

void add_penalty_gradients(const StateLayout& layout, const FlatState& state, at::Tensor& gradients) {
  for (const WeightPlace& place : layout.weights) {
    const RegularizerSpec& regularizer = place.regularizer;
    if (!regularizer.is_active() || !place.is_trainable) continue;
    if (gradients.is_cpu() && regularizer.orthogonal == 0.0) {
      add_penalty_gradients(gradients.mutable_data_ptr<float>() + place.offset,
                            state.parameters.const_data_ptr<float>() + place.offset, place.count,
                            static_cast<float>(regularizer.l1), static_cast<float>(2.0 * regularizer.l2));
      continue;
    }
    at::Tensor gradient = weight_view(place, gradients);
    add_penalty_gradient(regularizer, weight_view(place, state.parameters), 1.0, gradient);
  }
}

double regularization_penalty(const FlatState& state) {
  double penalty = 0.0;
  for (const WeightPlace& place : state.layout().weights) {
    if (!place.regularizer.is_active()) continue;
    const at::Tensor& buffer = place.is_trainable ? state.parameters : state.statistics;
    penalty += penalty_of(place.regularizer, weight_view(place, buffer)).item<double>();
  }
  return penalty;
}

}  // namespace modelhop::engine
