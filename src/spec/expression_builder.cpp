// SPDX-License-Identifier: Apache-2.0
// Types are two, numbers and conditions, so that the check is a table of what each operation takes and gives.
#include "spec/expression_builder.hpp"

#include <cmath>
#include <optional>
#include <utility>

#include "spec/expression_functions.hpp"
#include "spec/grammar_text.hpp"

namespace modelhop::spec {
namespace {

using Op = ExpressionOp;

constexpr std::size_t kMaxNodes = 1000;

bool takes_conditions(Op op) {
  return op == Op::kNot || op == Op::kAnd || op == Op::kOr || op == Op::kAny || op == Op::kAll || op == Op::kToFloat;
}

bool is_comparison(Op op) {
  return op >= Op::kEqual && op <= Op::kGreaterEqual;
}

bool gives_condition(Op op) {
  return is_comparison(op) || op == Op::kNot || op == Op::kAnd || op == Op::kOr || op == Op::kAny || op == Op::kAll ||
         op == Op::kToCondition || op == Op::kInTopK;
}

/// Steps, whose derivative is 0 or nothing.
bool stops_derivative(Op op) {
  switch (op) {
    case Op::kSign:
    case Op::kRound:
    case Op::kFloor:
    case Op::kCeil:
    case Op::kTruncate:
    case Op::kOnesLike:
    case Op::kZerosLike:
    case Op::kStopGradient:
    case Op::kArgMax:
    case Op::kArgMin:
    case Op::kToFloat:
      return true;
    default:
      return gives_condition(op);
  }
}

std::optional<double> folded(Op op, double left, double right) {
  switch (op) {
    case Op::kAdd:
      return left + right;
    case Op::kSubtract:
      return left - right;
    case Op::kMultiply:
      return left * right;
    case Op::kDivide:
      return left / right;
    case Op::kPower:
      return std::pow(left, right);
    default:
      return std::nullopt;
  }
}

}  // namespace

std::string op_text(ExpressionOp op) {
  switch (op) {
    case Op::kAdd:
      return "+";
    case Op::kSubtract:
    case Op::kNegative:
      return "-";
    case Op::kMultiply:
      return "*";
    case Op::kDivide:
      return "/";
    case Op::kPower:
      return "**";
    case Op::kEqual:
      return "==";
    case Op::kNotEqual:
      return "!=";
    case Op::kLess:
      return "<";
    case Op::kLessEqual:
      return "<=";
    case Op::kGreater:
      return ">";
    case Op::kGreaterEqual:
      return ">=";
    case Op::kAnd:
      return "&";
    case Op::kOr:
      return "|";
    case Op::kNot:
      return "~";
    case Op::kWhere:
      return "where";
    case Op::kClip:
      return "clip";
    case Op::kInTopK:
      return "in_top_k";
    case Op::kTruncate:
    case Op::kToFloat:
    case Op::kToCondition:
      return "cast";
    default:
      return function_name(op);
  }
}

ExpressionBuilder::ExpressionBuilder() {
  nodes_ = {{Op::kTruth}, {Op::kPrediction}};
  facts_ = {{false, false, true}, {false, true, true}};
}

int ExpressionBuilder::number(double value, TextPlace place) {
  if (!std::isfinite(value)) refuse_at(place, "the result of this calculation is not a finite number");
  ExpressionNode node;
  node.number = value;
  return add(std::move(node), place);
}

int ExpressionBuilder::add(ExpressionOp op, std::vector<int> arguments, TextPlace place) {
  if (op == Op::kNegative && is_number(arguments[0])) return number(-node(arguments[0]).number, place);
  if (arguments.size() == 2 && is_number(arguments[0]) && is_number(arguments[1])) {
    const auto value = folded(op, node(arguments[0]).number, node(arguments[1]).number);
    if (value) return number(*value, place);
  }
  ExpressionNode node;
  node.op = op;
  node.arguments = std::move(arguments);
  return add(std::move(node), place);
}

int ExpressionBuilder::add(ExpressionNode node, TextPlace place) {
  if (nodes_.size() >= kMaxNodes) {
    refuse_at(place, "the function has more than " + std::to_string(kMaxNodes) + " steps");
  }
  node.line = place.line;
  node.column = place.column;
  check_types(node, place);
  facts_.push_back(facts_of(node));
  nodes_.push_back(std::move(node));
  return static_cast<int>(nodes_.size()) - 1;
}

int ExpressionBuilder::to_numbers(int value, TextPlace place) {
  return facts(value).is_condition ? add(Op::kToFloat, {value}, place) : value;
}

/// Keras's mean and sum take conditions as 0 and 1; nothing else does.
void ExpressionBuilder::check_types(ExpressionNode& node, TextPlace place) {
  if (node.op == Op::kMean || node.op == Op::kSum) node.arguments[0] = to_numbers(node.arguments[0], place);
  for (std::size_t i = 0; i < node.arguments.size(); ++i) {
    const bool is_condition = facts(node.arguments[i]).is_condition;
    const bool wants_condition = takes_conditions(node.op) || (node.op == Op::kWhere && i == 0);
    if (is_condition == wants_condition) continue;
    const std::string subject = in_quotes(op_text(node.op));
    if (wants_condition) {
      refuse_at(place, subject + " needs a condition, such as y_true > 0.5, and was given numbers");
    }
    refuse_at(place, subject + " needs numbers and was given a condition", "Make 0 and 1 of it: cast(..., 'float32').");
  }
}

ValueFacts ExpressionBuilder::facts_of(const ExpressionNode& node) const {
  ValueFacts facts;
  facts.is_condition = gives_condition(node.op);
  for (std::size_t i = 0; i < node.arguments.size(); ++i) {
    const ValueFacts& argument = facts_[static_cast<std::size_t>(node.arguments[i])];
    facts.uses_data |= argument.uses_data;
    facts.is_derivable |= argument.is_derivable && !stops_derivative(node.op);
  }
  return facts;
}

ExpressionSpec ExpressionBuilder::finish(int result, std::string text, TextPlace place) {
  if (!facts(result).uses_data) {
    refuse_at(place, "the result depends neither on y_true nor on y_pred");
  }
  std::vector<int> places(nodes_.size(), -1);
  places[static_cast<std::size_t>(result)] = 0;
  for (std::size_t i = nodes_.size(); i-- > 0;) {
    if (places[i] < 0) continue;
    for (const int argument : nodes_[i].arguments) places[static_cast<std::size_t>(argument)] = 0;
  }
  ExpressionSpec spec;
  spec.text = std::move(text);
  spec.is_derivable = facts(result).is_derivable;
  for (std::size_t i = 0; i <= static_cast<std::size_t>(result); ++i) {
    if (places[i] < 0) continue;
    places[i] = static_cast<int>(spec.nodes.size());
    for (int& argument : nodes_[i].arguments) argument = places[static_cast<std::size_t>(argument)];
    spec.nodes.push_back(std::move(nodes_[i]));
  }
  return spec;
}

}  // namespace modelhop::spec
