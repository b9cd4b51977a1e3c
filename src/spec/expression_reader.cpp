// SPDX-License-Identifier: Apache-2.0
// Recursive descent; chains of operators are loops, so that only brackets, calls and signs nest.
#include "spec/expression_reader.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "spec/call_arguments.hpp"
#include "spec/grammar_text.hpp"
#include "spec/near_name.hpp"

namespace modelhop::spec {
namespace {

using Op = ExpressionOp;

constexpr int kMaxDepth = 100;

struct OperatorRow {
  std::string_view sign;
  Op op;
  int level;  ///< a higher one binds closer
};

constexpr std::array kOperators = std::to_array<OperatorRow>({
    {"|", Op::kOr, 0},
    {"&", Op::kAnd, 1},
    {"+", Op::kAdd, 2},
    {"-", Op::kSubtract, 2},
    {"*", Op::kMultiply, 3},
    {"/", Op::kDivide, 3},
});
constexpr int kHighestLevel = 3;

constexpr std::array kComparisons = std::to_array<OperatorRow>({
    {"==", Op::kEqual, 0},
    {"!=", Op::kNotEqual, 0},
    {"<", Op::kLess, 0},
    {"<=", Op::kLessEqual, 0},
    {">", Op::kGreater, 0},
    {">=", Op::kGreaterEqual, 0},
});

const OperatorRow* find_operator(std::span<const OperatorRow> rows, const Token& token) {
  if (token.kind != Token::Kind::kSign) return nullptr;
  const auto found =
      std::find_if(rows.begin(), rows.end(), [&](const OperatorRow& row) { return row.sign == token.text; });
  return found == rows.end() ? nullptr : &*found;
}

class DepthGuard {
 public:
  DepthGuard(int& depth, TextPlace place) : depth_(depth) {
    if (depth_ >= kMaxDepth) refuse_at(place, "the expression nests deeper than " + std::to_string(kMaxDepth));
    ++depth_;
  }
  ~DepthGuard() { --depth_; }
  DepthGuard(const DepthGuard&) = delete;
  DepthGuard& operator=(const DepthGuard&) = delete;

