// SPDX-License-Identifier: Apache-2.0
// The functions of keras.activations, over all generations.
#include "spec/activation_names.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "spec/grammar_text.hpp"

namespace modelhop::spec {
namespace {

constexpr std::array kFunctions = std::to_array<std::string_view>(
    {"celu",           "elu",         "exponential", "gelu",       "glu",        "hard_shrink",
     "hard_sigmoid",   "hard_silu",   "hard_tanh",   "leaky_relu", "linear",     "log_sigmoid",
     "log_softmax",    "mish",        "relu",        "relu6",      "selu",       "sigmoid",
     "silu",           "soft_shrink", "softmax",     "softplus",   "softsign",   "sparse_plus",
     "sparse_sigmoid", "sparsemax",   "squareplus",  "tanh",       "tanh_shrink"});

constexpr std::array kAliases =
    std::to_array<std::pair<std::string_view, std::string_view>>({{"swish", "silu"}, {"hard_swish", "hard_silu"}});

}  // namespace

std::span<const std::string_view> activation_names() {
  return kFunctions;
}

std::string canonical_activation(std::string_view name) {
  for (const auto& [alias, canonical] : kAliases) {
    if (alias == name) return std::string(canonical);
  }
  const auto found = std::find(kFunctions.begin(), kFunctions.end(), name);
  return found == kFunctions.end() ? std::string() : std::string(*found);
}

std::string activation_text(const std::string& name, const std::vector<double>& parameters) {
  std::string text = name;
  for (const double parameter : parameters) {
    std::array<char, 32> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), parameter).ptr;
    text += (text.size() == name.size() ? "(" : ",") + std::string(digits.data(), end);
  }
  return parameters.empty() ? text : text + ")";
}

ActivationCall split_activation(const std::string& text) {
  const std::size_t open = text.find('(');
  ActivationCall call{text.substr(0, open), {}};
  const char* position = text.data() + std::min(open, text.size());
  const char* const end = text.data() + text.size();
  while (position != end && *position != ')') {
    double parameter = 0.0;
    const auto read = std::from_chars(position + 1, end, parameter);
    check(read.ec == std::errc(), "an activation's parameters cannot be read");
    call.parameters.push_back(parameter);
    position = read.ptr;
  }
  return call;
}

Shape activated_shape(const std::string& where, Shape shape, const std::string& text) {
  const auto [activation, parameters] = split_activation(text);
  if (activation == "softmax" && !parameters.empty()) {
    const auto rank = static_cast<double>(shape.size()) + 1;
    const double axis = parameters.front() < 0 ? parameters.front() + rank : parameters.front();
    if (axis < 1 || axis >= rank) {
      refuse(where + ": activation " + in_quotes(text) + " needs its axis beside the batch in " + to_text(shape));
    }
  }
  if (activation == "softmax" || activation == "log_softmax" || activation == "sparsemax" || activation == "glu") {
    if (shape.empty())
      refuse(where + ": activation " + in_quotes(activation) + " needs at least one axis beside the batch");
  }
  if (activation == "glu") {
    if (shape.back() % 2 != 0) refuse(where + ": activation \"glu\" needs an even last axis, not " + to_text(shape));
    shape.back() /= 2;
  }
  return shape;
}

std::int64_t activation_cost(const std::string& text) {
  const std::string activation = split_activation(text).name;
  if (activation == "linear") return 0;
  if (activation == "relu" || activation == "relu6" || activation == "leaky_relu") return 1;
  return 5;
}

}  // namespace modelhop::spec
