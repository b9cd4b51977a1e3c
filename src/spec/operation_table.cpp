// SPDX-License-Identifier: Apache-2.0
// Names of operations and of their arguments.
#include "spec/operation_table.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

namespace modelhop::spec {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;

constexpr Pair kOperationAliases[] = {
    {"true_divide", "divide"},
    {"truediv", "divide"},
    {"div", "divide"},
    {"real_div", "divide"},
    {"div_no_nan", ""},
    {"sub", "subtract"},
    {"mul", "multiply"},
    {"add_v2", "add"},
    {"pow", "power"},
    {"neg", "negative"},
    {"absolute", "abs"},
    {"amax", "max"},
    {"amin", "min"},
    {"reduce_mean", "mean"},
    {"reduce_sum", "sum"},
    {"reduce_max", "max"},
    {"reduce_min", "min"},
    {"reduce_any", "any"},
    {"reduce_all", "all"},
    {"clip_by_value", "clip"},
    {"concat", "concatenate"},
    {"concat_v2", "concatenate"},
    {"pack", "stack"},
    {"get_item", "getitem"},
    {"swish", "silu"},
    {"select", "where"},
    {"select_v2", "where"},
    {"batch_mat_mul", "matmul"},
    {"batch_mat_mul_v2", "matmul"},
    {"mat_mul", "matmul"},
    {"batch_mat_mul_v3", "matmul"},
    {"leaky_re_lu", "leaky_relu"},
    {"inv", "reciprocal"},
    {"pad_v2", "pad"},
};

/// Names that mean the first operand wherever they appear.
constexpr std::string_view kFirstOperand[] = {"x",     "features", "logits",       "input", "tensor",
                                              "a",     "inputs",   "input_tensor", "value", "t",
                                              "array", "tensors",  "x1",           "cond"};

constexpr Pair kArgumentAliases[] = {
    {"perm", "axes"},
    {"shape", "newshape"},
    {"paddings", "pad_width"},
    {"clip_value_min", "x_min"},
    {"slice_spec", "key"},
    {"keep_dims", "keepdims"},
    {"reduction_indices", "axis"},
    {"clip_value_max", "x_max"},
    {"dim", "axis"},
    {"y", "x2"},
    {"b", "x2"},
};

std::vector<OperationSignature> make_signatures() {
  std::vector<OperationSignature> list;
  const auto add = [&list](std::string_view class_name, std::vector<std::string_view> operands,
                           std::vector<std::string_view> parameters = {}) {
    list.push_back({class_name.substr(4), class_name, std::move(operands), std::move(parameters)});
  };
  for (const std::string_view name :
       {"ops.negative",    "ops.abs",      "ops.square",        "ops.sqrt",       "ops.rsqrt",    "ops.exp",
        "ops.log",         "ops.log1p",    "ops.expm1",         "ops.sin",        "ops.cos",      "ops.sign",
        "ops.floor",       "ops.ceil",     "ops.reciprocal",    "ops.erf",        "ops.tanh",     "ops.sigmoid",
        "ops.relu",        "ops.relu6",    "ops.silu",          "ops.selu",       "ops.softplus", "ops.softsign",
        "ops.logical_not", "ops.identity", "ops.stop_gradient", "ops.zeros_like", "ops.ones_like"}) {
    add(name, {"x"});
  }
  for (const std::string_view name :
       {"ops.add", "ops.subtract", "ops.multiply", "ops.divide", "ops.power", "ops.maximum", "ops.minimum",
        "ops.squared_difference", "ops.not_equal", "ops.equal", "ops.greater", "ops.greater_equal", "ops.less",
        "ops.less_equal", "ops.logical_and", "ops.logical_or", "ops.logical_xor"}) {
    add(name, {"x1", "x2"});
  }
  for (const std::string_view name : {"ops.mean", "ops.sum", "ops.max", "ops.min", "ops.any", "ops.all"}) {
    add(name, {"x"}, {"axis", "keepdims"});
  }
  add("ops.gelu", {"x"}, {"approximate"});
  add("ops.leaky_relu", {"x"}, {"negative_slope"});
  add("ops.elu", {"x"}, {"alpha"});
  add("ops.softmax", {"x"}, {"axis"});
  add("ops.log_softmax", {"x"}, {"axis"});
  add("ops.clip", {"x"}, {"x_min", "x_max"});
  add("ops.reshape", {"x"}, {"newshape"});
  add("ops.transpose", {"x"}, {"axes"});
  add("ops.expand_dims", {"x"}, {"axis"});
  add("ops.squeeze", {"x"}, {"axis"});
  add("ops.pad", {"x"}, {"pad_width", "mode", "constant_values"});
  add("ops.getitem", {"x"}, {"key"});
  add("ops.cast", {"x"}, {"dtype"});
  add("ops.matmul", {"x1", "x2"}, {"transpose_a", "transpose_b"});
  add("ops.where", {"condition", "x1", "x2"});
  add("ops.concatenate", {"values"}, {"axis"});
  add("ops.stack", {"values"}, {"axis"});
  add("ops.add_n", {"values"});
  return list;
}

template <typename List, typename Value>
bool holds(const List& list, const Value& value) {
  return std::find(std::begin(list), std::end(list), value) != std::end(list);
}

}  // namespace

std::span<const OperationSignature> operation_signatures() {
  static const std::vector<OperationSignature> list = make_signatures();
  return list;
}

const OperationSignature* find_operation(std::string_view name) {
  for (const auto& [alias, canonical] : kOperationAliases) {
    if (alias == name) name = canonical;
  }
  for (const OperationSignature& signature : operation_signatures()) {
    if (signature.name == name) return &signature;
  }
  return nullptr;
}

std::string canonical_argument(const OperationSignature& operation, std::string_view argument) {
  const auto is_own = [&](std::string_view name) {
    return holds(operation.operands, name) || holds(operation.parameters, name);
  };
  if (operation.name == "where" && argument == "x") return "x1";
  if (is_own(argument)) return std::string(argument);
  if (operation.name == "leaky_relu" && argument == "alpha") return "negative_slope";
  if (holds(kFirstOperand, argument)) return std::string(operation.operands.front());
  for (const auto& [alias, canonical] : kArgumentAliases) {
    if (alias == argument && is_own(canonical)) return std::string(canonical);
  }
  return std::string(argument);
}

std::string snake_case(std::string_view camel) {
  std::string snake;
  for (const char character : camel) {
    const auto letter = static_cast<unsigned char>(character);
    if (std::isupper(letter) != 0 && !snake.empty()) snake += '_';
    snake += static_cast<char>(std::tolower(letter));
  }
  return snake;
}

}  // namespace modelhop::spec
