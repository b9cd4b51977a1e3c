// SPDX-License-Identifier: Apache-2.0
// Python literals, names and calls, right and wrong.
#include "spec/python_literal.hpp"

#include <cmath>

#include "samples.hpp"

namespace modelhop {
namespace {

double number(const std::string& text) {
  const PythonValue value = parse_python_value(text);
  if (const auto* integer = std::get_if<long long>(&value.value)) return static_cast<double>(*integer);
  return std::get<double>(value.value);
}

std::string string(const std::string& text) {
  return std::get<std::string>(parse_python_value(text).value);
}

TEST(PythonLiteral, numbers) {
  EXPECT_EQ(number("1"), 1);
  EXPECT_EQ(number("-7"), -7);
  EXPECT_EQ(number("+3"), 3);
  EXPECT_EQ(number(".5"), 0.5);
  EXPECT_EQ(number("5."), 5);
  EXPECT_EQ(number("1e-3"), 1e-3);
  EXPECT_EQ(number("1E+05"), 1e5);
  EXPECT_EQ(number("-1.25e2"), -125);
  EXPECT_TRUE(std::isinf(number("1e400")));
  EXPECT_EQ(number("1e-400"), 0.0);
  EXPECT_EQ(number("9223372036854775808"), 9223372036854775808.0);
  EXPECT_TRUE(std::holds_alternative<long long>(parse_python_value(" 12 ").value));
  EXPECT_TRUE(std::holds_alternative<double>(parse_python_value("12.").value));
}

TEST(PythonLiteral, words_and_strings) {
  EXPECT_TRUE(std::get<bool>(parse_python_value("True").value));
  EXPECT_FALSE(std::get<bool>(parse_python_value("False").value));
  EXPECT_TRUE(std::holds_alternative<PythonNone>(parse_python_value("None").value));
  EXPECT_EQ(string("'a, b)'"), "a, b)");
  EXPECT_EQ(string("\"it's\""), "it's");
  EXPECT_EQ(string(R"('it\'s\n\\')"), "it's\n\\");
  EXPECT_EQ(string("'two' \"parts\""), "twoparts");
  EXPECT_EQ(string("''"), "");
}

TEST(PythonLiteral, containers) {
  const PythonValue list = parse_python_value("[1, 'a', (2, 3,), [], {'k': None, 1: 2.5},]");
  const auto& elements = std::get<PythonList>(list.value);
  ASSERT_EQ(elements.size(), 5U);
  EXPECT_EQ(std::get<PythonList>(elements[2].value).size(), 2U);
  EXPECT_EQ(elements[2].text, "(2, 3,)");
  const auto& dict = std::get<PythonDict>(elements[4].value);
  ASSERT_EQ(dict.size(), 2U);
  EXPECT_EQ(std::get<std::string>(dict[0].first.value), "k");
  EXPECT_EQ(std::get<double>(dict[1].second.value), 2.5);
}

TEST(PythonLiteral, calls) {
  const PythonValue value = parse_python_value("keras.optimizers.SGD(0.01, momentum = .9, f=g(x=[1]))");
  const auto& call = std::get<PythonCall>(value.value);
  EXPECT_EQ(call.name, "keras.optimizers.SGD");
  EXPECT_TRUE(call.is_call);
  ASSERT_EQ(call.positional.size(), 1U);
  ASSERT_EQ(call.named.size(), 2U);
  EXPECT_EQ(call.named[0].first, "momentum");
  EXPECT_EQ(std::get<PythonCall>(call.named[1].second.value).name, "g");
  EXPECT_FALSE(std::get<PythonCall>(parse_python_value(" adam ").value).is_call);
  EXPECT_EQ(parse_python_value(" adam ").text, "adam");
}

TEST(PythonLiteral, assignments) {
  const auto pairs = parse_python_assignments(" a=1,\n b = 'x' , a=2, ");
  ASSERT_EQ(pairs.size(), 2U);
  EXPECT_EQ(pairs[0].first, "b");
  EXPECT_EQ(pairs[1].first, "a");
  EXPECT_EQ(std::get<long long>(pairs[1].second.value), 2);
  EXPECT_TRUE(parse_python_assignments("  ").empty());
}

TEST(PythonLiteral, refuses_what_is_no_literal) {
  for (const char* text : {"",      "[",    "]",     "[1",        "[1 2]",       "(",  "{1}",  "{1:}",        "{'a' 1}",
                           "'open", "'a\\", "1 +",   "1+1",       "1.2.3",       "1x", "--1",  "-",           ".",
                           "1e",    "f(",   "f(a=1", "f(a=1, 2)", "f(a=1, a=2)", "a.", "a..b", "lambda x: x", "x[0]",
                           "f()()", "a b",  "@",     "'a' + 'b'", "[,]",         "*x", "u'x'"}) {
    const Error error = error_of([&] { parse_python_value(text); });
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument) << text;
    EXPECT_NE(std::string(error.what()).find("position"), std::string::npos) << text << ": " << error.what();
  }
  for (const char* text : {"a", "a=", "=1", "a=1 b=2", "a=1,,b=2", "1=2", "'a'=1", "a==1", "a=1,b"}) {
    expect_error(ErrorCode::kInvalidArgument, "position", [&] { parse_python_assignments(text); });
  }
}

TEST(PythonLiteral, limits_nesting_and_length) {
  EXPECT_NO_THROW(parse_python_value(std::string(31, '[') + "1" + std::string(31, ']')));
  expect_error(ErrorCode::kInvalidArgument, "32 levels", [] { parse_python_value(std::string(100'000, '[')); });
  expect_error(ErrorCode::kInvalidArgument, "32 levels", [] {
    std::string text;
    for (int i = 0; i < 10'000; ++i) text += "f(";
    parse_python_value(text);
  });
  std::string arguments;
  for (int i = 0; i < 1'001; ++i) arguments += "a" + std::to_string(i) + "=1,";
  expect_error(ErrorCode::kInvalidArgument, "more than 1000 arguments",
               [&] { parse_python_value("f(" + arguments + ")"); });
  expect_error(ErrorCode::kInvalidArgument, "more than 1000 parameters", [&] { parse_python_assignments(arguments); });
  expect_error(ErrorCode::kInvalidArgument, "1 MB", [] { parse_python_value(std::string((1 << 20) + 1, ' ')); });
}

}  // namespace
}  // namespace modelhop
