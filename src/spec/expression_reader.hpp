// SPDX-License-Identifier: Apache-2.0
// Expressions of a custom function: operators by Python's precedence, and calls.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "spec/expression_builder.hpp"
#include "spec/expression_functions.hpp"
#include "spec/expression_token.hpp"

namespace modelhop::spec {

class ExpressionReader {
 public:
  explicit ExpressionReader(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  int read_expression();

  const Token& peek(std::size_t ahead = 0) const;
  Token take();
  bool take_sign(std::string_view sign);
  void expect_sign(std::string_view sign, const char* where);
  /// `kNewline`s.
  void skip_lines();
  [[noreturn]] void refuse_next(const std::string& wanted) const;

  void define(std::string name, int value) { variables_[std::move(name)] = value; }
  int variable(const Token& name) const;
  void add_module(std::string alias) { modules_.insert(std::move(alias)); }
  /// `a.b.c` as its parts.
  std::vector<Token> read_dotted_name();
  ExpressionBuilder& builder() { return builder_; }

  /// One operator of two values, as an assignment such as += wants it.
  int combine(std::string_view sign, int left, int right, TextPlace place);

 private:
  struct Argument {
    bool is_given = false;
    int value = 0;
    double number = 0.0;
    std::vector<std::int64_t> axes;  ///< empty: None
    bool flag = false;
    std::string type;
  };
  using Arguments = std::vector<Argument>;

  int read_or();
  int read_and();
  int read_not();
  int read_comparison();
  int read_operators(int level);
  int read_unary();
  int read_power();
  int read_primary();
  int read_name_or_call();
  int read_call(const std::vector<Token>& name);
  const FunctionRow& function_of(const std::vector<Token>& name) const;
  Arguments read_arguments(const FunctionRow& function, const std::string& name, TextPlace place);
  Argument read_argument(const FunctionParameter& parameter);
  std::vector<std::int64_t> read_axes(bool is_one);
  std::int64_t read_axis();
  std::string read_type();
  bool read_flag();

  int make_call(const FunctionRow& function, const Arguments& arguments, TextPlace place);
  int make_cast(const Argument& value, const std::string& type, TextPlace place);
  int make_top_k(const Arguments& arguments, TextPlace place);
  int make_variance(const Arguments& arguments, TextPlace place);
  int make_crossentropy(const FunctionRow& function, const Arguments& arguments, TextPlace place);
  int reduce(ExpressionOp op, int value, std::vector<std::int64_t> axes, bool keeps_axes, TextPlace place);
  int clip(int value, double low, double high, TextPlace place);

  std::vector<Token> tokens_;
  std::size_t next_ = 0;
  int depth_ = 0;
  ExpressionBuilder builder_;
  std::map<std::string, int, std::less<>> variables_;
  std::set<std::string, std::less<>> modules_ = {"K",  "tf",  "tensorflow", "keras",  "math",
                                                 "nn", "ops", "backend",    "config", "python"};
};

}  // namespace modelhop::spec
