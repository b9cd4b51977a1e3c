// SPDX-License-Identifier: Apache-2.0
// One loop over the steps; each is one operation of ATen.
#include "engine/expression.hpp"

#include <ATen/ops/abs.h>
#include <ATen/ops/all.h>
#include <ATen/ops/amax.h>
#include <ATen/ops/amin.h>
#include <ATen/ops/any.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/argmin.h>
#include <ATen/ops/ceil.h>
#include <ATen/ops/cos.h>
#include <ATen/ops/cosh.h>
#include <ATen/ops/exp.h>
#include <ATen/ops/expm1.h>
#include <ATen/ops/floor.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/log.h>
#include <ATen/ops/log1p.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/logsumexp.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/round.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/sign.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/sinh.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/softplus.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/trunc.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

#include <numeric>
#include <vector>

#include "modelhop/error.hpp"

namespace modelhop::engine {
namespace {

using at::Tensor;
using Op = ExpressionOp;

/// A tie with the k-th largest is a hit, a class id that is none and a score that is not finite are misses.
Tensor in_top_k(const Tensor& left, const Tensor& right, std::int64_t k) {
  const Tensor& scores = left.dim() > right.dim() ? left : right;
  const Tensor ids = (left.dim() > right.dim() ? right : left).to(at::kLong).unsqueeze(-1);
  const Tensor is_class = ids.ge(0).logical_and(ids.lt(scores.size(-1)));
  const Tensor mine = at::gather(scores, -1, ids.clamp(0, scores.size(-1) - 1));
  const Tensor larger = at::sum(scores.gt(mine), {-1}, true);
  return larger.lt(k).logical_and(is_class).logical_and(scores.isnan().any(-1, true).logical_not()).squeeze(-1);
}

Tensor of_one(const ExpressionNode& node, const Tensor& x) {
  switch (node.op) {
    case Op::kNegative:
      return x.neg();
    case Op::kAbs:
      return at::abs(x);
    case Op::kSquare:
      return x.mul(x);
    case Op::kSqrt:
      return at::sqrt(x.clamp_min(0.0));
    case Op::kRsqrt:
      return at::rsqrt(x);
    case Op::kExp:
      return at::exp(x);
    case Op::kExpm1:
      return at::expm1(x);
    case Op::kLog:
      return at::log(x);
    case Op::kLog1p:
      return at::log1p(x);
    case Op::kSin:
      return at::sin(x);
    case Op::kCos:
      return at::cos(x);
    case Op::kSinh:
      return at::sinh(x);
    case Op::kCosh:
      return at::cosh(x);
    case Op::kTanh:
      return at::tanh(x);
    case Op::kSigmoid:
      return at::sigmoid(x);
    case Op::kSoftplus:
      return at::softplus(x);
    case Op::kRelu:
      return at::relu(x);
    case Op::kSign:
      return at::sign(x);
    case Op::kRound:
      return at::round(x);
    case Op::kFloor:
      return at::floor(x);
    case Op::kCeil:
      return at::ceil(x);
    case Op::kTruncate:
      return at::trunc(x);
    case Op::kOnesLike:
      return at::ones_like(x);
    case Op::kZerosLike:
      return at::zeros_like(x);
    case Op::kStopGradient:
      return x.detach();
    case Op::kClip:
      return x.clamp(node.number, node.high);
    case Op::kToFloat:
      return x.to(at::kFloat);
    case Op::kToCondition:
      return x.ne(0.0);
    case Op::kNot:
      return x.logical_not();
    default:
      throw Error(ErrorCode::kInternal, "unknown operation of a custom function");
  }
}

Tensor of_two(const ExpressionNode& node, const Tensor& left, const Tensor& right) {
  switch (node.op) {
    case Op::kAdd:
      return left.add(right);
    case Op::kSubtract:
      return left.sub(right);
    case Op::kMultiply:
      return left.mul(right);
    case Op::kDivide:
      return left.div(right);
    case Op::kPower:
      return at::pow(left, right);
    case Op::kMaximum:
      return at::maximum(left, right);
    case Op::kMinimum:
      return at::minimum(left, right);
    case Op::kEqual:
      return left.eq(right);
    case Op::kNotEqual:
      return left.ne(right);
    case Op::kLess:
      return left.lt(right);
    case Op::kLessEqual:
      return left.le(right);
    case Op::kGreater:
      return left.gt(right);
    case Op::kGreaterEqual:
      return left.ge(right);
    case Op::kAnd:
      return left.logical_and(right);
    case Op::kOr:
      return left.logical_or(right);
    case Op::kInTopK:
      return in_top_k(left, right, node.k);
    default:
      throw Error(ErrorCode::kInternal, "unknown operation of a custom function");
  }
}

Tensor along_axes(const ExpressionNode& node, const Tensor& x) {
  std::vector<std::int64_t> axes = node.axes;
  if (axes.empty()) {
    axes.resize(static_cast<std::size_t>(x.dim()));
    std::iota(axes.begin(), axes.end(), 0);
  }
  const bool keeps = node.keeps_axes;
  switch (node.op) {
    case Op::kSum:
      return at::sum(x, axes, keeps);
    case Op::kMean:
      return at::mean(x, axes, keeps);
    case Op::kMax:
      return at::amax(x, axes, keeps);
    case Op::kMin:
      return at::amin(x, axes, keeps);
    case Op::kLogSumExp:
      return at::logsumexp(x, axes, keeps);
    case Op::kAny:
      return at::any(x, at::OptionalIntArrayRef(axes), keeps);
    case Op::kAll:
      return at::all(x, at::OptionalIntArrayRef(axes), keeps);
    case Op::kSoftmax:
      return at::softmax(x, axes.front());
    case Op::kLogSoftmax:
      return at::log_softmax(x, axes.front());
    case Op::kArgMax:
      return at::argmax(x, axes.front()).to(at::kFloat);
    case Op::kArgMin:
      return at::argmin(x, axes.front()).to(at::kFloat);
    default:
      throw Error(ErrorCode::kInternal, "unknown operation of a custom function");
  }
}

/// Constants lie where the data lies.
class Evaluation {
 public:
  Evaluation(const Tensor& y_true, const Tensor& y_pred) : y_true_(y_true), y_pred_(y_pred) {}

