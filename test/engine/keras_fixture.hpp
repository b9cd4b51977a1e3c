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

/// Keras's own defaults; rates are always given.
inline OptimizerSpec fixture_optimizer(const nlohmann::json& given) {
  OptimizerSpec spec;
  const std::string kind = given.at("kind");
  spec.kind = kind == "SGD"       ? OptimizerKind::kSgd
              : kind == "RMSprop" ? OptimizerKind::kRmsprop
              : kind == "Adam"    ? OptimizerKind::kAdam
                                  : OptimizerKind::kAdagrad;
  spec.learning_rate = given.at("learning_rate");
  spec.decay = given.value("decay", 0.0);
  spec.momentum = given.value("momentum", 0.0);
  spec.nesterov = given.value("nesterov", false);
  spec.rho = given.value("rho", 0.9);
  spec.centered = given.value("centered", false);
  spec.beta_1 = given.value("beta_1", 0.9);
  spec.beta_2 = given.value("beta_2", 0.999);
  spec.epsilon = given.value("epsilon", 1e-7);
  spec.amsgrad = given.value("amsgrad", false);
  spec.initial_accumulator_value = given.value("initial_accumulator_value", 0.1);
  return spec;
}

inline LossKind fixture_loss_kind(const std::string& name) {
  if (name == "categorical_crossentropy") return LossKind::kCategoricalCrossentropy;
  if (name == "sparse_categorical_crossentropy") return LossKind::kSparseCategoricalCrossentropy;
  if (name == "binary_crossentropy") return LossKind::kBinaryCrossentropy;
  if (name == "mean_squared_error") return LossKind::kMeanSquaredError;
  if (name == "mean_absolute_error") return LossKind::kMeanAbsoluteError;
  throw std::runtime_error("unknown loss " + name);
}

inline LossSpec fixture_loss(const nlohmann::json& given) {
  const std::string kind = given.at("kind");
  return {fixture_loss_kind(kind), kind, given.value("from_logits", false), given.value("label_smoothing", 0.0)};
}

}  // namespace modelhop::engine