 private:
  int& depth_;
};

}  // namespace

const Token& ExpressionReader::peek(std::size_t ahead) const {
  return tokens_[std::min(next_ + ahead, tokens_.size() - 1)];
}

Token ExpressionReader::take() {
  const Token token = peek();
  if (next_ + 1 < tokens_.size()) ++next_;
  return token;
}

bool ExpressionReader::take_sign(std::string_view sign) {
  if (!peek().is_sign(sign)) return false;
  take();
  return true;
}

void ExpressionReader::refuse_next(const std::string& wanted) const {
  const Token& token = peek();
  const std::string found = token.kind == Token::Kind::kEnd       ? "the end of the text"
                            : token.kind == Token::Kind::kNewline ? "the end of the line"
                                                                  : in_quotes(token.text);
  refuse_at(token.place, wanted + " was expected, not " + found);
}

void ExpressionReader::expect_sign(std::string_view sign, const char* where) {
  if (!take_sign(sign)) refuse_next(in_quotes(sign) + " " + where);
}

void ExpressionReader::skip_lines() {
  while (peek().kind == Token::Kind::kNewline) take();
}

int ExpressionReader::variable(const Token& name) const {
  const auto found = variables_.find(name.text);
  if (found != variables_.end()) return found->second;
  std::vector<std::string> known;
  for (const auto& [variable, value] : variables_) known.push_back(variable);
  const bool is_function = find_function(name.text) != nullptr;
  refuse_at(name.place, "unknown name " + in_quotes(name.text),
            is_function ? "It is a function: call it with its arguments in parentheses."
                        : "Did you mean " + in_quotes(nearest_name(name.text, known)) + "?");
}

std::vector<Token> ExpressionReader::read_dotted_name() {
  std::vector<Token> parts;
  do {
    if (peek().kind != Token::Kind::kName) refuse_next("a name");
    parts.push_back(take());
  } while (take_sign("."));
  return parts;
}

int ExpressionReader::read_expression() {
  const DepthGuard guard(depth_, peek().place);
  const int value = read_or();
  if (peek().is_name("if")) {
    unsupported_at(peek().place, "\"if\" is not supported", "Write where(condition, value, other_value).");
  }
  return value;
}

int ExpressionReader::read_or() {
  int value = read_and();
  while (peek().is_name("or")) {
    const Token token = take();
    value = builder_.add(Op::kOr, {value, read_and()}, token.place);
  }
  return value;
}

int ExpressionReader::read_and() {
  int value = read_not();
  while (peek().is_name("and")) {
    const Token token = take();
    value = builder_.add(Op::kAnd, {value, read_not()}, token.place);
  }
  return value;
}

int ExpressionReader::read_not() {
  if (!peek().is_name("not")) return read_comparison();
  const Token token = take();
  const DepthGuard guard(depth_, token.place);
  return builder_.add(Op::kNot, {read_not()}, token.place);
}

int ExpressionReader::read_comparison() {
  const int left = read_operators(0);
  const OperatorRow* row = find_operator(kComparisons, peek());
  if (row == nullptr) return left;
  const Token token = take();
  const int value = builder_.add(row->op, {left, read_operators(0)}, token.place);
  if (find_operator(kComparisons, peek()) != nullptr) {
    unsupported_at(peek().place, "a chain of comparisons is not supported", "Write (a < b) & (b < c).");
  }
  return value;
}

int ExpressionReader::read_operators(int level) {
  if (level > kHighestLevel) return read_unary();
  int value = read_operators(level + 1);
  for (;;) {
    const OperatorRow* row = find_operator(kOperators, peek());
    if (row == nullptr || row->level != level) break;
    const Token token = take();
    value = combine(token.text, value, read_operators(level + 1), token.place);
  }
  if (peek().is_sign("//") || peek().is_sign("%")) {
    unsupported_at(peek().place, "operator " + in_quotes(peek().text) + " is not supported",
                   "Write floor(a / b) instead of a // b.");
  }
  return value;
}

int ExpressionReader::combine(std::string_view sign, int left, int right, TextPlace place) {
  const auto row = std::find_if(kOperators.begin(), kOperators.end(),
                                [sign](const OperatorRow& candidate) { return candidate.sign == sign; });
  return builder_.add(row->op, {left, right}, place);
}

int ExpressionReader::read_unary() {
  if (!peek().is_sign("-") && !peek().is_sign("+") && !peek().is_sign("~")) return read_power();
  const Token sign = take();
  const DepthGuard guard(depth_, sign.place);
  const int value = read_unary();
  if (sign.text == "+") return value;
  return builder_.add(sign.text == "-" ? Op::kNegative : Op::kNot, {value}, sign.place);
}

int ExpressionReader::read_power() {
  const int base = read_primary();
  if (!peek().is_sign("**")) return base;
  const Token sign = take();
  const DepthGuard guard(depth_, sign.place);
  return builder_.add(Op::kPower, {base, read_unary()}, sign.place);
}

int ExpressionReader::read_primary() {
  const Token& token = peek();
  int value = 0;
  if (token.kind == Token::Kind::kNumber) {
    const Token number = take();
    value = builder_.number(number.number, number.place);
  } else if (take_sign("(")) {
    value = read_expression();
    expect_sign(")", "that closes a bracket");
  } else if (token.kind == Token::Kind::kName) {
    value = read_name_or_call();
  } else {
    refuse_next("a value");
  }
  if (peek().is_sign("[")) {
    unsupported_at(peek().place, "indexing is not supported", "Use sums, masks or where over an axis.");
  }
  if (peek().is_sign(".")) {
    unsupported_at(peek().place, "methods and attributes are not supported", "Call the function: sum(x), not x.sum().");
  }
  return value;
}

int ExpressionReader::read_name_or_call() {
  const TextPlace place = peek().place;
  for (const std::string_view word : {"lambda", "None", "True", "False"}) {
    if (peek().is_name(word)) refuse_at(place, in_quotes(word) + " cannot stand here");
  }
  const bool is_variable = variables_.contains(peek().text) && !peek(1).is_sign("(");
  if (is_variable) return variable(take());
  const std::vector<Token> name = read_dotted_name();
  if (peek().is_sign("(")) return read_call(name);
  if (name.size() > 1) {
    refuse_at(place, "unknown name " + in_quotes(std::string(name[0].text) + "." + std::string(name[1].text)),
              "Functions are called with their arguments in parentheses.");
  }
  return variable(name.front());
}

const FunctionRow& ExpressionReader::function_of(const std::vector<Token>& name) const {
  for (std::size_t i = 0; i + 1 < name.size(); ++i) {
    if (modules_.contains(name[i].text)) continue;
    refuse_at(name[i].place, "unknown module " + in_quotes(name[i].text),
              "Known are K, keras.backend, tf, tf.math, tf.nn, keras.ops and what the text imports of them.");
  }
  const FunctionRow* row = find_function(name.back().text);
  if (row == nullptr) {
    refuse_at(name.back().place, "unknown function " + in_quotes(name.back().text),
              "Did you mean " + in_quotes(nearest_name(name.back().text, function_names())) + "?");
  }
  return *row;
}

int ExpressionReader::read_call(const std::vector<Token>& name) {
  const TextPlace place = name.front().place;
  const DepthGuard guard(depth_, place);
  const FunctionRow& function = function_of(name);
  const Arguments arguments = read_arguments(function, std::string(name.back().text), place);
  return make_call(function, arguments, place);
}

ExpressionReader::Arguments ExpressionReader::read_arguments(const FunctionRow& function, const std::string& name,
                                                             TextPlace place) {
  const auto parameters = parameters_of(function.form);
  Arguments arguments(parameters.size());
  expect_sign("(", "that begins the arguments");
  bool has_named = false;
  for (std::size_t position = 0; !peek().is_sign(")"); ++position) {
    const Token first = peek();
    std::size_t index = position;
    if (first.kind == Token::Kind::kName && peek(1).is_sign("=")) {
      take(), take();
      has_named = true;
      for (index = 0; index < parameters.size() && !has_word(parameters[index].names, first.text);) ++index;
      if (index == parameters.size()) {
        refuse_at(first.place, "function " + in_quotes(name) + " has no argument " + in_quotes(first.text));
      }
    } else if (has_named) {
      refuse_at(first.place, "an argument without a name cannot follow one with a name");
    }
    if (index >= parameters.size()) {
      refuse_at(first.place, "function " + in_quotes(name) + " takes " + std::to_string(parameters.size()) +
                                 (parameters.size() == 1 ? " argument" : " arguments"));
    }
    if (arguments[index].is_given) {
      refuse_at(first.place, "an argument of function " + in_quotes(name) + " is given twice");
    }
    arguments[index] = read_argument(parameters[index]);
    if (!take_sign(",")) break;
  }
  expect_sign(")", "that ends the arguments");
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (arguments[i].is_given || !parameters[i].is_required) continue;
    refuse_at(place,
              "function " + in_quotes(name) + " lacks argument " + in_quotes(words_of(parameters[i].names).front()));
  }
  return arguments;
}

