// SPDX-License-Identifier: Apache-2.0
// The functions of keras.activations, over all generations.
#include "spec/activation_names.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "spec/grammar_text.hpp"

namespace modelhop::spec {
namespace {

constexpr std::array kFunctions = std::to_array<std::string_view>(
    {"celu",      "elu",       "exponential", "gelu",       "glu",         "hard_shrink", "hard_sigmoid",
     "hard_silu", "hard_tanh", "leaky_relu",  "linear",     "log_sigmoid", "log_softmax", "mish",
     "relu",      "relu6",     "selu",        "sigmoid",    "silu",        "soft_shrink", "softmax",
     "softplus",  "softsign",  "sparsemax",   "squareplus", "tanh",        "tanh_shrink"});

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

Shape activated_shape(const std::string& where, Shape shape, const std::string& activation) {
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

std::int64_t activation_cost(const std::string& activation) {
  if (activation == "linear") return 0;
  if (activation == "relu" || activation == "relu6" || activation == "leaky_relu") return 1;
  return 5;
}

}  // namespace modelhop::spec
