// SPDX-License-Identifier: Apache-2.0
// The statements of a custom function, around its expressions.
#include "spec/expression.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "spec/expression_reader.hpp"
#include "spec/grammar_text.hpp"

namespace modelhop::spec {
namespace {

/// Only comments and strings may hold other characters, and those say nothing: this way a text can be stored and shown
/// in every encoding.
std::string ascii_text(std::string_view text) {
  std::string ascii(text);
  for (char& character : ascii) {
    const auto code = static_cast<unsigned char>(character);
    const bool is_blank = character == '\n' || character == '\r' || character == '\t';
    if ((code < 0x20 && !is_blank) || code >= 0x7F) character = '?';
  }
  return ascii;
}

class StatementReader {
 public:
  explicit StatementReader(std::string_view text) : reader_(read_tokens(text)) {}

  ExpressionSpec read(std::string text) {
    reader_.skip_lines();
    while (skip_string() || read_import()) reader_.skip_lines();
    if (reader_.peek().is_name("def")) {
      read_header();
    } else if (reader_.peek().is_name("lambda")) {
      read_lambda();
    } else {
      reader_.define("y_true", reader_.builder().truth());
      reader_.define("y_pred", reader_.builder().prediction());
    }
    for (reader_.skip_lines(); reader_.peek().kind != Token::Kind::kEnd; reader_.skip_lines()) {
      if (result_) refuse_at(reader_.peek().place, "nothing may follow the result", "One text is one function.");
      read_statement();
      end_statement();
    }
    const TextPlace end = reader_.peek().place;
    if (!result_) refuse_at(end, "the text has no result", "End it with: return ...");
    return reader_.builder().finish(*result_, std::move(text), end);
  }

 private:
  bool skip_string() {
    if (reader_.peek().kind != Token::Kind::kString) return false;
    reader_.take();
    return true;
  }

  void end_statement() {
    const Token& next = reader_.peek();
    if (next.kind != Token::Kind::kNewline && next.kind != Token::Kind::kEnd)
      reader_.refuse_next("the end of the line");
  }

  /// def name(y_true, y_pred, smooth=1.0):
  void read_header() {
    reader_.take();
    if (reader_.peek().kind != Token::Kind::kName) reader_.refuse_next("the function's name");
    reader_.take();
    reader_.expect_sign("(", "that begins the parameters");
    read_parameters(")");
    reader_.expect_sign(")", "that ends the parameters");
    reader_.expect_sign(":", "that ends the first line");
  }

  void read_lambda() {
    reader_.take();
    read_parameters(":");
    reader_.expect_sign(":", "that ends the parameters");
    result_ = reader_.read_expression();
    end_statement();
  }

  void read_parameters(std::string_view end) {
    const int values[] = {reader_.builder().truth(), reader_.builder().prediction()};
    std::vector<std::string_view> names;
    do {
      if (reader_.peek().is_sign(end) && names.size() >= 2) break;
      if (reader_.peek().kind != Token::Kind::kName) reader_.refuse_next("a parameter's name");
      const Token name = reader_.take();
      if (std::find(names.begin(), names.end(), name.text) != names.end()) {
        refuse_at(name.place, "parameter " + in_quotes(name.text) + " comes twice");
      }
      if (names.size() < 2) {
        reader_.define(std::string(name.text), values[names.size()]);
      } else {
        reader_.expect_sign("=", "with the value of a further parameter");
        reader_.define(std::string(name.text), reader_.read_expression());
      }
      names.push_back(name.text);
    } while (reader_.take_sign(","));
    if (names.size() < 2) {
      refuse_at(reader_.peek().place, "the function needs two parameters", "Write def f(y_true, y_pred):");
    }
  }

  void read_statement() {
    const Token& first = reader_.peek();
    if (skip_string() || read_import()) return;
    if (first.is_name("return")) {
      reader_.take();
      result_ = reader_.read_expression();
      return;
    }
    for (const std::string_view word :
         {"def", "for", "while", "with", "class", "assert", "del", "raise", "try", "if"}) {
      if (!first.is_name(word)) continue;
      unsupported_at(first.place, "statement " + in_quotes(word) + " is not supported",
                     "A function is assignments and one result; where(condition, a, b) chooses.");
    }
    if (first.kind == Token::Kind::kName && read_assignment()) return;
    result_ = reader_.read_expression();
  }

  bool read_assignment() {
    const Token name = reader_.peek();
    const Token sign = reader_.peek(1);
    if (sign.is_sign("=")) {
      reader_.take(), reader_.take();
      for (const std::string_view word : {"None", "True", "False", "and", "or", "not", "lambda"}) {
        if (name.is_name(word)) refuse_at(name.place, in_quotes(word) + " cannot be assigned to");
      }
      reader_.define(std::string(name.text), reader_.read_expression());
      return true;
    }
    for (const std::string_view combined : {"+=", "-=", "*=", "/="}) {
      if (!sign.is_sign(combined)) continue;
      const int left = reader_.variable(name);
      reader_.take(), reader_.take();
      const int right = reader_.read_expression();
      reader_.define(std::string(name.text), reader_.combine(combined.substr(0, 1), left, right, sign.place));
      return true;
    }
    return false;
  }

  /// import tensorflow.keras.backend as K / from keras import ops: what it names stands before functions.
  bool read_import() {
    const Token first = reader_.peek();
    if (!first.is_name("import") && !first.is_name("from")) return false;
    reader_.take();
    const std::vector<Token> module = reader_.read_dotted_name();
    if (module.front().text != "tensorflow" && module.front().text != "keras") {
      unsupported_at(module.front().place, "module " + in_quotes(module.front().text) + " is not supported",
                     "There are tensorflow and keras.");
    }
    if (first.is_name("from")) {
      if (!reader_.peek().is_name("import")) reader_.refuse_next("\"import\"");
      reader_.take();
      if (reader_.peek().kind != Token::Kind::kName) reader_.refuse_next("a name");
      if (!reader_.peek(1).is_name("as")) reader_.add_module(std::string(reader_.peek().text));
      reader_.take();
    }
    if (reader_.peek().is_name("as")) {
      reader_.take();
      if (reader_.peek().kind != Token::Kind::kName) reader_.refuse_next("a name");
      reader_.add_module(std::string(reader_.take().text));
    }
    return true;
  }

  ExpressionReader reader_;
  std::optional<int> result_;
};

}  // namespace

ExpressionSpec parse_expression(std::string_view text) {
  if (text.size() > kMaxExpressionBytes) {
    refuse("the text has " + std::to_string(text.size()) + " bytes, the limit is " +
           std::to_string(kMaxExpressionBytes));
  }
  const std::string ascii = ascii_text(text);
  return StatementReader(ascii).read(ascii);
}

}  // namespace modelhop::spec
