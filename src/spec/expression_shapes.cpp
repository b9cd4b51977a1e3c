// SPDX-License-Identifier: Apache-2.0
// Shapes of the steps of a custom function for one output of a network. The batch has an unknown extent, which only
// itself fits: a result of one batch goes together with no other axis by chance.
#include <algorithm>

#include "modelhop/error.hpp"
#include "spec/expression.hpp"
#include "spec/expression_builder.hpp"
#include "spec/expression_token.hpp"
#include "spec/grammar_text.hpp"

namespace modelhop::spec {
namespace {

using Op = ExpressionOp;

std::string shape_text(const Shape& shape) {
  std::string text = "(";
  for (const std::int64_t extent : shape) {
    text += (text.size() > 1 ? ", " : "") + (extent == kBatch ? std::string("batch") : std::to_string(extent));
  }
  return text + ")";
}

TextPlace place_of(const ExpressionNode& node) {
  return {node.line, node.column};
}

Shape broadcast(const ExpressionNode& node, const Shape& left, const Shape& right) {
  const auto refuse_shapes = [&] {
    refuse_at(place_of(node),
              in_quotes(op_text(node.op)) + ": shapes " + shape_text(left) + " and " + shape_text(right) +
                  " do not go together",
              "keepdims=True of sum, mean, max and min keeps an axis.");
  };
  Shape shape(std::max(left.size(), right.size()));
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const std::int64_t a = i < left.size() ? left[left.size() - 1 - i] : 1;
    const std::int64_t b = i < right.size() ? right[right.size() - 1 - i] : 1;
    if (a != b && a != 1 && b != 1) refuse_shapes();
    std::int64_t& extent = shape[shape.size() - 1 - i];
    extent = a == 1 ? b : a;
    if (extent == kBatch && i + 1 != shape.size()) refuse_shapes();
  }
  return shape;
}

/// Counted from the front. Throws where the shape does not have it.
std::size_t axis_of(const ExpressionNode& node, std::int64_t axis, const Shape& shape) {
  const auto rank = static_cast<std::int64_t>(shape.size());
  if (axis >= -rank && axis < rank) return static_cast<std::size_t>(axis < 0 ? axis + rank : axis);
  refuse_at(place_of(node), in_quotes(op_text(node.op)) + ": axis " + std::to_string(axis) +
                                " is not one of a tensor of shape " + shape_text(shape));
}

Shape reduced(const ExpressionNode& node, const Shape& shape) {
  std::vector<bool> goes(shape.size(), node.axes.empty());
  for (const std::int64_t axis : node.axes) {
    const std::size_t place = axis_of(node, axis, shape);
    if (goes[place]) refuse_at(place_of(node), in_quotes(op_text(node.op)) + ": an axis comes twice");
    goes[place] = true;
  }
  Shape left;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (!goes[i]) left.push_back(shape[i]);
    if (goes[i] && node.keeps_axes) left.push_back(1);
  }
  return left;
}

Shape top_k_shape(const ExpressionNode& node, const Shape& left, const Shape& right) {
  const Shape& scores = left.size() > right.size() ? left : right;
  const Shape& ids = left.size() > right.size() ? right : left;
  if (scores.size() < 2 || Shape(scores.begin(), scores.end() - 1) != ids) {
    refuse_at(place_of(node),
              "\"in_top_k\": shapes " + shape_text(left) + " and " + shape_text(right) + " do not go together",
              "It takes scores of classes and class ids: in_top_k(y_pred, argmax(y_true), k).");
  }
  return ids;
}

Shape shape_of(const ExpressionNode& node, const std::vector<Shape>& shapes, const Shape& data) {
  const auto argument = [&](std::size_t i) -> const Shape& {
    return shapes[static_cast<std::size_t>(node.arguments[i])];
  };
  switch (node.op) {
    case Op::kNumber:
      return {};
    case Op::kTruth:
    case Op::kPrediction:
      return data;
    case Op::kSum:
    case Op::kMean:
    case Op::kMax:
    case Op::kMin:
    case Op::kLogSumExp:
    case Op::kAny:
    case Op::kAll:
    case Op::kArgMax:
    case Op::kArgMin:
      return reduced(node, argument(0));
    case Op::kSoftmax:
    case Op::kLogSoftmax:
      axis_of(node, node.axes.front(), argument(0));
      return argument(0);
    case Op::kInTopK:
      return top_k_shape(node, argument(0), argument(1));
    default:
      break;
  }
  Shape shape = argument(0);
  for (std::size_t i = 1; i < node.arguments.size(); ++i) shape = broadcast(node, shape, argument(i));
  return shape;
}

}  // namespace

Shape check_expression_shapes(const ExpressionSpec& expression, const Shape& output) {
  check(!expression.nodes.empty(), "a custom function without steps");
  Shape data = {kBatch};
  data.insert(data.end(), output.begin(), output.end());
  if (output.empty()) data.push_back(1);
  std::vector<Shape> shapes;
  for (const ExpressionNode& node : expression.nodes) shapes.push_back(shape_of(node, shapes, data));
  const Shape& result = shapes.back();
  const bool is_one = std::all_of(result.begin(), result.end(), [](std::int64_t extent) { return extent == 1; });
  if (!is_one && result.front() != kBatch) {
    refuse_at(place_of(expression.nodes.back()),
              "the result has shape " + shape_text(result) + ", which has no value for each example",
              "Leave the first axis as it is: mean(..., axis=-1).");
  }
  return result;
}

}  // namespace modelhop::spec
