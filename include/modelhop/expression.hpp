// SPDX-License-Identifier: Apache-2.0
// A custom loss or metric as a plain value: operations on y_true and y_pred, in the order in which they are computed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace modelhop {

enum class ExpressionOp : std::uint8_t {
  kNumber,
  kTruth,       ///< y_true
  kPrediction,  ///< y_pred
  // Element by element, of one tensor.
  kNegative,
  kAbs,
  kSquare,
  kSqrt,  ///< 0 for negative values, as Keras's backend has it
  kRsqrt,
  kExp,
  kExpm1,
  kLog,
  kLog1p,
  kSin,
  kCos,
  kSinh,
  kCosh,
  kTanh,
  kSigmoid,
  kSoftplus,
  kRelu,
  kSign,
  kRound,
  kFloor,
  kCeil,
  kTruncate,
  kOnesLike,
  kZerosLike,
  kStopGradient,
  kClip,     ///< to [number, high]
  kToFloat,  ///< of a condition
  kToCondition,
  kNot,
  // Element by element, of two tensors.
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kPower,
  kMaximum,
  kMinimum,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kAnd,
  kOr,
  kWhere,  ///< condition, where it holds, where not
  // Along axes.
  kSum,
  kMean,
  kMax,
  kMin,
  kLogSumExp,
  kAny,
  kAll,
  // Along one axis.
  kSoftmax,
  kLogSoftmax,
  kArgMax,
  kArgMin,
  kInTopK,  ///< scores of classes and class ids, in either order: their ranks tell which is which
};

struct ExpressionNode {
  ExpressionOp op = ExpressionOp::kNumber;
  std::vector<int> arguments;      ///< indices of earlier nodes
  double number = 0.0;             ///< kNumber, kClip
  double high = 0.0;               ///< kClip
  std::vector<std::int64_t> axes;  ///< empty: all
  bool keeps_axes = false;
  std::int64_t k = 0;  ///< kInTopK
  int line = 0;        ///< of the text, counted from 1
  int column = 0;

  bool operator==(const ExpressionNode&) const = default;
};

/// Empty: not a custom function.
struct ExpressionSpec {
  std::string text;                   ///< as the user wrote it
  std::vector<ExpressionNode> nodes;  ///< the last one is the result
  bool is_derivable = false;          ///< it depends on y_pred in a way that has a derivative

  bool operator==(const ExpressionSpec&) const = default;
};

}  // namespace modelhop
