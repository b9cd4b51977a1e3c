// SPDX-License-Identifier: Apache-2.0
// One pass over the bytes; Python's rules for line breaks without its rules for indentation.
#include "spec/expression_token.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "spec/grammar_text.hpp"

namespace modelhop::spec {
namespace {

bool is_digit(char character) {
  return character >= '0' && character <= '9';
}

bool begins_name(char character) {
  return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') || character == '_';
}

/// Longer signs before those that they begin with.
constexpr std::array<std::string_view, 29> kSigns = {
    "**", "//", "+=", "-=", "*=", "/=", "==", "!=", "<=", ">=", "->", "+", "-", "*", "/",
    "<",  ">",  "=",  "(",  ")",  "[",  "]",  ",",  ".",  ":",  "&",  "|", "~", "%"};

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  std::vector<Token> read() {
    while (skip_blanks()) read_one();
    add(Token::Kind::kEnd, 0);
    return std::move(tokens_);
  }

 private:
  char at(std::size_t ahead) const { return next_ + ahead < text_.size() ? text_[next_ + ahead] : '\0'; }
  TextPlace place() const { return {line_, static_cast<int>(next_ - line_begin_) + 1}; }

  void add(Token::Kind kind, std::size_t length) {
    tokens_.push_back({kind, text_.substr(next_, length), 0.0, place()});
    next_ += length;
  }

  void begin_line() {
    ++line_;
    line_begin_ = next_;
  }

  /// Whether something is left.
  bool skip_blanks() {
    while (next_ < text_.size()) {
      const char character = text_[next_];
      if (character == '#') {
        while (next_ < text_.size() && text_[next_] != '\n') ++next_;
      } else if (character == ' ' || character == '\t' || character == '\r') {
        ++next_;
      } else if (character == '\\' && (at(1) == '\n' || (at(1) == '\r' && at(2) == '\n'))) {
        next_ += at(1) == '\n' ? 2 : 3;
        begin_line();
      } else if (character == '\n' && depth_ > 0) {
        ++next_;
        begin_line();
      } else {
        return true;
      }
    }
    return false;
  }

  void read_one() {
    const char character = text_[next_];
    if (character == '\n' || character == ';') {
      add(Token::Kind::kNewline, 1);
      if (character == '\n') begin_line();
    } else if (begins_name(character)) {
      std::size_t length = 1;
      while (begins_name(at(length)) || is_digit(at(length))) ++length;
      add(Token::Kind::kName, length);
    } else if (is_digit(character) || (character == '.' && is_digit(at(1)))) {
      read_number();
    } else if (character == '\'' || character == '"') {
      read_string(character);
    } else {
      read_sign();
    }
  }

  void read_number() {
    const char* begin = text_.data() + next_;
    double number = 0.0;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), number);
    const auto length = static_cast<std::size_t>(end - begin);
    if (error != std::errc() || !std::isfinite(number)) refuse_at(place(), "a number that is out of range");
    if (begins_name(at(length))) {
      refuse_at(place(), in_quotes(text_.substr(next_, length + 1)) + " is neither a number nor a name",
                "Write numbers as 0.5 or 1e-7.");
    }
    add(Token::Kind::kNumber, length);
    tokens_.back().number = number;
  }

  void read_string(char quote) {
    const TextPlace begin = place();
    const bool is_long = at(1) == quote && at(2) == quote;
    const std::size_t width = is_long ? 3 : 1;
    const std::string end(width, quote);
    const std::size_t found = text_.find(end, next_ + width);
    const std::string_view content =
        found == std::string_view::npos ? text_ : text_.substr(next_ + width, found - next_ - width);
    if (found == std::string_view::npos || (!is_long && content.find('\n') != std::string_view::npos)) {
      refuse_at(begin, "a string that does not end");
    }
    tokens_.push_back({Token::Kind::kString, content, 0.0, begin});
    for (next_ += width; next_ < found;) {
      if (text_[next_++] == '\n') begin_line();
    }
    next_ += width;
  }

  void read_sign() {
    for (const std::string_view sign : kSigns) {
      if (!text_.substr(next_).starts_with(sign)) continue;
      if (sign == "(" || sign == "[") ++depth_;
      if ((sign == ")" || sign == "]") && depth_ > 0) --depth_;
      return add(Token::Kind::kSign, sign.size());
    }
    refuse_at(place(), "character " + in_quotes(text_.substr(next_, 1)) + " is not expected here");
  }

  std::string_view text_;
  std::size_t next_ = 0;
  std::size_t line_begin_ = 0;
  int line_ = 1;
  int depth_ = 0;
  std::vector<Token> tokens_;
};

std::string place_text(TextPlace place) {
  return "line " + std::to_string(place.line) + ", column " + std::to_string(place.column) + ": ";
}

}  // namespace

std::vector<Token> read_tokens(std::string_view text) {
  return Reader(text).read();
}

void refuse_at(TextPlace place, const std::string& message, std::string hint) {
  refuse(place_text(place) + message, std::move(hint));
}

void unsupported_at(TextPlace place, const std::string& message, std::string hint) {
  unsupported(place_text(place) + message, std::move(hint));
}

}  // namespace modelhop::spec