ExpressionReader::Argument ExpressionReader::read_argument(const FunctionParameter& parameter) {
  Argument argument;
  argument.is_given = true;
  const TextPlace place = peek().place;
  switch (parameter.kind) {
    case ParameterKind::kTensor:
      argument.value = read_expression();
      break;
    case ParameterKind::kNumber: {
      const int value = read_expression();
      if (!builder_.is_number(value)) {
        refuse_at(place, "argument " + in_quotes(words_of(parameter.names).front()) + " must be a number",
                  "Of two tensors take maximum and minimum.");
      }
      argument.number = builder_.node(value).number;
      break;
    }
    case ParameterKind::kAxes:
    case ParameterKind::kAxis:
      argument.axes = read_axes(parameter.kind == ParameterKind::kAxis);
      break;
    case ParameterKind::kFlag:
      argument.flag = read_flag();
      break;
    case ParameterKind::kType:
      argument.type = read_type();
      break;
  }
  return argument;
}

std::int64_t ExpressionReader::read_axis() {
  const bool is_negative = take_sign("-");
  const Token token = peek();
  const bool is_whole = token.kind == Token::Kind::kNumber && token.text.size() < 4 &&
                        token.text.find_first_not_of("0123456789") == std::string_view::npos;
  if (!is_whole) refuse_next("an axis such as -1");
  take();
  const auto axis = static_cast<std::int64_t>(token.number);
  return is_negative ? -axis : axis;
}

/// None, -1, (1, 2) or [1, 2]. None is all axes.
std::vector<std::int64_t> ExpressionReader::read_axes(bool is_one) {
  if (peek().is_name("None") && !is_one) {
    take();
    return {};
  }
  const bool is_list = !is_one && (peek().is_sign("(") || peek().is_sign("["));
  if (!is_list) return {read_axis()};
  const std::string_view end = take().text == "(" ? ")" : "]";
  std::vector<std::int64_t> axes;
  do {
    if (!axes.empty() && peek().is_sign(end)) break;
    axes.push_back(read_axis());
  } while (take_sign(","));
  expect_sign(end, "that ends the axes");
  return axes;
}

bool ExpressionReader::read_flag() {
  if (!peek().is_name("True") && !peek().is_name("False")) refuse_next("True or False");
  return take().text == "True";
}

/// 'float32', tf.float32, K.floatx() or y_pred.dtype: the last word says it.
std::string ExpressionReader::read_type() {
  if (peek().kind == Token::Kind::kString) return std::string(take().text);
  const std::vector<Token> name = read_dotted_name();
  if (name.back().text == "floatx") {
    expect_sign("(", "that follows floatx");
    expect_sign(")", "that follows floatx");
  }
  return std::string(name.back().text);
}

}  // namespace modelhop::spec
