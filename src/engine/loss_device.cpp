// SPDX-License-Identifier: Apache-2.0
// The same losses as ATen operations, for devices whose memory the host does not see.
#include <ATen/ops/abs.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/log.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/one_hot.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/sign.h>
#include <ATen/ops/softplus.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/where.h>

#include "engine/loss_rows.hpp"

namespace modelhop::engine {
namespace {

constexpr double kEpsilon = 1e-7;

/// Values of each row or element, and their derivatives.
struct LossTensors {
  at::Tensor values;
  at::Tensor gradient;
};

at::Tensor inside_clip(const at::Tensor& p) {
  return p.ge(kEpsilon).logical_and_(p.le(1.0 - kEpsilon)).to(at::kFloat);
}

at::Tensor row_sum(const at::Tensor& x) {
  return at::sum(x, {1}, true);
}

LossTensors class_loss(const OutputLoss& loss, const at::Tensor& outputs, const at::Tensor& target) {
  const std::int64_t columns = outputs.size(1);
  const bool is_sparse = loss.loss.kind == LossKind::kSparseCategoricalCrossentropy;
  at::Tensor y;
  if (loss.target_is_class_id) {
    y = at::one_hot(target.reshape({-1}), columns).to(at::kFloat);
  } else {
    y = target.reshape({-1, columns});
    if (is_sparse) y = at::one_hot(at::argmax(y, 1), columns).to(at::kFloat);
  }
  const double smoothing = is_sparse ? 0.0 : loss.loss.label_smoothing;
  if (smoothing != 0.0) y = y.mul(1.0 - smoothing).add_(smoothing / static_cast<double>(columns));

  if (loss.takes_logits()) {
    const at::Tensor log_probabilities = at::log_softmax(outputs, 1);
    return {row_sum(log_probabilities.mul(y)).neg_(), at::exp(log_probabilities).sub_(y)};
  }
  if (is_sparse) {
    const at::Tensor p = outputs.clamp(kEpsilon, 1.0 - kEpsilon);
    const at::Tensor sum = row_sum(p);
    return {at::log(sum).sub_(row_sum(at::log(p).mul_(y))), sum.reciprocal().sub(y.div(p)).mul_(inside_clip(outputs))};
  }
  const at::Tensor sum = row_sum(outputs);
  const at::Tensor q = outputs.div(sum);
  const at::Tensor passing = y.mul(inside_clip(q)).neg_();  // derivative by log q
  const at::Tensor safe = q.clamp(kEpsilon, 1.0 - kEpsilon);
  return {row_sum(at::log(safe).mul_(y)).neg_(), passing.div(safe).sub_(row_sum(passing)).div_(sum)};
}

LossTensors element_loss(const OutputLoss& loss, const at::Tensor& outputs, const at::Tensor& target) {
  const at::Tensor error = outputs.sub(target);
  if (loss.loss.kind == LossKind::kMeanSquaredError) return {error.square(), error.mul(2.0)};
  if (loss.loss.kind == LossKind::kMeanAbsoluteError) return {at::abs(error), at::sign(error)};
  const double smoothing = loss.loss.label_smoothing;
  const at::Tensor y = target.mul(1.0 - smoothing).add_(0.5 * smoothing);
  if (loss.takes_logits()) {
    return {at::softplus(at::abs(outputs).neg()).add_(outputs.clamp_min(0.0)).sub_(outputs.mul(y)),
            at::sigmoid(outputs).sub_(y)};
  }
  const bool is_tf = loss.profile != SemanticsProfile::kKeras22 && loss.profile != SemanticsProfile::kKeras3;
  const at::Tensor q = outputs.clamp(kEpsilon, 1.0 - kEpsilon);
  const at::Tensor yes = q.add(is_tf ? kEpsilon : 0.0), no = q.neg().add_(1.0).add_(is_tf ? kEpsilon : 0.0);
  const at::Tensor not_y = y.neg().add_(1.0);
  return {at::log(yes).mul_(y).add_(at::log(no).mul_(not_y)).neg_(),
          not_y.div(no).sub_(y.div(yes)).mul_(inside_clip(outputs))};
}

}  // namespace

double loss_on_device(const OutputLoss& loss, const at::Tensor& outputs, const at::Tensor& target, at::Tensor* gradient,
                      double scale) {
  const std::int64_t columns = outputs.dim() > 1 ? outputs.size(-1) : 1;
  const at::Tensor rows = outputs.reshape({-1, columns});
  const bool is_of_classes = loss.loss.kind == LossKind::kCategoricalCrossentropy ||
                             loss.loss.kind == LossKind::kSparseCategoricalCrossentropy;
  const LossTensors result =
      is_of_classes ? class_loss(loss, rows, target) : element_loss(loss, rows, target.reshape({-1, columns}));
  const double average = is_of_classes ? 1.0 : 1.0 / static_cast<double>(columns);
  if (gradient != nullptr) gradient->copy_(result.gradient.mul(scale * average).view_as(*gradient));
  return at::sum(result.values, at::kDouble).item<double>() * average;
}

}  // namespace modelhop::engine