  void compute(const ExpressionNode& node) { values_.push_back(value_of(node)); }
  const Tensor& result() const { return values_.back(); }

 private:
  const Tensor& argument(const ExpressionNode& node, std::size_t i) const {
    return values_[static_cast<std::size_t>(node.arguments[i])];
  }

  Tensor value_of(const ExpressionNode& node) const {
    if (node.op == Op::kTruth) return y_true_;
    if (node.op == Op::kPrediction) return y_pred_;
    if (node.op == Op::kNumber) return at::scalar_tensor(node.number, y_pred_.options().requires_grad(false));
    if (node.op == Op::kWhere) return at::where(argument(node, 0), argument(node, 1), argument(node, 2));
    if (node.op >= Op::kSum && node.op <= Op::kArgMin) return along_axes(node, argument(node, 0));
    return node.arguments.size() == 1 ? of_one(node, argument(node, 0))
                                      : of_two(node, argument(node, 0), argument(node, 1));
  }

  const Tensor& y_true_;
  const Tensor& y_pred_;
  std::vector<Tensor> values_;
};

Tensor as_rows(const Tensor& values, const Tensor& y_pred) {
  const std::int64_t examples = y_pred.size(0);
  const std::int64_t rows = y_pred.numel() / y_pred.size(-1);
  if (values.numel() == 1) return values.reshape({1}).expand({rows});
  const std::int64_t axes = y_pred.dim() - 1;
  const bool is_by_row = values.dim() >= axes && values.sizes().slice(0, axes) == y_pred.sizes().slice(0, axes);
  if (is_by_row) return at::mean(values.reshape({rows, -1}), {1});
  return at::mean(values.reshape({examples, -1}), {1}, true).expand({examples, rows / examples}).reshape({-1});
}

}  // namespace

Tensor expression_rows(const ExpressionSpec& expression, const Tensor& y_true, const Tensor& y_pred) {
  Evaluation evaluation(y_true, y_pred);
  for (const ExpressionNode& node : expression.nodes) evaluation.compute(node);
  return as_rows(evaluation.result().to(at::kFloat), y_pred);
}

}  // namespace modelhop::engine
