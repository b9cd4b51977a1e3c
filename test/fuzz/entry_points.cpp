// SPDX-License-Identifier: Apache-2.0
// Runs a reader and tells a refusal from a fault.
#include "entry_points.hpp"

#include <set>
#include <utility>

#include "modelhop/error.hpp"
#include "spec/expression.hpp"
#include "spec/keras_json.hpp"
#include "spec/model_summary.hpp"
#include "spec/train_params.hpp"

namespace modelhop::fuzz {
namespace {

template <typename Read>
void expect_refusal_or_result(const Read& read) {
  try {
    read();
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kInternal) throw;
  }
}

void check_model(const ModelSpec& model) {
  for (std::size_t node = 0; node < model.nodes.size(); ++node) {
    const NodeSpec& call = model.nodes[node];
    check(call.roles.size() == call.inputs.size() && !call.output_shapes.empty(), "a node is not complete");
    for (const TensorRef& input : call.inputs) {
      check(input.node >= 0 && input.node < static_cast<int>(node), "a node is before its input");
      check(element_count(model.shape_of(input)) > 0, "a tensor has no elements");
    }
  }
  std::size_t weights = 0;
  for (const LayerSpec& layer : model.layers) weights += layer.weights.size();
  std::set<std::pair<int, int>> listed;
  for (const WeightRef& ref : model.weight_order) listed.emplace(ref.layer, ref.weight);
  check(listed.size() == weights && model.weight_order.size() == weights, "a weight is not listed once");
  check(model.output_names.size() == model.outputs.size(), "an output has no name");
  check(parameter_count(model) >= trainable_parameter_count(model) && forward_flops(model) >= 0, "a count overflows");
  check(spec::summarize(model).size() == model.layers.size(), "a layer has no row");
}

void check_steps(const ExpressionSpec& expression) {
  std::set<int> used;
  for (std::size_t step = 0; step < expression.nodes.size(); ++step) {
    for (const int argument : expression.nodes[step].arguments) {
      check(argument >= 0 && argument < static_cast<int>(step), "a step is before what it uses");
      used.insert(argument);
    }
  }
  check(!expression.nodes.empty() && used.size() + 1 == expression.nodes.size(), "a step is not used");
  check(expression == spec::parse_expression(expression.text), "a text has two meanings");
}

}  // namespace

void read_architecture(std::string_view text) {
  expect_refusal_or_result([text] { check_model(parse_keras_json(text, {{4}})); });
}

void read_train_params(std::string_view text) {
  const std::size_t line = text.find('\n');
  const std::string_view fit = line == std::string_view::npos ? std::string_view() : text.substr(line + 1);
  expect_refusal_or_result([&] { parse_train_params(text.substr(0, line), fit); });
  expect_refusal_or_result([&] { canonical_params(text.substr(0, line)); });
}

void read_expression(std::string_view text) {
  expect_refusal_or_result([text] {
    const ExpressionSpec expression = spec::parse_expression(text);
    check_steps(expression);
    for (const Shape& output : {Shape{}, Shape{1}, Shape{3}, Shape{4, 3}, Shape{2, 4, 3}}) {
      expect_refusal_or_result([&] { spec::check_expression_shapes(expression, output); });
    }
  });
}

}  // namespace modelhop::fuzz
