// SPDX-License-Identifier: Apache-2.0
// Keras 2 signs its files with its version; Keras 3 names the class's module instead.
#include "spec/fingerprint.hpp"

#include <array>
#include <charconv>
#include <string>
#include <string_view>
#include <utility>

#include "spec/grammar_text.hpp"

namespace modelhop::spec {
namespace {

std::string version_of(const Json& document) {
  const auto version = document.find("keras_version");
  return version != document.end() && version->is_string() ? version->get<std::string>() : std::string();
}

/// Major and minor number; -1 where the text has none.
std::pair<int, int> numbers_of(std::string_view version) {
  std::array<int, 2> numbers = {-1, -1};
  const char* at = version.data();
  const char* end = at + version.size();
  for (int& number : numbers) {
    const auto [next, failure] = std::from_chars(at, end, number);
    if (failure != std::errc() || number < 0) return {numbers[0], -1};
    at = next == end ? next : next + 1;
  }
  return {numbers[0], numbers[1]};
}

/// TensorFlow 1 writes a dtype into the config of every initializer; TensorFlow 2.0 and 2.1, of the same Keras version,
/// do not.
bool has_initializer_without_dtype(const Json& value) {
  if (!value.is_structured()) return false;
  if (value.is_array()) {
    for (const Json& element : value) {
      if (has_initializer_without_dtype(element)) return true;
    }
    return false;
  }
  for (const auto& [key, element] : value.items()) {
    if (key.ends_with("_initializer") && element.is_object() && element.contains("config")) {
      if (!element["config"].contains("dtype")) return true;
    } else if (has_initializer_without_dtype(element)) {
      return true;
    }
  }
  return false;
}

}  // namespace

bool is_keras3_file(const Json& document) {
  const std::string version = version_of(document);
  return version.empty() ? document.contains("module") : numbers_of(version).first >= 3;
}

SemanticsProfile profile_of_file(const Json& document) {
  if (is_keras3_file(document)) return SemanticsProfile::kKeras3;
  const std::string version = version_of(document);
  const auto [major, minor] = numbers_of(version);
  if (major == 0 || major == 1) {
    unsupported("architecture was written by Keras " + in_quotes(version),
                "Load and save the model with Keras 2 or later.");
  }
  if (major != 2 || minor < 0) return SemanticsProfile::kTf2Legacy;
  if (minor >= 11) return SemanticsProfile::kTf2;
  if (!version.ends_with("-tf")) return minor <= 3 ? SemanticsProfile::kKeras22 : SemanticsProfile::kTf2Legacy;
  if (minor >= 3 || (version == "2.2.4-tf" && has_initializer_without_dtype(document))) {
    return SemanticsProfile::kTf2Legacy;
  }
  return SemanticsProfile::kTf1;
}

}  // namespace modelhop::spec
