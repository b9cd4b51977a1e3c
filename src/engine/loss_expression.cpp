// SPDX-License-Identifier: Apache-2.0
// Keras's losses as ATen expressions of rows, one short function each; autograd derives them.
#include <ATen/ops/abs.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/log.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/one_hot.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/softplus.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>

#include "engine/autograd_scope.hpp"
#include "engine/expression.hpp"
#include "engine/loss_rows.hpp"
#include "modelhop/error.hpp"

namespace modelhop::engine {
namespace {

using at::Tensor;

constexpr double kEpsilon = 1e-7;

/// What a loss is given: p [rows, columns]; y of the same shape, one-hot where the target is class ids.
struct Given {
  const OutputLoss& output;
  const Tensor& p;
  const Tensor& y;
  const LossSpec& loss() const { return output.loss; }
};

Tensor row_mean(const Tensor& values) {
  return at::mean(values, {1});
}
Tensor row_sum(const Tensor& values) {
  return at::sum(values, {1});
}
Tensor clipped(const Tensor& p) {
  return p.clamp(kEpsilon, 1.0 - kEpsilon);
}
Tensor not_of(const Tensor& values) {
  return values.neg().add(1.0);
}

Tensor smoothed_classes(const Given& given) {
  const double smoothing = given.loss().label_smoothing;
  return smoothing == 0.0 ? given.y : given.y.mul(1.0 - smoothing).add(smoothing / given.p.size(1));
}
Tensor smoothed_binary(const Given& given) {
  const double smoothing = given.loss().label_smoothing;
  return smoothing == 0.0 ? given.y : given.y.mul(1.0 - smoothing).add(0.5 * smoothing);
}

/// A class whose target is 0 adds nothing, whatever its logarithm is.
Tensor weighted_sum(const Tensor& log_p, const Tensor& y) {
  const Tensor sum = row_sum(at::where(y.eq(0.0), at::zeros_like(y), log_p.mul(y)));
  return at::where(log_p.isnan().any(1), log_p.sum(1), sum);
}

Tensor categorical_crossentropy(const Given& given) {
  const Tensor y = smoothed_classes(given);
  if (given.output.takes_logits()) return weighted_sum(at::log_softmax(given.p, 1), y).neg();
  const Tensor q = given.p.div(at::sum(given.p, {1}, true));
  return row_sum(at::log(clipped(q)).mul(y)).neg();
}

/// Keras clips probabilities, takes the logarithm, and uses that as logits.
Tensor sparse_categorical_crossentropy(const Given& given) {
  const Tensor logits = given.output.takes_logits() ? given.p : at::log(clipped(given.p));
  return weighted_sum(at::log_softmax(logits, 1), given.y).neg();
}

/// Per element; tf.keras adds epsilon inside the logarithms.
Tensor binary_crossentropy_of(const Given& given, const Tensor& p, const Tensor& y, bool takes_logits) {
  if (takes_logits) return at::softplus(p).sub(p.mul(y));
  const SemanticsProfile profile = given.output.profile;
  const bool is_tf = profile != SemanticsProfile::kKeras22 && profile != SemanticsProfile::kKeras3;
  const double inside = is_tf ? kEpsilon : 0.0;
  const Tensor q = clipped(p);
  return at::log(q.add(inside)).mul(y).add(at::log(not_of(q).add(inside)).mul(not_of(y))).neg();
}

Tensor binary_crossentropy(const Given& given) {
  return row_mean(binary_crossentropy_of(given, given.p, smoothed_binary(given), given.output.takes_logits()));
}

Tensor binary_focal_crossentropy(const Given& given) {
  const Tensor y = smoothed_binary(given);
  const Tensor p = given.output.takes_logits() ? at::sigmoid(given.p) : given.p;
  const Tensor bce = binary_crossentropy_of(given, p, y, false);
  const Tensor of_truth = y.mul(p).add(not_of(y).mul(not_of(p)));
  Tensor focal = at::pow(not_of(of_truth), given.loss().gamma).mul(bce);
  const double alpha = given.loss().alpha;
  if (given.loss().apply_class_balancing) focal = focal.mul(y.mul(alpha).add(not_of(y).mul(1.0 - alpha)));
  return row_mean(focal);
}

Tensor categorical_focal_crossentropy(const Given& given) {
  const Tensor y = smoothed_classes(given);
  Tensor p = given.output.takes_logits() ? at::softmax(given.p, 1) : given.p;
  p = clipped(p.div(at::sum(p, {1}, true)));
  const Tensor modulation = at::pow(not_of(p), given.loss().gamma).mul(given.loss().alpha);
  return row_sum(modulation.mul(at::log(p)).mul(y)).neg();
}

Tensor mean_squared_error(const Given& given) {
  return row_mean(given.p.sub(given.y).square());
}
Tensor mean_absolute_error(const Given& given) {
  return row_mean(at::abs(given.p.sub(given.y)));
}
Tensor mean_absolute_percentage_error(const Given& given) {
  return row_mean(at::abs(given.y.sub(given.p).div(at::abs(given.y).clamp_min(kEpsilon)))).mul(100.0);
}
Tensor mean_squared_logarithmic_error(const Given& given) {
  const auto log_of = [](const Tensor& values) { return at::log(values.clamp_min(kEpsilon).add(1.0)); };
  return row_mean(log_of(given.p).sub(log_of(given.y)).square());
}
Tensor huber(const Given& given) {
  const double delta = given.loss().delta;
  const Tensor error = at::abs(given.p.sub(given.y));
  return row_mean(at::where(error.le(delta), error.square().mul(0.5), error.mul(delta).sub(0.5 * delta * delta)));
}
Tensor log_cosh(const Given& given) {
  const Tensor d = given.p.sub(given.y);
  return row_mean(d.add(at::softplus(d.mul(-2.0))).sub(std::log(2.0)));
}

/// Labels 0 and 1 are read as -1 and 1, except by Keras 2.2.
Tensor signed_labels(const Given& given) {
  if (given.output.profile == SemanticsProfile::kKeras22) return given.y;
  const bool is_binary = given.y.eq(0.0).logical_or(given.y.eq(1.0)).all().item<bool>();
  return is_binary ? given.y.mul(2.0).sub(1.0) : given.y;
}
Tensor hinge(const Given& given) {
  return row_mean(not_of(signed_labels(given).mul(given.p)).clamp_min(0.0));
}
Tensor squared_hinge(const Given& given) {
  return row_mean(not_of(signed_labels(given).mul(given.p)).clamp_min(0.0).square());
}
Tensor categorical_hinge(const Given& given) {
  const Tensor positive = row_sum(given.y.mul(given.p));
  // Keras divides the derivative among equal maxima, as amax does.
  const Tensor negative = at::amax(not_of(given.y).mul(given.p), {1});
  return negative.sub(positive).add(1.0).clamp_min(0.0);
}

Tensor kl_divergence(const Given& given) {
  const Tensor y = given.y.clamp(kEpsilon, 1.0), p = given.p.clamp(kEpsilon, 1.0);
  return row_sum(y.mul(at::log(y.div(p))));
}
Tensor poisson(const Given& given) {
  return row_mean(given.p.sub(given.y.mul(at::log(given.p.add(kEpsilon)))));
}
Tensor unit_rows(const Tensor& values) {
  return values.mul(at::rsqrt(at::sum(values.square(), {1}, true).clamp_min(1e-12)));
}
Tensor cosine_similarity(const Given& given) {
  return row_sum(unit_rows(given.y).mul(unit_rows(given.p))).neg();
}

/// Dice and Tversky see the whole batch as one set; each row is given the batch's value. In Keras's Tversky alpha
/// weighs what is missed and beta what is wrongly found, whatever its documentation calls them.
Tensor tversky(const Given& given) {
  const Tensor overlap = at::sum(given.y.mul(given.p));
  const Tensor missed = at::sum(given.y.mul(not_of(given.p)));
  const Tensor wrong = at::sum(not_of(given.y).mul(given.p));
  const Tensor whole = overlap.add(missed.mul(given.loss().alpha)).add(wrong.mul(given.loss().beta)).add(kEpsilon);
  return not_of(overlap.div(whole)).expand({given.p.size(0)});
}
Tensor dice(const Given& given) {
  const Tensor overlap = at::sum(given.y.mul(given.p)).mul(2.0);
  const Tensor whole = at::sum(given.y).add(at::sum(given.p));
  return not_of(overlap.add(kEpsilon).div(whole.add(kEpsilon))).expand({given.p.size(0)});
}

/// Custom functions see the axes of an example that rows have lost.
Tensor custom(const Given& given) {
  Shape shape = given.output.example_shape;
  shape.insert(shape.begin(), -1);
  return expression_rows(given.loss().expression, given.y.reshape(shape), given.p.reshape(shape));
}

using Expression = Tensor (*)(const Given& given);

Expression expression_of(LossKind kind) {
  switch (kind) {
    case LossKind::kCategoricalCrossentropy:
      return categorical_crossentropy;
    case LossKind::kSparseCategoricalCrossentropy:
      return sparse_categorical_crossentropy;
    case LossKind::kBinaryCrossentropy:
      return binary_crossentropy;
    case LossKind::kMeanSquaredError:
      return mean_squared_error;
    case LossKind::kMeanAbsoluteError:
      return mean_absolute_error;
    case LossKind::kMeanAbsolutePercentageError:
      return mean_absolute_percentage_error;
    case LossKind::kMeanSquaredLogarithmicError:
      return mean_squared_logarithmic_error;
    case LossKind::kHuber:
      return huber;
    case LossKind::kLogCosh:
      return log_cosh;
    case LossKind::kHinge:
      return hinge;
    case LossKind::kSquaredHinge:
      return squared_hinge;
    case LossKind::kCategoricalHinge:
      return categorical_hinge;
    case LossKind::kBinaryFocalCrossentropy:
      return binary_focal_crossentropy;
    case LossKind::kCategoricalFocalCrossentropy:
      return categorical_focal_crossentropy;
    case LossKind::kKlDivergence:
      return kl_divergence;
    case LossKind::kPoisson:
      return poisson;
    case LossKind::kCosineSimilarity:
      return cosine_similarity;
    case LossKind::kDice:
      return dice;
    case LossKind::kTversky:
      return tversky;
    case LossKind::kCustom:
      return custom;
  }
  throw Error(ErrorCode::kInternal, "unknown loss kind");
}

/// The target as rows of the outputs' columns.
Tensor dense_target(const OutputLoss& output, const Tensor& target, std::int64_t columns) {
  const bool is_sparse = output.loss.kind == LossKind::kSparseCategoricalCrossentropy;
  if (output.target_is_class_id) {
    // Ids that the loss ignores may lie outside; their rows count nothing.
    const Tensor ids = target.reshape({-1}).clamp(0, columns - 1);
    return at::one_hot(ids, columns).to(at::kFloat);
  }
  const Tensor rows = target.reshape({-1, columns});
  return is_sparse ? at::one_hot(at::argmax(rows, 1), columns).to(at::kFloat) : rows;
}

}  // namespace

Tensor loss_values(const OutputLoss& loss, const Tensor& outputs, const Tensor& target) {
  const Tensor y = dense_target(loss, target, outputs.size(1));
  return expression_of(loss.loss.kind)({loss, outputs, y});
}

double loss_by_expression(const OutputLoss& loss, const Tensor& outputs, const Tensor& target, const Tensor& factors,
                          Tensor* gradient, double scale) {
  const auto sum_of = [&](const Tensor& values) {
    return factors.defined() ? at::where(factors.eq(0.0), at::zeros_like(values), values.mul(factors)) : values;
  };
  if (gradient == nullptr) return at::sum(sum_of(loss_values(loss, outputs, target)), at::kDouble).item<double>();
  const AutogradScope scope;
  const Tensor leaf = outputs.detach().requires_grad_(true);
  const Tensor values = sum_of(loss_values(loss, leaf, target));
  const Tensor derivative = torch::autograd::grad({at::sum(values)}, {leaf}, {}, std::nullopt, false, true)[0];
  if (derivative.defined()) {
    gradient->copy_(derivative.detach().mul(scale).view_as(*gradient));
  } else {
    gradient->zero_();
  }
  return at::sum(values.detach(), at::kDouble).item<double>();
}

}  // namespace modelhop::engine
