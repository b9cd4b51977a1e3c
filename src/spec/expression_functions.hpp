// SPDX-License-Identifier: Apache-2.0
// The functions that custom losses and metrics may call: one table row each, under the names that Keras's backend,
// TensorFlow and keras.ops have for them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "modelhop/expression.hpp"

namespace modelhop::spec {

/// How a function's arguments become nodes.
enum class FunctionForm : std::uint8_t {
  kOfOne,      ///< a tensor
  kOfTwo,      ///< two tensors
  kAlongAxes,  ///< a tensor, axes, keepdims
  kAlongAxis,  ///< a tensor, one axis that is the last one by default
  kWhere,
  kClip,
  kCast,
  kInTopK,
  kConstant,  ///< a number that stands for itself
  kEpsilon,
  kVariance,
  kStandardDeviation,
  kNormalize,
  kDivideNoNan,
  kLogicalXor,
  kCategoricalCrossentropy,
  kBinaryCrossentropy,
};

enum class ParameterKind : std::uint8_t { kTensor, kNumber, kAxes, kAxis, kFlag, kType };

struct FunctionParameter {
  std::string_view names;  ///< of all packages, separated by blanks
  ParameterKind kind = ParameterKind::kTensor;
  bool is_required = true;
};

struct FunctionRow {
  std::string_view names;
  FunctionForm form;
  ExpressionOp op = ExpressionOp::kNumber;  ///< of forms that serve several functions
};

const FunctionRow* find_function(std::string_view name);
std::span<const FunctionParameter> parameters_of(FunctionForm form);
std::vector<std::string> function_names();

/// The function that makes this operation; empty where none does.
std::string function_name(ExpressionOp op);

}  // namespace modelhop::spec
