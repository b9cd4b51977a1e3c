// SPDX-License-Identifier: Apache-2.0
// A recursive-descent reader of Python literals, names and calls. It builds values and evaluates nothing.
#include "spec/python_literal.hpp"

#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "spec/grammar_text.hpp"

namespace modelhop {

PythonCall::PythonCall() = default;
PythonCall::PythonCall(const PythonCall&) = default;
PythonCall::PythonCall(PythonCall&&) noexcept = default;
PythonCall& PythonCall::operator=(const PythonCall&) = default;
PythonCall& PythonCall::operator=(PythonCall&&) noexcept = default;
PythonCall::~PythonCall() = default;

PythonValue::PythonValue() = default;
PythonValue::PythonValue(const PythonValue&) = default;
PythonValue::PythonValue(PythonValue&&) noexcept = default;
PythonValue& PythonValue::operator=(const PythonValue&) = default;
PythonValue& PythonValue::operator=(PythonValue&&) noexcept = default;
PythonValue::~PythonValue() = default;
namespace {

using spec::in_quotes;
using spec::refuse;

constexpr int kMaxDepth = 32;
constexpr std::size_t kMaxText = std::size_t{1} << 20;
constexpr std::size_t kMaxArguments = 1000;  // of one call; also assignments

bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

class Reader {
 public:
  Reader(std::string_view text, std::string_view what) : text_(text), what_(what) {
    if (text.size() > kMaxText)
      refuse(named() + "parameters have " + std::to_string(text.size()) + " bytes, the limit is 1 MB");
  }

  PythonValue whole_value() {
    PythonValue value = read_value();
    skip_blanks();
    if (at_ < text_.size()) fail("unexpected " + character());
    return value;
  }

  std::vector<std::pair<std::string, PythonValue>> assignments() {
    std::vector<std::pair<std::string, PythonValue>> pairs;
    while (!at_end()) {
      std::string name = read_name();
      expect('=');
      PythonValue value = read_value();
      std::erase_if(pairs, [&name](const auto& pair) { return pair.first == name; });
      if (pairs.size() >= kMaxArguments) fail("more than " + std::to_string(kMaxArguments) + " parameters");
      pairs.emplace_back(std::move(name), std::move(value));
      if (!at_end()) expect(',');
    }
    return pairs;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    refuse(named() + what + " at position " + std::to_string(at_ + 1) + " of " + in_quotes(text_));
  }

  /// "compile_params: ", where the text has a name.
  std::string named() const { return what_.empty() ? std::string() : std::string(what_) + ": "; }

  /// The one that is wrong, all bytes of it.
  std::string character() const {
    std::size_t length = 1;
    while (at_ + length < text_.size() && (static_cast<unsigned char>(text_[at_ + length]) & 0xC0) == 0x80) ++length;
    return in_quotes(text_.substr(at_, length));
  }

  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }

  bool at_end() {
    skip_blanks();
    return at_ >= text_.size();
  }

