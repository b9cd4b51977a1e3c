// SPDX-License-Identifier: Apache-2.0
// Reads the numbers that real Keras computed (test/keras/README.md). Tests run in test/engine.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "modelhop/model_spec.hpp"
#include "modelhop/train_spec.hpp"

namespace modelhop::engine {

inline nlohmann::json keras_fixture(const std::string& file) {
  std::ifstream stream("../keras/fixtures/" + file);
  if (!stream) throw std::runtime_error("cannot read fixture " + file);
  return nlohmann::json::parse(stream);
}

inline std::vector<float> fixture_floats(const nlohmann::json& list) {
  std::vector<float> values;
  for (const auto& item : list) {
    if (item.is_string()) {
      const std::string text = item;
      const float infinity = std::numeric_limits<float>::infinity();
      values.push_back(text == "inf" ? infinity : text == "-inf" ? -infinity : std::numeric_limits<float>::quiet_NaN());
    } else {
      values.push_back(item.get<float>());
    }
  }
  return values;
}

inline SemanticsProfile fixture_profile(const std::string& name) {
  if (name == "keras22") return SemanticsProfile::kKeras22;
  if (name == "tf1") return SemanticsProfile::kTf1;
  if (name == "tf2_legacy") return SemanticsProfile::kTf2Legacy;
  if (name == "tf2") return SemanticsProfile::kTf2;
  if (name == "keras3") return SemanticsProfile::kKeras3;
  throw std::runtime_error("unknown profile " + name);
}

}  // namespace modelhop::engine
