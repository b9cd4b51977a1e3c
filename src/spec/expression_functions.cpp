// SPDX-License-Identifier: Apache-2.0
// One row per function, one list of parameters per form.
#include "spec/expression_functions.hpp"

#include <array>

#include "modelhop/error.hpp"
#include "spec/call_arguments.hpp"

namespace modelhop::spec {
namespace {

using Form = FunctionForm;
using Kind = ParameterKind;
using Op = ExpressionOp;

constexpr std::array kFunctions = std::to_array<FunctionRow>({
    {"abs absolute", Form::kOfOne, Op::kAbs},
    {"negative neg", Form::kOfOne, Op::kNegative},
    {"square", Form::kOfOne, Op::kSquare},
    {"sqrt", Form::kOfOne, Op::kSqrt},
    {"rsqrt", Form::kOfOne, Op::kRsqrt},
    {"exp", Form::kOfOne, Op::kExp},
    {"expm1", Form::kOfOne, Op::kExpm1},
    {"log", Form::kOfOne, Op::kLog},
    {"log1p", Form::kOfOne, Op::kLog1p},
    {"sin", Form::kOfOne, Op::kSin},
    {"cos", Form::kOfOne, Op::kCos},
    {"sinh", Form::kOfOne, Op::kSinh},
    {"cosh", Form::kOfOne, Op::kCosh},
    {"tanh", Form::kOfOne, Op::kTanh},
    {"sigmoid", Form::kOfOne, Op::kSigmoid},
    {"softplus", Form::kOfOne, Op::kSoftplus},
    {"relu", Form::kOfOne, Op::kRelu},
    {"sign", Form::kOfOne, Op::kSign},
    {"round", Form::kOfOne, Op::kRound},
    {"floor", Form::kOfOne, Op::kFloor},
    {"ceil", Form::kOfOne, Op::kCeil},
    {"ones_like", Form::kOfOne, Op::kOnesLike},
    {"zeros_like", Form::kOfOne, Op::kZerosLike},
    {"stop_gradient", Form::kOfOne, Op::kStopGradient},
    {"logical_not", Form::kOfOne, Op::kNot},
    {"add", Form::kOfTwo, Op::kAdd},
    {"subtract sub", Form::kOfTwo, Op::kSubtract},
    {"multiply mul", Form::kOfTwo, Op::kMultiply},
    {"divide truediv true_divide div", Form::kOfTwo, Op::kDivide},
    {"pow power", Form::kOfTwo, Op::kPower},
    {"maximum", Form::kOfTwo, Op::kMaximum},
    {"minimum", Form::kOfTwo, Op::kMinimum},
    {"equal", Form::kOfTwo, Op::kEqual},
    {"not_equal", Form::kOfTwo, Op::kNotEqual},
    {"less", Form::kOfTwo, Op::kLess},
    {"less_equal", Form::kOfTwo, Op::kLessEqual},
    {"greater", Form::kOfTwo, Op::kGreater},
    {"greater_equal", Form::kOfTwo, Op::kGreaterEqual},
    {"logical_and", Form::kOfTwo, Op::kAnd},
    {"logical_or", Form::kOfTwo, Op::kOr},
    {"logical_xor", Form::kLogicalXor},
    {"divide_no_nan", Form::kDivideNoNan},
    {"where switch", Form::kWhere},
    {"clip clip_by_value", Form::kClip},
    {"cast", Form::kCast},
    {"constant convert_to_tensor", Form::kConstant},
    {"epsilon", Form::kEpsilon},
    {"sum reduce_sum", Form::kAlongAxes, Op::kSum},
    {"mean reduce_mean", Form::kAlongAxes, Op::kMean},
    {"max reduce_max amax", Form::kAlongAxes, Op::kMax},
    {"min reduce_min amin", Form::kAlongAxes, Op::kMin},
    {"logsumexp reduce_logsumexp", Form::kAlongAxes, Op::kLogSumExp},
    {"any reduce_any", Form::kAlongAxes, Op::kAny},
    {"all reduce_all", Form::kAlongAxes, Op::kAll},
    {"var reduce_variance", Form::kVariance},
    {"std reduce_std", Form::kStandardDeviation},
    {"softmax", Form::kAlongAxis, Op::kSoftmax},
    {"log_softmax", Form::kAlongAxis, Op::kLogSoftmax},
    {"argmax", Form::kAlongAxis, Op::kArgMax},
    {"argmin", Form::kAlongAxis, Op::kArgMin},
    {"l2_normalize", Form::kNormalize},
    {"in_top_k", Form::kInTopK},
    {"categorical_crossentropy", Form::kCategoricalCrossentropy},
    {"binary_crossentropy", Form::kBinaryCrossentropy},
});

constexpr std::string_view kTensorNames = "x input_tensor features input tensor logits a";
constexpr FunctionParameter kTensor = {kTensorNames, Kind::kTensor};
constexpr FunctionParameter kFirst = {"x x1 a", Kind::kTensor};
constexpr FunctionParameter kSecond = {"y x2 b", Kind::kTensor};
constexpr FunctionParameter kAxes = {"axis", Kind::kAxes, false};
constexpr FunctionParameter kAxis = {"axis", Kind::kAxis, false};
constexpr FunctionParameter kKeepDims = {"keepdims", Kind::kFlag, false};
constexpr FunctionParameter kTarget = {"target y_true labels", Kind::kTensor};
constexpr FunctionParameter kOutput = {"output y_pred logits", Kind::kTensor};

constexpr std::array kOfOne = {kTensor};
constexpr std::array kOfTwo = {kFirst, kSecond};
constexpr std::array kAlongAxes = {kTensor, kAxes, kKeepDims};
constexpr std::array kAlongAxis = {kTensor, kAxis};
constexpr std::array kWhere = std::to_array<FunctionParameter>(
    {{"condition", Kind::kTensor}, {"x then_expression x1", Kind::kTensor}, {"y else_expression x2", Kind::kTensor}});
constexpr std::array kClip = std::to_array<FunctionParameter>({{"x t", Kind::kTensor},
                                                               {"min_value clip_value_min x_min", Kind::kNumber},
                                                               {"max_value clip_value_max x_max", Kind::kNumber}});
constexpr std::array kCast = std::to_array<FunctionParameter>({{kTensorNames, Kind::kTensor}, {"dtype", Kind::kType}});
constexpr std::array kInTopK = std::to_array<FunctionParameter>(
    {{"predictions", Kind::kTensor}, {"targets", Kind::kTensor}, {"k", Kind::kNumber}});
constexpr std::array kConstant =
    std::to_array<FunctionParameter>({{"value x", Kind::kTensor}, {"dtype", Kind::kType, false}});
constexpr std::array kCrossentropy =
    std::to_array<FunctionParameter>({kTarget, kOutput, {"from_logits", Kind::kFlag, false}});

}  // namespace

const FunctionRow* find_function(std::string_view name) {
  for (const FunctionRow& row : kFunctions) {
    if (has_word(row.names, name)) return &row;
  }
  return nullptr;
}

std::span<const FunctionParameter> parameters_of(FunctionForm form) {
  switch (form) {
    case Form::kOfOne:
      return kOfOne;
    case Form::kOfTwo:
    case Form::kLogicalXor:
    case Form::kDivideNoNan:
      return kOfTwo;
    case Form::kAlongAxes:
    case Form::kVariance:
    case Form::kStandardDeviation:
      return kAlongAxes;
    case Form::kAlongAxis:
    case Form::kNormalize:
      return kAlongAxis;
    case Form::kWhere:
      return kWhere;
    case Form::kClip:
      return kClip;
    case Form::kCast:
      return kCast;
    case Form::kInTopK:
      return kInTopK;
    case Form::kConstant:
      return kConstant;
    case Form::kEpsilon:
      return {};
    case Form::kCategoricalCrossentropy:
    case Form::kBinaryCrossentropy:
      return kCrossentropy;
  }
  throw Error(ErrorCode::kInternal, "unknown form of a function");
}

std::string function_name(ExpressionOp op) {
  for (const FunctionRow& row : kFunctions) {
    if (row.op == op && op != Op::kNumber) return words_of(row.names).front();
  }
  return {};
}

std::vector<std::string> function_names() {
  std::vector<std::string> names;
  for (const FunctionRow& row : kFunctions) {
    for (std::string& name : words_of(row.names)) names.push_back(std::move(name));
  }
  return names;
}

}  // namespace modelhop::spec