  char peek() {
    skip_blanks();
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  bool accept(char expected) {
    if (at_end() || text_[at_] != expected) return false;
    ++at_;
    return true;
  }

  void expect(char expected) {
    if (accept(expected)) return;
    fail("expected " + in_quotes(std::string(1, expected)) +
         (at_ < text_.size() ? ", not " + character() : std::string(", found the end,")));
  }

  std::string read_name() {
    skip_blanks();
    if (at_ >= text_.size() || !is_name_start(text_[at_])) fail("expected a name");
    const std::size_t begin = at_;
    while (at_ < text_.size() && (is_name_start(text_[at_]) || is_digit(text_[at_]))) ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }

  PythonValue read_value() {
    if (++depth_ > kMaxDepth) fail("more than " + std::to_string(kMaxDepth) + " levels of nesting");
    skip_blanks();
    const std::size_t begin = at_;
    PythonValue value;
    const char first = peek();
    if (first == '\'' || first == '"') {
      value.value = read_string();
    } else if (first == '[') {
      value.value = read_list('[', ']');
    } else if (first == '(') {
      value.value = read_list('(', ')');
    } else if (first == '{') {
      value.value = read_dict();
    } else if (is_digit(first) || first == '.' || first == '+' || first == '-') {
      read_number(value);
    } else if (is_name_start(first)) {
      read_call(value);
    } else {
      fail(at_ < text_.size() ? "unexpected " + character() : "missing value");
    }
    value.text = text_.substr(begin, at_ - begin);
    --depth_;
    return value;
  }

  std::string read_string() {
    std::string content;
    while (peek() == '\'' || peek() == '"') {  // adjacent strings are one, as in Python
      const std::size_t begin = at_;
      const char quote = text_[at_++];
      while (at_ < text_.size() && text_[at_] != quote) {
        if (text_[at_] == '\\') {
          read_escape(content);
        } else {
          content += text_[at_++];
        }
      }
      if (at_ >= text_.size()) {
        at_ = begin;
        fail("string without its closing quote");
      }
      ++at_;
      if (const std::size_t end = at_; peek() != '\'' && peek() != '"') {
        at_ = end;
        break;
      }
    }
    return content;
  }

  void read_escape(std::string& content) {
    ++at_;
    if (at_ >= text_.size()) fail("string without its closing quote");
    const char code = text_[at_++];
    switch (code) {
      case 'n':
        content += '\n';
        break;
      case 't':
        content += '\t';
        break;
      case 'r':
        content += '\r';
        break;
      case '\\':
      case '\'':
      case '"':
        content += code;
        break;
      case '\n':
        break;
      default:
        content += {'\\', code};
    }
  }

  void read_number(PythonValue& value) {
    const std::size_t begin = at_;
    if (text_[at_] == '+' || text_[at_] == '-') ++at_;
    const auto digits = [this] {
      const std::size_t start = at_;
      while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
      return at_ > start;
    };
    bool is_real = false;
    bool has_digits = digits();
    if (at_ < text_.size() && text_[at_] == '.') {
      ++at_;
      is_real = true;
      has_digits = digits() || has_digits;
    }
    if (has_digits && at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      ++at_;
      is_real = true;
      if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
      has_digits = digits();
    }
    const bool is_followed = at_ < text_.size() && (is_name_start(text_[at_]) || text_[at_] == '.');
    if (!has_digits || is_followed) {
      at_ = begin;
      fail("malformed number");
    }
    convert_number(text_.substr(begin, at_ - begin), is_real, value);
  }

  void convert_number(std::string_view digits, bool is_real, PythonValue& value) const {
    if (digits.front() == '+') digits.remove_prefix(1);
    const char* end = digits.data() + digits.size();
    long long integer = 0;
    if (!is_real && std::from_chars(digits.data(), end, integer).ec == std::errc()) {
      value.value = integer;
      return;
    }
    double real = 0.0;
    const auto result = std::from_chars(digits.data(), end, real);
    // Python reads 1e400 as infinity and 1e-400 as zero; from_chars tells only that it is out of range.
    if (result.ec == std::errc::result_out_of_range) real = std::strtod(std::string(digits).c_str(), nullptr);
    value.value = real;
  }

  PythonList read_list(char open, char close) {
    PythonList list;
    expect(open);
    while (!accept(close)) {
      list.push_back(read_value());
      if (peek() != close) expect(',');
    }
    return list;
  }

  PythonDict read_dict() {
    PythonDict dict;
    expect('{');
    while (!accept('}')) {
      PythonValue key = read_value();
      expect(':');
      dict.emplace_back(std::move(key), read_value());
      if (peek() != '}') expect(',');
    }
    return dict;
  }

  void read_call(PythonValue& value) {
    PythonCall call;
    call.name = read_name();
    while (at_ < text_.size() && text_[at_] == '.') {
      ++at_;
      call.name += "." + read_name();
    }
    if (call.name == "None") return;
    if (call.name == "True" || call.name == "False") {
      value.value = call.name == "True";
      return;
    }
    const std::size_t end = at_;
    if (peek() == '(') {
      read_arguments(call);
    } else {
      at_ = end;
    }
    value.value = std::move(call);
  }

  void read_arguments(PythonCall& call) {
    call.is_call = true;
    expect('(');
    while (!accept(')')) {
      if (call.named.size() + call.positional.size() >= kMaxArguments)
        fail("more than " + std::to_string(kMaxArguments) + " arguments");
      const std::size_t begin = at_;
      std::string name = is_name_start(peek()) ? read_name() : std::string();
      if (!name.empty() && accept('=')) {
        for (const auto& [other, unused] : call.named) {
          if (other == name) fail("argument " + in_quotes(name) + " given twice");
        }
        call.named.emplace_back(std::move(name), read_value());
      } else {
        at_ = begin;
        if (!call.named.empty()) fail("an argument without a name after a named one");
        call.positional.push_back(read_value());
      }
      if (peek() != ')') expect(',');
    }
  }

  std::string_view text_;
  std::string_view what_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

PythonValue parse_python_value(std::string_view text, std::string_view what) {
  return Reader(text, what).whole_value();
}

std::vector<std::pair<std::string, PythonValue>> parse_python_assignments(std::string_view text,
                                                                          std::string_view what) {
  return Reader(text, what).assignments();
}

}  // namespace modelhop
