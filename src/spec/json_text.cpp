// SPDX-License-Identifier: Apache-2.0
// One scan checks the limits before anything is allocated for the document and makes Python's extra tokens legal JSON.
#include "spec/json_text.hpp"

#include <string>

#include "spec/grammar_text.hpp"

namespace modelhop::spec {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{64} << 20;
constexpr std::size_t kMaxValues = 4'000'000;
constexpr int kMaxDepth = 100;

/// Length of a Python token that JSON does not know, else 0.
std::size_t python_token(std::string_view rest) {
  for (const std::string_view token : {"NaN", "Infinity", "-Infinity"}) {
    if (rest.substr(0, token.size()) == token) return token.size();
  }
  return 0;
}

class Scan {
 public:
  Scan(const std::string& what, std::string_view text) : what_(what), text_(text) {}

  std::string run() {
    legal_.reserve(text_.size());
    while (at_ < text_.size()) step();
    return std::move(legal_);
  }

 private:
  void step() {
    const char character = text_[at_];
    if (character == '"') return copy_string();
    if (character == '[' || character == '{') {
      if (++depth_ > kMaxDepth) refuse(what_ + " JSON is nested deeper than " + std::to_string(kMaxDepth) + " levels");
    } else if (character == ']' || character == '}') {
      --depth_;
    } else if (character == ',' && ++values_ > kMaxValues) {
      refuse(what_ + " JSON has more than " + std::to_string(kMaxValues) + " values");
    } else if (const std::size_t length = python_token(text_.substr(at_)); length > 0) {
      legal_.append("\"").append(text_.substr(at_, length)).append("\"");
      at_ += length;
      return;
    }
    legal_ += character;
    ++at_;
  }

  void copy_string() {
    const std::size_t begin = at_++;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    at_ = std::min(at_ + 1, text_.size());
    legal_.append(text_.substr(begin, at_ - begin));
  }

  const std::string& what_;
  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
  std::size_t values_ = 0;
  std::string legal_;
};

}  // namespace

Json read_json_text(const std::string& what, std::string_view text) {
  if (text.size() > kMaxBytes) {
    refuse(what + " JSON has " + std::to_string(text.size()) + " bytes, the limit is " + std::to_string(kMaxBytes));
  }
  const std::string legal = Scan(what, text).run();
  try {
    return Json::parse(legal);
  } catch (const Json::exception& error) {
    const std::string problem = error.what();
    const std::size_t detail = problem.find("] ");
    refuse(what +
           " is not valid JSON: " + in_quotes(detail == std::string::npos ? problem : problem.substr(detail + 2)));
  }
}

}  // namespace modelhop::spec
