// SPDX-License-Identifier: Apache-2.0
// Names of the Keras generations.
#include <array>
#include <utility>

#include "spec/grammar_text.hpp"

namespace modelhop {
namespace {

constexpr std::array kNames = std::to_array<std::pair<const char*, SemanticsProfile>>({
    {"k22", SemanticsProfile::kKeras22},
    {"tf1", SemanticsProfile::kTf1},
    {"tf2l", SemanticsProfile::kTf2Legacy},
    {"tf2n", SemanticsProfile::kTf2},
    {"k3", SemanticsProfile::kKeras3},
});

}  // namespace

std::string to_string(SemanticsProfile profile) {
  for (const auto& [name, known] : kNames) {
    if (known == profile) return name;
  }
  throw Error(ErrorCode::kInternal, "a semantics profile without a name");
}

SemanticsProfile parse_profile(std::string_view text) {
  for (const auto& [name, profile] : kNames) {
    if (text == name) return profile;
  }
  spec::refuse(
      "unknown Keras semantics " + spec::in_quotes(text),
      "k22 is Keras 2.0 to 2.3, tf1 TensorFlow 1, tf2l tf.keras 2.0 to 2.10, tf2n tf.keras 2.11 to 2.15, k3 Keras 3.");
}

}  // namespace modelhop
