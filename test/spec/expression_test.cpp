// SPDX-License-Identifier: Apache-2.0
// The language of custom losses and metrics: what is read, what is refused and where, shapes.
#include "spec/expression.hpp"

#include "samples.hpp"
#include "spec/expression_functions.hpp"

namespace modelhop {
namespace {

using spec::check_expression_shapes;
using spec::kBatch;
using spec::parse_expression;

constexpr auto kInvalid = ErrorCode::kInvalidArgument;
constexpr auto kUnsupported = ErrorCode::kNotSupported;

/// The nodes as a prefix text, so that precedence and sharing show.
std::string tree(const std::string& text) {
  const ExpressionSpec spec = parse_expression(text);
  std::vector<std::string> texts;
  for (const ExpressionNode& node : spec.nodes) {
    if (node.op == ExpressionOp::kTruth) {
      texts.emplace_back("y");
    } else if (node.op == ExpressionOp::kPrediction) {
      texts.emplace_back("p");
    } else if (node.op == ExpressionOp::kNumber) {
      const std::string number = std::to_string(node.number);
      texts.push_back(number.substr(0, number.find_last_not_of("0.") + 1));
    } else {
      std::string one = "(" + std::to_string(static_cast<int>(node.op));
      for (const int argument : node.arguments) one += " " + texts[static_cast<std::size_t>(argument)];
      texts.push_back(one + ")");
    }
  }
  return texts.back();
}

TEST(Expression, reads_every_way_to_write_a_function) {
  const std::string expected = tree("mean(square(y_pred - y_true), axis=-1)");
  for (const char* text : {
           "K.mean(K.square(y_pred - y_true), axis=-1)",
           "return K.mean(K.square(y_pred - y_true), axis=-1)",
           "def f(y_true, y_pred): return K.mean(K.square(y_pred - y_true), axis=-1)",
           "def squared_error(y_true, y_pred):\n    import tensorflow.keras.backend as K\n    return "
           "K.mean(K.square(y_pred - y_true), axis=-1)\n",
           "from tensorflow.keras import backend as B\n\ndef f(a, b):\n  \"\"\"Squares.\"\"\"\n  # of errors\n  "
           "error = b - a  # errors\n  return B.mean(B.square(error),\n    -1)\n",
           "lambda y_true, y_pred: tf.reduce_mean(tf.math.square(y_pred - y_true), axis=[-1])",
           "e = y_pred - y_true; e = keras.ops.square(e); tf.keras.backend.mean(e, axis=(-1,), keepdims=False)",
           "error = \\\n y_pred\nerror -= y_true\nreturn (ops.mean(ops.square(error), axis=-1,))",
           "def f(y_true, y_pred, unused=1e-3,):\r\n\treturn tf.reduce_mean(input_tensor=tf.square(y_pred - y_true), "
           "axis=-1)",
           "mean(square(tf.cast(y_pred, tf.float32) - K.cast(y_true, dtype='float32')), axis=-1)",
           "mean(square(K.cast(y_pred, K.floatx()) - K.cast(y_true, y_pred.dtype)), axis=-1)  # \xc3\xa9",
       }) {
    EXPECT_EQ(tree(text), expected) << text;
  }
}

TEST(Expression, knows_precedence_and_folds_constants) {
  const std::pair<const char*, const char*> same[] = {
      {"y_pred - y_true - y_pred", "(y_pred - y_true) - y_pred"},
      {"y_pred + y_true * y_pred", "y_pred + (y_true * y_pred)"},
      {"-y_pred ** y_true", "-(y_pred ** y_true)"},
      {"y_pred ** y_true ** y_pred", "y_pred ** (y_true ** y_pred)"},
      {"y_pred ** -y_true", "y_pred ** (-y_true)"},
      {"y_pred / y_true * y_pred", "(y_pred / y_true) * y_pred"},
      {"y_pred > y_true + 1 ", "y_pred > (y_true + 1)"},
      {"not y_pred > 1 and y_true > 1 or y_pred > 2", "((not (y_pred > 1)) and (y_true > 1)) or (y_pred > 2)"},
      {"(y_pred > 1) & (y_true > 1) | ~(y_pred > 2)", "((y_pred > 1) & (y_true > 1)) | (~(y_pred > 2))"},
      {"y_pred * (2 ** 3 - 1 / 2)", "y_pred * 7.5"},
      {"-2 * y_pred", "(0 - 2) * y_pred"},
      {"+y_pred + 1.", "y_pred + 1e0"},
      {"a = y_pred; b = a * 0; a + 1", "y_pred + 1"},
  };
  for (const auto& [text, clear] : same) EXPECT_EQ(tree(text), tree(clear)) << text;
  EXPECT_NE(tree("y_pred - y_true"), tree("y_true - y_pred"));
  // A value that is used twice is computed once.
  EXPECT_EQ(parse_expression("e = y_pred - y_true; e * e").nodes.size(), 4U);
}

TEST(Expression, tells_what_has_a_derivative) {
  for (const char* text : {"y_pred", "where(y_pred > 0.5, y_pred, zeros_like(y_pred))", "y_true * clip(y_pred, 0, 1)",
                           "(tf.where(tf.equal(y_true, 1), y_pred, tf.ones_like(y_pred)) - "
                           "tf.where(tf.equal(y_true, 0), y_pred, tf.zeros_like(y_pred))) / 10"}) {
    EXPECT_TRUE(parse_expression(text).is_derivable) << text;
  }
  for (const char* text :
       {"y_true", "y_pred > 0.5", "cast(y_pred > y_true, 'float32')", "argmax(y_pred)", "round(y_pred)",
        "mean(equal(argmax(y_true), argmax(y_pred)))", "y_true * stop_gradient(y_pred)",
        "in_top_k(y_pred, argmax(y_true), 3)", "where(y_pred > 0.5, y_true, -y_true)", "ones_like(y_pred) * y_true",
        "sign(y_pred)", "cast(y_pred, 'int32')"}) {
    EXPECT_FALSE(parse_expression(text).is_derivable) << text;
  }
}

TEST(Expression, refuses_and_says_where) {
  const struct {
    ErrorCode code;
    const char* text;
    const char* message;
  } cases[] = {
      {kInvalid, "", "line 1, column 1: the text has no result"},
      {kInvalid, "# nothing", "the text has no result"},
      {kInvalid, "x = y_pred", "the text has no result"},
      {kInvalid, "def f(y_true, y_pred):\n", "the text has no result"},
      {kInvalid, "K.meen(y_pred)", "line 1, column 3: unknown function \"meen\""},
      {kInvalid, "a = 1\n\nreturn y_bred", "line 3, column 8: unknown name \"y_bred\""},
      {kInvalid, "np.mean(y_pred)", "line 1, column 1: unknown module \"np\""},
      {kInvalid, "os.system('rm')", "unknown module \"os\""},
      {kInvalid, "y_pred + ", "line 1, column 10: a value was expected, not the end of the text"},
      {kInvalid, "(y_pred", "\")\" that closes a bracket was expected"},
      {kInvalid, "y_pred)", "the end of the line was expected, not \")\""},
      {kInvalid, "y_pred y_true", "the end of the line was expected, not \"y_true\""},
      {kInvalid, "y_pred\ny_true", "line 2, column 1: nothing may follow the result"},
      {kInvalid, "return y_pred; return y_true", "nothing may follow the result"},
      {kInvalid, "3.5", "depends neither on y_true nor on y_pred"},
      {kInvalid, "mean()", "function \"mean\" lacks argument \"x\""},
      {kInvalid, "mean(y_pred, -1, True, 4)", "function \"mean\" takes 3 arguments"},
      {kInvalid, "mean(y_pred, axis=1.5)", "an axis such as -1 was expected, not \"1.5\""},
      {kInvalid, "mean(y_pred, axis=y_true)", "an axis such as -1 was expected, not \"y_true\""},
      {kInvalid, "mean(y_pred, keepdims=1)", "True or False was expected"},
      {kInvalid, "mean(y_pred, acsis=1)", "function \"mean\" has no argument \"acsis\""},
      {kInvalid, "mean(y_pred, x=y_true)", "is given twice"},
      {kInvalid, "mean(axis=-1, y_pred)", "an argument without a name cannot follow"},
      {kInvalid, "clip(y_pred, y_true, 1)", "argument \"min_value\" must be a number"},
      {kInvalid, "clip(y_pred, 2, 1)", "the lower bound is above the upper one"},
      {kInvalid, "y_pred / (1 - 1) + 1 / 0", "column 22: the result of this calculation is not a finite number"},
      {kInvalid, "y_pred * 1e999", "a number that is out of range"},
      {kInvalid, "y_pred * 2x", "is neither a number nor a name"},
      {kInvalid, "(y_pred > 1) + 1", "\"+\" needs numbers and was given a condition"},
      {kInvalid, "where(y_pred, y_true, y_pred)", "\"where\" needs a condition"},
      {kInvalid, "not y_pred", "\"~\" needs a condition"},
      {kInvalid, "max(y_pred > 1)", "\"max\" needs numbers"},
      {kInvalid, "in_top_k(y_pred, argmax(y_true), 0)", "k must be a whole number"},
      {kInvalid, "cast(y_pred, 'complex64')", "cast: unknown type \"complex64\""},
      {kInvalid, "y_pred ? 1", "character \"?\" is not expected here"},
      {kInvalid,
       "y_pr\xc3\xa9"
       "d",
       "is not expected here"},
      {kInvalid, "'text", "a string that does not end"},
      {kInvalid, "def f(y_true): return y_true", "the function needs two parameters"},
      {kInvalid, "def f(a, a): return a", "parameter \"a\" comes twice"},
      {kInvalid, "def f(a, b, c): return a", "\"=\" with the value of a further parameter was expected"},
      {kInvalid, "y_pred + None", "\"None\" cannot stand here"},
      {kInvalid, "mean", "unknown name \"mean\""},
      {kUnsupported, "y_pred[0]", "indexing is not supported"},
      {kUnsupported, "(y_pred).sum()", "methods and attributes are not supported"},
      {kUnsupported, "y_pred if y_true else 0", "\"if\" is not supported"},
      {kUnsupported, "if y_pred: return 0", "statement \"if\" is not supported"},
      {kUnsupported, "for i in y_pred: i", "statement \"for\" is not supported"},
      {kUnsupported, "0 < y_pred < 1", "a chain of comparisons is not supported"},
      {kUnsupported, "y_pred // 2", "operator \"//\" is not supported"},
      {kUnsupported, "import os\ny_pred", "module \"os\" is not supported"},
  };
  for (const auto& test : cases) expect_error(test.code, test.message, [&] { parse_expression(test.text); });
  const Error error = error_of([] { parse_expression("K.meen(y_pred)"); });
  EXPECT_EQ(error.hint(), "Did you mean \"mean\"?");
}

TEST(Expression, has_limits) {
  const auto repeat = [](const std::string& part, int times) {
    std::string text;
    for (int i = 0; i < times; ++i) text += part;
    return text;
  };
  EXPECT_NO_THROW(parse_expression(repeat("(", 90) + "y_pred" + repeat(")", 90)));
  for (const std::string& deep : {repeat("(", 5000), repeat("-", 5000) + "y_pred", repeat("abs(", 2000),
                                  repeat("2**", 3000) + "y_pred", repeat("not ", 2000) + "y_pred"}) {
    expect_error(kInvalid, "the expression nests deeper than 100", [&] { parse_expression(deep); });
  }
  EXPECT_NO_THROW(parse_expression("y_pred" + repeat("+y_true", 900)));
  expect_error(kInvalid, "more than 1000 steps", [&] { parse_expression("y_pred" + repeat("+y_true", 1100)); });
  expect_error(kInvalid, "the text has 10001 bytes, the limit is 10000", [&] { parse_expression(repeat("#", 10001)); });
  // Doubling a value is a step each time, not a copy.
  EXPECT_LT(parse_expression("a = y_pred" + repeat("\na = a + a", 900) + "\na").nodes.size(), 1000U);
}

TEST(Expression, checks_shapes_where_the_output_is_known) {
  const auto shape = [](const char* text, const Shape& output) {
    return check_expression_shapes(parse_expression(text), output);
  };
  EXPECT_EQ(shape("square(y_pred)", {3}), (Shape{kBatch, 3}));
  EXPECT_EQ(shape("square(y_pred)", {}), (Shape{kBatch, 1}));
  EXPECT_EQ(shape("mean(y_pred, axis=-1)", {5, 3}), (Shape{kBatch, 5}));
  EXPECT_EQ(shape("mean(y_pred, axis=[1, 2])", {5, 3}), (Shape{kBatch}));
  EXPECT_EQ(shape("mean(y_pred, axis=-1, keepdims=True)", {5, 3}), (Shape{kBatch, 5, 1}));
  EXPECT_EQ(shape("mean(y_pred)", {5, 3}), Shape{});
  EXPECT_EQ(shape("mean(y_pred, keepdims=True) + 1", {3}), (Shape{1, 1}));
  EXPECT_EQ(shape("y_pred / sum(y_pred, axis=-1, keepdims=True)", {3}), (Shape{kBatch, 3}));
  EXPECT_EQ(shape("argmax(y_pred)", {3}), (Shape{kBatch}));
  EXPECT_EQ(shape("in_top_k(argmax(y_true), y_pred, 2)", {3}), (Shape{kBatch}));
  EXPECT_EQ(shape("sum(y_pred, axis=0) * y_pred", {3}), (Shape{kBatch, 3}));
  const struct {
    const char* text;
    Shape output;
    const char* message;
  } cases[] = {
      {"y_pred / sum(y_pred, axis=-1)",
       {3},
       "line 1, column 8: \"/\": shapes (batch, 3) and (batch) do not go together"},
      {"y_pred * sum(y_pred, axis=-1)", {1}, "\"*\": shapes (batch, 1) and (batch) do not go together"},
      {"a = mean(y_pred, axis=1)\na + y_pred", {5, 3}, "line 2, column 3: \"+\": shapes (batch, 3) and (batch, 5, 3)"},
      {"mean(y_pred, axis=2)", {3}, "\"mean\": axis 2 is not one of a tensor of shape (batch, 3)"},
      {"mean(y_pred, axis=(1, -1))", {3}, "\"mean\": an axis comes twice"},
      {"softmax(y_pred, axis=-3)", {3}, "\"softmax\": axis -3"},
      {"mean(y_pred, axis=0)", {3}, "the result has shape (3), which has no value for each example"},
      {"in_top_k(y_pred, y_true, 1)", {3}, "\"in_top_k\": shapes (batch, 3) and (batch, 3)"},
  };
  for (const auto& test : cases) {
    expect_error(kInvalid, test.message, [&] { shape(test.text, test.output); });
  }
}

TEST(Expression, every_function_can_be_called) {
  for (const std::string& name : spec::function_names()) {
    const spec::FunctionRow* row = spec::find_function(name);
    std::string arguments;
    for (const spec::FunctionParameter& parameter : spec::parameters_of(row->form)) {
      if (!parameter.is_required) continue;
      const bool is_condition = row->op == ExpressionOp::kNot || row->op == ExpressionOp::kAnd ||
                                row->op == ExpressionOp::kOr || row->op == ExpressionOp::kAny ||
                                row->op == ExpressionOp::kAll || row->form == spec::FunctionForm::kLogicalXor ||
                                parameter.names == "condition";
      const bool is_id = parameter.names == "targets";
      arguments += arguments.empty() ? "" : ", ";
      arguments += parameter.kind == spec::ParameterKind::kType     ? "'int32'"
                   : parameter.kind == spec::ParameterKind::kNumber ? "2"
                   : is_condition                                   ? "y_pred > y_true"
                   : is_id                                          ? "argmax(y_true)"
                                                                    : "y_pred";
    }
    std::string text = "K." + name + "(" + arguments + ")";
    if (name == "epsilon") text += " + y_pred";
    ASSERT_NO_THROW(check_expression_shapes(parse_expression(text), {4, 3})) << text;
  }
}

}  // namespace
}  // namespace modelhop
