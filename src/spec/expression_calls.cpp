// SPDX-License-Identifier: Apache-2.0
// From a call's arguments to nodes. What Keras builds of simpler functions is built of them here too.
#include <cmath>
#include <utility>

#include "spec/call_arguments.hpp"
#include "spec/expression_reader.hpp"
#include "spec/grammar_text.hpp"

namespace modelhop::spec {
namespace {

using Op = ExpressionOp;
using Form = FunctionForm;

constexpr double kEpsilon = 1e-7;
constexpr std::int64_t kMaxK = 1'000'000;

std::vector<std::int64_t> axes_or_last(const std::vector<std::int64_t>& axes) {
  return axes.empty() ? std::vector<std::int64_t>{-1} : axes;
}

}  // namespace

int ExpressionReader::reduce(ExpressionOp op, int value, std::vector<std::int64_t> axes, bool keeps_axes,
                             TextPlace place) {
  ExpressionNode node;
  node.op = op;
  node.arguments = {value};
  node.axes = std::move(axes);
  node.keeps_axes = keeps_axes;
  return builder_.add(std::move(node), place);
}

int ExpressionReader::clip(int value, double low, double high, TextPlace place) {
  if (low > high) refuse_at(place, "clip: the lower bound is above the upper one");
  ExpressionNode node;
  node.op = Op::kClip;
  node.arguments = {value};
  node.number = low;
  node.high = high;
  return builder_.add(std::move(node), place);
}

int ExpressionReader::make_call(const FunctionRow& function, const Arguments& arguments, TextPlace place) {
  const auto value = [&](std::size_t i) { return arguments[i].value; };
  ExpressionBuilder& b = builder_;
  switch (function.form) {
    case Form::kOfOne:
      return b.add(function.op, {value(0)}, place);
    case Form::kOfTwo:
      return b.add(function.op, {value(0), value(1)}, place);
    case Form::kAlongAxes:
      return reduce(function.op, value(0), arguments[1].axes, arguments[2].flag, place);
    case Form::kAlongAxis:
      return reduce(function.op, value(0), axes_or_last(arguments[1].axes), false, place);
    case Form::kWhere:
      return b.add(Op::kWhere, {value(0), value(1), value(2)}, place);
    case Form::kClip:
      return clip(value(0), arguments[1].number, arguments[2].number, place);
    case Form::kCast:
      return make_cast(arguments[0], arguments[1].type, place);
    case Form::kConstant:
      return arguments[1].is_given ? make_cast(arguments[0], arguments[1].type, place) : value(0);
    case Form::kInTopK:
      return make_top_k(arguments, place);
    case Form::kEpsilon:
      return b.number(kEpsilon, place);
    case Form::kVariance:
      return make_variance(arguments, place);
    case Form::kStandardDeviation:
      return b.add(Op::kSqrt, {make_variance(arguments, place)}, place);
    case Form::kNormalize: {
      const int squares = b.add(Op::kSquare, {value(0)}, place);
      const int sum = reduce(Op::kSum, squares, axes_or_last(arguments[1].axes), true, place);
      const int length = b.add(Op::kMaximum, {sum, b.number(1e-12, place)}, place);
      return b.add(Op::kMultiply, {value(0), b.add(Op::kRsqrt, {length}, place)}, place);
    }
    case Form::kDivideNoNan: {
      // The divisor is replaced too: a quotient that is not used must not make the derivative NaN.
      const int zero = b.number(0.0, place);
      const int is_zero = b.add(Op::kEqual, {value(1), zero}, place);
      const int divisor = b.add(Op::kWhere, {is_zero, b.number(1.0, place), value(1)}, place);
      return b.add(Op::kWhere, {is_zero, zero, b.add(Op::kDivide, {value(0), divisor}, place)}, place);
    }
    case Form::kLogicalXor: {
      const int either = b.add(Op::kOr, {value(0), value(1)}, place);
      const int both = b.add(Op::kAnd, {value(0), value(1)}, place);
      return b.add(Op::kAnd, {either, b.add(Op::kNot, {both}, place)}, place);
    }
    case Form::kCategoricalCrossentropy:
    case Form::kBinaryCrossentropy:
      return make_crossentropy(function, arguments, place);
  }
  throw Error(ErrorCode::kInternal, "unknown form of a function");
}

/// There is one type of numbers; whole ones are floats cut off.
int ExpressionReader::make_cast(const Argument& value, const std::string& type, TextPlace place) {
  const bool is_condition = builder_.facts(value.value).is_condition;
  if (type == "bool") return is_condition ? value.value : builder_.add(Op::kToCondition, {value.value}, place);
  const int numbers = builder_.to_numbers(value.value, place);
  if (has_word("float32 float64 floatx float dtype", type)) return numbers;
  if (has_word("int8 int16 int32 int64 uint8 int", type)) {
    return is_condition ? numbers : builder_.add(Op::kTruncate, {numbers}, place);
  }
  refuse_at(place, "cast: unknown type " + in_quotes(type), "Use 'float32', 'int32' or 'bool'.");
}

int ExpressionReader::make_top_k(const Arguments& arguments, TextPlace place) {
  const double k = arguments[2].number;
  if (k < 1.0 || k > static_cast<double>(kMaxK) || k != std::floor(k)) {
    refuse_at(place, "in_top_k: k must be a whole number from 1 to " + std::to_string(kMaxK));
  }
  ExpressionNode node;
  node.op = Op::kInTopK;
  node.arguments = {arguments[0].value, arguments[1].value};
  node.k = static_cast<std::int64_t>(k);
  return builder_.add(std::move(node), place);
}

int ExpressionReader::make_variance(const Arguments& arguments, TextPlace place) {
  const int mean = reduce(Op::kMean, arguments[0].value, arguments[1].axes, true, place);
  const int error = builder_.add(Op::kSubtract, {arguments[0].value, mean}, place);
  const int squares = builder_.add(Op::kSquare, {error}, place);
  return reduce(Op::kMean, squares, arguments[1].axes, arguments[2].flag, place);
}

/// As Keras's backend: the categorical one sums over classes, the binary one has a value for each element.
int ExpressionReader::make_crossentropy(const FunctionRow& function, const Arguments& arguments, TextPlace place) {
  ExpressionBuilder& b = builder_;
  const int truth = arguments[0].value;
  const int output = arguments[1].value;
  const bool from_logits = arguments[2].flag;
  if (function.form == Form::kCategoricalCrossentropy) {
    int logarithms = 0;
    if (from_logits) {
      logarithms = reduce(Op::kLogSoftmax, output, {-1}, false, place);
    } else {
      const int share = b.add(Op::kDivide, {output, reduce(Op::kSum, output, {-1}, true, place)}, place);
      logarithms = b.add(Op::kLog, {clip(share, kEpsilon, 1.0 - kEpsilon, place)}, place);
    }
    return b.add(Op::kNegative,
                 {reduce(Op::kSum, b.add(Op::kMultiply, {truth, logarithms}, place), {-1}, false, place)}, place);
  }
  if (from_logits) {
    const int product = b.add(Op::kMultiply, {output, truth}, place);
    return b.add(Op::kSubtract, {b.add(Op::kSoftplus, {output}, place), product}, place);
  }
  const int one = b.number(1.0, place);
  const int share = clip(output, kEpsilon, 1.0 - kEpsilon, place);
  const int yes = b.add(Op::kMultiply, {truth, b.add(Op::kLog, {share}, place)}, place);
  const int other = b.add(Op::kLog, {b.add(Op::kSubtract, {one, share}, place)}, place);
  const int no = b.add(Op::kMultiply, {b.add(Op::kSubtract, {one, truth}, place), other}, place);
  return b.add(Op::kNegative, {b.add(Op::kAdd, {yes, no}, place)}, place);
}

}  // namespace modelhop::spec
