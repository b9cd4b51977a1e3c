// SPDX-License-Identifier: Apache-2.0
// Makes the nodes of a custom function: checks that numbers and conditions are where they belong, folds constants,
// counts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "modelhop/expression.hpp"
#include "spec/expression_token.hpp"

namespace modelhop::spec {

/// What one value is beside its node.
struct ValueFacts {
  bool is_condition = false;  ///< true or false for each element, not numbers
  bool is_derivable = false;  ///< depends on y_pred in a way that has a derivative
  bool uses_data = false;     ///< depends on y_true or y_pred at all
};

class ExpressionBuilder {
 public:
  ExpressionBuilder();

  int truth() const { return 0; }
  int prediction() const { return 1; }
  int number(double value, TextPlace place);

  /// Adds `op` of these values. Throws kInvalidArgument where one of them is of the wrong type.
  int add(ExpressionOp op, std::vector<int> arguments, TextPlace place);
  /// The same for operations with settings, which `node` carries.
  int add(ExpressionNode node, TextPlace place);

  /// A condition as 0 and 1, numbers as they are.
  int to_numbers(int value, TextPlace place);

  bool is_number(int value) const { return node(value).op == ExpressionOp::kNumber; }
  const ExpressionNode& node(int value) const { return nodes_[static_cast<std::size_t>(value)]; }
  const ValueFacts& facts(int value) const { return facts_[static_cast<std::size_t>(value)]; }

  /// Leaves out what the result does not need.
  ExpressionSpec finish(int result, std::string text, TextPlace place);

 private:
  void check_types(ExpressionNode& node, TextPlace place);
  ValueFacts facts_of(const ExpressionNode& node) const;

  std::vector<ExpressionNode> nodes_;
  std::vector<ValueFacts> facts_;
};

/// The operation as an error names it.
std::string op_text(ExpressionOp op);

}  // namespace modelhop::spec
